"""ECS services of one region, and its task definitions: of each family the latest active revision and those that run.

Calls per region: 1 for each 100 clusters; for each cluster 1 for each 100 services and 1 for each 10 of them, 1 for
each 100 running tasks and 1 more for each 100 of them; 1 for each 100 families, 1 for each family, and 1 for each older
revision that a service or a task still runs. Clusters themselves are not described: no rule asks for more than names.

**Values of environment variables are masked**; commands and arguments, which may hold secrets too, are not kept.

A task definition is known by its family, because every deployment registers a new revision: what was decided about
the family would be lost with each. The latest revision is the one in ``TaskDefinitionArn``, others in use are under
``Observed``. Revisions never change; which of them are in use is read by scans, not when one family is read again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from nephoscope.domain import Resource, Service, unknown
from nephoscope_aws.answers import Missing, Unread
from nephoscope_aws.api import Api, code_of
from nephoscope_aws.collector import Collector
from nephoscope_aws.collectors.many import batches
from nephoscope_aws.collectors.odd import each, is_one_of
from nephoscope_aws.collectors.shape import PROBLEMS, Listing, actions, hidden, part, reason, tag_dict, unreadable
from nephoscope_aws.lookups import is_over
from nephoscope_aws.plain_secrets import masked

SERVICE = "AWS::ECS::Service"
TASK = "AWS::ECS::TaskDefinition"

READS = {
    ("ecs", "list_clusters"): "ecs:ListClusters",
    ("ecs", "list_services"): "ecs:ListServices",
    ("ecs", "describe_services"): "ecs:DescribeServices",
    ("ecs", "list_tasks"): "ecs:ListTasks",
    ("ecs", "describe_tasks"): "ecs:DescribeTasks",
    ("ecs", "list_task_definition_families"): "ecs:ListTaskDefinitionFamilies",
    ("ecs", "describe_task_definition"): "ecs:DescribeTaskDefinition",
}

AT_ONCE = 10
"""Services that one DescribeServices takes.
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeServices.html"""

TASKS_AT_ONCE = 100
"""https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeTasks.html"""

_NO_CLUSTER = ("ClusterNotFoundException",)
_NO_TASK = ("ClientException",)
"""What DescribeTaskDefinition answers for a family without an active revision."""

_OF_SERVICE = ("LaunchType", "NetworkConfiguration", "TaskDefinition", "Observed", "Tags")
_OF_REVISION = (
    "TaskDefinitionArn",
    "NetworkMode",
    "RequiresCompatibilities",
    "RuntimePlatform",
    "ContainerDefinitions",
)
_OF_TASK = (*_OF_REVISION, "Tags")

Item = dict[str, Any]


def collect(api: Api, region: str) -> Iterator[Resource]:
    """Yield the region's services, then its task definitions; neither hides the other."""
    used = _Used()
    yield from _services(api, region, used)
    families = Listing(
        api.pages("ecs", "list_task_definition_families", "families", region=region, status="ACTIVE", maxResults=100)
    )
    yield from each(api, region, TASK, partial(_task, api, region, used), _with_retired(families, used), calls=True)
    yield from families.unreadable(api, region, TASK)
    if used.problem and not families.problem:  # which families run that have no active revision is not known
        yield unreadable(api, region, TASK, used.problem, one=True)


def reread(api: Api, resource: Resource) -> Resource | None:
    """Read one service or family again, in one call."""
    if resource.type == TASK:
        return _task_again(api, resource)
    cluster = resource.properties["Cluster"]
    found = _described(api, resource.region, cluster, [resource.id])
    return next((_service(api, resource.region, cluster, one["serviceArn"], one) for one in found), None)


@dataclass(slots=True)
class _Used:
    """The revisions that services and tasks run, by family, and what hid some of them."""

    revisions: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    problem: Exception | None = None

    def note_service(self, service: Item) -> None:
        try:
            self.note(one.get("taskDefinition") for one in _parts(service))
        except PROBLEMS as problem:
            self.problem = problem

    def note(self, arns: Iterable[str | None]) -> None:
        for arn in arns:
            if arn and arn.rpartition(":")[2].isdecimal():
                self.revisions[_family(arn)].add(arn)


def _family(arn: str) -> str:
    return arn.rpartition("/")[2].rpartition(":")[0]


def _with_retired(families: Listing[str], used: _Used) -> Iterator[str]:
    """Yield the families, then those without an active revision of which one still runs."""
    active: set[str] = set()
    for family in families:
        if isinstance(family, str):
            active.add(family)
        yield family
    if not families.problem:
        yield from sorted(set(used.revisions) - active)


# -- Services ------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Cluster:
    """A cluster's services and the revisions that its tasks run, as far as they could be listed."""

    name: str
    services: list[str] = field(default_factory=list)
    revisions: list[str] = field(default_factory=list)
    problem: Exception | None = None
    tasks_problem: Exception | None = None


