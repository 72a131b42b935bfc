"""Rules on ECS services and task definitions.

A container's environment can hold secrets: collectors mask its values, and no rule reads the whole of a container.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

from nephoscope.domain import NO_LIST, NO_OBJECT, Fail, NotKnown, Severity, Unknown, View, rule
from nephoscope_aws.access import is_on
from nephoscope_aws.plain_secrets import plain_secret

SERVICE = "AWS::ECS::Service"
TASK = "AWS::ECS::TaskDefinition"

NETWORK = "NetworkConfiguration.AwsvpcConfiguration"

DEPLOY = """
    aws ecs register-task-definition --region={region} --cli-input-json={TASK_FILE}
    aws ecs update-service --region={region} --cluster={CLUSTER_NAME} --service={SERVICE_NAME}
      --task-definition={name}
"""
DEPLOY_INPUTS = {
    "TASK_FILE": "file://task.json, where task.json is the new revision",
    "CLUSTER_NAME": "the cluster of a service that uses it",
    "SERVICE_NAME": "that service",
}


def _network(assign: str | None) -> dict[str, Any]:
    """An example: a service in a VPC; None leaves the setting out."""
    setting = {"AssignPublicIp": assign} if assign else {}
    return {"NetworkConfiguration": {"AwsvpcConfiguration": {"Subnets": ["subnet-1"], **setting}}}


def _task(*containers: dict[str, Any], **more: Any) -> dict[str, Any]:
    """An example: a task definition with these containers."""
    named = [{"Name": f"app{number}", **each} for number, each in enumerate(containers)]
    return {"Family": "app", "ContainerDefinitions": named, **more}


def _env(variables: dict[str, Any]) -> dict[str, Any]:
    return {"Environment": [{"Name": name, "Value": value} for name, value in variables.items()]}


def _running(*containers: dict[str, Any], **more: Any) -> dict[str, Any]:
    """An example's fact: an older revision with these containers is in use."""
    revision = {"TaskDefinitionArn": "arn:aws:ecs:eu-west-1:123456789012:task-definition/app:3"}
    return {"Observed": {"OtherRevisions": [{**revision, **_task(*containers, **more)}]}}


WINDOWS = {"OperatingSystemFamily": "WINDOWS_SERVER_2022_CORE"}


@rule(
    "aws.ecs.public_ip",
    on=SERVICE,
    severity=Severity.HIGH,
    link="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-task-networking.html",
    fix="""
        1. Move the service to private subnets, with a NAT gateway or VPC endpoints for pulling images and writing logs.
        2. In the ECS console, open the service, choose Update service, Networking, and turn Public IP off.
        3. Put a load balancer in front if it must be reachable from the internet.
    """,
    commands="""
        aws ecs update-service --region={region} --cluster={Cluster} --service={ServiceName} --network-configuration='{
          "awsvpcConfiguration": {"subnets": ["{SUBNET_ID}"], "securityGroups": ["{GROUP_ID}"],
          "assignPublicIp": "DISABLED"}}'
    """,
    inputs={
        "SUBNET_ID": "a private subnet",
        "GROUP_ID": "the security group of the service",
    },
    good=[
        _network("DISABLED"),
        _network(None),
        {"NetworkConfiguration": None},
        {"LaunchType": "EC2"},
        {**_network("DISABLED"), "Observed": {"OtherNetworks": [_network(None)["NetworkConfiguration"]]}},
    ],
    bad=[
        _network("ENABLED"),
        _network("enabled"),
        {**_network("DISABLED"), "Observed": {"OtherNetworks": [_network("ENABLED")["NetworkConfiguration"]]}},
    ],
)
def public_ip(service: View) -> bool | Fail | None:
    """ECS service assigns public IP addresses.

    Each task can be reached from the internet, with only its security group for protection. Behind a load balancer in
    private subnets, one bad rule exposes nothing.
    """
    gaps: list[NotKnown] = []
    if _assigns(service, f"{NETWORK}.AssignPublicIp", gaps):
        return Fail("Tasks get a public IP address", f"{NETWORK}.AssignPublicIp")
    for other in _members(service["Observed.OtherNetworks"], gaps):
        if _assigns(other, "AwsvpcConfiguration.AssignPublicIp", gaps):
            return Fail("Tasks of a deployment or task set get a public IP address", other)
    if gaps:
        raise gaps[0]
    # DISABLED is the default of a service in a VPC; without a network of their own, tasks share the machine's.
    # https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_AwsVpcConfiguration.html
    return True if isinstance(service[NETWORK], View) else None


