"""Policies of resources, each with whether it lets strangers in: what every service with such policies is held to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from tests.truth.statements import ORG, OTHER, Statement, to_anyone, to_known

ANYONE: Statement = {"Effect": "Allow", "Principal": "*"}
PARTNER = {"AWS": f"arn:aws:iam::{OTHER}:root"}
INSIDE = {"StringEquals": {"aws:PrincipalOrgID": ORG}}
OUTSIDE = {"StringNotEquals": {"aws:PrincipalOrgID": ORG}}
WITHOUT_TLS = {"Bool": {"aws:SecureTransport": "false"}}

SHUT: dict[str, Any] = {
    "outside": OUTSIDE,
    "outside-if-exists": {"StringNotEqualsIfExists": {"aws:PrincipalOrgID": ORG}},
    "outside-but-services": OUTSIDE | {"BoolIfExists": {"aws:PrincipalIsAWSService": "false"}},
    "outside-office": {"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}},
    "outside-endpoints": {"StringNotEquals": {"aws:SourceVpce": ["vpce-0a1b2c3d", "vpce-1a2b3c4d"]}},
    "wholly": {},
}
"""Conditions with which a Deny leaves in nobody but a fixed somebody."""

LEAKY: dict[str, Any] = {
    "outside-any-value": {"ForAnyValue:StringNotEquals": {"aws:PrincipalOrgID": ORG}},
    "outside-with-tls": OUTSIDE | {"Bool": {"aws:SecureTransport": "true"}},
    "outside-without-tls": OUTSIDE | WITHOUT_TLS,
    "without-tls": WITHOUT_TLS,
    "inside": INSIDE,
    "but-to-any-app": {"StringNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/app"}},
}
"""Conditions with which a Deny leaves strangers in."""

Found = Iterator[tuple[str, bool, list[Statement]]]


class Policy(NamedTuple):
    """A policy, and whether it is open to strangers."""

    name: str
    text: str
    is_open: bool


def policies(own: str, action: str, other_action: str, resource: str | None = None) -> Iterator[Policy]:
    """Go through the policies.

    :param own: the account.
    :param action: what the resource lets do, as ``sqs:SendMessage``.
    :param other_action: another action of the service.
    :param resource: the resource's ARN, in which ``{}`` stands for the policy's name; None for policies that name none.
    """
    for name, is_open, statements in (*_allowed(own, action, other_action), *_denied(action, other_action, resource)):
        about = {} if resource is None else {"Resource": resource.format(name)}
        held = [about | each for each in statements]
        document = {"Version": "2012-10-17", "Statement": held[0] if name == "no-list" else held}
        yield Policy(name, json.dumps(document), is_open)


def _allowed(own: str, action: str, other_action: str) -> Found:
    """Yield policies without the Deny of a grant, as (name, whether it is open, statements)."""
    allow, fine = ANYONE | {"Action": action}, {"Effect": "Allow", "Principal": PARTNER, "Action": _all(action)}
    for is_open, statements in ((True, to_anyone(own)), (False, to_known(own))):
        yield from ((name, is_open, [{"Action": action} | each]) for name, each in statements.items())
    yield "no-list", True, [allow]
    yield "all-actions", True, [allow | {"Action": [_all(action)]}]
    yield "all-but-one-action", True, [ANYONE | {"NotAction": other_action}]
    yield "second-statement", True, [fine, allow]
    yield "second-is-pinned", False, [fine, allow | _if(INSIDE)]


def _denied(action: str, other_action: str, resource: str | None) -> Found:
    """Yield policies that let everyone in and have Deny statements beside."""
    allow, two = ANYONE | {"Action": action}, ANYONE | {"Action": [action, other_action]}
    all = {"Effect": "Deny", "Principal": "*", "Action": _all(action)}
    outside, one, other = all | _if(OUTSIDE), {"Action": action}, {"Action": other_action}
    for is_open, conditions in ((True, LEAKY), (False, SHUT)):
        yield from ((f"denied-{name}", is_open, [allow, all | _if(each)]) for name, each in conditions.items())
    yield "denied-to-one", True, [allow, all | {"Principal": PARTNER}]
    yield "denied-to-all-but-one", False, [allow, _not(all, "Principal", PARTNER)]
    yield "denied-outside-to-named-star", False, [allow, outside | {"Principal": {"AWS": "*"}}]
    yield "denied-something-else", True, [allow, outside | other]
    yield "denied-all-but-another", False, [allow, _not(outside, "Action", other_action)]
    yield "denied-all-but-this", True, [allow, _not(outside, "Action", action)]
    yield "denied-one-by-one", False, [two, outside | one, outside | other]
    yield "denied-one-of-two", True, [two, outside | one]
    if resource not in (None, "*"):
        yield "denied-elsewhere", True, [allow, outside | {"Resource": str(resource).format("another")}]


def _all(action: str) -> str:
    return f"{action.partition(':')[0]}:*"


def _if(condition: dict[str, Any]) -> dict[str, Any]:
    return {"Condition": condition} if condition else {}


def _not(statement: dict[str, Any], element: str, value: Any) -> dict[str, Any]:
    """Return the statement with the Not form of an element in its place."""
    return {name: each for name, each in statement.items() if name != element} | {f"Not{element}": value}
