"""Database instances, clusters and snapshots of RDS, DocumentDB and Neptune in one region.

Calls per region: 4, and one more for each further 100 of a kind (instances, clusters, snapshots of either), 1 for each
snapshot that could be public, 1 for each 100 DB parameter groups if any in use can demand TLS, and 1 for each of those.

Only a manual snapshot that is not encrypted with a KMS key can be public, so that no others are asked about. A list of
public snapshots holds those of all accounts, and is longer.
https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBSnapshotAttribute.html

Parameter groups that no instance outside a cluster uses are left out: they decide nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from nephoscope.domain import Resource, Service
from nephoscope_aws.api import Api
from nephoscope_aws.collector import Collector
from nephoscope_aws.collectors import rds_shapes as shapes
from nephoscope_aws.collectors.odd import each, isolated
from nephoscope_aws.collectors.shape import Listing, actions, asked_for, part, tag_dict
from nephoscope_aws.databases import tls_parameter

PARAMETER_GROUP = "AWS::RDS::DBParameterGroup"

READS = {
    ("rds", "describe_db_instances"): "rds:DescribeDBInstances",
    ("rds", "describe_db_clusters"): "rds:DescribeDBClusters",
    ("rds", "describe_db_snapshots"): "rds:DescribeDBSnapshots",
    ("rds", "describe_db_snapshot_attributes"): "rds:DescribeDBSnapshotAttributes",
    ("rds", "describe_db_cluster_snapshots"): "rds:DescribeDBClusterSnapshots",
    ("rds", "describe_db_cluster_snapshot_attributes"): "rds:DescribeDBClusterSnapshotAttributes",
    ("rds", "describe_db_parameter_groups"): "rds:DescribeDBParameterGroups",
    ("rds", "describe_db_parameters"): "rds:DescribeDBParameters",
}

Item = dict[str, Any]


@dataclass(frozen=True)
class _Kind:
    """What one call lists: its types, the answer's list, the member that identifies, the ARN, the code for "gone"."""

    types: tuple[str, ...]
    operation: str
    key: str
    id: str
    arn: str
    gone: str
    shape: Callable[[Item], shapes.Shaped]
    snapshot: bool = False


_INSTANCES = _Kind(
    (shapes.RDS_INSTANCE, shapes.DOCDB_INSTANCE, shapes.NEPTUNE_INSTANCE),
    "describe_db_instances",
    "DBInstances",
    "DBInstanceIdentifier",
    "DBInstanceArn",
    "DBInstanceNotFound",
    shapes.instance,
)
_CLUSTERS = _Kind(
    (shapes.RDS_CLUSTER, shapes.DOCDB_CLUSTER, shapes.NEPTUNE_CLUSTER),
    "describe_db_clusters",
    "DBClusters",
    "DBClusterIdentifier",
    "DBClusterArn",
    "DBClusterNotFoundFault",
    shapes.cluster,
)
_SNAPSHOTS = (
    _Kind(
        (shapes.SNAPSHOT,),
        "describe_db_snapshots",
        "DBSnapshots",
        "DBSnapshotIdentifier",
        "DBSnapshotArn",
        "DBSnapshotNotFound",
        shapes.snapshot,
        snapshot=True,
    ),
    _Kind(
        (shapes.CLUSTER_SNAPSHOT,),
        "describe_db_cluster_snapshots",
        "DBClusterSnapshots",
        "DBClusterSnapshotIdentifier",
        "DBClusterSnapshotArn",
        "DBClusterSnapshotNotFoundFault",
        shapes.cluster_snapshot,
        snapshot=True,
    ),
)
_GROUP_GONE = "DBParameterGroupNotFound"
_KINDS = {type: kind for kind in (_INSTANCES, _CLUSTERS, *_SNAPSHOTS) for type in kind.types}


def collect(api: Api, region: str) -> Iterator[Resource]:
    """Yield what the region holds; a kind that cannot be listed does not hide the others."""
    used: set[str] = set()
    instances = _listing(api, region, _INSTANCES)
    shaped = isolated(api, region, _INSTANCES.types, partial(_resource, api, region, _INSTANCES))
    noting = isolated(api, region, PARAMETER_GROUP, partial(_note_groups, used))
    yield from each(
        api,
        region,
        _INSTANCES.types,
        lambda item: (*noting(item), *shaped(item)),
        instances,
    )
    clusters = _listing(api, region, _CLUSTERS)
    yield from each(api, region, _CLUSTERS.types, partial(_resource, api, region, _CLUSTERS), clusters)
    for kind in _SNAPSHOTS:
        yield from _snapshots(api, region, kind)
    yield from _parameter_groups(api, region, used, instances)


def reread(api: Api, resource: Resource) -> Resource | None:
    """Read one again by its name: 1 call, 2 for a parameter group or a snapshot that could be public."""
    if resource.type == PARAMETER_GROUP:
        return _parameter_group_again(api, resource)
    region, kind = resource.region, _KINDS[resource.type]
    answer = api.maybe("rds", kind.operation, (kind.gone,), region=region, **{kind.id: resource.name})
    for item in asked_for(kind.operation, answer, kind.key):
        found = _snapshot(api, region, kind, item) if kind.snapshot else _resource(api, region, kind, item)
        if found and (found.type, found.id) == (resource.type, resource.id):
            return found
    return None


