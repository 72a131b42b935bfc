"""Launch configurations of EC2 Auto Scaling of one region. They have no tags.

Calls per region: 1 for each 100. What instances are started with (user data) is not kept: it may hold secrets.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from nephoscope.domain import Resource, Service
from nephoscope_aws.api import Api
from nephoscope_aws.collector import Collector
from nephoscope_aws.collectors.odd import each
from nephoscope_aws.collectors.shape import Listing, actions, part, picked

LAUNCH_CONFIGURATION = "AWS::AutoScaling::LaunchConfiguration"

READS = {
    ("autoscaling", "describe_launch_configurations"): "autoscaling:DescribeLaunchConfigurations",
}

Item = dict[str, Any]


def collect(api: Api, region: str) -> Iterator[Resource]:
    """Yield the region's launch configurations."""
    listing = Listing(_configurations(api, region, MaxRecords=100))
    yield from each(api, region, LAUNCH_CONFIGURATION, partial(_configuration, api, region), listing)


def reread(api: Api, resource: Resource) -> Resource | None:
    """Read one again, in one call."""
    found = _configurations(api, resource.region, LaunchConfigurationNames=[resource.name])
    again = (_configuration(api, resource.region, one) for one in found)
    return next((one for one in again if one.id == resource.id), None)


def _configurations(api: Api, region: str, **which: Any) -> Iterator[Item]:
    return api.pages("autoscaling", "describe_launch_configurations", "LaunchConfigurations", region=region, **which)


def _configuration(api: Api, region: str, item: Item) -> Resource:
    properties = {
        **picked(
            item, "LaunchConfigurationName", "ImageId", "InstanceType", "IamInstanceProfile", "AssociatePublicIpAddress"
        ),
        "SecurityGroups": part(lambda: item.get("SecurityGroups") or []),
        "MetadataOptions": picked(
            item.get("MetadataOptions", {}), "HttpTokens", "HttpEndpoint", "HttpPutResponseHopLimit"
        ),
    }
    return Resource(
        LAUNCH_CONFIGURATION,
        item["LaunchConfigurationARN"],
        item["LaunchConfigurationName"],
        region,
        api.account,
        properties,
    )


COLLECTOR = Collector(
    Service("autoscaling", "EC2 Auto Scaling", (LAUNCH_CONFIGURATION,), actions(READS)),
    READS,
    collect,
    reread,
)
