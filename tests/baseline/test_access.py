"""Whom policies and bucket settings effectively let in: each form of "everyone", what pins it, and what closes it."""

from __future__ import annotations

from typing import Any

import pytest
from tests.baseline.statements import ALLOW, DENY, HIDDEN, view

from nephoscope.domain import NotKnown
from nephoscope_aws.access_grants import open_grants
from nephoscope_aws.access_policies import matches

ORG = {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}


def is_open(*statements: Any, policy: Any = None) -> bool:
    return bool(open_grants(view(Policy=policy or {"Statement": list(statements)}).key("Policy")))


def pinned(condition: Any) -> bool:
    return not is_open({**ALLOW, "Condition": condition})


# -- Who is everyone -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "principal",
    [
        "*",
        ["*"],
        {"AWS": "*"},
        {"AWS": ["*"]},
        {"AWS": ["arn:aws:iam::210987654321:root", "*"]},
        {"Service": "*"},
        {"AWS": "arn:aws:iam::*:root"},
        {"AWS": "arn:aws:iam::21098765432?:root"},
        {"Federated": "graph.facebook.com"},
    ],
)
def test_every_form_of_everyone_is_seen(principal: Any) -> None:
    assert is_open({**ALLOW, "Principal": principal})
    assert is_open(policy={"Statement": {**ALLOW, "Principal": principal}})


@pytest.mark.parametrize(
    "principal",
    [
        {"AWS": "210987654321"},
        {"AWS": "arn:aws:iam::210987654321:role/*"},
        {"CanonicalUser": "79a59df900b949e5"},
        {"Service": ["cloudfront.amazonaws.com"]},
        {"Federated": "arn:aws:iam::210987654321:saml-provider/idp"},
        {"AWS": "AROAEXAMPLE"},
        {"AWS": []},
        {},
        None,
        7,
        {"AWS": None},
        {"AWS": {"x": "*"}},
    ],
)
def test_named_parties_and_what_aws_refuses_are_not_everyone(principal: Any) -> None:
    assert not is_open({**ALLOW, "Principal": principal})


def test_an_allow_for_all_but_some_is_for_everyone() -> None:
    statement = {"Effect": "Allow", "NotPrincipal": {"AWS": "210987654321"}, "Action": "s3:*", "Resource": "*"}
    assert is_open(statement)
    assert not is_open({**statement, "NotPrincipal": "*"})


def test_a_grant_says_who_and_where() -> None:
    policy = {"Statement": [{**ALLOW, "Principal": {"AWS": "210987654321"}}, ALLOW]}
    (found,) = open_grants(view(Policy=policy).key("Policy"))
    assert (found.who, found.at) == ("Anyone", "Policy.Statement[1].Principal")


# -- Conditions ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operator", "key", "value"),
    [
        ("StringEquals", "aws:PrincipalOrgID", "o-a1b2c3d4e5"),
        ("stringequals", "AWS:principalorgid", "o-a1b2c3d4e5"),
        ("ForAnyValue:StringLike", "aws:PrincipalOrgPaths", "o-a1b2c3d4e5/r-ab12/*"),
        ("StringEquals", "aws:PrincipalAccount", ["123456789012", 210987654321]),
        ("StringEquals", "aws:PrincipalAccount", "${aws:ResourceAccount}"),
        ("StringEqualsIgnoreCase", "aws:SourceAccount", "123456789012"),
        ("StringEquals", "aws:SourceOwner", "123456789012"),
        ("StringLike", "aws:SourceVpc", "vpc-91237329"),
        ("StringEquals", "aws:SourceVpce", ["vpce-1", "vpce-2"]),
        ("StringEquals", "aws:SourceOrgID", "o-a1b2c3d4e5"),
        ("ForAnyValue:StringLike", "aws:SourceOrgPaths", "o-a1b2c3d4e5/*"),
        ("StringEquals", "aws:VpceAccount", "123456789012"),
        ("ArnLike", "aws:SourceArn", "arn:aws:sns:*:123456789012:*"),
        ("ArnEquals", "aws:SourceArn", "arn:aws:s3:::another-bucket"),
        ("ArnLike", "aws:PrincipalArn", "arn:aws:iam::123456789012:role/*"),
        ("ArnLike", "aws:PrincipalArn", "arn:aws:iam::${aws:ResourceAccount}:role/*"),
        ("ArnLike", "aws:SourceArn", "arn:aws:sns:*:${AWS:ResourceAccount}:*"),
        ("StringLike", "s3:DataAccessPointArn", "arn:aws:s3:us-west-2:123456789012:accesspoint/*"),
        ("StringEquals", "s3:DataAccessPointAccount", "123456789012"),
        ("StringEquals", "kms:CallerAccount", "123456789012"),
        ("StringLike", "aws:userid", "AROAEXAMPLEID:*"),
        ("IpAddress", "aws:SourceIp", "203.0.113.7"),
        ("IpAddress", "aws:SourceIp", ["10.0.0.0/8", "192.168.0.0/16", "2001:db8::/32"]),
    ],
)
def test_a_fixed_value_pins(operator: str, key: str, value: Any) -> None:
    assert pinned({operator: {key: value}})