def _listing(api: Api, region: str, kind: _Kind) -> Listing[Item]:
    return Listing(api.pages("rds", kind.operation, kind.key, region=region))


def _resource(api: Api, region: str, kind: _Kind, item: Item, **observed: Any) -> Resource:
    type, properties = kind.shape(item)
    if observed:
        properties["Observed"] |= observed
    return Resource(type, item[kind.arn], item[kind.id], region, api.account, properties, tag_dict(properties["Tags"]))


# -- Snapshots -----------------------------------------------------------------------------------------------------


def _snapshots(api: Api, region: str, kind: _Kind) -> Iterator[Resource]:
    listing = _listing(api, region, kind)
    yield from each(api, region, kind.types, partial(_snapshot, api, region, kind), listing, calls=True)


def _snapshot(api: Api, region: str, kind: _Kind, item: Item) -> Resource | None:
    """Return a snapshot with whether it is public; None when it vanished meanwhile."""
    public = part(lambda: _is_public(api, region, kind, item))
    return None if public is None else _resource(api, region, kind, item, Public=public)


def _is_public(api: Api, region: str, kind: _Kind, item: Item) -> bool | None:
    """Tell whether anyone may restore a snapshot; None when it is gone.

    An automated snapshot cannot be shared at all, only a manual copy of it.
    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ShareSnapshot.html
    """
    by_kms = item.get("Encrypted") or item.get("StorageEncrypted")
    if item.get("SnapshotType") == "automated" or (by_kms and item.get("StorageEncryptionType") != "sse-rds"):
        return False
    operation = f"{kind.operation.removesuffix('s')}_attributes"
    answer = api.maybe("rds", operation, (kind.gone,), region=region, **{kind.id: item[kind.id]})
    if answer is None:
        return None
    name = kind.key.removesuffix("s")
    held = answer[f"{name}AttributesResult"][f"{name}Attributes"]
    return any(one["AttributeName"] == "restore" and "all" in one["AttributeValues"] for one in held)


# -- Parameter groups ----------------------------------------------------------------------------------------------


def _note_groups(used: set[str], item: Item) -> None:
    used.update(_deciding_groups(item))


def _deciding_groups(item: Item) -> Iterator[str]:
    """Yield the DB parameter groups that decide on an instance's connections; for members of a cluster, others do."""
    if not item.get("DBClusterIdentifier"):
        yield from (str(group["DBParameterGroupName"]) for group in item["DBParameterGroups"])


def _parameter_groups(api: Api, region: str, used: set[str], instances: Listing[Item]) -> Iterator[Resource]:
    """Yield the groups that are used; which they are is as little known as the instances are."""
    items = api.pages("rds", "describe_db_parameter_groups", "DBParameterGroups", region=region) if used else ()
    listing = Listing(items)
    yield from instances.unreadable(api, region, PARAMETER_GROUP)
    yield from each(
        api,
        region,
        PARAMETER_GROUP,
        lambda item: _parameter_group(api, region, item) if item["DBParameterGroupName"] in used else None,
        listing,
        calls=True,
    )


def _parameter_group_again(api: Api, resource: Resource) -> Resource | None:
    answer = api.maybe(
        "rds",
        "describe_db_parameter_groups",
        (_GROUP_GONE,),
        region=resource.region,
        DBParameterGroupName=resource.name,
    )
    items = [] if answer is None else answer["DBParameterGroups"]
    return next((_parameter_group(api, resource.region, item) for item in items), None)


def _parameter_group(api: Api, region: str, item: Item) -> Resource | None:
    """Return a group with the one parameter that makes TLS a must; None when it is gone, or its engine has none."""
    name, family = item["DBParameterGroupName"], item["DBParameterGroupFamily"]
    demands_tls = part(lambda: tls_parameter(str(family)))
    if demands_tls is None:
        return None
    parameters = (
        part(lambda: _parameters(api, region, name, demands_tls)) if isinstance(demands_tls, str) else demands_tls
    )
    if parameters is None:
        return None
    properties = {
        "DBParameterGroupName": name,
        "Family": family,
        "Description": item.get("Description"),
        "Parameters": parameters,
    }
    return Resource(PARAMETER_GROUP, item["DBParameterGroupArn"], name, region, api.account, properties)


def _parameters(api: Api, region: str, group: str, name: str | None) -> dict[str, str] | None:
    """Return the value in force of one of the hundreds of parameters, {} where the engine decides; None if gone."""
    answer = api.maybe(
        "rds",
        "describe_db_parameters",
        (_GROUP_GONE,),
        region=region,
        DBParameterGroupName=group,
        Filters=[{"Name": "parameter-name", "Values": [name]}],
    )
    if answer is None:
        return None
    return {
        one["ParameterName"]: one["ParameterValue"]
        for one in answer["Parameters"]
        if one["ParameterName"] == name and one.get("ParameterValue") is not None
    }


COLLECTOR = Collector(
    Service("rds", "Amazon RDS, DocumentDB and Neptune", (*_KINDS, PARAMETER_GROUP), actions(READS)),
    READS,
    collect,
    reread,
)
