"""Bucket policies that must refuse unencrypted HTTP, and must not let other accounts administer the bucket."""

from __future__ import annotations

import json
from typing import Any

from tests.truth.account import Truth, holds
from tests.truth.buckets import COMPLETE, OWNER, block_account, judged, made, put_policy, statement
from tests.truth.statements import ORG, OTHER, Statement

BOTH = ["BUCKET", "BUCKET/*"]
HTTP: Statement = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:*",
    "Resource": BOTH,
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}


def _http(*left_out: str, **members: Any) -> Statement:
    return {name: value for name, value in {**HTTP, **members}.items() if name not in left_out}


def _if(**operators: Any) -> dict[str, Any]:
    return {"Condition": operators}


PLAIN: dict[str, list[Statement]] = {
    "aws-star": [_http(Principal={"AWS": "*"})],
    "star-list": [_http(Principal={"AWS": ["*"]})],
    "all-actions": [_http(Action="*")],
    "capitals": [_http(Action="S3:*")],
    "action-list": [_http(Action=["s3:GetObject", "s3:*"])],
    "any-resource": [_http(Resource="*")],
    "all-arns": [_http(Resource="arn:aws:s3:::*")],
    "prefix": [_http(Resource="BUCKET*")],
    "two-statements": [_http(Resource="BUCKET"), _http(Resource="BUCKET/*")],
    "halves-by-action": [_http("Action", NotAction="s3:GetObject"), _http(Action="s3:GetObject")],
    "halves-by-resource": [_http("Resource", NotResource="BUCKET/a/*"), _http(Resource="BUCKET/a/*")],
    "beside-others": [statement(Principal={"AWS": OTHER}), _http()],
    "false-as-false": [_http(**_if(Bool={"aws:SecureTransport": False}))],
    "false-in-list": [_http(**_if(Bool={"aws:SecureTransport": ["false"]}))],
    "key-in-other-case": [_http(**_if(bool={"AWS:securetransport": "false"}))],
    "if-there": [_http(**_if(BoolIfExists={"aws:SecureTransport": "false"}))],
    "two-actions": [_http(Action=["s3:Get*", "s3:List*"]), _http(Action="s3:*")],
}
"""What refuses plain HTTP from anybody to the bucket and to everything in it."""

NOT_PLAIN: dict[str, list[Statement]] = {
    "objects-only": [_http(Resource="BUCKET/*")],
    "bucket-only": [_http(Resource="BUCKET")],
    "one-folder": [_http(Resource=["BUCKET", "BUCKET/private/*"])],
    "reads-only": [_http(Action=["s3:Get*", "s3:List*"])],
    "one-action": [_http(Action="s3:GetObject")],
    "halves-with-a-gap": [_http("Action", NotAction=["s3:GetObject", "s3:PutObject"]), _http(Action="s3:GetObject")],
    "reads-excepted": [_http("Action", NotAction="s3:GetObject")],
    "objects-excepted": [_http("Resource", NotResource="BUCKET/*")],
    "one-account": [_http(Principal={"AWS": f"arn:aws:iam::{OTHER}:root"})],
    "a-service": [_http(Principal={"Service": "cloudfront.amazonaws.com"})],
    "all-but-one": [_http("Principal", NotPrincipal={"AWS": f"arn:aws:iam::{OTHER}:root"})],
    "turned-round": [_http(**_if(Bool={"aws:SecureTransport": "true"}))],
    "not-a-switch": [_http(**_if(StringEquals={"aws:SourceVpc": "vpc-0a1b2c3d"}))],
    "narrowed": [_http(**_if(Bool={"aws:SecureTransport": "false"}, StringEquals={"aws:SourceVpc": "vpc-0a1b2c3d"}))],
    "narrowed-by-org": [
        _http(**_if(Bool={"aws:SecureTransport": "false"}, StringNotEquals={"aws:PrincipalOrgID": ORG}))
    ],
    "null": [_http(**_if(Null={"aws:SecureTransport": "true"}))],
    "old-tls": [_http(**_if(NumericLessThan={"s3:TlsVersion": "1.2"}))],
    "allowed-with-tls": [_http(Effect="Allow", **_if(Bool={"aws:SecureTransport": "true"}), Principal={"AWS": OTHER})],
}


