"""Database instances, clusters and snapshots of RDS, DocumentDB and Neptune in one region.

Calls per region: 4, and one more for each further 100 of a kind (instances, clusters, snapshots of either), 1 for each
snapshot that could be public, 1 for each 100 parameter groups of instances if an instance outside a cluster uses one,
and the same of clusters, and 1 for each of those in use that can demand TLS.

Only a manual snapshot that is not encrypted with a KMS key can be public, so that no others are asked about. A list of
public snapshots holds those of all accounts, and is longer.
https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBSnapshotAttribute.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from nephoscope.domain import Resource, Service
from nephoscope_aws.api import Api
from nephoscope_aws.collector import Collector
from nephoscope_aws.collectors import rds_groups
from nephoscope_aws.collectors import rds_shapes as shapes
from nephoscope_aws.collectors.odd import each, isolated
from nephoscope_aws.collectors.rds_groups import GROUPS, OF_CLUSTERS, OF_INSTANCES, Groups, parameter_groups
from nephoscope_aws.collectors.shape import Listing, actions, asked_for, part, tag_dict

READS = {
    ("rds", "describe_db_instances"): "rds:DescribeDBInstances",
    ("rds", "describe_db_clusters"): "rds:DescribeDBClusters",
    ("rds", "describe_db_snapshots"): "rds:DescribeDBSnapshots",
    ("rds", "describe_db_snapshot_attributes"): "rds:DescribeDBSnapshotAttributes",
    ("rds", "describe_db_cluster_snapshots"): "rds:DescribeDBClusterSnapshots",
    ("rds", "describe_db_cluster_snapshot_attributes"): "rds:DescribeDBClusterSnapshotAttributes",
    **rds_groups.READS,
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
_KINDS = {type: kind for kind in (_INSTANCES, _CLUSTERS, *_SNAPSHOTS) for type in kind.types}


def collect(api: Api, region: str) -> Iterator[Resource]:
    """Yield what the region holds; a kind that cannot be listed does not hide the others."""
    yield from _with_groups(api, region, _INSTANCES, OF_INSTANCES)
    yield from _with_groups(api, region, _CLUSTERS, OF_CLUSTERS)
    for kind in _SNAPSHOTS:
        yield from _snapshots(api, region, kind)


def _with_groups(api: Api, region: str, kind: _Kind, groups: Groups) -> Iterator[Resource]:
    """Yield instances or clusters, then the parameter groups that they use."""
    used: set[str] = set()
    noting = isolated(api, region, groups.type, partial(groups.note, used))
    shaped = isolated(api, region, kind.types, partial(_resource, api, region, kind))
    listing = _listing(api, region, kind)
    yield from each(api, region, kind.types, lambda item: (*noting(item), *shaped(item)), listing)
    yield from parameter_groups(api, region, groups, used, listing)


def reread(api: Api, resource: Resource) -> Resource | None:
    """Read one again by its name: 1 call, 2 for a parameter group or a snapshot that could be public."""
    if resource.type in GROUPS:
        return rds_groups.again(api, resource)
    region, kind = resource.region, _KINDS[resource.type]
    answer = api.maybe("rds", kind.operation, (kind.gone,), region=region, **{kind.id: resource.name})
    for item in asked_for(kind.operation, answer, kind.key):
        if _deleting(item):
            return None
        found = _snapshot(api, region, kind, item) if kind.snapshot else _resource(api, region, kind, item)
        if found and (found.type, found.id) == (resource.type, resource.id):
            return found
    return None


def _listing(api: Api, region: str, kind: _Kind) -> Listing[Item]:
    items = api.pages("rds", kind.operation, kind.key, region=region)
    return Listing(item for item in items if not _deleting(item))


def _deleting(item: Item) -> bool:
    """Tell whether an instance, a cluster or a snapshot is on its way out, with nothing left to change."""
    return "deleting" in (item.get("DBInstanceStatus"), item.get("Status"))


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


COLLECTOR = Collector(
    Service("rds", "Amazon RDS, DocumentDB and Neptune", (*_KINDS, *GROUPS), actions(READS)),
    READS,
    collect,
    reread,
)
