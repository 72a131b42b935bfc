"""The Condition element of policies.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from nephoscope_aws_simulator.wildcards import matches


class NotSimulatedError(Exception):
    """Something AWS can do and the simulator cannot. Said aloud, because a guess would prove nothing."""


Context = Mapping[str, str]
"""What is known of a request, e.g. aws:SourceIp. Keys are compared without regard to case, as AWS does."""


def _in_network(network: str, value: str) -> bool:
    try:
        return ipaddress.ip_address(value) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False


def _instant(text: str) -> datetime:
    value = datetime.fromisoformat(text)
    return value if value.tzinfo else value.replace(tzinfo=UTC)


# operator -> does the value from the request satisfy one expected value
_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda expected, value: value == expected,
    "StringEqualsIgnoreCase": lambda expected, value: value.lower() == expected.lower(),
    "StringLike": matches,
    "ArnEquals": matches,
    "ArnLike": matches,
    "Bool": lambda expected, value: value.lower() == expected.lower(),
    "IpAddress": _in_network,
    "NumericEquals": lambda expected, value: float(value) == float(expected),
    "NumericLessThan": lambda expected, value: float(value) < float(expected),
    "NumericLessThanEquals": lambda expected, value: float(value) <= float(expected),
    "NumericGreaterThan": lambda expected, value: float(value) > float(expected),
    "NumericGreaterThanEquals": lambda expected, value: float(value) >= float(expected),
    "DateLessThan": lambda expected, value: _instant(value) < _instant(expected),
    "DateGreaterThan": lambda expected, value: _instant(value) > _instant(expected),
}
# negated operators hold when none of the values match, and also when the key is missing
_NEGATED: dict[str, Callable[[str, str], bool]] = {
    "StringNotEquals": _OPERATORS["StringEquals"],
    "StringNotEqualsIgnoreCase": _OPERATORS["StringEqualsIgnoreCase"],
    "StringNotLike": matches,
    "ArnNotEquals": matches,
    "ArnNotLike": matches,
    "NotIpAddress": _in_network,
    "NumericNotEquals": _OPERATORS["NumericEquals"],
}


def _text(value: Any) -> str:
    """JSON true and 5 stand for "true" and "5" in conditions."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _operator_holds(operator: str, key: str, expected: list[str], context: Context) -> bool:
    value = context.get(key)
    if operator == "Null":
        return (value is None) == (expected[0].lower() == "true")
    if value is None and operator.startswith("ForAllValues:"):
        return True
    name = operator.split(":", 1)[-1]
    if value is None and name.endswith("IfExists"):
        return True
    name = name.removesuffix("IfExists")
    if name in _NEGATED:
        return value is None or not any(_NEGATED[name](one, value) for one in expected)
    if name not in _OPERATORS:
        raise NotSimulatedError(f"the condition operator {operator!r}")
    return value is not None and any(_OPERATORS[name](one, value) for one in expected)


def holds(condition: Mapping[str, Mapping[str, Any]], context: Context) -> bool:
    """Whether every operator and every key of a Condition element is satisfied."""
    known = {key.lower(): value for key, value in context.items()}
    return all(
        _operator_holds(operator, key.lower(), [_text(v) for v in (e if isinstance(e, list) else [e])], known)
        for operator, keys in condition.items()
        for key, e in keys.items()
    )
