"""What a :class:`nephoscope.domain.Call` to AWS holds: an operation of boto3 and its parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from nephoscope.domain import Call, Permission

_WRITTEN = {"db": "DB"}
"""Words in the names of operations that are not written as others are, as in ``ModifyDBInstance``."""


@dataclass(frozen=True, slots=True)
class AwsCall:
    """One operation, in boto3's names; ``region`` is empty for what has none."""

    service: str
    operation: str
    parameters: Mapping[str, Any]
    region: str = ""

    @classmethod
    def of(cls, call: Call) -> Self:
        return cls(**call.body)


def aws_call(
    service: str, operation: str, parameters: Mapping[str, Any], *permissions: Permission, region: str = ""
) -> Call:
    """Return the call as data; people see it as AWS's documentation calls it, as ``s3:PutBucketPolicy``."""
    label = f"{service}:{''.join(_WRITTEN.get(part, part.capitalize()) for part in operation.split('_'))}"
    return Call(label, asdict(AwsCall(service, operation, parameters, region)), permissions)
