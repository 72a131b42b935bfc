"""Log groups that do not keep their events for long."""

from __future__ import annotations

from typing import Any

from tests.fixes.rounds.round import ACCOUNT, Made, goes_round

from nephoscope_aws_simulator.testing import Cloud


@goes_round("aws.logs.extend_retention", "aws.logs.retention")
def short(cloud: Cloud) -> Made:
    """The one beside it has a name that begins with its own, and keeps less."""
    logs = cloud.client("logs")
    for name in ("/round/app", "/round/app/beside"):
        logs.create_log_group(logGroupName=name)
        logs.put_retention_policy(logGroupName=name, retentionInDays=30)

    def now(name: str) -> Any:
        groups = logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
        return next(each.get("retentionInDays") for each in groups if each["logGroupName"] == name)

    arn = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:/round/app"
    return Made("AWS::Logs::LogGroup", arn, "/round/app", lambda: now("/round/app"), lambda: now("/round/app/beside"))
