"""The fix that switches scanning by Amazon Inspector on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from nephoscope.domain import Call, FixRequest, LiveSession, Permission, PlanProblem, Remediation, Resource, Step
from nephoscope_aws.call import AwsCall
from nephoscope_aws_fixes.setting import Target, at, operation, unless_hidden
from nephoscope_aws_fixes.switching import CREATE_ROLE, LOSES, Place

# None of its actions can be limited to a resource but those on filters and the like.
_GET = operation("inspector2", "batch_get_account_status", "inspector2:BatchGetAccountStatus", anywhere=True)
_FILTERS = operation("inspector2", "list_filters", "inspector2:ListFilters", anywhere=True)
_ENABLE = operation("inspector2", "enable", "inspector2:Enable", anywhere=True)
_DISABLE = operation("inspector2", "disable", "inspector2:Disable", anywhere=True)

SCANNED = {"ec2": "EC2", "ecr": "ECR"}
"""What has to be scanned, as a status says it and as it is asked for."""

ROLES = (
    "inspector2.amazonaws.com/AWSServiceRoleForAmazonInspector2",
    "agentless.inspector2.amazonaws.com/AWSServiceRoleForAmazonInspector2Agentless",
)
"""https://docs.aws.amazon.com/inspector/latest/user/using-service-linked-roles.html"""


class Enable(Remediation):
    """Each kind of scanning is on or off by itself. https://docs.aws.amazon.com/inspector/v2/APIReference/API_Enable.html"""

    id = "aws.inspector.enable"
    title = "Turn on Inspector’s scanning in the region"
    summary = "Activates scanning of EC2 instances and of container images in ECR, where it is off."
    breaks = "Nothing stops working. Inspector is charged by instances and images, after a free trial of 15 days."
    provider = "aws"
    group = "Security services"
    loses = LOSES
    on = ("AWS::InspectorV2::RegionSettings",)
    reads = ("inspector2:BatchGetAccountStatus", "inspector2:ListFilters")
    writes = ("inspector2:Enable", "inspector2:Disable", CREATE_ROLE)
    settles = 900

    def plan(self, request: FixRequest, session: LiveSession) -> list[Step]:
        resource = request.resource
        place = Place(resource.region, resource.account)
        with unless_hidden():
            before = _state(resource.account, resource.region, session)
        off = [kind for kind in SCANNED if before[kind] == "DISABLED"]
        if odd := [kind for kind in SCANNED if before[kind] not in ("DISABLED", "ENABLED")]:
            raise PlanProblem(f"the status of scanning of {SCANNED[odd[0]]} is {before[odd[0]]}.")
        if not off:
            raise PlanProblem("it is on already.")
        asked = {"accountIds": [resource.account], "resourceTypes": [SCANNED[kind] for kind in off]}
        call = _with_roles(_ENABLE.on(place.target(), asked), place)
        inverse, after = _DISABLE.on(place.target(), asked), before | dict.fromkeys(off, "ENABLED")
        return [Step(resource.id, self.title, call, inverse, before, after, None, (), LOSES, before)]

    def state(self, step: Step, session: LiveSession) -> Any:
        asked = AwsCall.of(step.call)
        return _state(asked.parameters["accountIds"][0], asked.region, session)

    def project(self, resource: Resource, steps: Sequence[Step]) -> Resource | None:
        state = {**(resource.properties.get("ResourceState") or {}), **dict.fromkeys(SCANNED, "ENABLED")}
        return replace(resource, properties={**resource.properties, "ResourceState": state})


def _with_roles(call: Call, place: Place) -> Call:
    arns = (place.arn("iam", f"role/aws-service-role/{role}", region="") for role in ROLES)
    return replace(call, permissions=(*call.permissions, *(Permission(CREATE_ROLE, arn) for arn in arns)))


def _state(account: str, region: str, session: LiveSession) -> dict[str, Any]:
    where = Target({}, "*", region)
    answer = session.read(_GET.on(where, {"accountIds": [account]}))
    kinds = at(answer, ("accounts", 0, "resourceState")) or {}
    filters = at(session.read(_FILTERS.on(where, {})), ("filters",))
    return {kind: at(kinds, (kind, "status")) or "DISABLED" for kind in SCANNED} | {"filters": len(filters or ())}
