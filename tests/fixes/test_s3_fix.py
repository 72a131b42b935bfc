"""Taking public access away from buckets: what is planned, and that it can be applied, verified and undone."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import pytest
from tests.fixes.buckets import (
    ACCOUNT,
    FIX,
    LOGS,
    ROOT,
    Bucket,
    allow,
    apply,
    make_acl_only,
    make_both,
    make_policy_only,
    plan_for,
    policy,
    undo,
)

from nephoscope.domain import FixRequest, LiveSession, PlanProblem
from nephoscope_aws.call import AwsCall
from nephoscope_aws_simulator.testing import Cloud

# -- Round trips -----------------------------------------------------------------------------------


def make_single_statement(bucket: Bucket) -> None:
    bucket.policy = json.dumps({"Statement": allow(bucket.name, {"AWS": "*"}), "Version": "2012-10-17"})


def make_list(bucket: Bucket) -> None:
    partner = "arn:aws:iam::210987654321:role/partner"
    bucket.policy = policy(allow(bucket.name, {"AWS": ["*", partner], "Service": "logging.s3.amazonaws.com"}))


def make_list_with_owner(bucket: Bucket) -> None:
    bucket.policy = policy(allow(bucket.name, {"AWS": [ROOT, "*"]}))


def make_markup(bucket: Bucket) -> None:
    bucket.policy = policy(allow(bucket.name, Sid="<script>alert('é & \"x\"')</script>"))


def make_indented(bucket: Bucket) -> None:
    bucket.policy = policy(allow(bucket.name), indent=4) + "\n"


def make_compact(bucket: Bucket) -> None:
    bucket.policy = policy(allow(bucket.name)).replace(" ", "")


def make_large(bucket: Bucket) -> None:
    statements = [allow(bucket.name, ROOT, Sid=f"Team{number:04}") for number in range(125)]
    bucket.policy = policy(*statements, allow(bucket.name))
    assert len(bucket.policy) > 18_000


MAKERS = [
    make_policy_only,
    make_single_statement,
    make_list,
    make_list_with_owner,
    make_markup,
    make_indented,
    make_compact,
    make_large,
    make_acl_only,
    make_both,
]


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__.removeprefix("make_"))
def test_a_public_bucket_is_planned_applied_verified_and_undone_byte_for_byte(
    bucket: Bucket, session: LiveSession, make: Callable[[Bucket], None]
) -> None:
    make(bucket)
    with_policy = make is not make_acl_only
    before = bucket.policy if with_policy else "", bucket.acl
    plan = bucket.plan()
    assert bucket.is_public
    assert plan.digest == bucket.plan().digest, "planned twice, it is the same plan"
    assert plan.reversible and plan.warnings == (FIX.breaks,)
    assert {each.resource for each in plan.permissions} == {f"arn:aws:s3:::{bucket.name}"}
    assert {each.action for each in plan.permissions} <= set(FIX.writes)

    assert set(apply(plan, session).values()) == {"applied"}
    assert not bucket.is_public
    assert bucket.refusal().endswith("it is not public any more.")

    assert set(undo(plan, session).values()) == {"undone"}
    assert (bucket.policy if with_policy else "", bucket.acl) == before
    assert bucket.is_public


def test_a_plan_survives_being_stored_as_json(bucket: Bucket, session: LiveSession) -> None:
    make_both(bucket)
    plan = bucket.plan()
    stored = json.loads(json.dumps([asdict(step) for step in plan.steps]))
    assert [each["before"] for each in stored] == [FIX.state(step, session) for step in plan.steps]


# -- What is changed, and what is not --------------------------------------------------------------


def after(bucket: Bucket) -> Any:
    (step,) = bucket.plan().steps
    return json.loads(step.after)["Statement"]


@pytest.mark.parametrize(
    ("principal", "expected"),
    [
        ("*", {"AWS": ROOT}),
        ({"AWS": "*"}, {"AWS": ROOT}),
        ({"AWS": ["*"]}, {"AWS": [ROOT]}),
        ({"AWS": ["arn:aws:iam::210987654321:root", "*"]}, {"AWS": ["arn:aws:iam::210987654321:root", ROOT]}),
        ({"AWS": [ROOT, "*"]}, {"AWS": [ROOT]}),
        ({"Service": "s3.amazonaws.com", "AWS": "*"}, {"Service": "s3.amazonaws.com", "AWS": ROOT}),
    ],
)
def test_everyone_becomes_the_accounts_own_root(bucket: Bucket, principal: Any, expected: Any) -> None:
    bucket.policy = policy(allow(bucket.name, principal))
    assert after(bucket) == [allow(bucket.name, expected)]


def test_only_the_statements_that_make_it_public_change(bucket: Bucket) -> None:
    pinned = allow(bucket.name, Condition={"StringEquals": {"aws:PrincipalOrgID": "o-1234567890"}})
    deny = {**allow(bucket.name), "Effect": "Deny", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    partner = allow(bucket.name, {"AWS": "arn:aws:iam::210987654321:root"})
    bucket.policy = policy(deny, pinned, allow(bucket.name), partner)
    assert after(bucket) == [deny, pinned, allow(bucket.name, {"AWS": ROOT}), partner]


def test_the_text_is_written_as_its_author_wrote_it(bucket: Bucket) -> None:
    document = {
        "Statement": [
            {
                "Resource": f"arn:aws:s3:::{bucket.name}/*",
                "Sid": "Ü",
                "Principal": "*",
                "Action": "s3:GetObject",
                "Effect": "Allow",
            }
        ],
        "Version": "2012-10-17",
    }
    fixed = json.loads(json.dumps(document))
    fixed["Statement"][0]["Principal"] = {"AWS": ROOT}
    styles: list[dict[str, Any]] = [{"indent": 2}, {"separators": (",", ":")}, {"ensure_ascii": False}, {}]
    for style in styles:
        bucket.policy = json.dumps(document, **style)
        assert bucket.plan().steps[0].after == json.dumps(fixed, **style)


def test_the_root_is_of_the_buckets_own_partition(bucket: Bucket, session: LiveSession) -> None:
    make_policy_only(bucket)
    china = replace(bucket.resource, id=f"arn:aws-cn:s3:::{bucket.name}")
    (step,) = FIX.plan(FixRequest(china), session)
    assert json.loads(step.after)["Statement"][0]["Principal"] == {"AWS": f"arn:aws-cn:iam::{ACCOUNT}:root"}


def test_every_call_names_the_owner_so_that_no_other_accounts_bucket_is_written(bucket: Bucket) -> None:
    make_both(bucket)
    calls = [call for step in bucket.plan().steps for call in (step.call, step.inverse) if call]
    assert {AwsCall.of(call).parameters["ExpectedBucketOwner"] for call in calls} == {ACCOUNT}


def test_grants_to_named_parties_stay_in_the_acl(bucket: Bucket, session: LiveSession) -> None:
    make_acl_only(bucket)
    apply(bucket.plan(), session)
    assert [grant["Grantee"].get("URI") for grant in bucket.acl["Grants"]] == [None, LOGS]


def test_a_policy_that_restrict_public_buckets_neutralises_is_left_alone(bucket: Bucket) -> None:
    make_both(bucket)
    bucket.block("RestrictPublicBuckets")
    assert [AwsCall.of(step.call).operation for step in bucket.plan().steps] == ["put_bucket_acl"]


@pytest.mark.parametrize(
    "shield", [lambda it: it.block("IgnorePublicAcls"), lambda it: it.owned("BucketOwnerEnforced")]
)
def test_an_acl_that_does_not_count_is_left_alone(bucket: Bucket, shield: Callable[[Bucket], None]) -> None:
    make_both(bucket)
    shield(bucket)
    assert [AwsCall.of(step.call).operation for step in bucket.plan().steps] == ["put_bucket_policy"]


def test_the_accounts_public_access_block_counts(bucket: Bucket, simulator: Cloud) -> None:
    make_both(bucket)
    control = simulator.client("s3control")
    block = {
        "BlockPublicAcls": False,
        "IgnorePublicAcls": True,
        "BlockPublicPolicy": False,
        "RestrictPublicBuckets": True,
    }
    control.put_public_access_block(AccountId=ACCOUNT, PublicAccessBlockConfiguration=block)
    try:
        assert bucket.refusal() == f"{bucket.name} is left out: it is not public any more."
    finally:
        control.delete_public_access_block(AccountId=ACCOUNT)


def test_what_a_block_refuses_to_make_public_again_cannot_be_undone_and_says_so(
    bucket: Bucket, session: LiveSession
) -> None:
    make_both(bucket)
    bucket.block("BlockPublicPolicy", "BlockPublicAcls")
    plan = bucket.plan()
    assert [step.inverse for step in plan.steps] == [None, None]
    assert plan.warnings == (FIX.breaks, "This change cannot be undone.")
    apply(plan, session)
    assert not bucket.is_public


# -- What cannot be planned ------------------------------------------------------------------------


def test_everyone_but_a_few_must_be_rewritten_manually(bucket: Bucket) -> None:
    statement = allow(bucket.name, Sid="AllButOne")
    statement["NotPrincipal"] = {"AWS": "arn:aws:iam::210987654321:root"}
    del statement["Principal"]
    bucket.policy = policy(statement)
    assert "statement AllButOne" in bucket.refusal()
    assert "manually" in bucket.refusal()


def test_a_login_that_anyone_can_have_must_be_rewritten_manually(bucket: Bucket) -> None:
    bucket.policy = policy(allow(bucket.name, {"Federated": "accounts.google.com"}))
    assert "manually: Anyone with a login at accounts.google.com" in bucket.refusal()


def test_everyone_of_another_kind_than_aws_must_be_rewritten_manually(bucket: Bucket) -> None:
    bucket.policy = policy(allow(bucket.name, {"Service": "*"}))
    assert "manually: Anyone can read objects" in bucket.refusal()


def test_a_policy_that_would_grow_too_large_is_refused(bucket: Bucket) -> None:
    bucket.policy = policy(*(allow(bucket.name, Sid=f"Public{number:03}") for number in range(150)))
    assert len(bucket.policy) < 20_480
    assert "AWS allows 20,480" in bucket.refusal()


def test_a_bucket_that_is_gone_is_refused(bucket: Bucket, session: LiveSession) -> None:
    resource = bucket.resource
    bucket.s3.delete_bucket(Bucket=bucket.name)
    with pytest.raises(PlanProblem, match="does not exist any more"):
        plan_for(session, resource)


def test_a_denied_read_is_named_and_the_other_buckets_are_planned(
    bucket: Bucket, session: LiveSession, simulator: Cloud
) -> None:
    make_policy_only(bucket)
    other = Bucket(simulator, session, f"{bucket.name}-other")
    make_policy_only(other)
    resources = bucket.resource, other.resource
    simulator.control("deny", actions=["s3:GetBucketPolicy"], resources=[f"arn:aws:s3:::{bucket.name}"])
    try:
        plan = plan_for(session, *resources)
    finally:
        simulator.control("reset-denials", {})
    assert plan.resources == (f"arn:aws:s3:::{other.name}",)
    assert "s3:GetBucketPolicy is not allowed" in plan.warnings[-1]