@pytest.mark.parametrize(
    ("operator", "key", "value"),
    [
        ("StringLike", "aws:PrincipalOrgID", "*"),
        ("StringEquals", "aws:PrincipalOrgID", ["o-a1b2c3d4e5", "*"]),
        ("StringEquals", "aws:PrincipalOrgID", ""),
        ("StringEquals", "aws:PrincipalOrgID", []),
        ("StringLike", "aws:PrincipalOrgPaths", "o-*/r-ab12/*"),
        ("StringLike", "aws:SourceVpc", "vpc-*"),
        ("StringLike", "aws:PrincipalArn", "arn:aws:iam::*:role/ci"),
        ("ArnLike", "aws:PrincipalArn", "*"),
        ("StringLike", "aws:SourceArn", "arn:aws:sns:*:123456789012:*"),
        ("StringLike", "aws:userid", "*:ann"),
        ("ArnLike", "aws:PrincipalArn", "arn:aws:iam::${aws:PrincipalAccount}:role/*"),
        ("StringEquals", "aws:PrincipalAccount", "${aws:username}"),
        ("StringEqualsIfExists", "aws:PrincipalOrgID", "o-a1b2c3d4e5"),
        ("ForAllValues:StringEquals", "aws:PrincipalOrgID", "o-a1b2c3d4e5"),
        ("StringNotEquals", "aws:PrincipalOrgID", "o-a1b2c3d4e5"),
        ("NotIpAddress", "aws:SourceIp", "203.0.113.0/24"),
        ("IpAddress", "aws:SourceIp", "0.0.0.0/0"),
        ("IpAddress", "aws:SourceIp", ["203.0.113.0/24", "::/0"]),
        ("IpAddress", "aws:SourceIp", ["0.0.0.0/1", "128.0.0.0/1"]),
        ("IpAddress", "aws:SourceIp", [f"{block}.0.0.0/8" for block in range(256)]),
        ("IpAddress", "aws:SourceIp", "2001::/16"),
        ("IpAddress", "aws:SourceIp", "not an address"),
        ("IpAddressIfExists", "aws:SourceIp", "203.0.113.0/24"),
        ("IpAddress", "aws:VpcSourceIp", "10.0.0.0/16"),
        ("StringEquals", "kms:ViaService", "s3.eu-west-1.amazonaws.com"),
        ("StringEquals", "sts:ExternalId", "secret"),
        ("StringEquals", "aws:PrincipalTag/team", "ours"),
        ("StringLike", "aws:Referer", "https://example.com/*"),
        ("Bool", "aws:SecureTransport", "true"),
        ("Null", "aws:PrincipalOrgID", "false"),
        ("NoSuchOperator", "aws:PrincipalOrgID", "o-a1b2c3d4e5"),
        ("StringEquals", "aws:PrincipalOrgID", {"x": 1}),
        ("StringEquals", "aws:PrincipalOrgID", ["o-a1b2c3d4e5", None]),
    ],
)
def test_what_lets_strangers_through_does_not_pin(operator: str, key: str, value: Any) -> None:
    assert not pinned({operator: {key: value}})


def test_one_pin_among_several_conditions_is_enough() -> None:
    assert pinned({"Bool": {"aws:SecureTransport": "true"}, "StringEquals": ORG})
    assert pinned({"StringEquals": {"kms:ViaService": "s3.amazonaws.com", "kms:CallerAccount": "123456789012"}})


def test_demanding_the_key_makes_a_lenient_operator_pin() -> None:
    paths = {"ForAllValues:StringLike": {"aws:PrincipalOrgPaths": ["o-a1b2c3d4e5/*"]}}
    assert not pinned(paths)
    assert pinned({**paths, "Null": {"aws:PrincipalOrgPaths": "false"}})
    assert not pinned({**paths, "Null": {"aws:PrincipalOrgPaths": "true"}})


@pytest.mark.parametrize("condition", [None, "x", 3, [], [{"StringEquals": ORG}], {"StringEquals": "x"}, {}])
def test_a_malformed_condition_pins_nothing(condition: Any) -> None:
    assert not pinned(condition)


