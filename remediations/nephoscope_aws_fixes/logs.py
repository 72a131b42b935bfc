"""Fixes for log groups of CloudWatch Logs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nephoscope.domain import FixRequest, LiveSession, PlanProblem, Resource
from nephoscope_aws_fixes.setting import Setting, Target, number, operation

PERIODS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)
"""Days that events can be kept:
https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html"""


class ExtendRetention(Setting):
    """The state is the group's name with its retention; it is never made shorter, which would delete events."""

    id = "aws.logs.extend_retention"
    title = "Keep the log group’s events longer"
    summary = "Raises the retention of the log group to the period that the rule asks for, or the next that AWS offers."
    breaks = "Nothing stops working. Events that are kept longer cost storage."
    group = "Log retention"
    on = ("AWS::Logs::LogGroup",)
    keys = ("logGroupName",)
    getter = operation("logs", "describe_log_groups", "logs:DescribeLogGroups")
    setter = operation("logs", "put_retention_policy", "logs:PutRetentionPolicy")

    def names(self, resource: Resource) -> dict[str, Any]:
        return {"logGroupName": resource.name}

    def arn(self, resource: Resource) -> str:
        """A permission on a log group covers its streams, or it is none.

        https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/iam-access-control-overview-cwl.html
        """
        return f"{resource.id}:*"

    def asked(self, target: Target) -> Mapping[str, Any]:
        return {"logGroupNamePrefix": target.names["logGroupName"], "limit": 50}

    def read(self, target: Target, session: LiveSession) -> Any:
        answer = session.read(self.getter.on(target, self.asked(target))) or {}
        name = target.names["logGroupName"]
        return next((self.found(one) for one in answer.get("logGroups", ()) if one["logGroupName"] == name), None)

    def found(self, answer: Mapping[str, Any]) -> Any:
        return {"retentionInDays": answer.get("retentionInDays")}

    def wanted(self, before: Any, request: FixRequest, session: LiveSession) -> Any:
        if before is None:
            raise PlanProblem("it does not exist any more.")
        least, now = number(request, "days"), before["retentionInDays"]
        if now is None or now >= least:
            raise PlanProblem("it keeps its events long enough already.")
        return {"retentionInDays": next((days for days in PERIODS if days >= least), PERIODS[-1])}

    def show(self, properties: dict[str, Any], state: Any) -> None:
        properties["RetentionInDays"] = state["retentionInDays"]
