"""What the accounts with buckets are made of. Names are the simulator's and AWS's, whoever owns the bucket."""

from __future__ import annotations

import json
from typing import Any

from tests.truth.account import HOME, Truth
from tests.truth.statements import Statement

FLAGS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
OWNER = "75aa57f09aa0c8caeab4f8c24e99d10f8e7faeebf76c078efc7c6caea54ba06a"
"""The canonical user of whoever owns a bucket."""
COMPLETE = dict.fromkeys(FLAGS, True)
NEW = "logging versioning mfa_delete kms lifecycle tls_only"
"""What fails on a bucket that nobody set anything of."""
ON_BUCKET = {*NEW.split(), "bucket_bpa", "acl_disabled", "public_read", "public_write", "cross_account"}


def made(truth: Truth, name: str, region: str = HOME) -> str:
    """Make a bucket, blocked and encrypted as AWS makes them, and return its whole name."""
    where = {} if region == HOME else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    truth.client("s3", region).create_bucket(Bucket=f"{name}-{truth.cloud.account}", **where)
    return f"{name}-{truth.cloud.account}"


def put_policy(truth: Truth, bucket: str, statements: list[Statement], *, alone: bool = False) -> None:
    """Put a policy; ``BUCKET`` in it stands for the bucket's ARN. A single statement may stand without a list."""
    document = {"Version": "2012-10-17", "Statement": statements[0] if alone else statements}
    text = json.dumps(document).replace("BUCKET", f"arn:aws:s3:::{bucket}")
    truth.client("s3").put_bucket_policy(Bucket=bucket, Policy=text)


def unblock(truth: Truth, bucket: str, block: dict[str, bool] | None = None) -> None:
    """Take a bucket's public access block away, or put another one."""
    s3 = truth.client("s3")
    s3.delete_public_access_block(Bucket=bucket)
    if block is not None:
        s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=block)


def block_account(truth: Truth, block: dict[str, bool]) -> None:
    truth.client("s3control").put_public_access_block(
        AccountId=truth.cloud.account, PublicAccessBlockConfiguration=block
    )


def judged(truth: Truth, bucket: str, *, fails: str = "", passes: str = "", unknown: str = "") -> None:
    """Say of a bucket what differs from a new one; ``passes`` are of what fails there."""
    failing = ({*NEW.split()} | {*fails.split()}) - {*passes.split()} - {*unknown.split()}
    passing = ON_BUCKET - failing - {*unknown.split()}
    truth.judged(bucket, fails=" ".join(failing), passes=" ".join(passing), unknown=unknown)


def statement(**members: Any) -> Statement:
    """An Allow for reading objects, with other members."""
    allow = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "BUCKET/*"}
    if "NotPrincipal" in members:
        del allow["Principal"]
    if "NotAction" in members:
        del allow["Action"]
    if "NotResource" in members:
        del allow["Resource"]
    return {**allow, **members}
