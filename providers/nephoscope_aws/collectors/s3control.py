"""S3 access points of one region.

Calls per region: 1 for each 1,000 access points and 1 for each access point.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from nephoscope.domain import Resource, Service
from nephoscope_aws.api import Api
from nephoscope_aws.collector import Collector
from nephoscope_aws.collectors.account_wide import public_access_block
from nephoscope_aws.collectors.odd import each
from nephoscope_aws.collectors.shape import Listing, actions, answers, existing, part, picked

ACCESS_POINT = "AWS::S3::AccessPoint"

READS = {
    ("s3control", "list_access_points"): "s3:ListAccessPoints",
    ("s3control", "get_access_point"): "s3:GetAccessPoint",
}

Item = dict[str, Any]


def collect(api: Api, region: str) -> Iterator[Resource]:
    """Yield the region's access points; the list lacks their public access block."""
    listing = Listing(_listed(api, region))
    yield from each(api, region, ACCESS_POINT, partial(_resource, api, region), listing, calls=True)


def reread(api: Api, resource: Resource) -> Resource | None:
    """Read one access point again, in one call."""
    answer = existing(lambda: _answer(api, resource.region, resource.name))
    return _shaped(api, resource.region, answer, public_access_block(answer)) if answer else None


def _listed(api: Api, region: str) -> Iterator[Item]:
    pages = answers(
        api, "s3control", "list_access_points", "NextToken", region=region, AccountId=api.account, MaxResults=1000
    )
    return (one for page in pages for one in page["AccessPointList"])


def _answer(api: Api, region: str, name: str) -> Item:
    return api.call("s3control", "get_access_point", region=region, AccountId=api.account, Name=name)


def _resource(api: Api, region: str, listed: Item) -> Resource:
    block = part(lambda: public_access_block(_answer(api, region, listed["Name"])))
    return _shaped(api, region, listed, block)


def _shaped(api: Api, region: str, item: Item, block: Any) -> Resource:
    properties = {
        **picked(item, "Name", "Bucket"),
        "PublicAccessBlockConfiguration": block,
        "VpcConfiguration": part(lambda: item.get("VpcConfiguration") or None),
        "Observed": picked(item, "NetworkOrigin"),
    }
    return Resource(ACCESS_POINT, item["AccessPointArn"], item["Name"], region, api.account, properties)


COLLECTOR = Collector(
    Service("s3control", "S3 access points", (ACCESS_POINT,), actions(READS)),
    READS,
    collect,
    reread,
)
