"""Whether Security Hub is on in a region.

Calls per region: 1.
"""

from __future__ import annotations

from typing import Any

from nephoscope_aws.api import Api
from nephoscope_aws.collectors.region_settings import collector

SETTINGS = "AWS::SecurityHub::RegionSettings"

READS = {("securityhub", "describe_hub"): "securityhub:DescribeHub"}

SYNTHETIC = {SETTINGS: ("HubArn",)}

OFF = ("InvalidAccessException", "ResourceNotFoundException")
"""What AWS answers about an account without a hub: that it is not subscribed, or that there is none.
https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_DescribeHub.html"""


def _read(api: Api, region: str) -> dict[str, Any]:
    answer = api.maybe("securityhub", "describe_hub", OFF, region=region)
    return {"HubArn": None if answer is None else answer["HubArn"]}


COLLECTOR = collector("securityhub", "AWS Security Hub", SETTINGS, READS, _read)
