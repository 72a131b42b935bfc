"""Archiving findings of Amazon GuardDuty: what suppressing one here does there."""

from __future__ import annotations

from typing import Any

from nephoscope.domain import Call, FixRequest, LiveSession, Permission, PlanProblem, Remediation, Resource, Step
from nephoscope_aws.answers import Unavailable
from nephoscope_aws.api import Denied
from nephoscope_aws.call import AwsCall, aws_call
from nephoscope_aws.detections import ARCHIVE, FINDING

_ACTIONS = {
    "get_findings": "guardduty:GetFindings",
    "archive_findings": "guardduty:ArchiveFindings",
    "unarchive_findings": "guardduty:UnarchiveFindings",
}


class ArchiveFinding(Remediation):
    """A finding that somebody suppressed is archived, so that GuardDuty's console shows it as dealt with, too.

    https://docs.aws.amazon.com/guardduty/latest/ug/findings_suppression-rule.html
    """

    id = ARCHIVE
    title = "Archive the GuardDuty finding"
    summary = "Archives the finding in GuardDuty. Nothing else changes; undoing it unarchives the finding."
    breaks = (
        "Nothing stops working. GuardDuty no longer lists the finding among the current ones, so whoever works from "
        "its console does not see it any more."
    )
    provider = "aws"
    group = "GuardDuty findings"
    loses = ""
    on = (FINDING,)
    reads = (_ACTIONS["get_findings"],)
    writes = (_ACTIONS["archive_findings"], _ACTIONS["unarchive_findings"])

    def plan(self, request: FixRequest, session: LiveSession) -> list[Step]:
        finding = request.resource
        archive, unarchive = (_call(finding, operation) for operation in ("archive_findings", "unarchive_findings"))
        try:
            now = _archived(_call(finding, "get_findings"), session)
        except (Denied, Unavailable) as hidden:
            raise PlanProblem(f"it could not be read: {hidden.message}.") from hidden
        if now is None:
            raise PlanProblem("it is no longer in GuardDuty.")
        if now:
            raise PlanProblem("it is archived already.")
        before, after = {"Archived": False}, {"Archived": True}
        return [Step(finding.id, "Archive the finding", archive, unarchive, before, after)]

    def state(self, step: Step, session: LiveSession) -> Any:
        asked = AwsCall.of(step.call)
        read = aws_call(
            "guardduty", "get_findings", asked.parameters, Permission(_ACTIONS["get_findings"]), region=asked.region
        )
        archived = _archived(read, session)
        return None if archived is None else {"Archived": archived}


def _call(finding: Resource, operation: str) -> Call:
    """Return a call with no right to more than the finding's detector."""
    parameters = {"DetectorId": finding.properties["Service"]["DetectorId"], "FindingIds": [finding.properties["Id"]]}
    detector = str(finding.properties["Arn"]).partition("/finding/")[0]
    permission = Permission(_ACTIONS[operation], detector)
    return aws_call("guardduty", operation, parameters, permission, region=finding.region)


def _archived(read: Call, session: LiveSession) -> bool | None:
    answer = session.read(read) or {}
    found = answer.get("Findings") or []
    return bool(found[0].get("Service", {}).get("Archived")) if found else None
