"""Fixes for settings of EC2 instances."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nephoscope.domain import FixRequest, LiveSession, PlanProblem, Resource, Wait
from nephoscope_aws_fixes.metrics import DAYS, METRICS, by_day
from nephoscope_aws_fixes.setting import Members, Target, at, operation

_INSTANCE = ("Reservations", 0, "Instances", 0)
_OVER = ("shutting-down", "terminated")


class RequireTokens(Members):
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyInstanceMetadataOptions.html"""

    id = "aws.ec2.require_imdsv2"
    title = "Require IMDSv2"
    summary = "Makes the instance’s metadata service refuse IMDSv1. It restarts nothing and takes effect at once."
    breaks = "Software on the instance that only knows IMDSv1 can no longer get the credentials of the instance’s role."
    group = "Instance metadata (IMDSv2)"
    on = ("AWS::EC2::Instance",)
    keys = ("InstanceId",)
    getter = operation("ec2", "describe_instances", "ec2:DescribeInstances")
    setter = operation("ec2", "modify_instance_metadata_options", "ec2:ModifyInstanceMetadataOptions")
    also_reads = METRICS.actions
    path = (*_INSTANCE, "MetadataOptions")
    wants = {"HttpTokens": "required"}
    shown = {"HttpTokens": "MetadataOptions.HttpTokens"}

    def names(self, resource: Resource) -> dict[str, Any]:
        return {"InstanceId": resource.id.rpartition("/")[2]}

    def asked(self, target: Target) -> Mapping[str, Any]:
        return {"InstanceIds": [target.names["InstanceId"]]}

    def found(self, answer: Mapping[str, Any]) -> Any:
        instance = at(answer, _INSTANCE)
        return None if at(instance, ("State", "Name")) in _OVER else super().found(answer)

    def wanted(self, before: Any, request: FixRequest, session: LiveSession) -> Any:
        if self.described(request.resource, session).get("State") == "pending":
            raise PlanProblem("another change of its metadata options is under way; try again in a minute.")
        return super().wanted(before, request, session)

    def wait(self, target: Target) -> Wait:
        path = ".".join(str(each) for each in (*self.path, "State"))
        return Wait(self.getter.on(target, self.asked(target)), path, ("applied",), timeout=120)

    def uses(self, request: FixRequest, session: LiveSession) -> list[str]:
        known = [self._use_of_v1(self.target(request.resource), session)]
        if self.described(request.resource, session).get("HttpPutResponseHopLimit") == 1:
            known.append("Its hop limit is 1: containers that are not on the host’s network cannot use IMDSv2.")
        return known

    def _use_of_v1(self, target: Target, session: LiveSession) -> str:
        """https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/viewing_metrics_with_cloudwatch.html (MetadataNoToken)"""
        id = target.names["InstanceId"]
        points = by_day(target, session, "AWS/EC2 MetadataNoToken", "Sum", "InstanceId", id)
        if not points:
            return f"CloudWatch has no data on its use of IMDSv1 in the last {DAYS} days."
        times = round(sum(points))
        if not times:
            return f"IMDSv1 was not used in the last {DAYS} days."
        return f"IMDSv1 was used {times:,} times in the last {DAYS} days: find out by what before it stops working."
