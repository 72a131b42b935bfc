"""EFS file systems of one region.

Calls per region: 1 for each 100 file systems, and 1 for each file system.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from nephoscope.domain import Resource, Service
from nephoscope_aws.api import Api
from nephoscope_aws.collector import Collector
from nephoscope_aws.collectors.odd import each, is_one_of
from nephoscope_aws.collectors.shape import Listing, actions, asked_for, needed, part, picked, tag_dict, tag_list

FILE_SYSTEM = "AWS::EFS::FileSystem"

READS = {
    ("efs", "describe_file_systems"): "elasticfilesystem:DescribeFileSystems",
    ("efs", "describe_backup_policy"): "elasticfilesystem:DescribeBackupPolicy",
}

Item = dict[str, Any]


def collect(api: Api, region: str) -> Iterator[Resource]:
    """Yield the region's file systems."""
    listing = Listing(api.pages("efs", "describe_file_systems", "FileSystems", region=region))
    yield from each(api, region, FILE_SYSTEM, partial(_resource, api, region), listing, calls=True)


def reread(api: Api, resource: Resource) -> Resource | None:
    """Read one file system again: 2 calls."""
    answer = api.maybe(
        "efs",
        "describe_file_systems",
        ("FileSystemNotFound",),
        region=resource.region,
        FileSystemId=resource.id.rpartition("/")[2],
    )
    items = asked_for("describe_file_systems", answer, "FileSystems")
    return _resource(api, resource.region, items[0]) if items else None


def _resource(api: Api, region: str, item: Item) -> Resource | None:
    """Return a file system; None for one that is being deleted."""
    if is_one_of(item.get("LifeCycleState"), ("deleting", "deleted")):
        return None
    id, tags = item["FileSystemId"], tag_list(item.get("Tags"))
    properties = {
        **picked(
            item,
            "FileSystemId",
            "KmsKeyId",
            "PerformanceMode",
            "ThroughputMode",
            "AvailabilityZoneName",
            "FileSystemProtection",
        ),
        **needed(item, "Encrypted"),
        "BackupPolicy": part(lambda: _backup_policy(api, region, id)),
        "FileSystemTags": tags,
    }
    by_key = tag_dict(tags)
    return Resource(
        FILE_SYSTEM, item["FileSystemArn"], by_key.get("Name") or id, region, api.account, properties, by_key
    )


def _backup_policy(api: Api, region: str, id: str) -> Item | None:
    answer = api.maybe("efs", "describe_backup_policy", ("PolicyNotFound",), region=region, FileSystemId=id)
    return needed(answer["BackupPolicy"], "Status") if answer else None


COLLECTOR = Collector(Service("efs", "Amazon EFS", (FILE_SYSTEM,), actions(READS)), READS, collect, reread)