def _assigns(network: View, path: str, gaps: list[NotKnown]) -> bool:
    """Tell whether tasks certainly get a public address."""
    try:
        assigned = network[path]
    except NotKnown as gap:
        gaps.append(gap)
        return False
    return assigned is not None and str(assigned).upper() != "DISABLED"


@rule(
    "aws.ecs.privileged",
    on=TASK,
    severity=Severity.HIGH,
    link="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/security-tasks-containers.html",
    fix="""
        1. Find out what the container needs from its host. Often one Linux capability is enough.
        2. In the ECS console, open the task definition, choose Create new revision with JSON, set "privileged": false,
           and if needed add the capability under linuxParameters.capabilities.add.
        3. Deploy it to the services that use it.
    """,
    commands=DEPLOY,
    inputs=DEPLOY_INPUTS,
    good=[
        _task({"Privileged": False}, {}),
        _task({"Privileged": None}),
        _task({}, **_running({"Privileged": False})),
        {"Family": "empty"},
    ],
    bad=[
        _task({}, {"Privileged": True}),
        _task({"Privileged": "true"}),
        _task({"Privileged": False}, **_running({}, {"Privileged": True})),
    ],
)
def privileged(task: View) -> bool | Fail | None:
    """ECS container is privileged.

    A privileged container has root rights on its host. Whoever breaks into it controls the host, its role and all other
    containers on it.
    """
    return _all_right(task, "is privileged", lambda container: _flagged(container, "Privileged"))


@rule(
    "aws.ecs.readonly_root",
    on=TASK,
    severity=Severity.HIGH,
    link="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/security-tasks-containers.html",
    fix="""
        1. Find out where the container writes, and mount a volume at each of those paths.
        2. In the ECS console, open the task definition, choose Create new revision with JSON, and set
           "readonlyRootFilesystem": true for each container.
        3. Deploy it to the services that use it.
    """,
    commands=DEPLOY,
    inputs=DEPLOY_INPUTS,
    good=[
        _task({"ReadonlyRootFilesystem": True}, {"ReadonlyRootFilesystem": "true"}),
        _task({"ReadonlyRootFilesystem": False}, RuntimePlatform=WINDOWS),
        _task({"ReadonlyRootFilesystem": True}, **_running({}, RuntimePlatform=WINDOWS)),
        {"Family": "empty"},
    ],
    bad=[
        _task({"ReadonlyRootFilesystem": True}, {"ReadonlyRootFilesystem": False}),
        _task({}, RuntimePlatform={"OperatingSystemFamily": "LINUX"}),
        _task({"ReadonlyRootFilesystem": None}),
        _task({"ReadonlyRootFilesystem": True}, **_running({"ReadonlyRootFilesystem": False})),
    ],
)
def readonly_root(task: View) -> bool | Fail | None:
    """ECS container root filesystem is writable.

    An intruder can replace programs and leave tools behind. With a read-only filesystem most malware has nowhere to
    install itself.
    """
    return _all_right(task, "has a writable root filesystem", _writable, _is_linux)


@rule(
    "aws.ecs.env_secrets",
    on=TASK,
    severity=Severity.HIGH,
    link="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/specifying-sensitive-data.html",
    fix="""
        1. Treat the credentials as leaked: deactivate them, and use a task role instead of access keys.
        2. Store what a role cannot replace in Secrets Manager.
        3. In the ECS console, open the task definition, choose Create new revision, delete the variable, and add the
           secret under Environment variables as ValueFrom.
        4. Register the new revision and deploy it. Then deregister the earlier revisions, which still contain the
           value.
    """,
    commands=DEPLOY,
    inputs=DEPLOY_INPUTS,
    good=[
        _task(_env({"LOG_LEVEL": "********", "AWS_REGION": "eu-west-1", "MYSQL_ALLOW_EMPTY_PASSWORD": "yes"}), {}),
        _task({"Environment": None, "Secrets": [{"Name": "AWS_SECRET_ACCESS_KEY", "ValueFrom": "arn:aws:ssm:x"}]}),
        _task(_env({"DB_PASSWORD": "", "DB_SECRET_ARN": "x", "POSTGRES_PASSWORD_FILE": "/run/secrets/db"})),
        {"Family": "empty"},
    ],
    bad=[
        _task(_env({"LOG_LEVEL": "********"}), _env({"LOG_LEVEL": "********", "AWS_SECRET_ACCESS_KEY": "********"})),
        _task(_env({"AWS_ACCESS_KEY_ID": "******** (an AWS access key)"})),
        _task(_env({"ECS_ENGINE_AUTH_DATA": "********"})),
        _task(_env({"DB_PASSWORD": "********"})),
        _task(_env({"DATABASE_URL": "postgres://app:hunter2@db.example.com/app"})),
        _task({}, **_running(_env({"API_KEY": "********"}))),
    ],
)
def env_secrets(task: View) -> bool | Fail | None:
    """ECS container environment contains credentials.

    Anyone who can view the task definition can read them, and so can every process in the container. They also remain
    in all earlier revisions.
    """
    return _all_right(task, "has credentials in its environment", _secret_at)


