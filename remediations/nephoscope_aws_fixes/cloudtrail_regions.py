"""The fix of an account without a trail of all regions: one of its trails becomes that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from nephoscope.domain import Field, FixRequest, LiveSession, Permission, PlanProblem, Remediation, Step
from nephoscope_aws.call import AwsCall, aws_call
from nephoscope_aws_fixes.setting import unless_hidden

_READS = {
    "list_trails": "cloudtrail:ListTrails",
    "describe_trails": "cloudtrail:DescribeTrails",
    "get_trail_status": "cloudtrail:GetTrailStatus",
    "get_event_selectors": "cloudtrail:GetEventSelectors",
}
_WRITE = "cloudtrail:UpdateTrail"

AFTER = {"IsMultiRegionTrail": True, "IncludeGlobalServiceEvents": True}
"""A trail of all regions has to include events of global services:
https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_UpdateTrail.html"""

Trail = Mapping[str, Any]


class ExtendToAllRegions(Remediation):
    """https://docs.aws.amazon.com/awscloudtrail/latest/userguide/receive-cloudtrail-log-files-from-multiple-regions.html"""

    id = "aws.cloudtrail.extend_to_all_regions"
    title = "Have a trail log all regions"
    summary = "Changes a trail that logs all management events of one region so that it logs those of all regions."
    breaks = (
        "Nothing stops working. The trail’s bucket also receives the log files of the other regions; where another "
        "trail logs management events there already, the second copy is charged for."
    )
    provider = "aws"
    group = "CloudTrail"
    loses = ""
    on = ("AWS::::Account",)
    reads = tuple(_READS.values())
    writes = (_WRITE,)
    inputs = (Field("trail", "Trail", "The name of the trail. Leave it empty if just one logs all management events."),)

    def plan(self, request: FixRequest, session: LiveSession) -> list[Step]:
        with unless_hidden():
            trail = _chosen(list(_candidates(request.resource.account, session)), request.inputs["trail"])
        before = _state(trail)
        call, inverse = (_update(trail["TrailARN"], trail["HomeRegion"], state) for state in (AFTER, before))
        return [Step(request.resource.id, f"Have {trail['Name']} log all regions", call, inverse, before, AFTER)]

    def state(self, step: Step, session: LiveSession) -> Any:
        asked = AwsCall.of(step.call)
        trail = _described(asked.parameters["Name"], asked.region, session)
        return _state(trail) if trail else None


def _state(trail: Trail) -> dict[str, Any]:
    return {name: trail.get(name) for name in AFTER}


def _update(arn: str, region: str, state: Mapping[str, Any]) -> Any:
    return aws_call("cloudtrail", "update_trail", {"Name": arn, **state}, Permission(_WRITE, arn), region=region)


def _chosen(trails: list[Trail], name: str) -> Trail:
    """Return the trail that is meant; raises PlanProblem when that cannot be said."""
    if name:
        trails = [each for each in trails if name in (each["Name"], each["TrailARN"])]
    if not trails:
        which = f"{name} is no trail that" if name else "none of its trails"
        raise PlanProblem(f"{which} logs all management events of a region; create a trail, or change one.")
    if len(trails) > 1:
        raise PlanProblem(f"name the trail to change: {', '.join(each['Name'] for each in trails)}.")
    if trails[0]["IsMultiRegionTrail"]:
        raise PlanProblem(f"{trails[0]['Name']} logs all regions already.")
    return trails[0]


def _candidates(account: str, session: LiveSession) -> Iterator[Trail]:
    """Yield the account's own trails that log all management events; ListTrails names those of all regions."""
    for listed in _ask("list_trails", {}, "", session).get("Trails", ()):
        arn, region = listed["TrailARN"], listed["HomeRegion"]
        if arn.split(":")[4] != account:
            continue
        trail = _described(arn, region, session)
        logging = _ask("get_trail_status", {"Name": arn}, region, session).get("IsLogging")
        if trail and logging and _logs_all(_ask("get_event_selectors", {"TrailName": arn}, region, session)):
            yield trail


def _described(arn: str, region: str, session: LiveSession) -> Trail | None:
    asked = {"trailNameList": [arn], "includeShadowTrails": False}
    trails: Sequence[Trail] = _ask("describe_trails", asked, region, session).get("trailList", ())
    return next((each for each in trails if each["TrailARN"] == arn), None)


def _ask(operation: str, asked: Mapping[str, Any], region: str, session: LiveSession) -> Mapping[str, Any]:
    call = aws_call("cloudtrail", operation, asked, Permission(_READS[operation]), region=region)
    return session.read(call) or {}


def _logs_all(selectors: Mapping[str, Any]) -> bool:
    """Whether one selector alone takes in all management events; one that leaves out any is not counted.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-management-events-with-cloudtrail.html
    """
    classic = any(
        each.get("ReadWriteType") == "All"
        and each.get("IncludeManagementEvents")
        and not each.get("ExcludeManagementEventSources")
        for each in selectors.get("EventSelectors", ())
    )
    management = [{"Field": "eventCategory", "Equals": ["Management"]}]
    return classic or any(
        [{name: value for name, value in field.items() if value} for field in each["FieldSelectors"]] == management
        for each in selectors.get("AdvancedEventSelectors", ())
    )
