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
        truth.judged(f"/app/{region}", passes="group_kms")
        truth.judged(f"/app/{region}/plain", fails="group_kms")


@holds()
def hidden(truth: Truth) -> None:
    """Groups of one region that cannot be listed."""
    truth.client("logs").create_log_group(logGroupName="here")
    truth.judged("here", fails="group_kms")
    truth.hide("logs:DescribeLogGroups", "AWS::Logs::LogGroup")
