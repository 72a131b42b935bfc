"""S3 buckets: every way to be public, and every way to look public and not be."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from nephoscope_aws_simulator.company.cloud import EUROPE, HOME, PACIFIC, Cloud, odd, tag_list

_PARTNER = "555566667777"
_EVERYBODY: Any = "*"
_BLOCKED = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": True,
    "BlockPublicPolicy": True,
    "RestrictPublicBuckets": True,
}


@dataclass(frozen=True)
class Bucket:
    """One bucket. By default as AWS makes it today: blocked, owner enforced, encrypted by S3's own key."""

    name: str
    region: str = HOME
    statements: Any = ()
    """Statements of the policy, or one bare object; `$` stands for the bucket's ARN."""
    blocked: bool | dict[str, bool] = True
    acl: str = ""
    key: str = ""
    logs_to: str = ""
    versioning: str = ""
    lifecycle: bool = False
    website: bool = False
    environment: str = "production"
    owner: str = "platform@northwind.example"
    tags: dict[str, str] = field(default_factory=dict)


def _allow(principal: Any, action: Any = "s3:GetObject", resource: str = "$/*", **condition: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": principal, "Action": action, "Resource": resource}
    return statement | ({"Condition": condition} if condition else {})


_TLS_ONLY = {
    "Sid": "TlsOnly",
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:*",
    "Resource": ["$", "$/*"],
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}
_NOT_PRINCIPAL = {
    "Effect": "Allow",
    "NotPrincipal": {"AWS": "arn:aws:iam::123456789012:user/ivan.petrov"},
    "Action": "s3:GetObject",
    "Resource": "$/*",
}
_LOG_DELIVERY = _allow(
    {"Service": "logging.s3.amazonaws.com"}, "s3:PutObject", StringEquals={"aws:SourceAccount": "123456789012"}
)
_TRAIL = {"Service": "cloudtrail.amazonaws.com"}
_TRAIL_SOURCE = {"aws:SourceArn": f"arn:aws:cloudtrail:{HOME}:123456789012:trail/northwind-audit"}
# About 18 KB, of the 20 KB that AWS allows: one statement for each warehouse that ever was
_LONG = tuple(
    _allow({"AWS": f"arn:aws:iam::{_PARTNER}:role/warehouse-{n:03}-export"}, "s3:PutObject", f"$/warehouse-{n:03}/*")
    for n in range(94)
)
_RIGHT: dict[str, Any] = {"logs_to": "northwind-access-logs", "versioning": "Enabled", "lifecycle": True}
_RIGHT_EU = _RIGHT | {"logs_to": "northwind-access-logs-eu", "region": EUROPE, "key": "northwind-orders-eu"}

BUCKETS = (
    # log targets first, because logging to a bucket that is not there is refused
    Bucket("northwind-access-logs", statements=(_TLS_ONLY, _LOG_DELIVERY), lifecycle=True),
    Bucket("northwind-access-logs-eu", EUROPE, statements=(_TLS_ONLY, _LOG_DELIVERY), lifecycle=True),
    # right in every way
    Bucket("northwind-invoices", statements=(_TLS_ONLY,), key="northwind-orders", **_RIGHT),
    Bucket(
        "northwind-payroll",
        statements=(_TLS_ONLY,),
        key="northwind-orders",
        owner="finance@northwind.example",
        **_RIGHT,
    ),
    Bucket("northwind-orders-eu", statements=(_TLS_ONLY,), **_RIGHT_EU),
    Bucket(
        "northwind-cloudtrail-logs",
        statements=(
            _TLS_ONLY,
            _allow(_TRAIL, "s3:GetBucketAcl", "$", StringEquals=_TRAIL_SOURCE),
            _allow(_TRAIL, "s3:PutObject", "$/AWSLogs/123456789012/*", StringEquals=_TRAIL_SOURCE),
        ),
        key="northwind-trail",
        **_RIGHT,
    ),
    # public
    Bucket("northwind-public-assets", statements=(_allow(_EVERYBODY),), blocked=False, owner="web@northwind.example"),
    Bucket("northwind-open-tariffs", statements=(_allow({"AWS": ["*"]}),), blocked=False),
    Bucket("northwind-driver-manuals", EUROPE, statements=_allow({"AWS": "*"}), blocked=False),
    Bucket("northwind-claims-archive", statements=(_NOT_PRINCIPAL,), blocked=False),
    Bucket(
        "northwind-tracking-export",
        statements=(_allow(_EVERYBODY, IpAddress={"aws:SourceIp": ["203.0.113.0/24", "0.0.0.0/0"]}),),
        blocked=False,
    ),
    Bucket("northwind-returns-photos", EUROPE, statements=(_allow(_EVERYBODY, "s3:PutObject"),), blocked=False),
    Bucket("northwind-marketing-site", PACIFIC, statements=(_allow(_EVERYBODY),), blocked=False, website=True),
    Bucket("northwind-legacy-uploads", acl="public-read", blocked=False, owner=odd("unknown")),
    Bucket("northwind-supplier-dropbox", EUROPE, acl="authenticated-read", blocked=False),
    # these look public and are not
    Bucket("northwind-press-kit", statements=(_allow(_EVERYBODY),)),
    Bucket("northwind-legacy-mirror", acl="public-read", blocked={"IgnorePublicAcls": True, "BlockPublicAcls": True}),
    Bucket(
        "northwind-partner-feeds",
        statements=(_allow(_EVERYBODY, StringEquals={"aws:PrincipalOrgID": "o-a1b2c3d4e5"}),),
        blocked=False,
    ),
    Bucket(
        "northwind-carrier-events",
        EUROPE,
        statements=(_allow(_EVERYBODY, "s3:PutObject", StringEquals={"aws:SourceAccount": _PARTNER}),),
        blocked=False,
    ),
    Bucket(
        "northwind-build-artifacts",
        statements=(_allow(_EVERYBODY, StringEquals={"aws:SourceVpc": "vpc-0a1b2c3d4e5f60718"}),),
        blocked=False,
        environment="development",
    ),
    Bucket(
        "northwind-office-scans",
        statements=(_allow(_EVERYBODY, IpAddress={"aws:SourceIp": "203.0.113.0/24"}),),
        blocked=False,
    ),
    # private, with smaller faults
    Bucket("northwind-customs-exchange", EUROPE, statements=(_allow({"AWS": f"arn:aws:iam::{_PARTNER}:root"}),)),
    Bucket("northwind-backup-2019", statements=_LONG, blocked=False, environment="archive"),
    Bucket("northwind-terraform-state", versioning="Enabled", environment="development"),
    Bucket("northwind-warehouse-telemetry", PACIFIC, versioning="Suspended", blocked={"BlockPublicAcls": True}),
    Bucket("northwind-trail-archive-ap", PACIFIC, blocked=False),
)


def _policy(bucket: Bucket) -> str:
    text = json.dumps({"Version": "2012-10-17", "Statement": bucket.statements})
    return text.replace('"$', f'"arn:aws:s3:::{bucket.name}')


def _open(s3: Any, bucket: Bucket) -> None:
    """Policy and ACL, with the public access block out of their way, and the block that is to stay."""
    s3.delete_public_access_block(Bucket=bucket.name)
    if bucket.statements:
        s3.put_bucket_policy(Bucket=bucket.name, Policy=_policy(bucket))
    if bucket.acl:
        rules = {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}
        s3.put_bucket_ownership_controls(Bucket=bucket.name, OwnershipControls=rules)
        s3.put_bucket_acl(Bucket=bucket.name, ACL=bucket.acl)
    if bucket.blocked:
        some = bucket.blocked if isinstance(bucket.blocked, dict) else _BLOCKED
        s3.put_public_access_block(Bucket=bucket.name, PublicAccessBlockConfiguration=some)


def _protect(s3: Any, bucket: Bucket, keys: dict[str, str]) -> None:
    """Encryption, logging, versioning, lifecycle."""
    if bucket.key:
        default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": keys[bucket.key]}
        rule = {"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": True}
        s3.put_bucket_encryption(Bucket=bucket.name, ServerSideEncryptionConfiguration={"Rules": [rule]})
    if bucket.logs_to:
        target = {"TargetBucket": bucket.logs_to, "TargetPrefix": f"{bucket.name}/"}
        s3.put_bucket_logging(Bucket=bucket.name, BucketLoggingStatus={"LoggingEnabled": target})
    if bucket.versioning:
        s3.put_bucket_versioning(Bucket=bucket.name, VersioningConfiguration={"Status": bucket.versioning})
    if bucket.lifecycle:
        expiry = {"ID": "expire", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 400}}
        s3.put_bucket_lifecycle_configuration(Bucket=bucket.name, LifecycleConfiguration={"Rules": [expiry]})


