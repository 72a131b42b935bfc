"""Services and task definitions: public addresses, privileges, file systems and environments of containers."""

from __future__ import annotations

from typing import Any

from tests.truth.account import ABROAD, ALL_THREE, FAR, HOME, Truth, holds
from tests.truth.variables import HARMLESS, SECRETS

ALL = "privileged readonly_root env_secrets"
FINE = {"readonlyRootFilesystem": True}


def _task(truth: Truth, family: str, *containers: dict[str, Any], region: str = HOME, **more: Any) -> None:
    made = [{"name": f"c{n}", "image": "web", "memory": 128, **each} for n, each in enumerate(containers)]
    truth.client("ecs", region).register_task_definition(family=family, containerDefinitions=made, **more)


@holds()
def tasks(truth: Truth) -> None:
    """Task definitions by each setting of their containers; in the other region they cannot be described."""
    windows = {"runtimePlatform": {"operatingSystemFamily": "WINDOWS_SERVER_2022_CORE"}}
    linux = {"runtimePlatform": {"operatingSystemFamily": "LINUX", "cpuArchitecture": "ARM64"}}
    for family, containers, more, fails in [
        ("fine", [FINE], {}, ""),
        ("two-fine", [FINE, FINE], linux, ""),
        ("privileged", [FINE | {"privileged": True}], {}, "privileged"),
        ("unprivileged", [FINE | {"privileged": False}], {}, ""),
        ("second-privileged", [FINE, FINE | {"privileged": True}], {}, "privileged"),
        ("writable", [{"readonlyRootFilesystem": False}], {}, "readonly_root"),
        ("writable-by-default", [{}], {}, "readonly_root"),
        ("second-writable", [FINE, {}], linux, "readonly_root"),
        ("all-wrong", [{"privileged": True, **_env("DB_PASSWORD", "hunter22")}], {}, ALL),
    ]:
        _task(truth, family, *containers, **more)
        truth.judged(family, fails=fails, passes=" ".join(each for each in ALL.split() if each not in fails.split()))
    _task(truth, "windows", {}, **windows)
    truth.judged("windows", skipped="readonly_root", passes="privileged env_secrets")
    _task(truth, "was-wrong", {"privileged": True})
    _task(truth, "was-wrong", FINE)
    truth.judged("was-wrong", passes=ALL)
    _task(truth, "became-wrong", FINE)
    _task(truth, "became-wrong", {"privileged": True})
    truth.judged("became-wrong", fails="privileged readonly_root")
    _task(truth, "retired", {"privileged": True})
    truth.client("ecs").deregister_task_definition(taskDefinition="retired:1")
    truth.judged("retired", skipped=ALL)
    _task(truth, "rolled-back", FINE)
    _task(truth, "rolled-back", {"privileged": True})
    truth.client("ecs").deregister_task_definition(taskDefinition="rolled-back:2")
    truth.judged("rolled-back", passes=ALL)
    _task(truth, "hidden", FINE, region=ABROAD)
    truth.cloud.control("deny", actions=["ecs:DescribeTaskDefinition"], regions=[ABROAD])
    truth.judged("hidden", unknown=ALL)


def _env(name: str, value: str) -> dict[str, Any]:
    return {"environment": [{"name": "STAGE", "value": "prod"}, {"name": name, "value": value}]}


@holds()
def environments(truth: Truth) -> None:
    """One task definition for each variable, in its second container."""
    for verdict, variables in {"fails": SECRETS, "passes": HARMLESS}.items():
        for number, (name, value) in enumerate(variables.items()):
            family = f"{verdict}-{number}-{name}"
            _task(truth, family, FINE, FINE | _env(name, value))
            truth.judged(family, **{verdict: "env_secrets"})
    kept = {"secrets": [{"name": "DB_PASSWORD", "valueFrom": "arn:aws:ssm:us-east-1:210987654321:parameter/db"}]}
    _task(truth, "kept", FINE | kept)
    truth.judged("kept", passes="env_secrets")


