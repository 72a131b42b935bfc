"""The fix that switches Amazon Macie on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nephoscope.domain import Call, LiveSession
from nephoscope_aws.api import Denied, switched_off
from nephoscope_aws_fixes.setting import Target, operation
from nephoscope_aws_fixes.switching import CREATE_ROLE, Place, SwitchOn

# None of its actions can be limited to a resource but those on jobs, lists and the like.
_GET = operation("macie2", "get_macie_session", "macie2:GetMacieSession", anywhere=True)
_JOBS = operation("macie2", "list_classification_jobs", "macie2:ListClassificationJobs", anywhere=True)
_IDENTIFIERS = operation("macie2", "list_custom_data_identifiers", "macie2:ListCustomDataIdentifiers", anywhere=True)
_MEMBERS = operation("macie2", "list_members", "macie2:ListMembers", anywhere=True)
_ENABLE = operation("macie2", "enable_macie", "macie2:EnableMacie", anywhere=True)
_UPDATE = operation("macie2", "update_macie_session", "macie2:UpdateMacieSession", anywhere=True)
_DISABLE = operation("macie2", "disable_macie", "macie2:DisableMacie", anywhere=True)


class Enable(SwitchOn):
    """https://docs.aws.amazon.com/macie/latest/APIReference/macie.html"""

    id = "aws.macie.enable"
    title = "Turn on Macie in the region"
    summary = "Turns on Macie, or resumes it. Classification jobs are not made."
    breaks = (
        "Nothing stops working. Macie is charged by buckets and by the data that it inspects, after a free trial of 30 "
        "days: look at its cost estimate before that ends."
    )
    on = ("AWS::Macie::RegionSettings",)
    role = "macie.amazonaws.com/AWSServiceRoleForAmazonMacie"
    reads = (
        "macie2:GetMacieSession",
        "macie2:ListClassificationJobs",
        "macie2:ListCustomDataIdentifiers",
        "macie2:ListMembers",
    )
    writes = ("macie2:EnableMacie", "macie2:UpdateMacieSession", "macie2:DisableMacie", CREATE_ROLE)
    fresh = {"status": "ENABLED", "findingPublishingFrequency": "FIFTEEN_MINUTES"}
    suspended = {"status": "PAUSED"}
    adds = {
        "classification jobs": (_JOBS, "items"),
        "custom data identifiers": (_IDENTIFIERS, "items"),
        "members": (_MEMBERS, "members"),
    }

    def names(self, region: str, session: LiveSession) -> Mapping[str, Any] | None:
        return None if _session(region, session) is None else {}

    def settings(self, region: str, names: Mapping[str, Any], session: LiveSession) -> dict[str, Any]:
        return {name: (_session(region, session) or {}).get(name) for name in self.fresh}

    def switch_on(self, place: Place) -> Call:
        return _ENABLE.on(place.target(), self.fresh)

    def switch_off(self, place: Place) -> Call:
        return _DISABLE.on(place.target(), {})

    def change(self, place: Place, names: Mapping[str, Any], settings: Mapping[str, Any]) -> Call:
        return _UPDATE.on(place.target(), settings)

    def shown(self) -> dict[str, Any]:
        return {"Status": "ENABLED"}


def _session(region: str, session: LiveSession) -> Mapping[str, Any] | None:
    try:
        return session.read(_GET.on(Target({}, "*", region), {}))
    except Denied as denied:
        if switched_off(denied):
            return None
        raise