def _services(api: Api, region: str, used: _Used) -> Iterator[Resource]:
    clusters = Listing(api.pages("ecs", "list_clusters", "clusterArns", region=region, maxResults=100))
    problems: list[Exception] = []
    listed = api.map(lambda cluster: _listed(api, region, cluster), clusters)
    for resources in api.map(lambda batch: _batch(api, region, used, *batch), _batches(listed, used, problems)):
        yield from resources
    stand_ins = list(clusters.unreadable(api, region, SERVICE))
    if problems and not stand_ins:
        stand_ins.append(unreadable(api, region, SERVICE, problems[0]))
    used.problem = clusters.problem or used.problem or next(iter(problems), None)
    yield from stand_ins


def _listed(api: Api, region: str, cluster: str) -> _Cluster:
    found = _Cluster(cluster)
    pages = api.pages("ecs", "list_services", "serviceArns", region=region, cluster=cluster, maxResults=100)
    found.problem = _filled(found.services, pages)
    found.tasks_problem = _filled(found.revisions, _running(api, region, cluster))
    return found


def _filled(into: list[str], found: Iterator[str]) -> Exception | None:
    """Put all that is found into a list; return what hid the rest. What was found besides is kept."""
    odd: Exception | None = None
    try:
        for one in found:
            if isinstance(one, Unread):
                odd = Missing(one.why)
            else:
                into.append(one)
    except PROBLEMS as problem:
        return None if code_of(problem) in _NO_CLUSTER else problem
    return odd


def _running(api: Api, region: str, cluster: str) -> Iterator[str]:
    """Yield the task definitions of a cluster's tasks, also of those that no service started."""
    tasks = api.pages("ecs", "list_tasks", "taskArns", region=region, cluster=cluster, maxResults=TASKS_AT_ONCE)
    for batch in batches(tasks, TASKS_AT_ONCE):
        answer = api.call("ecs", "describe_tasks", region=region, cluster=cluster, tasks=batch)
        yield from (str(each["taskDefinitionArn"]) for each in answer["tasks"])


def _batches(clusters: Iterable[_Cluster], used: _Used, problems: list[Exception]) -> Iterator[tuple[str, list[str]]]:
    """Yield a cluster and so many of its services as one call takes; what hid others goes to ``problems``."""
    for cluster in clusters:
        if cluster.problem:
            problems.append(cluster.problem)
        used.problem = used.problem or cluster.tasks_problem
        used.note(cluster.revisions)
        yield from ((cluster.name, batch) for batch in batches(cluster.services, AT_ONCE))


def _batch(api: Api, region: str, used: _Used, cluster: str, arns: list[str]) -> list[Resource]:
    try:
        found = _described(api, region, cluster, arns)
    except PROBLEMS as problem:
        used.problem, why = problem, hidden(problem)
        return [_service(api, region, cluster, arn, None, why) for arn in arns]
    for one in found:
        used.note_service(one)
    return list(each(api, region, SERVICE, partial(_described_service, api, region, cluster), found))


def _described_service(api: Api, region: str, cluster: str, service: Item) -> Resource:
    return _service(api, region, cluster, service["serviceArn"], service)


def _parts(service: Item) -> list[Item]:
    """Return what says how a service's tasks run: it, and its deployments or task sets that are not over yet."""
    others = [*(service.get("deployments") or ()), *(service.get("taskSets") or ())]
    return [service, *(one for one in others if not is_one_of(one.get("status"), ("INACTIVE",)))]


def _described(api: Api, region: str, cluster: str, arns: list[str]) -> list[Item]:
    """Return those of the services that exist; deleted ones are DRAINING, and then INACTIVE for a while."""
    answer = api.maybe(
        "ecs", "describe_services", _NO_CLUSTER, region=region, cluster=cluster, services=arns, include=["TAGS"]
    )
    services = [] if answer is None else answer["services"]
    return [one for one in services if not is_over(one)]


def _service(api: Api, region: str, cluster: str, arn: str, service: Item | None, why: Any = None) -> Resource:
    """Return a service; where it could not be described, ``why`` stands for all that would say."""
    name = str(arn).rpartition("/")[2]
    described = (
        dict.fromkeys(_OF_SERVICE, why)
        if service is None
        else {
            "LaunchType": service.get("launchType"),
            **_networks(service),
            "TaskDefinition": service.get("taskDefinition"),
            "Tags": _tags(service.get("tags")),
        }
    )
    properties = {"ServiceName": name, "Cluster": cluster, **described}
    return Resource(SERVICE, arn, name, region, api.account, properties, tag_dict(described["Tags"]))


def _networks(service: Item) -> Item:
    """Return a service's network, and those of its deployments and task sets that have another one.

    Under an external deployment controller only its task sets have one.
    """
    found = part(lambda: _different_networks(service))
    if not isinstance(found, list):
        return {"NetworkConfiguration": found, "Observed": {"OtherNetworks": found}}
    return {"NetworkConfiguration": found[0] if found else None, "Observed": {"OtherNetworks": found[1:]}}


