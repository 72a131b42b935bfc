"""Trails whose home is one region, and organization trails that cover the account.

Calls per region: 1, and 3 for each trail.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from nephoscope.domain import Resource, Service
from nephoscope_aws.answers import Unread
from nephoscope_aws.api import Api
from nephoscope_aws.collector import Collector
from nephoscope_aws.collectors.odd import each
from nephoscope_aws.collectors.shape import (
    Listing,
    actions,
    existing,
    part,
    parts,
    picked,
    tag_dict,
    tag_list,
    to_the_hour,
)

TRAIL = "AWS::CloudTrail::Trail"

READS = {
    ("cloudtrail", "describe_trails"): "cloudtrail:DescribeTrails",
    ("cloudtrail", "get_trail_status"): "cloudtrail:GetTrailStatus",
    ("cloudtrail", "get_event_selectors"): "cloudtrail:GetEventSelectors",
    ("cloudtrail", "list_tags"): "cloudtrail:ListTags",
}

Item = dict[str, Any]


def collect(api: Api, region: str) -> Iterator[Resource]:
    """Yield the trails at home in the region."""
    listing = Listing(_at_home(api, region))
    yield from each(api, region, TRAIL, partial(_resource, api, region), listing, calls=True)


def reread(api: Api, resource: Resource) -> Resource | None:
    """Read one trail again: 4 calls."""
    trails = _at_home(api, resource.region, trailNameList=[resource.id])
    trail = next((one for one in trails if one["TrailARN"] == resource.id), None)
    return existing(lambda: _resource(api, resource.region, trail)) if trail else None


def _at_home(api: Api, region: str, **which: Any) -> Iterator[Item]:
    """Yield the trails whose home region this is.

    Shadow trails are asked for and sorted out here: without them, a member account is not told of its organization's
    trails. https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_DescribeTrails.html
    """
    trails = api.pages("cloudtrail", "describe_trails", "trailList", region=region, includeShadowTrails=True, **which)
    return (trail for trail in trails if _is_of(region, trail["HomeRegion"]))


def _is_of(region: str, home: Any) -> bool:
    """Tell whether a region is a trail's home; where that could not be read, it is taken for one of this region."""
    return isinstance(home, Unread) or home in (region, "")


def _status(api: Api, region: str, arn: str) -> Item:
    """Return a trail's status. AWS leaves the times out that there are none of, but never whether it logs."""
    answer = api.call("cloudtrail", "get_trail_status", region=region, Name=arn)
    return {**answer, "IsLogging": answer["IsLogging"]}


def _resource(api: Api, region: str, trail: Item) -> Resource:
    arn = trail["TrailARN"]
    status = parts(
        lambda: _status(api, region, arn),
        {
            "IsLogging": lambda it: it["IsLogging"],
            "LatestCloudWatchLogsDeliveryTime": lambda it: to_the_hour(it.get("LatestCloudWatchLogsDeliveryTime")),
        },
    )
    selectors = parts(
        lambda: api.call("cloudtrail", "get_event_selectors", region=region, TrailName=arn),
        {
            # One of the two is there, and the other is left out.
            "EventSelectors": lambda it: [] if it.get("AdvancedEventSelectors") else it["EventSelectors"],
            "AdvancedEventSelectors": lambda it: it.get("AdvancedEventSelectors") or [],
        },
    )
    tags = part(lambda: _tags(api, region, arn))
    properties = {
        "TrailName": trail["Name"],
        **picked(
            trail,
            "S3BucketName",
            "IsMultiRegionTrail",
            "IncludeGlobalServiceEvents",
            "IsOrganizationTrail",
            "CloudWatchLogsLogGroupArn",
        ),
        "EnableLogFileValidation": trail.get("LogFileValidationEnabled"),
        "KMSKeyId": trail.get("KmsKeyId"),
        "IsLogging": status["IsLogging"],
        **selectors,
        "Tags": tags,
        "Observed": picked(status, "LatestCloudWatchLogsDeliveryTime"),
    }
    return Resource(TRAIL, arn, trail["Name"], region, api.account, properties, tag_dict(tags))


def _tags(api: Api, region: str, arn: str) -> Any:
    lists = api.pages("cloudtrail", "list_tags", "ResourceTagList", region=region, ResourceIdList=[arn])
    return tag_list(tag for one in lists for tag in one.get("TagsList", ()))


COLLECTOR = Collector(Service("cloudtrail", "AWS CloudTrail", (TRAIL,), actions(READS)), READS, collect, reread)
