"""What the fix for public buckets must not do: write over somebody else's change, or more than was approved."""

from __future__ import annotations

import pytest
from tests.fixes.buckets import (
    ACCOUNT,
    FIX,
    PROVIDER,
    ROOT,
    Bucket,
    allow,
    apply,
    make_both,
    make_policy_only,
    make_role,
    policy,
    undo,
    writer_for,
)

from nephoscope import surgery
from nephoscope.domain import Connection, FixRequest, LiveSession, Permission
from nephoscope_aws.api import Denied
from nephoscope_aws.call import aws_call
from nephoscope_aws_simulator.testing import Cloud

# -- What has changed since ------------------------------------------------------------------------


def test_a_policy_that_changed_since_the_plan_is_not_written(bucket: Bucket, session: LiveSession) -> None:
    make_both(bucket)
    plan = bucket.plan()
    bucket.policy = changed = policy(allow(bucket.name, Sid="SomebodyElse"))
    grants = bucket.acl
    with pytest.raises(surgery.StaleError):
        apply(plan, session)
    assert (bucket.policy, bucket.acl) == (changed, grants)


def test_a_policy_that_was_deleted_since_the_plan_is_not_written(bucket: Bucket, session: LiveSession) -> None:
    make_policy_only(bucket)
    plan = bucket.plan()
    bucket.s3.delete_bucket_policy(Bucket=bucket.name)
    assert FIX.state(plan.steps[0], session) is None
    with pytest.raises(surgery.StaleError):
        apply(plan, session)


def test_an_acl_that_changed_since_the_plan_is_not_written(bucket: Bucket, session: LiveSession) -> None:
    make_both(bucket)
    plan, text = bucket.plan(), bucket.policy
    bucket.grant("http://acs.amazonaws.com/groups/s3/LogDelivery")
    with pytest.raises(surgery.StaleError):
        apply(plan, session)
    assert bucket.policy == text


def test_a_change_by_somebody_else_is_not_undone(bucket: Bucket, session: LiveSession) -> None:
    make_policy_only(bucket)
    plan = bucket.plan()
    apply(plan, session)
    bucket.policy = changed = policy(allow(bucket.name, {"AWS": ROOT}, Sid="SomebodyElse"))
    with pytest.raises(surgery.StaleError):
        undo(plan, session)
    assert bucket.policy == changed


def test_lists_that_s3_gives_back_in_another_order_are_no_change(bucket: Bucket, session: LiveSession) -> None:
    roles = [f"arn:aws:iam::210987654321:role/role-{number}" for number in range(3)]
    bucket.policy = before = policy(allow(bucket.name, {"AWS": ["*", *roles]}))
    plan = bucket.plan()
    bucket.policy = policy(allow(bucket.name, {"AWS": [*reversed(roles), "*"]}, Action=["s3:GetObject"]))
    apply(plan, session)
    bucket.policy = policy(allow(bucket.name, {"AWS": [*roles, ROOT]}))
    undo(plan, session)
    assert bucket.policy == before


# -- What the writer may do ------------------------------------------------------------------------


def test_the_writer_can_do_no_more_than_its_plan(bucket: Bucket, session: LiveSession, simulator: Cloud) -> None:
    make_policy_only(bucket)
    writer = writer_for(bucket.plan())
    other = Bucket(simulator, session, f"{bucket.name}-other")
    delete = aws_call("s3", "delete_bucket", {"Bucket": other.name}, Permission("s3:DeleteBucket"))
    elsewhere = aws_call(
        "s3",
        "put_bucket_policy",
        {"Bucket": other.name, "Policy": policy(allow(other.name))},
        Permission("s3:PutBucketPolicy"),
    )
    grants = aws_call("s3", "put_bucket_acl", {"Bucket": bucket.name, "ACL": "private"}, Permission("s3:PutBucketAcl"))
    for call in (delete, elsewhere, grants):
        with pytest.raises(Denied, match="access denied"):
            writer.write(call)
    assert other.name in [each["Name"] for each in other.s3.list_buckets()["Buckets"]]


def test_planning_needs_no_more_than_the_fix_declares_that_it_reads(bucket: Bucket, simulator: Cloud) -> None:
    make_both(bucket)
    make_role(simulator, "just-reads", "read-word", FIX.reads)
    role = f"arn:aws:iam::{ACCOUNT}:role/just-reads"
    session = PROVIDER.open(Connection(ACCOUNT, {"role_arn": role, "external_id": "read-word"}))
    assert len(FIX.plan(FixRequest(bucket.resource), session)) == 2
    session.close()