@holds()
def plain_http(truth: Truth) -> None:
    """https://docs.aws.amazon.com/securityhub/latest/userguide/s3-controls.html#s3-5"""
    block_account(truth, COMPLETE)
    truth.judged(truth.cloud.account, passes="account_bpa")
    for name, statements in PLAIN.items():
        bucket = made(truth, name)
        put_policy(truth, bucket, statements, alone=name == "capitals")
        judged(truth, bucket, passes="tls_only")
    for name, statements in NOT_PLAIN.items():
        bucket = made(truth, name)
        put_policy(truth, bucket, statements, alone=name == "reads-only")
        strangers = "cross_account" if name == "allowed-with-tls" else ""
        judged(truth, bucket, fails=strangers)


def _to(who: Any, action: Any, **more: Any) -> Statement:
    return statement(Principal=who, Action=action, Resource=BOTH, **more)


STRANGER = {"AWS": f"arn:aws:iam::{OTHER}:root"}
BLACKLISTED = (
    "s3:DeleteBucketPolicy",
    "s3:PutBucketAcl",
    "s3:PutBucketPolicy",
    "s3:PutEncryptionConfiguration",
    "s3:PutObjectAcl",
)
"""The actions of Security Hub's S3.6: https://docs.aws.amazon.com/securityhub/latest/userguide/s3-controls.html#s3-6"""

ADMINS: dict[str, list[Statement]] = {
    **{action[3:].lower(): [_to(STRANGER, action)] for action in BLACKLISTED},
    "number": [_to({"AWS": OTHER}, "s3:*")],
    "role": [_to({"AWS": f"arn:aws:iam::{OTHER}:role/deploy"}, "s3:*")],
    "second-of-list": [_to({"AWS": ["OWN", OTHER]}, ["s3:GetObject", "S3:putbucket*"])],
    "second-statement": [_to({"AWS": "OWN"}, "s3:*"), _to(STRANGER, "*")],
    "all-but-get": [_to(STRANGER, [])],
    "canonical": [_to({"CanonicalUser": "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"}, "s3:*")],
    "taken-back-in-part": [_to(STRANGER, "s3:*"), _to(STRANGER, "s3:PutBucket*", Effect="Deny")],
    "taken-from-another": [_to(STRANGER, "s3:*"), _to({"AWS": "111122223333"}, "s3:*", Effect="Deny")],
    "with-mfa": [_to(STRANGER, "s3:*", **_if(Bool={"aws:MultiFactorAuthPresent": "true"}))],
}
NO_ADMINS: dict[str, list[Statement]] = {
    "data": [_to(STRANGER, ["s3:GetObject", "s3:PutObject", "s3:ListBucket", "s3:DeleteObject"])],
    "own": [_to({"AWS": "OWN"}, "s3:*")],
    "own-role": [_to({"AWS": "arn:aws:iam::OWN:role/admin"}, "s3:*")],
    "own-canonical": [_to({"CanonicalUser": OWNER}, "s3:*")],
    "taken-back": [_to(STRANGER, "s3:*"), _to(STRANGER, list(BLACKLISTED), Effect="Deny")],
    "taken-from-all-others": [
        _to(STRANGER, "s3:*"),
        _to("*", "s3:*", Effect="Deny", **_if(StringNotEquals={"aws:PrincipalAccount": "OWN"})),
    ],
    "refused": [_to(STRANGER, "s3:*", Effect="Deny")],
    "delivery": [_to({"Service": "logging.s3.amazonaws.com"}, "s3:*")],
    "own-by-condition": [_to("*", "s3:*", **_if(StringEquals={"aws:PrincipalAccount": "OWN"}))],
    "reads": [_to(STRANGER, ["s3:Get*", "s3:List*", "s3:PutObject", "s3:PutObjectTagging"])],
}


@holds()
def other_accounts(truth: Truth) -> None:
    """Who can change the bucket's protection from another account, and who only looks so."""
    block_account(truth, COMPLETE)
    truth.judged(truth.cloud.account, passes="account_bpa")
    for fails, table in (("cross_account", ADMINS), ("", NO_ADMINS)):
        for name, statements in table.items():
            bucket = made(truth, name)
            put_policy(truth, bucket, [_owned(each, truth.cloud.account) for each in statements])
            judged(truth, bucket, fails=fails)


def _owned(each: Statement, own: str) -> Statement:
    """Put the account's number where ``OWN`` stands, and leave the actions out where there are none to name."""
    found: Statement = json.loads(json.dumps(each).replace("OWN", own))
    if found["Action"] == []:
        del found["Action"]
        found["NotAction"] = "s3:GetObject"
    return found
