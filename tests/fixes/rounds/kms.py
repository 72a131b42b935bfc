"""KMS keys that do not rotate, or are to be deleted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.fixes.rounds.round import Made, goes_round

from nephoscope_aws_simulator.testing import Cloud

KEY = "AWS::KMS::Key"


def keys(kms: Any) -> tuple[str, str]:
    """Make a key and one beside it."""
    first, second = (kms.create_key(Description="round")["KeyMetadata"]["Arn"] for _ in range(2))
    return first, second


def made(arn: str, beside: str, now: Callable[[str], Any]) -> Made:
    return Made(KEY, arn, arn.rpartition("/")[2], lambda: now(arn), lambda: now(beside))


@goes_round("aws.kms.enable_rotation", "aws.kms.rotation")
def without_rotation(cloud: Cloud) -> Made:
    kms = cloud.client("kms")

    def now(arn: str) -> Any:
        status = kms.get_key_rotation_status(KeyId=arn)
        return status["KeyRotationEnabled"], status.get("RotationPeriodInDays")

    return made(*keys(kms), now)


@goes_round("aws.kms.cancel_deletion", "aws.kms.not_deleting")
def deleting(cloud: Cloud) -> Made:
    """The window is longer than the shortest, so that an undo must not end it sooner."""
    kms = cloud.client("kms")
    arns = keys(kms)
    for arn in arns:
        kms.schedule_key_deletion(KeyId=arn, PendingWindowInDays=20)

    def now(arn: str) -> Any:
        key = kms.describe_key(KeyId=arn)["KeyMetadata"]
        return key["KeyState"], key["Enabled"], key["DeletionDate"].date()

    return made(*arns, now)
