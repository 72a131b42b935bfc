"""What Inspector scans in a region.

Calls per region: 1.
"""

from __future__ import annotations

from typing import Any

from nephoscope_aws.answers import Unavailable
from nephoscope_aws.api import Api
from nephoscope_aws.collectors.region_settings import collector

SETTINGS = "AWS::InspectorV2::RegionSettings"

READS = {("inspector2", "batch_get_account_status"): "inspector2:BatchGetAccountStatus"}

SYNTHETIC = {SETTINGS: ("ResourceState",)}
"""The status (ENABLED, DISABLED, SUSPENDED …) of scanning for ``ec2``, ``ecr``, ``lambda`` and ``lambdaCode``.
https://docs.aws.amazon.com/inspector/v2/APIReference/API_ResourceState.html"""

_ALWAYS = ("ec2", "ecr")
"""What AWS always says something of (same page); scanning of Lambda came later."""

_KINDS = ("ec2", "ecr", "lambda", "lambdaCode")


def _read(api: Api, region: str) -> dict[str, Any]:
    answer = api.call("inspector2", "batch_get_account_status", region=region, accountIds=[api.account])
    state = answer["accounts"][0]["resourceState"] if answer["accounts"] else {}
    if state and any(kind not in state for kind in _ALWAYS):
        raise Unavailable(f"batch_get_account_status: AWS's answer lacks one of {', '.join(_ALWAYS)}")
    return {"ResourceState": {kind: state[kind]["status"] if kind in state else "DISABLED" for kind in _KINDS}}


COLLECTOR = collector("inspector", "Amazon Inspector", SETTINGS, READS, _read)
