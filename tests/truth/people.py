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
    "two-kinds": {"Service": "sns.amazonaws.com", "AWS": "*"},
}
"""Principals that are everyone."""

CLOSED: dict[str, Any] = {
    "partner": {"AWS": f"arn:aws:iam::{PARTNER}:root"},
    "partner-number": {"AWS": PARTNER},
    "partners": {"AWS": [f"arn:aws:iam::{PARTNER}:role/app", f"arn:aws:iam::{PARTNER}:user/me"]},
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
    "not-office": {"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}},
    "referer": {"StringEquals": {"aws:Referer": "https://example.com/"}},
    "agent": {"StringLike": {"aws:UserAgent": "our-app/*"}},
    "tagged": {"StringEquals": {"aws:PrincipalTag/team": "web"}},
}
"""Conditions that anyone can meet."""


class Policy(NamedTuple):
    """A policy, and whether it is open to strangers."""

    name: str
    text: str
    is_open: bool


def _but(deny: dict[str, Any], action: str) -> dict[str, Any]:
    """A Deny of everything but this action."""
    return {name: each for name, each in deny.items() if name != "Action"} | {"NotAction": action}


def _spared(deny: dict[str, Any], who: Any) -> dict[str, Any]:
    """A Deny that hits everyone but these."""
    return {name: each for name, each in deny.items() if name != "Principal"} | {"NotPrincipal": who}


def policies(action: str, resource: str | None, other_action: str, prefix: str = "") -> Iterator[Policy]:
    """Go through the policies.

    :param action: what the resource lets do, as ``sqs:SendMessage``.
    :param resource: what ``{}`` stands for in it is the policy's name; None for policies that name none.
    :param other_action: another action of the service, which is not let do.
    :param prefix: what every name begins with.
    """
    star = f"{action.partition(':')[0]}:*"
    allow = {"Effect": "Allow", "Action": action}
    fine = {"Effect": "Allow", "Principal": CLOSED["partner"], "Action": star}
    outside = {"StringNotEquals": {"aws:PrincipalOrgID": ORGANIZATION}}
    if_exists = {"StringNotEqualsIfExists": {"aws:PrincipalOrgID": ORGANIZATION}}
    any_value = {"ForAnyValue:StringNotEquals": {"aws:PrincipalOrgID": ORGANIZATION}}
    perimeter = {"BoolIfExists": {"aws:PrincipalIsAWSService": "false"}}
    deny = {"Effect": "Deny", "Principal": "*", "Action": star}
    tls = {"Bool": {"aws:SecureTransport": "false"}}
    two = [action, other_action]
    both = allow | ANYONE | {"Action": two}
    made: list[tuple[str, bool, list[dict[str, Any]]]] = [
        *((f"by-{name}", True, [allow | {"Principal": who}]) for name, who in OPEN.items()),
        *((f"by-{name}", False, [allow | {"Principal": who}]) for name, who in CLOSED.items()),
        *((f"if-{name}", False, [allow | ANYONE | {"Condition": pin}]) for name, pin in PINS.items()),
        *((f"if-{name}", True, [allow | ANYONE | ({"Condition": c} if c else {})]) for name, c in LOOSE.items()),
        ("all-actions", True, [allow | ANYONE | {"Action": [star]}]),
        ("all-but-one-action", True, [{"Effect": "Allow", **ANYONE, "NotAction": other_action}]),
        ("second-statement", True, [fine, allow | ANYONE]),
        ("second-is-pinned", False, [fine, allow | ANYONE | {"Condition": PINS["organization"]}]),
        ("everyone-but-me", True, [{"Effect": "Allow", "NotPrincipal": CLOSED["partner"], "Action": action}]),
        ("denied-outside", False, [allow | ANYONE, deny | {"Condition": outside}]),
        ("denied-outside-if-exists", False, [allow | ANYONE, deny | {"Condition": if_exists}]),
        ("denied-outside-but-services", False, [allow | ANYONE, deny | {"Condition": outside | perimeter}]),
        ("denied-outside-any-value", True, [allow | ANYONE, deny | {"Condition": any_value}]),
        ("denied-inside", True, [allow | ANYONE, deny | {"Condition": PINS["organization"]}]),
        ("denied-to-all-but-one", False, [allow | ANYONE, _spared(deny, CLOSED["partner"])]),
        ("denied-wholly", False, [allow | ANYONE, deny]),
        ("denied-to-one", True, [allow | ANYONE, deny | {"Principal": CLOSED["partner"]}]),
        ("denied-without-tls", True, [allow | ANYONE, deny | {"Condition": tls}]),
        ("denied-something-else", True, [allow | ANYONE, deny | {"Action": other_action, "Condition": outside}]),
        ("denied-all-but-another", False, [allow | ANYONE, _but(deny, other_action) | {"Condition": outside}]),
        ("denied-all-but-this", True, [allow | ANYONE, _but(deny, action) | {"Condition": outside}]),
        ("denied-one-by-one", False, [both, *(deny | {"Action": one, "Condition": outside} for one in two)]),
        ("denied-one-of-two", True, [both, deny | {"Action": action, "Condition": outside}]),
        ("only-a-deny", False, [deny]),
    ]
    if resource is not None:
        elsewhere = deny | {"Condition": outside, "Resource": resource.format("another")}
        made.append(("denied-elsewhere", True, [allow | ANYONE, elsewhere]))
    for name, is_open, statements in made:
        about = {} if resource is None else {"Resource": resource.format(f"{prefix}{name}")}
        document = {"Version": "2012-10-17", "Statement": [about | each for each in statements]}
        yield Policy(f"{prefix}{name}", json.dumps(document), is_open)
    single = {"Version": "2012-10-17", "Statement": allow | ANYONE}
    if resource is not None:
        single["Statement"] = {**allow, **ANYONE, "Resource": resource.format(f"{prefix}no-list")}
    yield Policy(f"{prefix}no-list", json.dumps(single), True)
