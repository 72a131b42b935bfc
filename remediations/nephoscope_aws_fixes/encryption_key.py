"""The KMS key that a person names for something to be encrypted with."""

from __future__ import annotations

import re
from typing import Any

from nephoscope.domain import Field, LiveSession, Permission, PlanProblem
from nephoscope_aws.call import aws_call

READS_KEY = "kms:DescribeKey"

_NAME = re.compile(r"arn:[\w-]+:kms:[\w-]+:\d{12}:(key|alias)/[\w/-]+|alias/[\w/-]+|(mrk-)?[0-9a-f-]{32,36}", re.ASCII)

_MANAGED = "alias/aws/"
"""How the aliases of the keys that AWS manages begin; asking for one that is not there yet would make it.
https://docs.aws.amazon.com/kms/latest/APIReference/API_DescribeKey.html"""


def key_field(default: str, help: str = "") -> Field:
    return Field("key", "KMS key", help or "Its ID, ARN or alias.", default=default)


def require_usable(key: str, region: str, session: LiveSession) -> None:
    """Make sure that a key can encrypt: it exists in the region, is enabled and symmetric.

    :raises PlanProblem: it cannot; says why.
    """
    if not _NAME.fullmatch(key):
        raise PlanProblem(f"“{key[:80]}” is not the ID, ARN or alias of a KMS key.")
    if key.startswith(_MANAGED):
        return
    read = aws_call("kms", "describe_key", {"KeyId": key}, Permission(READS_KEY), region=region)
    found: dict[str, Any] = (session.read(read) or {}).get("KeyMetadata", {})
    if not found:
        raise PlanProblem(f"there is no KMS key {key} in {region}.")
    if not found.get("Enabled"):
        raise PlanProblem(f"the KMS key {key} cannot be used: its state is {found.get('KeyState')}.")
    if found.get("KeySpec", "SYMMETRIC_DEFAULT") != "SYMMETRIC_DEFAULT":
        raise PlanProblem(f"the KMS key {key} is not symmetric.")
