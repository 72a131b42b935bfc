"""Whether Macie is on in a region.

Calls per region: 1.
"""

from __future__ import annotations

from typing import Any

from nephoscope_aws.api import Api, Denied, switched_off
from nephoscope_aws.collectors.region_settings import collector

SETTINGS = "AWS::Macie::RegionSettings"

READS = {("macie2", "get_macie_session"): "macie2:GetMacieSession"}

SYNTHETIC = {SETTINGS: ("Status",)}
"""``Status`` is that of AWS::Macie::Session; null where there is none."""


def _read(api: Api, region: str) -> dict[str, Any]:
    try:
        answer = api.maybe("macie2", "get_macie_session", ("ResourceNotFoundException",), region=region)
    except Denied as denied:
        if not switched_off(denied):
            raise
        answer = None
    return {"Status": None if answer is None else answer["status"]}


COLLECTOR = collector("macie", "Amazon Macie", SETTINGS, READS, _read)
