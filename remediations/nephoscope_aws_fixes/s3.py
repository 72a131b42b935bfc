"""Fixes for settings of Amazon S3 buckets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nephoscope.domain import FixRequest, LiveSession, Permission, Resource
from nephoscope_aws.access import BLOCK_FLAGS
from nephoscope_aws.call import aws_call
from nephoscope_aws_fixes.setting import Setting, operation

BUCKET = "AWS::S3::Bucket"
WEBSITE_READ = "s3:GetBucketWebsite"

MAX_POLICY = 20_480
"""Bytes of a bucket policy: https://docs.aws.amazon.com/AmazonS3/latest/userguide/add-bucket-policy.html"""


class BucketSetting(Setting):
    """A setting of a bucket.

    Every call names the owner, so that none reaches a bucket that another account has made under the same name since.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html
    """

    on = (BUCKET,)
    keys = ("Bucket", "ExpectedBucketOwner")

    def names(self, resource: Resource) -> dict[str, Any]:
        return {"Bucket": resource.name, "ExpectedBucketOwner": resource.account}


def website(bucket: Resource, session: LiveSession) -> list[str]:
    """Say whether a bucket serves a website, which is read without credentials and over plain HTTP."""
    asked = {"Bucket": bucket.name, "ExpectedBucketOwner": bucket.account}
    read = aws_call("s3", "get_bucket_website", asked, Permission(WEBSITE_READ, bucket.id), region=bucket.region)
    return ["It serves a website, which stops."] if session.read(read) else []


class PublicAccessBlock(Setting):
    """All four settings of a public access block."""

    group = "Public S3 buckets"

    def found(self, answer: Mapping[str, Any]) -> Any:
        return answer["PublicAccessBlockConfiguration"]

    def wanted(self, before: Any, request: FixRequest, session: LiveSession) -> Any:
        return dict.fromkeys(BLOCK_FLAGS, True)

    def parameters(self, state: Any) -> Mapping[str, Any]:
        return {"PublicAccessBlockConfiguration": state}

    def show(self, properties: dict[str, Any], state: Any) -> None:
        properties["PublicAccessBlockConfiguration"] = state


class BlockAccount(PublicAccessBlock):
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/configuring-block-public-access-account.html"""

    id = "aws.s3.block_account"
    title = "Block public access to all buckets of the account"
    summary = (
        "Turns on all four settings of the account’s public access block, for every bucket there is and will be. "
        "Policies and ACLs stay as they are."
    )
    breaks = (
        "Every bucket of the account that is public on purpose stops being so: websites, public downloads, and "
        "whatever reaches a bucket through a public policy or a public access point."
    )
    on = ("AWS::::Account",)
    keys = ("AccountId",)
    getter = operation("s3control", "get_public_access_block", "s3:GetAccountPublicAccessBlock", anywhere=True)
    setter = operation("s3control", "put_public_access_block", "s3:PutAccountPublicAccessBlock", anywhere=True)
    remover = operation("s3control", "delete_public_access_block", "s3:PutAccountPublicAccessBlock", anywhere=True)

    def names(self, resource: Resource) -> dict[str, Any]:
        return {"AccountId": resource.account}


class BlockPublicAccess(PublicAccessBlock, BucketSetting):
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html"""

    id = "aws.s3.block_public_access"
    title = "Block public access to the bucket"
    summary = "Turns on all four settings of the bucket’s public access block. Its policy and ACL stay as they are."
    breaks = (
        "Whatever reads from or writes to the bucket without credentials, or through a public policy, stops working."
    )
    getter = operation("s3", "get_public_access_block", "s3:GetBucketPublicAccessBlock")
    setter = operation("s3", "put_public_access_block", "s3:PutBucketPublicAccessBlock")
    remover = operation("s3", "delete_public_access_block", "s3:PutBucketPublicAccessBlock")
    also_reads = (WEBSITE_READ,)

    def uses(self, request: FixRequest, session: LiveSession) -> list[str]:
        return website(request.resource, session)


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