# -- Containers ----------------------------------------------------------------------------------------------------


def _flagged(container: View, name: str) -> str:
    return f"{container.path}.{name}" if is_on(container[name]) else ""


def _writable(container: View) -> str:
    name = "ReadonlyRootFilesystem"
    return "" if is_on(container[name]) else f"{container.path}.{name}"


def _secret_at(container: View) -> str:
    gaps: list[NotKnown] = []
    for variable in _members(container["Environment"], gaps):
        try:
            if plain_secret(str(variable["Name"]), variable["Value"]):
                return f"{variable.path}.Name"
        except NotKnown as gap:
            gaps.append(gap)
    if gaps:
        raise gaps[0]
    return ""


def _always(revision: View) -> bool:
    return True


def _is_linux(revision: View) -> bool:
    """Windows containers cannot have a read-only root filesystem.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html
    """
    return not str(revision["RuntimePlatform.OperatingSystemFamily"]).upper().startswith("WINDOWS")


def _all_right(
    task: View, wrong: str, where: Callable[[View], str], applies: Callable[[View], bool] = _always
) -> bool | Fail | None:
    """Judge each container by ``where``, which gives the path of what is wrong; None for a task without any.

    One that is certainly wrong outweighs another that could not be read.
    """
    gaps: list[NotKnown] = []
    found: dict[str, str] = {}
    judged = 0
    for words, container in _containers(task, applies, gaps):
        judged += 1
        try:
            if path := where(container):
                found[path] = f"'{str(container['Name'])[:60]}'{words}"
        except NotKnown as gap:
            gaps.append(gap)
    if found:
        names = ", ".join(list(found.values())[:3])
        return Fail(f"Container {names}{' and more' if len(found) > 3 else ''} {wrong}", *found)
    if gaps:
        raise gaps[0]
    return True if judged else None


def _containers(task: View, applies: Callable[[View], bool], gaps: list[NotKnown]) -> Iterator[tuple[str, View]]:
    """Yield the containers of the latest revision and of others in use, with words that name these revisions."""
    for words, revision in _revisions(task, gaps):
        try:
            held = revision["ContainerDefinitions"] if applies(revision) else None
        except NotKnown as gap:
            gaps.append(gap)
        else:
            yield from ((words, container) for container in _members(held, gaps))


def _revisions(task: View, gaps: list[NotKnown]) -> Iterator[tuple[str, View]]:
    yield "", task
    try:
        in_use = task["Observed.OtherRevisions"]
    except NotKnown as gap:
        gaps.append(gap)
        return
    for each in _members(in_use, gaps):
        try:
            number = str(each["TaskDefinitionArn"]).rpartition(":")[2][:10]
        except NotKnown:
            number = "?"
        yield f" of revision {number}, which is in use,", each


def _members(value: Any, gaps: list[NotKnown]) -> Iterator[View]:
    """Go through the objects of a list that can be read; the others go to ``gaps``.

    By index, because asking for the length of a view makes all of it evidence.
    """
    if value is None:
        return
    if not isinstance(value, View) or not value.is_list:
        gaps.append(NotKnown("", Unknown(f"what should be a list of objects: {NO_LIST}")))
        return
    for index in count():
        try:
            member = value[index]
        except NotKnown as gap:
            gaps.append(gap)
        except IndexError:
            return
        else:
            if isinstance(member, View) and not member.is_list:
                yield member
            else:
                gaps.append(NotKnown(f"{value.path}[{index}]", Unknown(NO_OBJECT)))
