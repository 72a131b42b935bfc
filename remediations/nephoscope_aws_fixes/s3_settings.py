"""Fixes of how a bucket takes and keeps objects: over TLS only, encrypted with a KMS key, without ACLs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from nephoscope.domain import (
    Field,
    FixRequest,
    LiveSession,
    NotKnown,
    Permission,
    PlanProblem,
    Recorder,
    Resource,
    View,
)
from nephoscope_aws.access import block_flag
from nephoscope_aws.access_grants import open_grants
from nephoscope_aws.call import aws_call
from nephoscope_aws_fixes.kms_input import READS_KEY, key_arn
from nephoscope_aws_fixes.policy_text import listed, named, same_policy, write_like
from nephoscope_aws_fixes.public_policy import as_view, named_in, parsed, require_accepted, require_fits
from nephoscope_aws_fixes.s3 import MAX_POLICY, WEBSITE_READ, BucketSetting, website
from nephoscope_aws_fixes.setting import operation

SID = "RequireTls"
EMPTY = '{"Version":"2012-10-17","Statement":[]}'
BLOCKS = ("PublicAccessBlockConfiguration", "Observed.AccountPublicAccessBlock")


class RequireTls(BucketSetting):
    """The state is the policy's text.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html#transit
    """

    id = "aws.s3.require_tls"
    title = "Deny unencrypted HTTP to the bucket"
    summary = "Adds one statement to the bucket policy that denies requests without TLS. All else in it stays as it is."
    breaks = (
        "Clients that use http:// are refused. A website that S3 serves from the bucket is reached over plain HTTP "
        "only and stops working."
    )
    group = "S3 bucket encryption and TLS"
    getter = operation("s3", "get_bucket_policy", "s3:GetBucketPolicy")
    setter = operation("s3", "put_bucket_policy", "s3:PutBucketPolicy")
    remover = operation("s3", "delete_bucket_policy", "s3:DeleteBucketPolicy")
    also_reads = (WEBSITE_READ,)

    def found(self, answer: Mapping[str, Any]) -> Any:
        return answer["Policy"]

    def same(self, one: Any, other: Any) -> bool:
        return same_policy(one, other)

    def parameters(self, state: Any) -> Mapping[str, Any]:
        return {"Policy": state}

    def wanted(self, before: Any, request: FixRequest, session: LiveSession) -> Any:
        text = EMPTY if before is None else before
        document = parsed(text)
        require_accepted(document)
        _require_takes_policies(document, request.resource)
        after = write_like(_with_tls(document, request.resource.id), text)
        require_fits(after, MAX_POLICY)
        return after

    def show(self, properties: dict[str, Any], state: Any) -> None:
        properties["Policy"] = json.loads(state)

    def uses(self, request: FixRequest, session: LiveSession) -> list[str]:
        return website(request.resource, session)


def _with_tls(document: dict[str, Any], bucket: str) -> dict[str, Any]:
    statements = listed(document["Statement"])
    taken = {each.get("Sid") for each in statements}
    sid = next(name for name in (SID, *(f"{SID}{number}" for number in range(2, 1000))) if name not in taken)
    deny = {
        "Sid": sid,
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [bucket, f"{bucket}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    return {**document, "Statement": [*statements, deny]}


def _require_takes_policies(document: Any, bucket: Resource) -> None:
    """Raise PlanProblem where a public access block refuses every policy that is public, also with a Deny added."""
    view = View(dict(bucket.properties), "", Recorder(), "", {})
    try:
        blocked = any(block_flag(view, "BlockPublicPolicy", block) for block in BLOCKS)
    except NotKnown:
        return
    if blocked and open_grants(as_view(document).key("Policy"), own=bucket.id):
        raise PlanProblem("its policy is public and a public access block takes no such policy; close that first.")


AWS_MANAGED = "alias/aws/s3"
LOG_DELIVERY = "http://acs.amazonaws.com/groups/s3/LogDelivery"
LOG_WRITERS = {
    "logging.s3.amazonaws.com": "server access logs of S3",
    "logdelivery.elasticloadbalancing.amazonaws.com": "access logs of load balancers",
}
"""Services that cannot write their logs to a bucket encrypted with a KMS key.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html,
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html
"""


class EncryptWithKms(BucketSetting):
    """The state is the bucket's whole default encryption.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketEncryption.html
    """

    id = "aws.s3.encrypt_with_kms"
    title = "Encrypt new objects of the bucket with a KMS key"
    summary = (
        "Sets SSE-KMS with a bucket key as the default encryption. Objects that are stored already stay as they are."
    )
    breaks = (
        "Whoever reads or writes new objects needs permission to use the KMS key as well. With the AWS managed key "
        f"({AWS_MANAGED}) no other account can read them, and nobody without credentials."
    )
    group = "S3 bucket encryption and TLS"
    getter = operation("s3", "get_bucket_encryption", "s3:GetEncryptionConfiguration")
    setter = operation("s3", "put_bucket_encryption", "s3:PutEncryptionConfiguration")
    remover = operation("s3", "delete_bucket_encryption", "s3:PutEncryptionConfiguration")
    also_reads = ("s3:GetBucketPolicy", "s3:GetBucketAcl", READS_KEY)
    inputs = (
        Field(
            "kms_key",
            "KMS key",
            "The ARN, ID or alias of a symmetric key in the bucket’s region; alias/aws/s3 is AWS’s own key for S3.",
            default=AWS_MANAGED,
        ),
    )

    def found(self, answer: Mapping[str, Any]) -> Any:
        return answer["ServerSideEncryptionConfiguration"]

    def parameters(self, state: Any) -> Mapping[str, Any]:
        return {"ServerSideEncryptionConfiguration": state}

    def wanted(self, before: Any, request: FixRequest, session: LiveSession) -> Any:
        bucket, given = request.resource, request.inputs["kms_key"]
        _require_no_log_target(bucket, session)
        key = {} if given == AWS_MANAGED else {"KMSMasterKeyID": key_arn(given, bucket.region, session)}
        encryption = {"SSEAlgorithm": "aws:kms", **key}
        rules = (before or {}).get("Rules") or [{}]
        return {"Rules": [{**rules[0], "ApplyServerSideEncryptionByDefault": encryption, "BucketKeyEnabled": True}]}

    def show(self, properties: dict[str, Any], state: Any) -> None:
        rules = [
            {
                "ServerSideEncryptionByDefault": each["ApplyServerSideEncryptionByDefault"],
                "BucketKeyEnabled": each["BucketKeyEnabled"],
            }
            for each in state["Rules"]
        ]
        properties["BucketEncryption"] = {"ServerSideEncryptionConfiguration": rules}

    def uses(self, request: FixRequest, session: LiveSession) -> list[str]:
        policy = _policy(request.resource, session)
        return named_in(policy) if policy else []


def _policy(bucket: Resource, session: LiveSession) -> Any:
    answer = _ask(bucket, "get_bucket_policy", "s3:GetBucketPolicy", session)
    return parsed(answer["Policy"]) if answer else None


def _ask(bucket: Resource, operation: str, action: str, session: LiveSession) -> Mapping[str, Any] | None:
    asked = {"Bucket": bucket.name, "ExpectedBucketOwner": bucket.account}
    return session.read(aws_call("s3", operation, asked, Permission(action, bucket.id), region=bucket.region))


def _require_no_log_target(bucket: Resource, session: LiveSession) -> None:
    """Raise PlanProblem if logs are delivered to the bucket that would not arrive any more."""
    policy = _policy(bucket, session) or {}
    writers = {name for each in listed(policy.get("Statement", [])) for _, name in named(each.get("Principal"))}
    grants = (_ask(bucket, "get_bucket_acl", "s3:GetBucketAcl", session) or {}).get("Grants", ())
    if any(each["Grantee"].get("URI") == LOG_DELIVERY for each in grants):
        writers.add("logging.s3.amazonaws.com")
    if found := [what for service, what in LOG_WRITERS.items() if service in writers]:
        raise PlanProblem(f"it receives {' and '.join(found)}, which are not delivered to buckets with SSE-KMS.")


class DisableAcls(BucketSetting):
    """The state is the bucket's ownership controls. ACLs that were there count again once it is undone.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html
    """

    id = "aws.s3.disable_acls"
    title = "Disable ACLs of the bucket"
    summary = "Sets Object Ownership to BucketOwnerEnforced, so that policies alone say who may use the bucket."
    breaks = (
        "Whoever reads an object by an ACL of its own can no longer do so, and uploads that set an ACL other than "
        "bucket-owner-full-control are refused."
    )
    group = "Public S3 buckets"
    getter = operation("s3", "get_bucket_ownership_controls", "s3:GetBucketOwnershipControls")
    setter = operation("s3", "put_bucket_ownership_controls", "s3:PutBucketOwnershipControls")
    remover = operation("s3", "delete_bucket_ownership_controls", "s3:PutBucketOwnershipControls")
    also_reads = ("s3:GetBucketAcl",)

    def found(self, answer: Mapping[str, Any]) -> Any:
        return answer["OwnershipControls"]

    def parameters(self, state: Any) -> Mapping[str, Any]:
        return {"OwnershipControls": state}

    def wanted(self, before: Any, request: FixRequest, session: LiveSession) -> Any:
        acl = _ask(request.resource, "get_bucket_acl", "s3:GetBucketAcl", session)
        if acl is None:
            raise PlanProblem("it does not exist any more.")
        if others := _others(acl):
            raise PlanProblem(f"its ACL lets {', '.join(others)} in; move that into its policy and remove it first.")
        return {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}

    def show(self, properties: dict[str, Any], state: Any) -> None:
        properties["OwnershipControls"] = state


def _others(acl: Mapping[str, Any]) -> list[str]:
    """Return whom an ACL grants something beside the owner, each once."""
    grantees = [each["Grantee"] for each in acl["Grants"] if each["Grantee"].get("ID") != acl["Owner"]["ID"]]
    names = (
        each.get("URI", "").rpartition("/")[2] or each.get("DisplayName") or each.get("ID", "") for each in grantees
    )
    return list(dict.fromkeys(str(name) for name in names))
