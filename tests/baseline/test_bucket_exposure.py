"""Whom a bucket's policy, ACL and blocks let in together."""

from __future__ import annotations

from typing import Any

import pytest
from benchmarks.huge_policies import HUGE
from tests.baseline.statements import ALLOW, DENY, HIDDEN, view

from nephoscope.domain import NotKnown
from nephoscope_aws.access import BLOCK_FLAGS, Access, Exposure, bucket_exposure

ALL_ON = dict.fromkeys(BLOCK_FLAGS, True)
EVERYONE = "http://acs.amazonaws.com/groups/global/AllUsers"


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
    listing = {**ALLOW, "Action": ["s3:PutNothing", "s3:ListBucket"], "Resource": "arn:aws:s3:::b"}
    (found,) = exposure({"Statement": [listing]})
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


# -- Hostile documents ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "policy",
    [
        None,
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


@pytest.mark.parametrize("policy", [5, [], [ALLOW]])
def test_what_is_no_document_is_not_known(policy: Any) -> None:
    with pytest.raises(NotKnown):
        exposure(policy)


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