def _different_networks(service: Item) -> list[Item]:
    found: list[Item] = []
    for network in map(_network, _parts(service)):
        if network and network not in found:
            found.append(network)
    return found


def _network(runs: Mapping[str, Any]) -> Item | None:
    config = (runs.get("networkConfiguration") or {}).get("awsvpcConfiguration")
    if not config:
        return None
    return {
        "AwsvpcConfiguration": {
            "AssignPublicIp": config.get("assignPublicIp"),
            "Subnets": sorted(config.get("subnets") or ()),
            "SecurityGroups": sorted(config.get("securityGroups") or ()),
        }
    }


def _tags(tags: Iterable[Mapping[str, str]] | None) -> Any:
    return part(lambda: [{"Key": str(tag["key"]), "Value": str(tag.get("value") or "")} for tag in tags or ()])


# -- Task definitions ----------------------------------------------------------------------------------------------


def _task(api: Api, region: str, used: _Used, family: str) -> Resource | None:
    """Return a family; where it has no active revision, the last of those that run stands for it."""
    try:
        latest = _described_task(api, region, family)
    except PROBLEMS as problem:
        latest = dict.fromkeys(_OF_TASK, hidden(problem))
    arns = sorted(used.revisions.get(family, ()), key=_number)
    if latest is None and arns:
        latest = _revision(api, region, arns[-1])
    if latest is None:
        return None
    if used.problem:
        why = unknown(*reason(used.problem))
        return _task_shaped(api, region, family, latest, why, why)
    others = [_revision(api, region, arn) for arn in arns if arn != latest["TaskDefinitionArn"]]
    return _task_shaped(api, region, family, latest, arns, [_without_tags(each) for each in others if each])


def _number(arn: str) -> int:
    return int(arn.rpartition(":")[2])


def _revision(api: Api, region: str, arn: str) -> Item | None:
    """Return a revision, or with its name what stands for what could not be read."""
    try:
        return _described_task(api, region, arn)
    except PROBLEMS as problem:
        return {**dict.fromkeys(_OF_TASK, hidden(problem)), "TaskDefinitionArn": arn}


def _without_tags(revision: Item) -> Item:
    return {name: revision[name] for name in _OF_REVISION}


def _task_again(api: Api, resource: Resource) -> Resource | None:
    """Return a family with its latest revision as it is now, and those in use as they were."""
    observed = resource.properties.get("Observed") or {}
    in_use, others = observed.get("RevisionsInUse"), observed.get("OtherRevisions")
    latest = _described_task(api, resource.region, resource.name)
    if latest is None and isinstance(in_use, list) and in_use:
        latest = _described_task(api, resource.region, in_use[-1])
    return _task_shaped(api, resource.region, resource.name, latest, in_use, others) if latest else None


def _task_shaped(api: Api, region: str, family: str, latest: Item, in_use: Any, others: Any) -> Resource:
    """Return a family; ``others`` are the revisions in use that are not the latest one."""
    arn = api.arn("ecs", region, f"task-definition/{family}")
    properties = {"Family": family, **latest, "Observed": {"RevisionsInUse": in_use, "OtherRevisions": others}}
    return Resource(TASK, arn, family, region, api.account, properties, tag_dict(latest["Tags"]))


def _described_task(api: Api, region: str, name: str) -> Item | None:
    """Return a revision, or the latest active one of a family; None when there is none any more."""
    answer = api.maybe(
        "ecs", "describe_task_definition", _NO_TASK, region=region, taskDefinition=name, include=["TAGS"]
    )
    if not answer:
        return None
    task = answer["taskDefinition"]
    return {
        "TaskDefinitionArn": task["taskDefinitionArn"],
        "NetworkMode": task.get("networkMode"),
        "RequiresCompatibilities": part(lambda: task.get("requiresCompatibilities") or []),
        "RuntimePlatform": part(lambda: _platform(task.get("runtimePlatform"))),
        "ContainerDefinitions": part(lambda: [_container(one) for one in task["containerDefinitions"]]),
        "Tags": _tags(answer.get("tags")),
    }


def _platform(platform: Item | None) -> Item | None:
    return {"OperatingSystemFamily": platform.get("operatingSystemFamily")} if platform else None


def _variable(variable: Mapping[str, Any]) -> Item:
    return {"Name": variable["name"], "Value": masked(variable.get("value"))}


def _container(container: Mapping[str, Any]) -> Any:
    """Return what the rules ask of a container; the values of its environment masked.

    ECS registers no container without a name: of one that has none, nothing else that is not there is known either.
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definition_parameters.html
    """
    if isinstance(name := container["name"], Unread):
        return name
    return {
        "Name": name,
        "Image": container.get("image"),
        "Privileged": container.get("privileged"),
        "ReadonlyRootFilesystem": container.get("readonlyRootFilesystem"),
        "Environment": part(lambda: [_variable(one) for one in container.get("environment") or ()]),
    }


COLLECTOR = Collector(Service("ecs", "Amazon ECS", (SERVICE, TASK), actions(READS)), READS, collect, reread)
