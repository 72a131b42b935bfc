"""Whether GuardDuty is on in a region.

Calls per region: 1, and 1 more where there is a detector (a region has at most one).
"""

from __future__ import annotations

from typing import Any

from nephoscope_aws.api import Api
from nephoscope_aws.collectors.region_settings import collector
from nephoscope_aws.collectors.shape import part

SETTINGS = "AWS::GuardDuty::RegionSettings"

READS = {
    ("guardduty", "list_detectors"): "guardduty:ListDetectors",
    ("guardduty", "get_detector"): "guardduty:GetDetector",
}

SYNTHETIC = {SETTINGS: ("Detectors",)}
"""``Detectors`` is a list of AWS::GuardDuty::Detector: Id, Enable."""


def detectors(api: Api, region: str) -> list[str]:
    """Return the ids of a region's detectors, asked once in a session."""
    return api.once(f"guardduty detectors {region}", lambda: _listed(api, region))


def _listed(api: Api, region: str) -> list[str]:
    return list(api.pages("guardduty", "list_detectors", "DetectorIds", region=region))


def _read(api: Api, region: str) -> dict[str, Any]:
    return _described(api, region, detectors(api, region))


def _read_again(api: Api, region: str) -> dict[str, Any]:
    return _described(api, region, _listed(api, region))


def _described(api: Api, region: str, ids: list[str]) -> dict[str, Any]:
    return {"Detectors": [{"Id": id, "Enable": _enabled(api, region, id)} for id in ids]}


def _enabled(api: Api, region: str, id: str) -> Any:
    """Return whether a detector works, or what stands for it; a suspended one is kept but sees nothing."""
    return part(lambda: api.call("guardduty", "get_detector", region=region, DetectorId=id)["Status"] == "ENABLED")


COLLECTOR = collector("guardduty", "Amazon GuardDuty", SETTINGS, READS, _read, _read_again)
