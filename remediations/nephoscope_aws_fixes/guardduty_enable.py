"""The fix that switches Amazon GuardDuty on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nephoscope.domain import Call, LiveSession, result
from nephoscope_aws_fixes.setting import Target, at, operation
from nephoscope_aws_fixes.switching import CREATE_ROLE, Place, SwitchOn

_LIST = operation("guardduty", "list_detectors", "guardduty:ListDetectors", anywhere=True)
_GET = operation("guardduty", "get_detector", "guardduty:GetDetector")
_CREATE = operation("guardduty", "create_detector", "guardduty:CreateDetector", anywhere=True)
_UPDATE = operation("guardduty", "update_detector", "guardduty:UpdateDetector")
_DELETE = operation("guardduty", "delete_detector", "guardduty:DeleteDetector")
_FILTERS = operation("guardduty", "list_filters", "guardduty:ListFilters")
_MEMBERS = operation("guardduty", "list_members", "guardduty:ListMembers")
_DESTINATIONS = operation("guardduty", "list_publishing_destinations", "guardduty:ListPublishingDestinations")


class Enable(SwitchOn):
    """A region has one detector or none. https://docs.aws.amazon.com/guardduty/latest/APIReference/API_CreateDetector.html"""

    id = "aws.guardduty.enable"
    title = "Turn on GuardDuty in the region"
    summary = "Creates the region’s detector with the protection plans that AWS turns on by default, or resumes it."
    breaks = "Nothing stops working. GuardDuty is charged by what it analyzes, after a free trial of 30 days."
    on = ("AWS::GuardDuty::RegionSettings",)
    role = "guardduty.amazonaws.com/AWSServiceRoleForAmazonGuardDuty"
    reads = (
        "guardduty:ListDetectors",
        "guardduty:GetDetector",
        "guardduty:ListFilters",
        "guardduty:ListMembers",
        "guardduty:ListPublishingDestinations",
    )
    writes = ("guardduty:CreateDetector", "guardduty:UpdateDetector", "guardduty:DeleteDetector", CREATE_ROLE)
    fresh = {"Status": "ENABLED", "FindingPublishingFrequency": "SIX_HOURS"}
    suspended = {"Status": "DISABLED"}
    adds = {
        "filters": (_FILTERS, "FilterNames"),
        "members": (_MEMBERS, "Members"),
        "publishing destinations": (_DESTINATIONS, "Destinations"),
    }
    keep = ("DetectorId",)

    def names(self, region: str, session: LiveSession) -> Mapping[str, Any] | None:
        found = at(session.read(_LIST.on(Target({}, "*", region), {})), ("DetectorIds", 0))
        return {"DetectorId": found} if found else None

    def settings(self, region: str, names: Mapping[str, Any], session: LiveSession) -> dict[str, Any]:
        answer = session.read(_GET.on(Target(names, "*", region), names)) or {}
        return {name: answer.get(name) for name in self.fresh}

    def switch_on(self, place: Place) -> Call:
        frequency = {"FindingPublishingFrequency": self.fresh["FindingPublishingFrequency"]}
        return _CREATE.on(place.target(), {"Enable": True, **frequency})

    def switch_off(self, place: Place) -> Call:
        return _DELETE.on(_detector(place, "*"), {"DetectorId": result(0, "DetectorId")})

    def change(self, place: Place, names: Mapping[str, Any], settings: Mapping[str, Any]) -> Call:
        enable = settings["Status"] == self.fresh["Status"]
        return _UPDATE.on(_detector(place, names["DetectorId"]), {**names, "Enable": enable})

    def shown(self) -> dict[str, Any]:
        return {"Detectors": [{"Id": None, "Enable": True}]}


def _detector(place: Place, id: str) -> Target:
    return place.target(place.arn("guardduty", f"detector/{id}"))
