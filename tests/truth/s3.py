"""Buckets' settings, and who can reach them through their policy. ACLs and blocks are in ``s3_blocks``."""

from __future__ import annotations

from typing import Any

from tests.truth.account import ABROAD, HOME, Truth, holds
from tests.truth.buckets import FLAGS, block_account, judged, made, put_policy, statement, unblock
from tests.truth.statements import ORG, OTHER, Statement, to_anyone, to_known


def _rule(id: str, status: str, **does: Any) -> dict[str, Any]:
    return {"ID": id, "Status": status, "Filter": {"Prefix": ""}, **(does or {"Expiration": {"Days": 30}})}


ABORT = {"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7}}
LIFECYCLES = {
    "expires": ([_rule("a", "Enabled")], True),
    "second-expires": ([_rule("a", "Disabled"), _rule("b", "Enabled")], True),
    "aborts": ([_rule("a", "Enabled", **ABORT)], True),
    "paused": ([_rule("a", "Disabled")], False),
    "all-paused": ([_rule("a", "Disabled"), _rule("b", "Disabled", **ABORT)], False),
}
ALGORITHMS = {
    "managed": ({"SSEAlgorithm": "AES256"}, False),
    "kms": ({"SSEAlgorithm": "aws:kms"}, True),
    "kms-with-key": ({"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "arn:aws:kms:us-east-1:300000000000:key/k"}, True),
    "kms-twice": ({"SSEAlgorithm": "aws:kms:dsse"}, True),
}


@holds()
def settings(truth: Truth) -> None:
    """One bucket for each setting and each form of it. https://docs.aws.amazon.com/securityhub/latest/userguide/s3-controls.html"""
    s3 = truth.client("s3")
    truth.judged(truth.cloud.account, fails="account_bpa")
    for name, region in (("new", HOME), ("new-abroad", ABROAD)):
        judged(truth, made(truth, name, region))
    for name, (rules, right) in LIFECYCLES.items():
        bucket = made(truth, name)
        s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": rules})
        judged(truth, bucket, passes="lifecycle" * right)
    for name, (algorithm, right) in ALGORITHMS.items():
        bucket = made(truth, name)
        rules = [{"ApplyServerSideEncryptionByDefault": algorithm}]
        s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": rules})
        judged(truth, bucket, passes="kms" * right)
    for status in ("Enabled", "Suspended"):
        bucket = made(truth, f"versions-{status.lower()}")
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": status})
        judged(truth, bucket, passes="versioning" * (status == "Enabled"))
    for owner in ("BucketOwnerPreferred", "ObjectWriter", ""):
        bucket = made(truth, f"owner-{owner.lower() or 'unset'}")
        s3.delete_bucket_ownership_controls(Bucket=bucket)
        if owner:
            s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls={"Rules": [{"ObjectOwnership": owner}]})
        judged(truth, bucket, fails="acl_disabled")


@holds()
def more_settings(truth: Truth) -> None:
    """Logging, MFA delete, and what was set and taken back."""
    s3 = truth.client("s3")
    logs = made(truth, "logs")
    deliver = {"Principal": {"Service": "logging.s3.amazonaws.com"}, "Action": "s3:PutObject"}
    put_policy(truth, logs, [statement(**deliver)])
    judged(truth, logs)
    target = {"LoggingEnabled": {"TargetBucket": logs, "TargetPrefix": "ü/"}}
    for name, right in (("logged", True), ("logged-no-more", False)):
        bucket = made(truth, name)
        s3.put_bucket_logging(Bucket=bucket, BucketLoggingStatus=target)
        if not right:
            s3.put_bucket_logging(Bucket=bucket, BucketLoggingStatus={})
        judged(truth, bucket, passes="logging" * right)
    for status, right in (("Enabled", True), ("Disabled", False)):
        bucket = made(truth, f"mfa-{status.lower()}")
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        truth.patch("bucket", name=bucket, mfa_delete=status)
        judged(truth, bucket, passes="versioning" + " mfa_delete" * right)
    bucket = made(truth, "reset")
    rules = [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}]
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": rules})
    s3.delete_bucket_encryption(Bucket=bucket)
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": [_rule("a", "Enabled")]})
    s3.delete_bucket_lifecycle(Bucket=bucket)
    judged(truth, bucket)
    truth.judged(truth.cloud.account, fails="account_bpa")


# -- The public ------------------------------------------------------------------------------------------------------

BOTH = ["BUCKET", "BUCKET/*"]
NOT_ORG = {"StringNotEquals": {"aws:PrincipalOrgID": ORG}}
DENY: Statement = {"Effect": "Deny", "Principal": "*", "Condition": NOT_ORG}


def _deny(**members: Any) -> Statement:
    """A Deny of everything in the bucket to all but the organization, with other members."""
    return {**DENY, "Action": "s3:*", "Resource": BOTH, **members}


READ, WRITE, ADMIN = "public_read", "public_write", "public_write cross_account"

WAYS: dict[str, tuple[list[Statement], str]] = {
    "list": ([statement(Action="s3:ListBucket", Resource="BUCKET")], READ),
    "capitals": ([statement(Action="S3:GETOBJECT")], READ),
    "gets": ([statement(Action=["s3:Get*"])], READ),
    "acl-of-object": ([statement(Action="s3:GetObjectAcl")], READ),
    "put": ([statement(Action="s3:PutObject")], WRITE),
    "put-and-get": ([statement(Action=["s3:PutObject", "s3:GetObjectVersion"])], f"{READ} {WRITE}"),
    "delete": ([statement(Action="s3:DeleteObject*")], WRITE),
    "object-acl": ([statement(Action="s3:PutObjectAcl")], ADMIN),
    "policy": ([statement(Action="s3:PutBucketPolicy", Resource="BUCKET")], ADMIN),
    "everything": ([statement(Action="*", Resource=BOTH)], f"{READ} {ADMIN}"),
    "all-of-s3": ([statement(Action="s3:*", Resource=BOTH)], f"{READ} {ADMIN}"),
    "all-but-get": ([statement(NotAction=["s3:Get*", "s3:List*"], Resource=BOTH)], ADMIN),
    "elsewhere": ([statement(NotResource="BUCKET/private/*")], READ),
    "one-folder": ([statement(Resource="BUCKET/public/*")], READ),
    "second-statement": ([statement(Principal={"AWS": OTHER}), statement()], READ),
    "login": ([statement(Principal={"Federated": "graph.facebook.com"})], READ),
    "referer": ([statement(Condition={"StringLike": {"aws:Referer": "https://www.example.com/*"}})], READ),
    "half-denied": ([statement(Resource=BOTH), {**DENY, "Action": "s3:*", "Resource": "BUCKET"}], READ),
    "other-denied": ([statement(), {**DENY, "Action": "s3:ListBucket", "Resource": "BUCKET"}], READ),
    "denied-but-get": ([statement(), {**DENY, "NotAction": "s3:GetObject", "Resource": BOTH}], READ),
    "denied-elsewhere": ([statement(), {**DENY, "Action": "s3:*", "NotResource": "BUCKET/*"}], READ),
    "denied-to-one": ([statement(), _deny(Principal={"AWS": OTHER})], READ),
    "denied-in-a-folder": ([statement(), _deny(Resource="BUCKET/private/*")], READ),
    "denied-without-org": ([statement(), _deny(Condition={"Null": {"aws:PrincipalOrgID": "true"}})], READ),
    "denied-when-not-anonymous": (
        [statement(), _deny(Condition={"ForAnyValue:StringNotEquals": {"aws:PrincipalOrgID": ORG}})],
        READ,
    ),
    "denied-to-own": ([statement(), _deny(Condition={"StringEquals": {"aws:PrincipalOrgID": ORG}})], READ),
    "denied-from-half": ([statement(), _deny(Condition={"NotIpAddress": {"aws:SourceIp": "0.0.0.0/1"}})], READ),
    "tagged-objects": ([statement(Condition={"StringEquals": {"s3:ExistingObjectTag/public": "yes"}})], READ),
    "with-prefix": (
        [statement(Action="s3:ListBucket", Resource="BUCKET", Condition={"StringLike": {"s3:prefix": "public/*"}})],
        READ,
    ),
    "with-acl": ([statement(Action="s3:PutObject", Condition={"StringEquals": {"s3:x-amz-acl": "private"}})], WRITE),
    "presigned": ([statement(Condition={"StringEquals": {"s3:authType": "REST-QUERY-STRING"}})], READ),
    "denied-in-part": (
        [
            statement(Action=["s3:GetObject", "s3:PutObject"]),
            {**DENY, "Action": "s3:PutObject", "Resource": "BUCKET/*"},
        ],
        READ,
    ),
    "no-http": (
        [
            statement(),
            _deny(Condition={"Bool": {"aws:SecureTransport": "false"}}),
        ],
        f"{READ} -tls_only",
    ),
}
"""Statements, and what fails because of them; ``-`` is before what passes because of them."""

CLOSED: dict[str, list[Statement]] = {
    "others-denied": [statement(), {**DENY, "Action": "s3:*", "Resource": BOTH}],
    "denied-in-capitals": [statement(), {**DENY, "Action": "S3:GetObject", "Resource": "BUCKET/*"}],
    "denied-all-but-put": [statement(), {**DENY, "NotAction": "s3:PutObject", "Resource": BOTH}],
    "denied-all-but-folder": [
        statement(Resource="BUCKET/a/*"),
        {**DENY, "Action": "s3:*", "NotResource": "BUCKET/b/*"},
    ],
    "denied-from-elsewhere": [statement(), _deny(Condition={"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}})],
    "denied-from-other-endpoints": [
        statement(),
        _deny(Condition={"StringNotEquals": {"aws:SourceVpce": ["vpce-0a1b2c3d", "vpce-4e5f6071"]}}),
    ],
    "denied-to-other-roles": [
        statement(),
        _deny(Condition={"ArnNotLike": {"aws:PrincipalArn": f"arn:aws:iam::{OTHER}:role/*"}}),
    ],
    "denied-to-other-sessions": [
        statement(),
        _deny(Condition={"StringNotLike": {"aws:userId": ["AROAEXAMPLEID4EXAMPLE:*", OTHER]}}),
    ],
    "denied-also-without-org": [statement(), _deny(Condition={"StringNotEqualsIfExists": {"aws:PrincipalOrgID": ORG}})],
    "denied-as-data-perimeter": [
        statement(),
        _deny(Condition={**NOT_ORG, "BoolIfExists": {"aws:PrincipalIsAWSService": "false"}}),
    ],
    "distribution-of-old": [
        statement(Principal={"AWS": "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1EXAMPLE2"})
    ],
    "denied-by-two": [
        statement(Action=["s3:GetObject", "s3:ListBucket"], Resource=BOTH),
        {**DENY, "Action": "s3:GetObject", "Resource": "BUCKET/*"},
        {**DENY, "Action": "s3:ListBucket", "Resource": "BUCKET"},
    ],
    "denied-by-two-actions": [
        statement(Action=["s3:GetObject", "s3:GetObjectVersion"]),
        {**DENY, "Action": "s3:GetObject", "Resource": BOTH},
        {**DENY, "Action": "s3:GetObjectVersion", "Resource": BOTH},
    ],
    "denied-by-name": [
        statement(),
        {"Effect": "Deny", "NotPrincipal": {"AWS": f"arn:aws:iam::{OTHER}:root"}, "Action": "s3:*", "Resource": BOTH},
    ],
    "denied-whole": [statement(), {"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "s3:Get*", "Resource": BOTH}],
    "from-office": [statement(Condition={"IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "2001:db8::/32"]}})],
    "from-distribution": [statement(Principal={"Service": "cloudfront.amazonaws.com"})],
    "from-own-points": [statement(Condition={"StringEquals": {"s3:DataAccessPointAccount": OTHER}})],
}


@holds()
def public_policies(truth: Truth) -> None:
    """Buckets without a block whose policy lets the world in, or seems to."""
    truth.judged(truth.cloud.account, fails="account_bpa")
    for name, each in to_anyone(truth.cloud.account).items():
        _with_policy(truth, name, [_about_objects(each)], READ)
    for name, each in to_known(truth.cloud.account).items():
        _with_policy(truth, name, [_about_objects(each)], "")
    for name, (statements, said) in WAYS.items():
        _with_policy(truth, name, statements, said)
    for name, statements in CLOSED.items():
        _with_policy(truth, name, statements, "")


def _about_objects(each: Statement) -> Statement:
    return {"Action": "s3:GetObject", "Resource": "BUCKET/*", **each}


def _with_policy(truth: Truth, name: str, statements: list[Statement], said: str) -> None:
    bucket = made(truth, name)
    unblock(truth, bucket)
    put_policy(truth, bucket, statements, alone=len(statements) == 1 and "o" in name)
    passes = " ".join(rule[1:] for rule in said.split() if rule[0] == "-")
    fails = " ".join({*said.split()} - {f"-{rule}" for rule in passes.split()})
    judged(truth, bucket, fails=f"bucket_bpa {fails}", passes=passes)


@holds()
def hidden_buckets(truth: Truth) -> None:
    """One part after the other could not be read; what the others settle stays settled."""
    hidden = {
        "GetBucketPolicy": "public_read public_write tls_only cross_account",
        "GetBucketAcl": "public_read public_write",
        "GetBucketOwnershipControls": "acl_disabled",
        "GetBucketPublicAccessBlock": "bucket_bpa",
        "GetEncryptionConfiguration": "kms",
        "GetBucketVersioning": "versioning mfa_delete",
        "GetBucketLogging": "logging",
        "GetLifecycleConfiguration": "lifecycle",
    }
    for action, unknown in hidden.items():
        bucket = made(truth, action.lower())
        if action in ("GetBucketPolicy", "GetBucketAcl"):
            unblock(truth, bucket)
            truth.client("s3").delete_bucket_ownership_controls(Bucket=bucket)
        fails = "bucket_bpa acl_disabled" if action in ("GetBucketPolicy", "GetBucketAcl") else ""
        judged(truth, bucket, fails=fails, unknown=unknown)
        truth.cloud.control("deny", actions=[f"s3:{action}"], resources=[f"arn:aws:s3:::{bucket}"])
    blocked = made(truth, "blocked")
    judged(truth, blocked, unknown="tls_only cross_account")
    truth.cloud.control("deny", actions=["s3:GetBucketPolicy"], resources=[f"arn:aws:s3:::{blocked}"])
    truth.judged(truth.cloud.account, fails="account_bpa")


@holds()
def hidden_lists(truth: Truth) -> None:
    made(truth, "one")
    block_account(truth, dict.fromkeys(FLAGS, True))
    truth.cloud.control(
        "deny", actions=["s3:ListAllMyBuckets", "s3:GetAccountPublicAccessBlock", "s3:ListAccessPoints"]
    )
    everything = "public_read public_write tls_only cross_account acl_disabled bucket_bpa kms versioning mfa_delete"
    for share in (0, 1):  # buckets are read in two shares
        truth.judged(f"unlisted:AWS::S3::Bucket:global:{share}", unknown=f"{everything} logging lifecycle")
    truth.judged(truth.cloud.account, unknown="account_bpa")
    for region in (HOME, ABROAD):
        truth.judged(f"unlisted:AWS::S3::AccessPoint:{region}:0", unknown="access_point_bpa")