@holds(regions=ALL_THREE)
def services(truth: Truth) -> None:
    """Services by their network; in the other region they cannot be described."""
    _task(truth, "web", FINE)
    truth.client("ecs").create_cluster(clusterName="main")
    for name, assign, verdict in [
        ("private", "DISABLED", "passes"),
        ("public", "ENABLED", "fails"),
        ("default", None, "passes"),
    ]:
        _service(truth, name, networkConfiguration=_network(truth, assign))
        truth.judged(name, **{verdict: "public_ip"})
    _service(truth, "on-machines", launchType="EC2")
    truth.judged("on-machines", skipped="public_ip")
    _service(truth, "opened", networkConfiguration=_network(truth, "DISABLED"))
    truth.client("ecs").update_service(
        cluster="main", service="opened", networkConfiguration=_network(truth, "ENABLED")
    )
    truth.judged("opened", fails="public_ip")
    _service(truth, "ended", networkConfiguration=_network(truth, "ENABLED"))
    truth.client("ecs").delete_service(cluster="main", service="ended", force=True)
    truth.judged("ended", skipped="public_ip")
    _by_task_sets(truth)
    _twice(truth, "abroad")
    truth.client("ecs", ABROAD).create_cluster(clusterName="main")
    _service(truth, "hidden", ABROAD, taskDefinition="abroad", networkConfiguration=_network(truth, "DISABLED", ABROAD))
    truth.cloud.control("deny", actions=["ecs:DescribeServices"], regions=[ABROAD])
    truth.judged("hidden", unknown="public_ip")
    truth.judged(f"One AWS::ECS::TaskDefinition in {ABROAD}", unknown=ALL)
    truth.cloud.control("deny", actions=["ecs:ListClusters", "ecs:ListTaskDefinitionFamilies"], regions=[FAR])
    truth.judged(f"All AWS::ECS::Service in {FAR}", unknown="public_ip")
    truth.judged(f"All AWS::ECS::TaskDefinition in {FAR}", unknown=ALL)
    truth.judged("abroad", unknown=ALL)


def _network(truth: Truth, assign: str | None, region: str = HOME) -> dict[str, Any]:
    subnet = truth.client("ec2", region).describe_subnets()["Subnets"][0]["SubnetId"]
    group = truth.client("ec2", region).describe_security_groups()["SecurityGroups"][0]["GroupId"]
    setting = {"assignPublicIp": assign} if assign else {}
    return {"awsvpcConfiguration": {"subnets": [subnet], "securityGroups": [group], **setting}}


def _service(truth: Truth, name: str, region: str = HOME, **settings: Any) -> None:
    given = {"cluster": "main", "taskDefinition": "web", "desiredCount": 0, "launchType": "FARGATE", **settings}
    truth.client("ecs", region).create_service(serviceName=name, **given)


def _by_task_sets(truth: Truth) -> None:
    """Under an external controller the primary task set has the network."""
    ecs = truth.client("ecs")
    for name, assign, verdict in [("set-public", "ENABLED", "fails"), ("set-private", "DISABLED", "passes")]:
        ecs.create_service(cluster="main", serviceName=name, desiredCount=0, deploymentController={"type": "EXTERNAL"})
        made = ecs.create_task_set(
            cluster="main",
            service=name,
            taskDefinition="web",
            launchType="FARGATE",
            networkConfiguration=_network(truth, assign),
        )
        ecs.update_service_primary_task_set(cluster="main", service=name, primaryTaskSet=made["taskSet"]["taskSetArn"])
        truth.judged(name, **{verdict: "public_ip"})


@holds()
def in_use(truth: Truth) -> None:
    """Older revisions count as long as a service, or a deployment of one, runs them."""
    ecs = truth.client("ecs")
    ecs.create_cluster(clusterName="main")
    wrong = {"privileged": True, **_env("DB_PASSWORD", "hunter22")}
    for family, runs, fails in [
        ("old-runs", "old-runs:1", ALL),
        ("new-runs", "new-runs:2", ""),
        ("latest-runs", "latest-runs", ""),
        ("none-runs", "", ""),
    ]:
        _task(truth, family, wrong)
        _task(truth, family, FINE)
        if runs:
            _service(truth, family, taskDefinition=runs, launchType="EC2")
        truth.judged(family if not runs else _family(truth, family), fails=fails, passes="" if fails else ALL)
    _task(truth, "retired", wrong)
    _service(truth, "runs-retired", taskDefinition="retired:1", launchType="EC2")
    ecs.deregister_task_definition(taskDefinition="retired:1")
    truth.judged(_family(truth, "retired"), fails=ALL)


def _family(truth: Truth, name: str) -> str:
    return f"arn:aws:ecs:{HOME}:{truth.cloud.account}:task-definition/{name}"


@holds()
def clusters_hidden(truth: Truth) -> None:
    """Where services cannot be listed they are unknown, and so is whether one runs an older revision that is wrong."""
    _twice(truth, "web")
    _twice(truth, "bad", {"privileged": True})
    truth.client("ecs", ABROAD).create_cluster(clusterName="main")
    truth.cloud.control("deny", actions=["ecs:ListServices"], regions=[ABROAD])
    truth.judged(f"All AWS::ECS::Service in {ABROAD}", unknown="public_ip")
    truth.judged(f"One AWS::ECS::TaskDefinition in {ABROAD}", unknown=ALL)
    truth.judged("web", unknown=ALL)
    truth.judged("bad", fails="privileged readonly_root", unknown="env_secrets")


def _twice(truth: Truth, family: str, container: dict[str, Any] = FINE) -> None:
    for _ in range(2):
        _task(truth, family, container, region=ABROAD)