def _make(cloud: Cloud, bucket: Bucket, keys: dict[str, str]) -> None:
    s3 = cloud.client("s3", bucket.region)
    place = {"CreateBucketConfiguration": {"LocationConstraint": bucket.region}} if bucket.region != HOME else {}
    s3.create_bucket(Bucket=bucket.name, **place)
    tags = {"Environment": bucket.environment, "Team": "platform", "Owner": bucket.owner} | bucket.tags
    s3.put_bucket_tagging(Bucket=bucket.name, Tagging={"TagSet": tag_list(**tags)})
    if bucket.statements and bucket.blocked is True and bucket.statements[0] is _TLS_ONLY:
        s3.put_bucket_policy(Bucket=bucket.name, Policy=_policy(bucket))
    elif bucket.statements or bucket.acl or bucket.blocked is not True:
        _open(s3, bucket)
    if bucket.website:
        index = {"IndexDocument": {"Suffix": "index.html"}}
        s3.put_bucket_website(Bucket=bucket.name, WebsiteConfiguration=index)
    _protect(s3, bucket, keys)


def make_buckets(cloud: Cloud, keys: dict[str, str]) -> None:
    """All buckets, the log targets before the others."""
    for bucket in BUCKETS[:2]:
        _make(cloud, bucket, keys)
    cloud.each(lambda bucket: _make(cloud, bucket, keys), BUCKETS[2:])
    cloud.made("AWS::S3::Bucket", len(BUCKETS))
