"""Redshift clusters of one region, and the parameter groups that they use.

Calls per region: 1 for each 100 clusters and 1 for each cluster; if there are any, 1 for each 100 parameter groups and
1 for each 100 parameters of each group in use.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from nephoscope.domain import Resource, Service
from nephoscope_aws.api import Api, code_of
from nephoscope_aws.collector import Collector
from nephoscope_aws.collectors.odd import each, isolated
from nephoscope_aws.collectors.shape import PROBLEMS, Listing, actions, hidden, needed, part, picked, tag_dict, tag_list

CLUSTER = "AWS::Redshift::Cluster"
PARAMETER_GROUP = "AWS::Redshift::ClusterParameterGroup"

READS = {
    ("redshift", "describe_clusters"): "redshift:DescribeClusters",
    ("redshift", "describe_logging_status"): "redshift:DescribeLoggingStatus",
    ("redshift", "describe_cluster_parameter_groups"): "redshift:DescribeClusterParameterGroups",
    ("redshift", "describe_cluster_parameters"): "redshift:DescribeClusterParameters",
}

Item = dict[str, Any]

_MEMBERS = (
    "ClusterIdentifier",
    "NodeType",
    "NumberOfNodes",
    "DBName",
    "ClusterVersion",
    "KmsKeyId",
    "AutomatedSnapshotRetentionPeriod",
    "EnhancedVpcRouting",
    "AllowVersionUpgrade",
    "ClusterSubnetGroupName",
)
_GOING = ("deleting", "final-snapshot")
_LOGGING = ("BucketName", "S3KeyPrefix", "LogDestinationType")
_CLUSTER_GONE = "ClusterNotFound"
_GROUP_GONE = "ClusterParameterGroupNotFound"


def collect(api: Api, region: str) -> Iterator[Resource]:
    """Yield the region's clusters, and the parameter groups that they use."""
    used: set[str] = set()
    clusters = Listing(api.pages("redshift", "describe_clusters", "Clusters", region=region))
    noting = isolated(api, region, PARAMETER_GROUP, partial(_note_groups, used))
    shaped = isolated(api, region, CLUSTER, partial(_cluster, api, region))
    yield from each(api, region, CLUSTER, lambda item: (*noting(item), *shaped(item)), clusters, calls=True)
    yield from _parameter_groups(api, region, used, clusters)


def reread(api: Api, resource: Resource) -> Resource | None:
    """Read one again by its name, in 2 calls."""
    region, name = resource.region, resource.name
    if resource.type == CLUSTER:
        answer = api.maybe("redshift", "describe_clusters", (_CLUSTER_GONE,), region=region, ClusterIdentifier=name)
        return next((_cluster(api, region, one) for one in ([] if answer is None else answer["Clusters"])), None)
    answer = api.maybe(
        "redshift", "describe_cluster_parameter_groups", (_GROUP_GONE,), region=region, ParameterGroupName=name
    )
    return next(
        (_parameter_group(api, region, one) for one in ([] if answer is None else answer["ParameterGroups"])), None
    )


def _resource(api: Api, region: str, type: str, place: str, name: str, item: Item, properties: Item) -> Resource:
    tags = tag_list(item.get("Tags"))
    return Resource(
        type,
        f"arn:aws:redshift:{region}:{api.account}:{place}:{name}",
        name,
        region,
        api.account,
        {**properties, "Tags": tags},
        tag_dict(tags),
    )


# -- Clusters ------------------------------------------------------------------------------------------------------


def _note_groups(used: set[str], cluster: Item) -> None:
    used.update(_group_names(cluster))


def _group_names(cluster: Item) -> list[str]:
    return [str(group["ParameterGroupName"]) for group in cluster["ClusterParameterGroups"]]


def _cluster(api: Api, region: str, item: Item) -> Resource | None:
    """Return a cluster with its audit logging; None when it is gone."""
    name = str(item["ClusterIdentifier"])
    try:
        logging: Any = _logging(api.call("redshift", "describe_logging_status", region=region, ClusterIdentifier=name))
    except PROBLEMS as problem:
        if code_of(problem) == _CLUSTER_GONE:
            return None
        logging = hidden(problem)
    if item.get("ClusterStatus") in _GOING:
        return None
    properties = {
        **picked(item, *_MEMBERS),
        **needed(item, "PubliclyAccessible", "Encrypted"),
        "ClusterParameterGroupName": part(lambda: next(iter(_group_names(item)), None)),
        "VpcSecurityGroupIds": part(
            lambda: sorted(one["VpcSecurityGroupId"] for one in item.get("VpcSecurityGroups") or ())
        ),
        "LoggingProperties": logging,
    }
    return _resource(api, region, CLUSTER, "cluster", name, item, properties)


def _logging(status: Item) -> Item | None:
    """Return where a cluster's audit log goes; None when it keeps none."""
    if not status["LoggingEnabled"]:
        return None
    return {**picked(status, *_LOGGING), "LogExports": sorted(status.get("LogExports") or ())}


# -- Parameter groups ----------------------------------------------------------------------------------------------


def _parameter_groups(api: Api, region: str, used: set[str], clusters: Listing[Item]) -> Iterator[Resource]:
    """Yield the groups that are used; which they are is as little known as the clusters are."""
    items = api.pages("redshift", "describe_cluster_parameter_groups", "ParameterGroups", region=region)
    listing = Listing(items if used else ())
    yield from clusters.unreadable(api, region, PARAMETER_GROUP)
    yield from each(
        api,
        region,
        PARAMETER_GROUP,
        lambda item: _parameter_group(api, region, item) if item["ParameterGroupName"] in used else None,
        listing,
        calls=True,
    )


def _parameter_group(api: Api, region: str, item: Item) -> Resource | None:
    """Return a group with its parameters; None when it is gone."""
    name = str(item["ParameterGroupName"])
    try:
        parameters: Any = _parameters(api, region, name)
    except PROBLEMS as problem:
        if code_of(problem) == _GROUP_GONE:
            return None
        parameters = hidden(problem)
    properties = {
        **picked(item, "ParameterGroupName", "ParameterGroupFamily", "Description"),
        "Parameters": parameters,
    }
    return _resource(api, region, PARAMETER_GROUP, "parametergroup", name, item, properties)


def _parameters(api: Api, region: str, group: str) -> list[Item]:
    held = api.pages("redshift", "describe_cluster_parameters", "Parameters", region=region, ParameterGroupName=group)
    found = (needed(one, "ParameterName") | picked(one, "ParameterValue") for one in held)
    return sorted(found, key=lambda one: str(one["ParameterName"]))


COLLECTOR = Collector(
    Service("redshift", "Amazon Redshift", (CLUSTER, PARAMETER_GROUP), actions(READS)),
    READS,
    collect,
    reread,
)
