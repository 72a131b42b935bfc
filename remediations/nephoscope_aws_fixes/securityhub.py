"""The fix that switches AWS Security Hub on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from nephoscope.domain import Call, LiveSession
from nephoscope_aws.api import code_of
from nephoscope_aws.collectors.securityhub import OFF
from nephoscope_aws_fixes.setting import Target, operation
from nephoscope_aws_fixes.switching import CREATE_ROLE, Place, SwitchOn

_GET = operation("securityhub", "describe_hub", "securityhub:DescribeHub")
_STANDARDS = operation("securityhub", "get_enabled_standards", "securityhub:GetEnabledStandards")
_MEMBERS = operation("securityhub", "list_members", "securityhub:ListMembers")
_RULES = operation("securityhub", "list_automation_rules", "securityhub:ListAutomationRules")
# There is no hub yet that the permission could name, and never more than one in a region.
_ENABLE = operation("securityhub", "enable_security_hub", "securityhub:EnableSecurityHub", anywhere=True)
_DISABLE = operation("securityhub", "disable_security_hub", "securityhub:DisableSecurityHub")


class Enable(SwitchOn):
    """https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_EnableSecurityHub.html"""

    id = "aws.securityhub.enable"
    title = "Turn on Security Hub in the region"
    summary = "Turns on Security Hub without a standard: it collects the findings of other services and checks nothing."
    breaks = (
        "Nothing stops working. Security Hub is charged by findings after a free trial of 30 days. Standards, whose "
        "checks are charged too, are turned on in its console."
    )
    on = ("AWS::SecurityHub::RegionSettings",)
    role = "securityhub.amazonaws.com/AWSServiceRoleForSecurityHub"
    reads = (
        "securityhub:DescribeHub",
        "securityhub:GetEnabledStandards",
        "securityhub:ListMembers",
        "securityhub:ListAutomationRules",
    )
    writes = ("securityhub:EnableSecurityHub", "securityhub:DisableSecurityHub", CREATE_ROLE)
    fresh = {"AutoEnableControls": True}
    adds = {
        "standards": (_STANDARDS, "StandardsSubscriptions"),
        "members": (_MEMBERS, "Members"),
        "automation rules": (_RULES, "AutomationRulesMetadata"),
    }

    def names(self, region: str, session: LiveSession) -> Mapping[str, Any] | None:
        return None if _hub(region, session) is None else {}

    def settings(self, region: str, names: Mapping[str, Any], session: LiveSession) -> dict[str, Any]:
        return {name: (_hub(region, session) or {}).get(name) for name in self.fresh}

    def switch_on(self, place: Place) -> Call:
        return _ENABLE.on(place.target(), {"EnableDefaultStandards": False})

    def switch_off(self, place: Place) -> Call:
        return _DISABLE.on(place.target(place.arn("securityhub", "hub/default")), {})

    def shown(self) -> dict[str, Any]:
        return {"HubArn": "hub/default"}


def _hub(region: str, session: LiveSession) -> Mapping[str, Any] | None:
    try:
        return session.read(_GET.on(Target({}, "*", region), {}))
    except ClientError as error:
        if code_of(error) in OFF:
            return None
        raise
