"""ECS services and the latest revision of each active family of task definitions of one region.

Calls per region: 1 for each 100 clusters; for each cluster 1 for each 100 services and 1 for each 10 of them; 1 for
each 100 families and 1 for each family. Clusters themselves are not described: no rule asks for more than their names.

**Of environment variables only the names are read on**: their values, commands and arguments may hold secrets, and no
secret is ever copied into our database.

A task definition is known by its family, because every deployment registers a new revision: what was decided about
the family would be lost with each. The revision is in ``TaskDefinitionArn``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Any

from nephoscope.domain import Resource, Service
from nephoscope_aws.api import Api, code_of
from nephoscope_aws.collector import Collector
from nephoscope_aws.collectors.odd import each, is_one_of
from nephoscope_aws.collectors.shape import PROBLEMS, Listing, actions, hidden, part, tag_dict, unreadable

SERVICE = "AWS::ECS::Service"
TASK = "AWS::ECS::TaskDefinition"

READS = {
    ("ecs", "list_clusters"): "ecs:ListClusters",
    ("ecs", "list_services"): "ecs:ListServices",
    ("ecs", "describe_services"): "ecs:DescribeServices",
    ("ecs", "list_task_definition_families"): "ecs:ListTaskDefinitionFamilies",
    ("ecs", "describe_task_definition"): "ecs:DescribeTaskDefinition",
}

AT_ONCE = 10
"""Services that one DescribeServices takes.
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeServices.html"""

_NO_CLUSTER = ("ClusterNotFoundException",)
_NO_TASK = ("ClientException",)
"""What DescribeTaskDefinition answers for a family without an active revision."""

_OF_SERVICE = ("LaunchType", "NetworkConfiguration", "TaskDefinition", "Tags")
_OF_TASK = (
    "TaskDefinitionArn",
    "NetworkMode",
    "RequiresCompatibilities",
    "RuntimePlatform",
    "ContainerDefinitions",
    "Tags",
)

Item = dict[str, Any]


def collect(api: Api, region: str) -> Iterator[Resource]:
    """Yield the region's services, then its task definitions; neither hides the other."""
    yield from _services(api, region)
    listing = Listing(
        api.pages("ecs", "list_task_definition_families", "families", region=region, status="ACTIVE", maxResults=100)
    )
    yield from each(api, region, TASK, partial(_task, api, region), listing, calls=True)


def reread(api: Api, resource: Resource) -> Resource | None:
    """Read one service or family again, in one call."""
    if resource.type == TASK:
        described = _task_described(api, resource.region, resource.name)
        return _task_shaped(api, resource.region, resource.name, described) if described else None
    cluster = resource.properties["Cluster"]
    found = _described(api, resource.region, cluster, [resource.id])
    return next((_service(api, resource.region, cluster, one["serviceArn"], one) for one in found), None)


# -- Services ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Cluster:
    """A cluster's services, as far as they could be listed."""

    name: str
    services: list[str] = field(default_factory=list)
    problem: Exception | None = None


def _services(api: Api, region: str) -> Iterator[Resource]:
    clusters = Listing(api.pages("ecs", "list_clusters", "clusterArns", region=region, maxResults=100))
    problems: list[Exception] = []
    listed = api.map(lambda cluster: _listed(api, region, cluster), clusters)
    for resources in api.map(lambda batch: _batch(api, region, *batch), _batches(listed, problems)):
        yield from resources
    stand_ins = list(clusters.unreadable(api, region, SERVICE))
    if problems and not stand_ins:
        stand_ins.append(unreadable(api, region, SERVICE, problems[0]))
    yield from stand_ins


def _listed(api: Api, region: str, cluster: str) -> _Cluster:
    services: list[str] = []
    pages = api.pages("ecs", "list_services", "serviceArns", region=region, cluster=cluster, maxResults=100)
    try:
        services.extend(pages)
    except PROBLEMS as problem:  # the pages before it are kept
        return _Cluster(cluster, services, None if code_of(problem) in _NO_CLUSTER else problem)
    return _Cluster(cluster, services)


def _batches(clusters: Iterable[_Cluster], problems: list[Exception]) -> Iterator[tuple[str, list[str]]]:
    """Yield a cluster and so many of its services as one call takes; what hid others goes to ``problems``."""
    for cluster in clusters:
        if cluster.problem:
            problems.append(cluster.problem)
        services = iter(cluster.services)
        while batch := list(islice(services, AT_ONCE)):
            yield cluster.name, batch


