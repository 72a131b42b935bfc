"""What a :class:`nephoscope.domain.Call` to AWS holds: an operation of boto3 and its parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

from nephoscope.domain import Call, Permission

_WRITTEN = {"db": "DB"}
"""Words in the names of operations that are not written as others are, as in ``ModifyDBInstance``."""

ANSWER_KEY = "$answer"


@dataclass(frozen=True, slots=True)
class AwsCall:
    """One operation, in boto3's names; ``region`` is empty for what has none.

    ``then`` are operations that complete it, in order: what one operation makes as a whole elsewhere, AWS sometimes
    makes in pieces. In their parameters, :func:`answered` stands for what the first one answered.
    """

    service: str
    operation: str
    parameters: Mapping[str, Any]
    region: str = ""
    then: Sequence[Mapping[str, Any]] = ()

    @classmethod
    def of(cls, call: Call) -> Self:
        return cls(**call.body)


def aws_call(
    service: str,
    operation: str,
    parameters: Mapping[str, Any],
    *permissions: Permission,
    region: str = "",
    then: Sequence[Call] = (),
) -> Call:
    """Return the call as data; people see it as AWS's documentation calls it, as ``s3:PutBucketPolicy``."""
    label = f"{service}:{''.join(_WRITTEN.get(part, part.capitalize()) for part in operation.split('_'))}"
    body = asdict(AwsCall(service, operation, parameters, region, [each.body for each in then]))
    if not then:
        del body["then"]
    needed = dict.fromkeys((*permissions, *(one for each in then for one in each.permissions)))
    return Call(label, body, tuple(needed))


def answered(name: str) -> dict[str, str]:
    """Return the JSON that stands in a completing operation's parameters for a member of the first one's answer."""
    return {ANSWER_KEY: name}


def with_answer(parameters: Any, answer: Mapping[str, Any]) -> Any:
    """Return parameters with what was answered in place. Raises LookupError for a member that it does not have."""
    if isinstance(parameters, Mapping):
        if set(parameters) == {ANSWER_KEY}:
            return answer[parameters[ANSWER_KEY]]
        return {name: with_answer(each, answer) for name, each in parameters.items()}
    if isinstance(parameters, list | tuple):
        return [with_answer(each, answer) for each in parameters]
    return parameters
