"""Rules on the bucket of a trail."""

from __future__ import annotations

from typing import Any

from nephoscope.domain import Fail, Inventory, Resource, Severity, View, rule
from nephoscope.domain.examples import example, resource
from nephoscope_aws.access import bucket_exposure
from nephoscope_baseline.aws.cloudtrail import TRAIL, WATCHING, listed
from nephoscope_baseline.aws.s3 import BLOCK_ALL

BUCKET = "AWS::S3::Bucket"


def _logs(**properties: Any) -> list[Resource]:
    """An example's neighbour: the bucket of the trail."""
    return [resource(BUCKET, {"BucketName": "logs", **properties}, name="logs")]


ALL_BLOCKED = dict.fromkeys(("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True)
READABLE_BY_ALL = {
    "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::logs/*"}]
}
CLOSED_BUCKET: dict[str, Any] = {
    "PublicAccessBlockConfiguration": ALL_BLOCKED,
    "Policy": None,
    "Observed": {"AclGrants": [], "AccountPublicAccessBlock": None},
}
OPEN_BUCKET = {**CLOSED_BUCKET, "PublicAccessBlockConfiguration": None, "Policy": READABLE_BY_ALL}


@rule(
    "aws.cloudtrail.bucket_public",
    on=TRAIL,
    severity=Severity.CRITICAL,
    needs=(BUCKET,),
    fix="""
        1. In the S3 console, open the trail's bucket, choose Permissions, and enable all four settings of Block public
           access.
        2. Then remove the public grants from the bucket policy and the ACL as well.
    """,
    commands=f"aws s3api put-public-access-block --region={{region}} --bucket={{S3BucketName}}\n  {BLOCK_ALL}",
    link="https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html",
    good=[
        example(WATCHING, neighbours=_logs(**CLOSED_BUCKET)),
        example(WATCHING, neighbours=[]),
        example(WATCHING, neighbours=_logs(**{**OPEN_BUCKET, "PublicAccessBlockConfiguration": ALL_BLOCKED})),
    ],
    bad=[example(WATCHING, neighbours=_logs(**OPEN_BUCKET))],
)
def bucket_public(trail: View, inventory: Inventory) -> bool | Fail | None:
    """CloudTrail log bucket is public.

    The logs reveal every user name, role, IP address and activity pattern in the account. A log bucket in another
    account is checked in that account.
    """
    bucket = inventory.get(BUCKET, trail["S3BucketName"])
    if bucket is None:
        return None
    exposures = bucket_exposure(bucket)
    if not exposures:
        return True
    ways = listed([exposure.message for exposure in exposures])
    return Fail(f"Bucket '{bucket.name}': {ways}", *(exposure.at for exposure in exposures))


@rule(
    "aws.cloudtrail.bucket_logging",
    on=TRAIL,
    severity=Severity.LOW,
    needs=(BUCKET,),
    fix="""
        1. Choose another bucket in the same region for the access logs, and allow logging.s3.amazonaws.com to write to
           it.
        2. In the S3 console, open the trail's bucket, choose Properties, Server access logging, Edit, and enable it.
    """,
    commands="""
        aws s3api put-bucket-logging --region={region} --bucket={S3BucketName}
          --bucket-logging-status='{"LoggingEnabled": {"TargetBucket": "{LOG_BUCKET}",
          "TargetPrefix": "{S3BucketName}/"}}'
    """,
    inputs={"LOG_BUCKET": "another bucket in the same region that receives the logs"},
    link="https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html",
    good=[
        example(WATCHING, neighbours=_logs(LoggingConfiguration={"DestinationBucketName": "access-logs"})),
        example(WATCHING, neighbours=[]),
    ],
    bad=[
        example(WATCHING, neighbours=_logs(LoggingConfiguration=None)),
        example(WATCHING, neighbours=_logs()),
    ],
)
def bucket_logging(trail: View, inventory: Inventory) -> bool | Fail | None:
    """CloudTrail log bucket has no access logging.

    Reading or deleting the audit log should itself be logged, outside of that log. A log bucket in another account is
    checked in that account.
    """
    bucket = inventory.get(BUCKET, trail["S3BucketName"])
    if bucket is None:
        return None
    if bucket["LoggingConfiguration"] is not None:
        return True
    return Fail(f"Bucket '{bucket.name}' has no access logging", "LoggingConfiguration")
