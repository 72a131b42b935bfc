"""Fixes for settings of Amazon S3 buckets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nephoscope.domain import FixRequest, LiveSession, Resource
from nephoscope_aws_fixes.setting import Setting, operation

BUCKET = "AWS::S3::Bucket"


class BucketSetting(Setting):
    """A setting of a bucket.

    Every call names the owner, so that none reaches a bucket that another account has made under the same name since.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html
    """

    on = (BUCKET,)
    keys = ("Bucket", "ExpectedBucketOwner")

    def names(self, resource: Resource) -> dict[str, Any]:
        return {"Bucket": resource.name, "ExpectedBucketOwner": resource.account}


class BlockPublicAccess(BucketSetting):
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html"""

    id = "aws.s3.block_public_access"
    title = "Block public access to the bucket"
    summary = "Turns on all four settings of the bucket’s public access block. Its policy and ACL stay as they are."
    breaks = (
        "Whatever reads from or writes to the bucket without credentials, or through a public policy, stops working."
    )
    group = "Public S3 buckets"
    getter = operation("s3", "get_public_access_block", "s3:GetBucketPublicAccessBlock")
    setter = operation("s3", "put_public_access_block", "s3:PutBucketPublicAccessBlock")
    remover = operation("s3", "delete_public_access_block", "s3:PutBucketPublicAccessBlock")

    def found(self, answer: Mapping[str, Any]) -> Any:
        return answer["PublicAccessBlockConfiguration"]

    def wanted(self, before: Any, request: FixRequest, session: LiveSession) -> Any:
        return dict.fromkeys(
            ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
        )

    def parameters(self, state: Any) -> Mapping[str, Any]:
        return {"PublicAccessBlockConfiguration": state}

    def show(self, properties: dict[str, Any], state: Any) -> None:
        properties["PublicAccessBlockConfiguration"] = state


class EnableVersioning(BucketSetting):
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/manage-versioning-examples.html"""

    id = "aws.s3.enable_versioning"
    title = "Turn on versioning of the bucket"
    summary = "Keeps earlier versions of overwritten and deleted objects."
    breaks = "Nothing stops working. Old versions are kept and cost storage until a lifecycle rule expires them."
    group = "S3 bucket versioning"
    loses = "Undo suspends versioning: a bucket never returns to the state before it had versions."
    getter = operation("s3", "get_bucket_versioning", "s3:GetBucketVersioning")
    setter = operation("s3", "put_bucket_versioning", "s3:PutBucketVersioning")

    def found(self, answer: Mapping[str, Any]) -> Any:
        return {"Status": answer["Status"]} if "Status" in answer else None

    def wanted(self, before: Any, request: FixRequest, session: LiveSession) -> Any:
        return {"Status": "Enabled"}

    def parameters(self, state: Any) -> Mapping[str, Any]:
        return {"VersioningConfiguration": state}

    def lost(self, before: Any, after: Any) -> tuple[str, Any]:
        if before is not None:
            return "", None
        return self.loses, {"Status": "Suspended"}

    def show(self, properties: dict[str, Any], state: Any) -> None:
        properties["VersioningConfiguration"] = state
