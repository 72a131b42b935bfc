"""DMS replication instances of one region.

Calls per region: 1 for each 100 replication instances.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nephoscope.domain import Resource, Service
from nephoscope_aws.api import Api
from nephoscope_aws.collector import Collector
from nephoscope_aws.collectors.odd import each
from nephoscope_aws.collectors.shape import Listing, actions, part, picked
from nephoscope_aws.lookups import is_over

INSTANCE = "AWS::DMS::ReplicationInstance"

READS = {("dms", "describe_replication_instances"): "dms:DescribeReplicationInstances"}

Item = dict[str, Any]

_MEMBERS = (
    "ReplicationInstanceIdentifier",
    "ReplicationInstanceClass",
    "EngineVersion",
    "AllocatedStorage",
    "MultiAZ",
    "AvailabilityZone",
    "AutoMinorVersionUpgrade",
    "KmsKeyId",
    "NetworkType",
)


def collect(api: Api, region: str) -> Iterator[Resource]:
    """Yield the region's replication instances."""
    listing = Listing(
        api.pages("dms", "describe_replication_instances", "ReplicationInstances", region=region, MaxRecords=100)
    )
    yield from each(
        api, region, INSTANCE, lambda item: None if is_over(item) else _resource(api, region, item), listing
    )


def reread(api: Api, resource: Resource) -> Resource | None:
    """Read one replication instance again, in one call."""
    wanted = [{"Name": "replication-instance-arn", "Values": [resource.id]}]
    answer = api.maybe(
        "dms", "describe_replication_instances", ("ResourceNotFoundFault",), region=resource.region, Filters=wanted
    )
    items = answer["ReplicationInstances"] if answer else []
    return _resource(api, resource.region, items[0]) if items and not is_over(items[0]) else None


def _resource(api: Api, region: str, item: Item) -> Resource:
    properties = {
        **picked(item, *_MEMBERS),
        **picked(item, "PubliclyAccessible"),  # public unless it says not
        "VpcSecurityGroupIds": part(
            lambda: [str(one["VpcSecurityGroupId"]) for one in item.get("VpcSecurityGroups") or ()]
        ),
        "ReplicationSubnetGroupIdentifier": item.get("ReplicationSubnetGroup", {}).get(
            "ReplicationSubnetGroupIdentifier"
        ),
    }
    arn, name = item["ReplicationInstanceArn"], item["ReplicationInstanceIdentifier"]
    return Resource(INSTANCE, arn, name, region, api.account, properties)


COLLECTOR = Collector(
    Service("dms", "AWS Database Migration Service", (INSTANCE,), actions(READS)), READS, collect, reread
)
