"""What the fixes of bucket settings refuse, and what they say of those who use a bucket."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from tests.fixes.buckets import ACCOUNT, ALL_USERS, LOGS, ROOT, Bucket, allow, make_both, make_policy_only, policy
from tests.fixes.planning import planned, refused

from nephoscope.domain import LiveSession
from nephoscope_aws_simulator.testing import Cloud

DELETED = "AIDAJQABLZS4A3QDU576Q"
DENY_HTTP = {"Effect": "Deny", "Action": "s3:*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}


def test_tls_is_not_required_of_a_policy_that_would_be_too_long(bucket: Bucket, session: LiveSession) -> None:
    bucket.policy = policy(*(allow(bucket.name, ROOT, Sid=f"Team{number:04}") for number in range(140)))
    assert "AWS allows 20,480" in refused(session, "aws.s3.require_tls", bucket.resource)


@pytest.mark.parametrize("fix", ["aws.s3.require_tls", "aws.s3.remove_public_access"])
def test_a_policy_that_names_a_deleted_user_is_left_alone(bucket: Bucket, session: LiveSession, fix: str) -> None:
    """AWS shows its unique id and takes no such policy, neither for the change nor for its undo."""
    bucket.policy = policy(allow(bucket.name), allow(bucket.name, {"AWS": ["*", DELETED]}))
    assert f"names {DELETED}, a user or role that was deleted" in refused(session, fix, bucket.resource)


def test_a_public_policy_that_a_block_would_refuse_is_not_added_to(bucket: Bucket, session: LiveSession) -> None:
    make_policy_only(bucket)
    bucket.block("BlockPublicPolicy")
    read = session.reread(bucket.resource)
    assert read
    assert "takes no such policy; close that first" in refused(session, "aws.s3.require_tls", read)


def test_what_denies_plain_http_already_stays_when_another_statement_does(bucket: Bucket, session: LiveSession) -> None:
    of_bucket = {**allow(bucket.name), **DENY_HTTP, "Resource": f"arn:aws:s3:::{bucket.name}", "Sid": "RequireTls"}
    bucket.policy = policy(of_bucket)
    (step,) = planned(session, "aws.s3.require_tls", bucket.resource).steps
    first, second = json.loads(step.after)["Statement"]
    assert first == of_bucket
    assert second["Sid"] == "RequireTls2"


def test_who_serves_a_website_is_told_that_it_stops(bucket: Bucket, session: LiveSession) -> None:
    make_policy_only(bucket)
    bucket.s3.put_bucket_website(Bucket=bucket.name, WebsiteConfiguration={"IndexDocument": {"Suffix": "index.html"}})
    for fix in ("aws.s3.require_tls", "aws.s3.remove_public_access", "aws.s3.block_public_access"):
        assert f"{bucket.name}: It serves a website, which stops." in planned(session, fix, bucket.resource).uses


def test_named_principals_of_the_policy_are_its_users(bucket: Bucket, session: LiveSession) -> None:
    partner = "arn:aws:iam::210987654321:root"
    bucket.policy = policy(allow(bucket.name), allow(bucket.name, {"AWS": partner}))
    uses = planned(session, "aws.s3.remove_public_access", bucket.resource).uses
    assert uses == (f"{bucket.name}: Its policy also names {partner}, who keep their access.",)


def test_a_bucket_that_receives_access_logs_is_not_encrypted_with_a_kms_key(
    bucket: Bucket, session: LiveSession
) -> None:
    bucket.grant(LOGS)
    assert "server access logs of S3" in refused(session, "aws.s3.encrypt_with_kms", bucket.resource)
    balancer = {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"}
    bucket.policy = policy(allow(bucket.name, balancer, Action="s3:PutObject"))
    assert "and access logs of load balancers" in refused(session, "aws.s3.encrypt_with_kms", bucket.resource)


def key(simulator: Cloud, region: str = "us-east-1", **more: Any) -> str:
    return str(simulator.client("kms", region).create_key(**more)["KeyMetadata"]["Arn"])


def test_a_key_that_cannot_encrypt_the_bucket_is_refused(
    bucket: Bucket, session: LiveSession, simulator: Cloud
) -> None:
    off = key(simulator)
    simulator.client("kms").disable_key(KeyId=off)
    curve = key(simulator, KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    told = {
        off: "is not enabled: its state is Disabled",
        curve: "is not a symmetric key",
        "alias/nobody": "there is no KMS key alias/nobody in us-east-1",
    }
    for given, why in told.items():
        assert why in refused(session, "aws.s3.encrypt_with_kms", bucket.resource, kms_key=given)


def test_acls_that_let_others_in_are_not_disabled(bucket: Bucket, session: LiveSession) -> None:
    bucket.grant(ALL_USERS, LOGS)
    assert "its ACL lets AllUsers, LogDelivery in" in refused(session, "aws.s3.disable_acls", bucket.resource)


@pytest.mark.parametrize(
    ("prepare", "why"),
    [
        (make_both, "remove public access as a whole"),
        (make_policy_only, "its ACL lets nobody in"),
        (lambda it: it.block("IgnorePublicAcls"), "it is not public any more"),
    ],
)
def test_grants_are_not_removed_where_that_closes_nothing(
    bucket: Bucket, session: LiveSession, prepare: Any, why: str
) -> None:
    prepare(bucket)
    assert why in refused(session, "aws.s3.remove_public_grants", bucket.resource)


@pytest.mark.parametrize(
    "fix", ["aws.s3.encrypt_with_kms", "aws.s3.disable_acls", "aws.s3.block_public_access", "aws.s3.require_tls"]
)
def test_a_fix_does_not_reach_a_bucket_of_the_same_name_in_another_account(
    bucket: Bucket, session: LiveSession, fix: str
) -> None:
    """Every call names the owner that it expects."""
    plan = planned(session, fix, bucket.resource)
    calls = [call for step in plan.steps for call in (step.call, step.inverse) if call]
    assert {call.body["parameters"]["ExpectedBucketOwner"] for call in calls} == {ACCOUNT}


def test_a_block_that_is_complete_is_left_as_it_is(bucket: Bucket, session: LiveSession) -> None:
    bucket.block("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    assert "it is so already" in refused(session, "aws.s3.block_public_access", replace(bucket.resource))