# -- Deny ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "guard",
    [
        {"Condition": {"StringNotEquals": ORG}},
        {"Condition": {"StringNotEqualsIfExists": ORG, "BoolIfExists": {"aws:PrincipalIsAWSService": "false"}}},
        {"Condition": {"StringNotEquals": {"aws:SourceVpce": ["vpce-1"]}}, "Principal": {"AWS": "*"}},
        {"Condition": {"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}},
        {"Condition": {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::123456789012:*"}}, "Resource": "*"},
        {"Condition": {"StringNotEquals": ORG}, "Action": ["s3:Get*"], "Resource": "arn:aws:s3:::b*"},
        {"Condition": {"StringNotEquals": ORG}, "Action": "S3:GETOBJECT"},
        {},
    ],
)
def test_a_blanket_deny_for_outsiders_closes_a_public_allow(guard: dict[str, Any]) -> None:
    assert not is_open(ALLOW, {**DENY, **guard})
    assert not is_open({**DENY, **guard}, ALLOW)


def test_a_deny_for_all_but_named_principals_closes_a_public_allow() -> None:
    deny = {key: value for key, value in DENY.items() if key != "Principal"}
    assert not is_open(ALLOW, {**deny, "NotPrincipal": {"AWS": "arn:aws:iam::123456789012:root"}})
    assert is_open(ALLOW, {**deny, "NotPrincipal": {"AWS": "*"}})


@pytest.mark.parametrize(
    "guard",
    [
        {"Condition": {"StringEquals": ORG}},
        {"Condition": {"StringNotEquals": ORG, "Bool": {"aws:SecureTransport": "false"}}},
        {"Condition": {"StringNotEquals": ORG, "Bool": {"aws:PrincipalIsAWSService": "false"}}},
        {"Condition": {"StringNotLike": {"aws:PrincipalOrgID": "*"}}},
        {"Condition": {"ForAnyValue:StringNotEquals": ORG}},
        {"Condition": {"NotIpAddress": {"aws:SourceIp": "0.0.0.0/0"}}},
        {"Condition": {"Bool": {"aws:SecureTransport": "false"}}},
        {"Condition": {"StringNotEquals": ORG}, "Action": "s3:PutObject"},
        {"Condition": {"StringNotEquals": ORG}, "Action": "s3:GetObject?"},
        {"Condition": {"StringNotEquals": ORG}, "Resource": "arn:aws:s3:::b/private/*"},
        {"Condition": {"StringNotEquals": ORG}, "Principal": {"AWS": "210987654321"}},
        {"Condition": None},
        {"Condition": "x"},
        {"Condition": {"StringNotEquals": "x"}},
        {"Action": None},
    ],
)
def test_a_deny_that_misses_some_strangers_closes_nothing(guard: dict[str, Any]) -> None:
    assert is_open(ALLOW, {**DENY, **guard})


def test_a_deny_with_a_question_mark_does_not_cover_a_star() -> None:
    guard = {**DENY, "Action": "s3:Get?", "Condition": {"StringNotEquals": ORG}}
    assert is_open({**ALLOW, "Action": "s3:Get*"}, guard)


@pytest.mark.parametrize(
    ("pattern", "name", "yes"),
    [
        ("s3:get*", "s3:getobject", True),
        ("s3:*object", "s3:getobject", True),
        ("*", "anything", True),
        ("s3:g*t*t", "s3:getobject", True),
        ("s3:?etobject", "s3:getobject", True),
        ("s3:get", "s3:getobject", False),
        ("s3:put*", "s3:getobject", False),
        ("ab*ba", "aba", False),
        ("a[b]*", "ab", False),
        ("[?]", "[x]", True),
    ],
)
def test_wildcards_match_as_in_policies(pattern: str, name: str, yes: bool) -> None:
    assert matches(pattern, name) is yes


# -- Parts that cannot be read -------------------------------------------------------------------------------------


def test_an_unreadable_allow_does_not_hide_one_that_is_open() -> None:
    assert is_open({**ALLOW, "Principal": HIDDEN}, ALLOW)
    assert is_open({**ALLOW, "Condition": HIDDEN}, ALLOW)


@pytest.mark.parametrize(
    "statements",
    [
        (HIDDEN, ALLOW),
        (ALLOW, {**DENY, "Condition": HIDDEN}),
        (ALLOW, {**DENY, "Effect": HIDDEN}),
        ({**ALLOW, "Principal": HIDDEN},),
        ({**ALLOW, "Condition": HIDDEN},),
        ({**ALLOW, "Condition": {"StringEquals": {"aws:SourceVpc": HIDDEN}}},),
    ],
)
def test_what_could_open_or_close_it_leaves_it_unknown(statements: tuple[Any, ...]) -> None:
    with pytest.raises(NotKnown):
        is_open(*statements)


def test_a_known_pin_settles_a_condition_with_a_hidden_part() -> None:
    assert pinned({"StringLike": {"aws:Referer": HIDDEN}, "StringEquals": ORG})


def test_a_policy_left_as_text_is_unknown() -> None:
    with pytest.raises(NotKnown):
        open_grants('{"Statement": []}')
