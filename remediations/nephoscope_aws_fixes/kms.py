"""Fixes for AWS KMS keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from math import ceil
from typing import Any

from nephoscope.domain import Call, FixRequest, LiveSession, Permission, PlanProblem, Remediation, Resource, Step
from nephoscope_aws.call import AwsCall, aws_call
from nephoscope_aws_fixes.setting import Setting, Target, operation, unless_hidden

KEY = "AWS::KMS::Key"

YEARLY = 365
"""Days between rotations, unless a key has its own period:
https://docs.aws.amazon.com/kms/latest/APIReference/API_EnableKeyRotation.html"""

LEAST_WINDOW = 7
"""Days that a key waits for its deletion at least:
https://docs.aws.amazon.com/kms/latest/APIReference/API_ScheduleKeyDeletion.html"""

_DESCRIBE = "kms:DescribeKey"

PENDING = ("PendingDeletion", "PendingReplicaDeletion")


class EnableRotation(Setting):
    """The state is GetKeyRotationStatus' answer, as far as it can be set."""

    id = "aws.kms.enable_rotation"
    title = "Turn on rotation of the KMS key"
    summary = "Has KMS make new key material for the key every year. The key’s ID, ARN and policy stay the same."
    breaks = (
        "Nothing stops working: KMS keeps the old key material to decrypt what was encrypted with it. The first two "
        "rotations raise the monthly price of the key."
    )
    group = "KMS keys"
    on = (KEY,)
    keys = ("KeyId",)
    getter = operation("kms", "get_key_rotation_status", "kms:GetKeyRotationStatus")
    setter = operation("kms", "enable_key_rotation", "kms:EnableKeyRotation")
    remover = operation("kms", "disable_key_rotation", "kms:DisableKeyRotation")
    also_reads = (_DESCRIBE,)

    def names(self, resource: Resource) -> dict[str, Any]:
        return {"KeyId": resource.id}

    def found(self, answer: Mapping[str, Any]) -> Any:
        period = {name: answer[name] for name in ("RotationPeriodInDays",) if answer.get(name)}
        return {"KeyRotationEnabled": answer["KeyRotationEnabled"], **period}

    def same(self, one: Any, other: Any) -> bool:
        """A key that does not rotate may or may not tell by which period it would."""
        if one and other and not one["KeyRotationEnabled"]:
            return not other["KeyRotationEnabled"]
        return bool(one == other)

    def wanted(self, before: Any, request: FixRequest, session: LiveSession) -> Any:
        if before is None:
            raise PlanProblem("it does not exist any more.")
        _require_not_replica(request.resource, session)
        return before if before["KeyRotationEnabled"] else {"RotationPeriodInDays": YEARLY, **before, **_ON}

    def set_to(self, target: Target, state: Any) -> Call | None:
        return super().set_to(target, state if state["KeyRotationEnabled"] else None)

    def parameters(self, state: Any) -> Mapping[str, Any]:
        return {"RotationPeriodInDays": state["RotationPeriodInDays"]}

    def show(self, properties: dict[str, Any], state: Any) -> None:
        properties["EnableKeyRotation"] = state["KeyRotationEnabled"]


_ON = {"KeyRotationEnabled": True}


def _require_not_replica(key: Resource, session: LiveSession) -> None:
    """Raise PlanProblem for a replica, which rotates with its primary key and cannot be set itself.

    The IDs of multi-Region keys, and no others, begin with ``mrk-``.
    https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html
    """
    if not key.id.rpartition("/")[2].startswith("mrk-"):
        return
    regions = (_described(key.id, key.region, session) or {}).get("MultiRegionConfiguration") or {}
    primary = regions.get("PrimaryKey", {}).get("Arn", key.id)
    if primary != key.id:
        raise PlanProblem(f"it is a replica; turn on rotation of its primary key {primary}.")


_ACTIONS = {
    "cancel_key_deletion": "kms:CancelKeyDeletion",
    "schedule_key_deletion": "kms:ScheduleKeyDeletion",
    "enable_key": "kms:EnableKey",
    "disable_key": "kms:DisableKey",
}


class CancelDeletion(Remediation):
    """Two steps: the deletion is canceled, which leaves the key disabled, and the key is enabled.

    https://docs.aws.amazon.com/kms/latest/APIReference/API_CancelKeyDeletion.html
    """

    id = "aws.kms.cancel_deletion"
    title = "Cancel the deletion of the KMS key"
    summary = "Cancels the scheduled deletion and enables the key, so that what it encrypts can be decrypted again."
    breaks = (
        "Nothing stops working. Whoever may use the key by its policy can use it again, also if it was disabled before "
        "its deletion was scheduled, and the key is charged for again."
    )
    provider = "aws"
    group = "KMS keys"
    loses = "An undo does not bring back the deletion date: it schedules the deletion anew."
    on = (KEY,)
    reads = (_DESCRIBE,)
    writes = tuple(_ACTIONS.values())

    def plan(self, request: FixRequest, session: LiveSession) -> list[Step]:
        key = request.resource
        with unless_hidden():
            described = _described(key.id, key.region, session)
        if described is None:
            raise PlanProblem("it does not exist any more.")
        if described["KeyState"] not in PENDING:
            raise PlanProblem("its deletion is not scheduled any more.")
        before = {"KeyState": described["KeyState"]}
        window = _window(described.get("DeletionDate"))
        loses = (
            f"The deletion date is not brought back: undo schedules the deletion anew, {window} days from the undo, "
            f"as KMS takes no less than {LEAST_WINDOW}."
        )
        cancel, enable = _call(key, "cancel_key_deletion"), _call(key, "enable_key")
        schedule = _call(key, "schedule_key_deletion", PendingWindowInDays=window)
        return [
            Step(key.id, self.title, cancel, schedule, before, None, loses=loses, restored=before),
            Step(key.id, "Enable the key", enable, _call(key, "disable_key"), False, True),
        ]

    def state(self, step: Step, session: LiveSession) -> Any:
        """Read how the key waits for its deletion, None when it does not; for the second step, whether it is on."""
        asked = AwsCall.of(step.call)
        now = _described(step.resource, asked.region, session) or {"KeyState": "", "Enabled": None}
        if asked.operation == "enable_key":
            return now["Enabled"]
        return {"KeyState": now["KeyState"]} if now["KeyState"] in PENDING else None

    def project(self, resource: Resource, steps: Sequence[Step]) -> Resource | None:
        observed = {**resource.properties["Observed"], "KeyState": "Enabled", "DeletionDate": None}
        return replace(resource, properties={**resource.properties, "Enabled": True, "Observed": observed})


def _described(arn: str, region: str, session: LiveSession) -> Mapping[str, Any] | None:
    read = aws_call("kms", "describe_key", {"KeyId": arn}, Permission(_DESCRIBE, arn), region=region)
    answer = session.read(read)
    return answer["KeyMetadata"] if answer else None


def _call(key: Resource, operation: str, **more: Any) -> Call:
    asked = {"KeyId": key.id, **more}
    return aws_call("kms", operation, asked, Permission(_ACTIONS[operation], key.id), region=key.region)


def _window(deletion: datetime | None) -> int:
    """Return the days of a new window that does not end before the old one would have."""
    left = ceil((deletion - datetime.now(UTC)).total_seconds() / 86_400) if deletion else 0
    return max(LEAST_WINDOW, left)
