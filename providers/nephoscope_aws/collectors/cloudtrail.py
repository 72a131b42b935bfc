"""Trails that the scanned regions show: those at home there, and those of all regions wherever they are at home.

Organization trails that cover the account are among them. Calls: 1 for each region, and 3 for each trail.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from nephoscope.domain import ALL_REGIONS, Resource, Service
from nephoscope_aws.answers import Answer, Unavailable
from nephoscope_aws.api import Api, said
from nephoscope_aws.collector import Collector
from nephoscope_aws.collectors.odd import each
from nephoscope_aws.collectors.shape import (
    Listing,
    actions,
    existing,
    moment,
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
    """Yield the trails, each once, then what stands for those of regions that could not be asked."""
    shown: dict[str, Item] = {}
    hidden: list[Resource] = []
    for place, listing, trails in api.map(lambda place: _shown(api, place), api.regions or (ALL_REGIONS,)):
        shown |= {_key(trail): trail for trail in trails}
        hidden += listing.unreadable(api, place, TRAIL)
    yield from each(api, ALL_REGIONS, TRAIL, partial(_resource, api), shown.values(), calls=True)
    yield from hidden


def _key(trail: Item) -> str:
    """Return what is the same of a trail wherever it is shown; of one without an ARN, nothing is."""
    arn = trail["TrailARN"]
    return arn if isinstance(arn, str) else str(id(trail))


def reread(api: Api, resource: Resource) -> Resource | None:
    """Read one trail again: 4 calls."""
    trails = _described(api, resource.region, trailNameList=[resource.id])
    trail = next((one for one in trails if one["TrailARN"] == resource.id), None)
    return existing(lambda: _resource(api, trail)) if trail else None


def _shown(api: Api, region: str) -> tuple[str, Listing[Item], list[Item]]:
    """Return the trails that a region shows, and the listing that tells whether these are all."""
    listing = Listing(_described(api, region))
    return region, listing, list(listing)


def _described(api: Api, region: str, **which: Any) -> Iterator[Item]:
    """Yield the trails at home in a region, and the shadows there of those at home elsewhere.

    A trail of all regions has a shadow in each other one, and a member account is told of its organization's trails as
    shadows only. https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_DescribeTrails.html
    """
    return api.pages("cloudtrail", "describe_trails", "trailList", region=region, includeShadowTrails=True, **which)


def _status(api: Api, trail: Item) -> Item:
    """Return a trail's status. AWS leaves the times out that there are none of, but never whether it logs."""
    answer = _asked(api, "get_trail_status", trail, "Name")
    return {**answer, "IsLogging": answer["IsLogging"]}


def _asked(api: Api, operation: str, trail: Item, name: str) -> Answer:
    """Ask about a trail. One of another account that AWS says not to know is there, for the region showed it."""
    try:
        return api.call("cloudtrail", operation, region=trail["HomeRegion"], **{name: trail["TrailARN"]})
    except ClientError as error:
        if trail["TrailARN"].split(":")[4] == api.account:
            raise
        raise Unavailable(said(error)) from error


def _resource(api: Api, trail: Item) -> Resource:
    """Return a trail, asked about in its home region, which need not be one of those that are scanned."""
    arn, region = trail["TrailARN"], trail["HomeRegion"]
    status = parts(
        lambda: _status(api, trail),
        {
            "IsLogging": lambda it: it["IsLogging"],
            "LatestCloudWatchLogsDeliveryTime": lambda it: to_the_hour(it.get("LatestCloudWatchLogsDeliveryTime")),
            "LatestCloudWatchLogsDeliveryError": lambda it: it.get("LatestCloudWatchLogsDeliveryError"),
            "StartLoggingTime": lambda it: moment(it.get("StartLoggingTime")),
        },
    )
    selectors = parts(
        lambda: _asked(api, "get_event_selectors", trail, "TrailName"),
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
        "Observed": picked(
            status, "LatestCloudWatchLogsDeliveryTime", "LatestCloudWatchLogsDeliveryError", "StartLoggingTime"
        ),
    }
    return Resource(TRAIL, arn, trail["Name"], region, api.account, properties, tag_dict(tags))


def _tags(api: Api, region: str, arn: str) -> Any:
    lists = api.pages("cloudtrail", "list_tags", "ResourceTagList", region=region, ResourceIdList=[arn])
    return tag_list(tag for one in lists for tag in one.get("TagsList", ()))


COLLECTOR = Collector(
    Service("cloudtrail", "AWS CloudTrail", (TRAIL,), actions(READS), regional=False), READS, collect, reread
)
