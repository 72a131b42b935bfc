"""ElastiCache replication groups (Valkey and Redis) of one region.

Calls per region: 1 for each 100 replication groups. Tags would be one more for each group, and no rule needs them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nephoscope.domain import Resource, Service
from nephoscope_aws.api import Api
from nephoscope_aws.collector import Collector
from nephoscope_aws.collectors.odd import each, is_one_of
from nephoscope_aws.collectors.shape import Listing, actions, asked_for, needed, part, picked

GROUP = "AWS::ElastiCache::ReplicationGroup"

READS = {("elasticache", "describe_replication_groups"): "elasticache:DescribeReplicationGroups"}

Item = dict[str, Any]

_MEMBERS = (
    "ReplicationGroupId",
    "CacheNodeType",
    "Engine",
    "ClusterMode",
    "KmsKeyId",
    "TransitEncryptionMode",
    "AutoMinorVersionUpgrade",
    "SnapshotRetentionLimit",
    "NetworkType",
    "Durability",
)


def collect(api: Api, region: str) -> Iterator[Resource]:
    """Yield the region's replication groups."""
    listing = Listing(
        api.pages("elasticache", "describe_replication_groups", "ReplicationGroups", region=region, MaxRecords=100)
    )
    yield from each(api, region, GROUP, lambda item: None if _deleting(item) else _resource(api, region, item), listing)


def reread(api: Api, resource: Resource) -> Resource | None:
    """Read one replication group again, in one call."""
    answer = api.maybe(
        "elasticache",
        "describe_replication_groups",
        ("ReplicationGroupNotFoundFault",),
        region=resource.region,
        ReplicationGroupId=resource.name,
    )
    items = asked_for("describe_replication_groups", answer, "ReplicationGroups")
    return _resource(api, resource.region, items[0]) if items and not _deleting(items[0]) else None


def _deleting(item: Item) -> bool:
    return is_one_of(item.get("Status"), ("deleting",))


def _resource(api: Api, region: str, item: Item) -> Resource:
    properties = {
        **picked(item, *_MEMBERS),
        **needed(item, "AtRestEncryptionEnabled", "TransitEncryptionEnabled"),
        "ReplicationGroupDescription": item.get("Description"),
        "AutomaticFailoverEnabled": part(lambda: item["AutomaticFailover"] in ("enabled", "enabling")),
        "MultiAZEnabled": part(lambda: item.get("MultiAZ") == "enabled"),
        "UserGroupIds": part(lambda: item.get("UserGroupIds") or []),
        "Observed": picked(item, "StorageEncryptionType", "AuthTokenEnabled"),
    }
    return Resource(GROUP, item["ARN"], item["ReplicationGroupId"], region, api.account, properties)


COLLECTOR = Collector(Service("elasticache", "Amazon ElastiCache", (GROUP,), actions(READS)), READS, collect, reread)
