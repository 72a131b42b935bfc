"""Whom policies and bucket settings effectively let in: each form of "everyone", what pins it, and what closes it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from benchmarks.huge_policies import HUGE

from nephoscope.domain import NotKnown, Recorder, ResourceView, unknown
from nephoscope.testing import NOW, resource
from nephoscope_aws.access import BLOCK_FLAGS, Access, Exposure, bucket_exposure
from nephoscope_aws.access_policies import matches, open_grants
from nephoscope_aws.times import age_days

ALLOW = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}
DENY = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": ["arn:aws:s3:::b", "arn:aws:s3:::b/*"]}
ORG = {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}
HIDDEN = unknown("access denied", "s3:GetBucketPolicy")
ALL_ON = dict.fromkeys(BLOCK_FLAGS, True)
EVERYONE = "http://acs.amazonaws.com/groups/global/AllUsers"


def view(**properties: Any) -> ResourceView:
    return ResourceView(resource("AWS::S3::Bucket", properties), Recorder(), {}, NOW)


def is_open(*statements: Any, policy: Any = None) -> bool:
    return bool(open_grants(view(Policy=policy or {"Statement": list(statements)}).key("Policy")))


def pinned(condition: Any) -> bool:
    return not is_open({**ALLOW, "Condition": condition})


def grant(permission: str, uri: str = EVERYONE) -> dict[str, Any]:
    return {"Grantee": {"Type": "Group", "URI": uri}, "Permission": permission}


def exposure(policy: Any = None, bucket: Any = None, account: Any = None, acl: Any = (), **more: Any) -> list[Exposure]:
    grants = list(acl) if isinstance(acl, tuple) else acl
    observed = {"AclGrants": grants, "AccountPublicAccessBlock": account}
    return bucket_exposure(
        view(
            Policy=policy,
            PublicAccessBlockConfiguration=bucket,
            Observed=observed,
            **{"OwnershipControls": None, **more},
        )
    )


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


def test_a_deny_on_bucket_and_objects_covers_a_grant_on_everything() -> None:
    guard = {**DENY, "Condition": {"StringNotEquals": ORG}}
    assert not is_open({**ALLOW, "Action": "*", "Resource": "*"}, guard)
    assert not is_open({"Effect": "Allow", "Principal": "*", "NotAction": "s3:Get*", "Resource": "*"}, guard)


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


# -- Hostile documents ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "policy",
    [
        None,
        5,
        [],
        [ALLOW],
        {},
        {"Statement": None},
        {"Statement": "x"},
        {"Statement": [None, 1, "x", [ALLOW]]},
        {"Statement": [{}]},
        {"Statement": [{"Effect": ["Allow"], "Principal": "*", "Action": "s3:*"}]},
        {"Statement": [{**ALLOW, "Action": None}]},
        {"Statement": [{**ALLOW, "Action": {"x": "s3:*"}}]},
        {"Statement": [{**ALLOW, "Action": [7, True, None]}]},
        {"Statement": [{"Effect": "Allow", "Principal": "*"}]},
    ],
)
def test_what_aws_would_refuse_opens_no_bucket_and_raises_nothing(policy: Any) -> None:
    assert exposure(policy) == []


def test_names_with_markup_stay_plain_text() -> None:
    hostile = "<script>alert(1)</script>.a[0]"
    statement = {**ALLOW, "Condition": {hostile: {hostile: hostile}}, hostile: hostile, "Action": ["s3:*", hostile]}
    (read, write) = exposure({"Statement": [statement]})
    assert read.access is Access.READ
    assert hostile not in write.message


@pytest.mark.parametrize("name", HUGE)
def test_a_huge_policy_is_judged_and_errs_to_the_open_side(name: str) -> None:
    exposed = bucket_exposure(view(Policy=HUGE[name]), (Access.READ,))
    assert bool(exposed) is (name not in {"stars", "networks"})


# -- Buckets -------------------------------------------------------------------------------------------------------


def ways(found: list[Exposure]) -> list[tuple[str, str]]:
    return [(each.access.value, each.source) for each in found]


def test_a_policy_opens_what_its_actions_are() -> None:
    assert ways(exposure({"Statement": [ALLOW]})) == [("read", "policy")]
    assert ways(exposure({"Statement": [{**ALLOW, "Action": "s3:PutObject"}]})) == [("write", "policy")]
    assert ways(exposure({"Statement": [{**ALLOW, "Action": "s3:*Object"}]})) == [
        ("read", "policy"),
        ("write", "policy"),
    ]
    assert exposure({"Statement": [{**ALLOW, "Action": "sqs:*"}]}) == []


def test_messages_say_who_can_do_what_and_why() -> None:
    (found,) = exposure({"Statement": [{**ALLOW, "Action": ["s3:PutNothing", "s3:ListBucket"]}]})
    assert found.message == "Anyone can list objects: policy allows s3:ListBucket"
    (found,) = exposure(acl=(grant("READ", EVERYONE.replace("AllUsers", "AuthenticatedUsers")),))
    assert found.message == "Anyone with an AWS account can list objects: ACL grants READ to AuthenticatedUsers"
    assert found.at == "Observed.AclGrants[0]"


@pytest.mark.parametrize(
    ("permission", "access"),
    [
        ("READ", ["read"]),
        ("READ_ACP", ["read"]),
        ("WRITE", ["write"]),
        ("WRITE_ACP", ["write"]),
        ("FULL_CONTROL", ["read", "write"]),
        ("OTHER", []),
    ],
)
def test_every_permission_of_a_public_group_counts(permission: str, access: list[str]) -> None:
    assert [each.access.value for each in exposure(acl=(grant(permission),))] == access


def test_each_switch_undoes_what_it_is_for_on_bucket_or_account() -> None:
    policy, acl = {"Statement": [ALLOW]}, (grant("READ"),)
    both = [("read", "policy"), ("read", "acl")]
    stops_new = {"BlockPublicAcls": True, "BlockPublicPolicy": True}
    assert ways(exposure(policy, None, None, acl)) == both
    assert ways(exposure(policy, stops_new, stops_new, acl)) == both
    assert ways(exposure(policy, {"RestrictPublicBuckets": True}, None, acl)) == [("read", "acl")]
    assert ways(exposure(policy, None, {"IgnorePublicAcls": True}, acl)) == [("read", "policy")]
    assert exposure(policy, {"RestrictPublicBuckets": True}, {"IgnorePublicAcls": True}, acl) == []


def test_acls_that_are_off_open_nothing() -> None:
    enforced = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    assert exposure(acl=(grant("FULL_CONTROL"),), OwnershipControls=enforced) == []


def test_a_complete_block_settles_it_without_the_policy_and_the_acl() -> None:
    assert exposure(HIDDEN, ALL_ON, HIDDEN, HIDDEN) == []
    assert exposure(HIDDEN, HIDDEN, ALL_ON, HIDDEN) == []


def test_a_private_policy_and_acl_settle_it_without_the_blocks() -> None:
    assert exposure({"Statement": [DENY]}, HIDDEN, HIDDEN, (), OwnershipControls=HIDDEN) == []


def test_a_public_acl_is_proven_although_the_policy_is_hidden() -> None:
    assert [each.source for each in exposure(HIDDEN, acl=(grant("FULL_CONTROL"),))] == ["acl", "acl"]


@pytest.mark.parametrize(
    "hidden",
    [
        {"policy": HIDDEN},
        {"policy": {"Statement": [ALLOW]}, "account": HIDDEN},
        {"policy": {"Statement": [ALLOW]}, "bucket": {"RestrictPublicBuckets": HIDDEN}},
        {"acl": HIDDEN},
        {"acl": (grant("READ"),), "account": HIDDEN},
        {"acl": (grant("READ"),), "OwnershipControls": HIDDEN},
    ],
)
def test_what_decides_it_and_is_hidden_leaves_it_unknown(hidden: dict[str, Any]) -> None:
    with pytest.raises(NotKnown):
        exposure(**hidden)


# -- Times ---------------------------------------------------------------------------------------------------------


def test_ages_are_counted_in_days_and_a_time_without_zone_is_utc() -> None:
    now = datetime(2026, 1, 15, 12, tzinfo=UTC)
    assert age_days("2026-01-14T12:00:00Z", now) == 1
    assert age_days("2026-01-14T12:00:00", now) == 1
    assert age_days("2026-01-15T14:00:00+02:00", now) == 0
    assert age_days("2026-01-16T12:00:00Z", now) == -1
    assert age_days(None, now) is None


def test_what_is_no_time_is_not_taken_for_an_age() -> None:
    with pytest.raises(ValueError, match="isoformat"):
        age_days("no_information", datetime.now(UTC))
