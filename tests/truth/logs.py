"""Log groups and the keys that they are encrypted with."""

from __future__ import annotations

from tests.truth.account import ABROAD, HOME, Truth, holds


@holds()
def groups(truth: Truth) -> None:
    """A group with a key, and one without, in both regions; names of which one begins with another's."""
    for region in (HOME, ABROAD):
        key = truth.client("kms", region).create_key()["KeyMetadata"]["Arn"]
        logs = truth.client("logs", region)
        logs.create_log_group(logGroupName=f"/app/{region}", kmsKeyId=key)
        logs.create_log_group(logGroupName=f"/app/{region}/plain")
        truth.judged(f"/app/{region}", passes="group_kms retention")
        truth.judged(f"/app/{region}/plain", fails="group_kms", passes="retention")


@holds()
def retention(truth: Truth) -> None:
    """Groups that keep their events for a year, for less, and for ever; the shortest is named like the first."""
    logs = truth.client("logs")
    for name, days in (("/kept", 365), ("/kept/short", 180), ("/kept/long", 3653)):
        logs.create_log_group(logGroupName=name)
        logs.put_retention_policy(logGroupName=name, retentionInDays=days)
        right = {"fails": "group_kms retention"} if days < 365 else {"fails": "group_kms", "passes": "retention"}
        truth.judged(name, **right)


@holds()
def hidden(truth: Truth) -> None:
    """Groups of one region that cannot be listed."""
    truth.client("logs").create_log_group(logGroupName="here")
    truth.judged("here", fails="group_kms", passes="retention")
    truth.hide("logs:DescribeLogGroups", "AWS::Logs::LogGroup")
