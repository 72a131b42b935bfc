"""Policies of resources, each with whether it lets strangers in: what every service with such policies is held to.

The measure is AWS's meaning of public: a wildcard principal without a condition that fixes who that is.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

ORGANIZATION = "o-a1b2c3d4e5"
PARTNER = "210987654321"

ANYONE: dict[str, Any] = {"Principal": "*"}

OPEN: dict[str, Any] = {
    "star": "*",
    "aws-star": {"AWS": "*"},
    "list-with-star": {"AWS": [f"arn:aws:iam::{PARTNER}:root", "*"]},
    "list-of-star": {"AWS": ["*"]},
    "two-kinds": {"Service": "sns.amazonaws.com", "AWS": "*"},
}
"""Principals that are everyone."""

CLOSED: dict[str, Any] = {
    "partner": {"AWS": f"arn:aws:iam::{PARTNER}:root"},
    "partner-number": {"AWS": PARTNER},
    "partners": {"AWS": [f"arn:aws:iam::{PARTNER}:role/app", f"arn:aws:iam::{PARTNER}:user/me"]},
    "partner-and-service": {"AWS": f"arn:aws:iam::{PARTNER}:root", "Service": "sns.amazonaws.com"},
    "session": {"AWS": f"arn:aws:sts::{PARTNER}:assumed-role/app/me"},
    "service": {"Service": "events.amazonaws.com"},
}
"""Principals that are somebody."""

PINS: dict[str, Any] = {
    "source-account": {"StringEquals": {"aws:SourceAccount": PARTNER}},
    "source-owner": {"StringEquals": {"AWS:SourceOwner": PARTNER}},
    "odd-case": {"StringEquals": {"AWS:sourceACCOUNT": PARTNER}},
    "listed": {"StringEquals": {"aws:SourceAccount": [PARTNER, "123456789012"]}},
    "organization": {"StringEquals": {"aws:PrincipalOrgID": ORGANIZATION}},
    "organization-path": {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": f"{ORGANIZATION}/r-ab12/*"}},
    "principal-account": {"StringEquals": {"aws:PrincipalAccount": PARTNER}},
    "roles": {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{PARTNER}:role/*"}},
    "own-topic": {"ArnEquals": {"aws:SourceArn": f"arn:aws:sns:us-east-1:{PARTNER}:news"}},
    "own-topics": {"ArnLike": {"aws:SourceArn": f"arn:aws:sns:*:{PARTNER}:*"}},
    "own-bucket": {"ArnLike": {"aws:SourceArn": "arn:aws:s3:*:*:own-bucket"}},
    "own-bucket-short": {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::own-bucket"}},
    "own-topic-like": {"StringLike": {"aws:SourceArn": f"arn:aws:sns:us-east-1:{PARTNER}:*"}},
    "source-organization": {"StringEquals": {"aws:SourceOrgID": ORGANIZATION}},
    "demanded": {
        "StringEqualsIfExists": {"aws:PrincipalOrgID": ORGANIZATION},
        "Null": {"aws:PrincipalOrgID": "false"},
    },
    "role-sessions": {"StringLike": {"aws:userid": "AROAEXAMPLEEXAMPLE:*"}},
    "network": {"StringEquals": {"aws:SourceVpc": "vpc-0a1b2c3d"}},
    "endpoint": {"StringEquals": {"aws:SourceVpce": "vpce-0a1b2c3d"}},
    "office": {"IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "198.51.100.7/32"]}},
    "office-network": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}},
    "one-block": {"IpAddress": {"aws:SourceIp": "17.0.0.0/8"}},
    "office-six": {"IpAddress": {"aws:SourceIp": "2001:db8::/32"}},
    "any-value-of-organization": {"ForAnyValue:StringEquals": {"aws:PrincipalOrgID": ORGANIZATION}},
    "beside-a-tag": {"StringEquals": {"aws:PrincipalTag/team": "web", "aws:PrincipalOrgID": ORGANIZATION}},
    "service-name": {"StringEquals": {"aws:PrincipalServiceName": "cloudtrail.amazonaws.com"}},
    "one-of-two": {"Bool": {"aws:SecureTransport": "true"}, "StringEquals": {"aws:PrincipalOrgID": ORGANIZATION}},
}
"""Conditions that leave in a fixed somebody."""

LOOSE: dict[str, Any] = {
    "no-condition": {},
    "tls": {"Bool": {"aws:SecureTransport": "true"}},
    "any-account": {"StringLike": {"aws:SourceAccount": "*"}},
    "any-of-list": {"StringLike": {"aws:SourceAccount": [PARTNER, "*"]}},
    "any-organization": {"StringLike": {"aws:PrincipalOrgID": "o-*"}},
    "any-topic": {"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:*:*"}},
    "named-topic": {"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:*:news"}},
    "if-exists": {"StringEqualsIfExists": {"aws:PrincipalOrgID": ORGANIZATION}},
    "for-all": {"ForAllValues:StringEquals": {"aws:PrincipalOrgID": ORGANIZATION}},
    "all-but": {"StringNotEquals": {"aws:PrincipalAccount": PARTNER}},
    "any-role": {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/app"}},
    "any-role-text": {"StringLike": {"aws:PrincipalArn": f"arn:aws:*:{PARTNER}:role/app"}},
    "any-organization-at-all": {"Null": {"aws:PrincipalOrgID": "false"}},
    "variable": {"StringEquals": {"aws:PrincipalOrgID": "${aws:PrincipalOrgID}"}},
    "external-id": {"StringEquals": {"sts:ExternalId": "secret"}},
    "date": {"DateLessThan": {"aws:CurrentTime": "2099-01-01T00:00:00Z"}},
    "private-address": {"IpAddress": {"aws:VpcSourceIp": "10.0.0.0/16"}},
    "internet-six": {"IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "::/0"]}},
    "internet": {"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}},
    "half-internet": {"IpAddress": {"aws:SourceIp": ["0.0.0.0/1", "128.0.0.0/1"]}},
    "two-blocks": {"IpAddress": {"aws:SourceIp": "16.0.0.0/7"}},
    "office-if-exists": {"IpAddressIfExists": {"aws:SourceIp": "203.0.113.0/24"}},
    "no-source": {"Null": {"aws:SourceArn": "true"}},
    "any-endpoint": {"StringLike": {"aws:SourceVpce": "vpce-*"}},
    "logged-in": {"StringEquals": {"aws:PrincipalType": ["Account", "User", "AssumedRole"]}},
    "not-office": {"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}},
    "referer": {"StringEquals": {"aws:Referer": "https://example.com/"}},
    "agent": {"StringLike": {"aws:UserAgent": "our-app/*"}},
    "tagged": {"StringEquals": {"aws:PrincipalTag/team": "web"}},
}
"""Conditions that anyone can meet."""


OUTSIDE = {"StringNotEquals": {"aws:PrincipalOrgID": ORGANIZATION}}
WITHOUT_TLS = {"Bool": {"aws:SecureTransport": "false"}}

SHUT: dict[str, Any] = {
    "outside": OUTSIDE,
    "outside-if-exists": {"StringNotEqualsIfExists": {"aws:PrincipalOrgID": ORGANIZATION}},
    "outside-but-services": OUTSIDE | {"BoolIfExists": {"aws:PrincipalIsAWSService": "false"}},
    "outside-office": {"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}},
    "outside-endpoints": {"StringNotEquals": {"aws:SourceVpce": ["vpce-0a1b2c3d", "vpce-1a2b3c4d"]}},
    "wholly": {},
}
"""Conditions with which a Deny leaves in nobody but a fixed somebody."""

LEAKY: dict[str, Any] = {
    "outside-any-value": {"ForAnyValue:StringNotEquals": {"aws:PrincipalOrgID": ORGANIZATION}},
    "outside-with-tls": OUTSIDE | {"Bool": {"aws:SecureTransport": "true"}},
    "outside-without-tls": OUTSIDE | WITHOUT_TLS,
    "without-tls": WITHOUT_TLS,
    "inside": PINS["organization"],
    "but-to-any-app": {"StringNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/app"}},
}
"""Conditions with which a Deny leaves strangers in."""

Statements = list[dict[str, Any]]


class Policy(NamedTuple):
    """A policy, and whether it is open to strangers."""

    name: str
    text: str
    is_open: bool


def policies(action: str, resource: str | None, other_action: str) -> Iterator[Policy]:
    """Go through the policies.

    :param action: what the resource lets do, as ``sqs:SendMessage``.
    :param resource: what ``{}`` stands for in it is the policy's name; None for policies that name none.
    :param other_action: another action of the service, which is not let do.
    """
    for name, is_open, statements in (*_allowed(action, other_action), *_denied(action, other_action, resource)):
        about = {} if resource is None else {"Resource": resource.format(name)}
        held = [about | each for each in statements]
        document = {"Version": "2012-10-17", "Statement": held[0] if name == "no-list" else held}
        yield Policy(name, json.dumps(document), is_open)


def _allowed(action: str, other_action: str) -> Iterator[tuple[str, bool, Statements]]:
    """Yield policies of Allow statements alone, as (name, whether it is open, statements)."""
    allow = {"Effect": "Allow", "Action": action}
    fine = {"Effect": "Allow", "Principal": CLOSED["partner"], "Action": _all(action)}
    for is_open, principals, conditions in ((True, OPEN, LOOSE), (False, CLOSED, PINS)):
        yield from ((f"by-{name}", is_open, [allow | {"Principal": who}]) for name, who in principals.items())
        yield from ((f"if-{name}", is_open, [allow | ANYONE | _if(each)]) for name, each in conditions.items())
    yield "no-list", True, [allow | ANYONE]
    yield "all-actions", True, [allow | ANYONE | {"Action": [_all(action)]}]
    yield "all-but-one-action", True, [{"Effect": "Allow", **ANYONE, "NotAction": other_action}]
    yield "second-statement", True, [fine, allow | ANYONE]
    yield "second-is-pinned", False, [fine, allow | ANYONE | _if(PINS["organization"])]
    yield "everyone-but-me", True, [{"Effect": "Allow", "NotPrincipal": CLOSED["partner"], "Action": action}]


def _denied(action: str, other_action: str, resource: str | None) -> Iterator[tuple[str, bool, Statements]]:
    """Yield policies that let everyone in and have Deny statements beside."""
    allow = {"Effect": "Allow", "Action": action, **ANYONE}
    two = allow | {"Action": [action, other_action]}
    all = {"Effect": "Deny", "Principal": "*", "Action": _all(action)}
    outside, one, other = all | _if(OUTSIDE), {"Action": action}, {"Action": other_action}
    for is_open, conditions in ((True, LEAKY), (False, SHUT)):
        yield from ((f"denied-{name}", is_open, [allow, all | _if(each)]) for name, each in conditions.items())
    yield "only-a-deny", False, [all]
    yield "denied-to-one", True, [allow, all | {"Principal": CLOSED["partner"]}]
    yield "denied-to-all-but-one", False, [allow, _not(all, "Principal", CLOSED["partner"])]
    yield "denied-outside-to-named-star", False, [allow, outside | {"Principal": OPEN["aws-star"]}]
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