def _batch(api: Api, region: str, cluster: str, arns: list[str]) -> list[Resource]:
    try:
        found = _described(api, region, cluster, arns)
    except PROBLEMS as problem:
        why = hidden(problem)
        return [_service(api, region, cluster, arn, None, why) for arn in arns]
    return list(each(api, region, SERVICE, partial(_described_service, api, region, cluster), found))


def _described_service(api: Api, region: str, cluster: str, service: Item) -> Resource:
    return _service(api, region, cluster, service["serviceArn"], service)


def _described(api: Api, region: str, cluster: str, arns: list[str]) -> list[Item]:
    """Return those of the services that exist; deleted ones can be asked for as INACTIVE for a while."""
    answer = api.maybe(
        "ecs", "describe_services", _NO_CLUSTER, region=region, cluster=cluster, services=arns, include=["TAGS"]
    )
    services = [] if answer is None else answer["services"]
    return [one for one in services if not is_one_of(one.get("status"), ("INACTIVE",))]


def _service(api: Api, region: str, cluster: str, arn: str, service: Item | None, why: Any = None) -> Resource:
    """Return a service; where it could not be described, ``why`` stands for all that would say."""
    name = str(arn).rpartition("/")[2]
    described = (
        dict.fromkeys(_OF_SERVICE, why)
        if service is None
        else {
            "LaunchType": service.get("launchType"),
            "NetworkConfiguration": part(lambda: _network(service)),
            "TaskDefinition": service.get("taskDefinition"),
            "Tags": _tags(service.get("tags")),
        }
    )
    properties = {"ServiceName": name, "Cluster": cluster, **described}
    return Resource(SERVICE, arn, name, region, api.account, properties, tag_dict(described["Tags"]))


def _network(service: Mapping[str, Any]) -> Item | None:
    """Return a service's network; under an external deployment controller its primary task set has it."""
    sets = [one for one in service.get("taskSets") or () if one["status"] == "PRIMARY"]
    for one in (service, *sets):
        config = (one.get("networkConfiguration") or {}).get("awsvpcConfiguration")
        if config:
            return {
                "AwsvpcConfiguration": {
                    "AssignPublicIp": config.get("assignPublicIp"),
                    "Subnets": sorted(config.get("subnets") or ()),
                    "SecurityGroups": sorted(config.get("securityGroups") or ()),
                }
            }
    return None


def _tags(tags: Iterable[Mapping[str, str]] | None) -> Any:
    return part(lambda: [{"Key": str(tag["key"]), "Value": str(tag.get("value") or "")} for tag in tags or ()])


# -- Task definitions ----------------------------------------------------------------------------------------------


def _task(api: Api, region: str, family: str) -> Resource | None:
    try:
        described = _task_described(api, region, family)
    except PROBLEMS as problem:
        described = dict.fromkeys(_OF_TASK, hidden(problem))
    return _task_shaped(api, region, family, described) if described else None


def _task_shaped(api: Api, region: str, family: str, described: Item) -> Resource:
    arn = f"arn:aws:ecs:{region}:{api.account}:task-definition/{family}"
    return Resource(
        TASK, arn, family, region, api.account, {"Family": family, **described}, tag_dict(described["Tags"])
    )


def _task_described(api: Api, region: str, family: str) -> Item | None:
    """Return the latest active revision of a family; None when there is none any more."""
    answer = api.maybe(
        "ecs", "describe_task_definition", _NO_TASK, region=region, taskDefinition=family, include=["TAGS"]
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


def _container(container: Mapping[str, Any]) -> Item:
    """Return what the rules ask of a container; of its environment the names alone."""
    return {
        "Name": container.get("name"),
        "Image": container.get("image"),
        "Privileged": container.get("privileged"),
        "ReadonlyRootFilesystem": container.get("readonlyRootFilesystem"),
        "Environment": part(lambda: [{"Name": one["name"]} for one in container.get("environment") or ()]),
    }


COLLECTOR = Collector(Service("ecs", "Amazon ECS", (SERVICE, TASK), actions(READS)), READS, collect, reread)
