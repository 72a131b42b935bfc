"""Buckets, each with its satellites folded in.

Calls: 1 for each 1,000 buckets, 9 for each bucket, 1 for the account's public access block.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from nephoscope.domain import ALL_REGIONS, WHOLE, Resource, Service, Share
from nephoscope_aws.answers import Unavailable, Unread
from nephoscope_aws.api import Api
from nephoscope_aws.collector import Collector
from nephoscope_aws.collectors.account_wide import (
    PUBLIC_ACCESS_BLOCK_READS,
    account_public_access_block,
    public_access_block,
)
from nephoscope_aws.collectors.s3_lifecycle import lifecycle
from nephoscope_aws.collectors.shape import (
    PROBLEMS,
    Listing,
    actions,
    document,
    existing,
    moment,
    needed,
    part,
    parts,
    picked,
    tag_dict,
    tag_list,
    unreadable,
)

BUCKET = "AWS::S3::Bucket"

READS = {
    ("s3", "list_buckets"): "s3:ListAllMyBuckets",
    ("s3", "get_bucket_location"): "s3:GetBucketLocation",
    ("s3", "get_bucket_policy"): "s3:GetBucketPolicy",
    ("s3", "get_bucket_acl"): "s3:GetBucketAcl",
    ("s3", "get_public_access_block"): "s3:GetBucketPublicAccessBlock",
    ("s3", "get_bucket_encryption"): "s3:GetEncryptionConfiguration",
    ("s3", "get_bucket_versioning"): "s3:GetBucketVersioning",
    ("s3", "get_bucket_logging"): "s3:GetBucketLogging",
    ("s3", "get_bucket_ownership_controls"): "s3:GetBucketOwnershipControls",
    ("s3", "get_bucket_lifecycle_configuration"): "s3:GetLifecycleConfiguration",
    ("s3", "get_bucket_tagging"): "s3:GetBucketTagging",
    **PUBLIC_ACCESS_BLOCK_READS,
}

SYNTHETIC = {BUCKET: ("Policy",)}
"""Properties that CloudFormation has on a type of its own (AWS::S3::BucketPolicy) and that are folded in here."""

Item = dict[str, Any]
Answer = Item | None


@dataclass(frozen=True)
class _Bucket:
    name: str
    region: str
    created: str | None


@dataclass(frozen=True)
class _Aspect:
    """One call about a bucket: what it tells, and the error codes by which S3 says "there is none"."""

    operation: str
    fields: Mapping[str, Callable[[Any], Any]]
    missing: tuple[str, ...] = ()


def collect(api: Api, region: str, share: Share = WHOLE) -> Iterator[Resource]:
    """Yield all buckets of the account, wherever they are, or those of a share.

    Shares, because nine calls for each bucket are more than one process makes quickly.
    """
    listing = Listing(api.pages("s3", "list_buckets", "Buckets", MaxBuckets=1000))
    nameless: list[Resource] = []
    yield from _buckets(api, (one for one in listing if _is_of(api, share, one, nameless)))
    yield from nameless
    yield from listing.unreadable(api, ALL_REGIONS, BUCKET, share=share)


def _is_of(api: Api, share: Share, listed: Item, nameless: list[Resource]) -> bool:
    """Tell whether a listed bucket is of a share; for one without a name, a stand-in goes to ``nameless``."""
    name = listed["Name"]
    if isinstance(name, str) and name:
        return share.has(_arn(name))
    why = name.why if isinstance(name, Unread) else "list_buckets: a bucket has no name"
    nameless.append(unreadable(api, ALL_REGIONS, BUCKET, Unavailable(why), share))
    return False


def reread(api: Api, resource: Resource) -> Resource | None:
    """Read one bucket again: 11 calls."""
    found = api.pages("s3", "list_buckets", "Buckets", MaxBuckets=1000, Prefix=resource.name)
    listed = next((one for one in found if one["Name"] == resource.name), None)
    return next(_buckets(api, [listed]), None) if listed else None


def _buckets(api: Api, listed: Iterable[Item]) -> Iterator[Resource]:
    """Yield buckets as their last answer comes in; each call is a job of its own, so that many are in flight."""
    block = part(lambda: account_public_access_block(api))
    located = (bucket for bucket in api.map(lambda each: _located(api, each), listed) if bucket)
    jobs = ((bucket, aspect) for bucket in located for aspect in _ASPECTS)
    told = api.map(lambda job: (job[0], existing(lambda: _told(api, *job))), jobs)
    for bucket, answers in groupby(told, key=lambda pair: pair[0]):
        aspects = [answer for _, answer in answers]
        if None not in aspects:
            yield _resource(api, bucket, aspects, block)


def _arn(name: str) -> str:
    return f"arn:aws:s3:::{name}"


def _located(api: Api, listed: Item) -> _Bucket | None:
    """Return a listed bucket with its region, None when it is gone.

    ListBuckets tells the region when it is asked for pages; what imitates S3 may not. Where it may not be asked, S3
    sends boto3 on to the right region.
    """
    name, created = listed["Name"], moment(listed.get("CreationDate"))
    try:
        told = listed.get("BucketRegion")
        region = told if isinstance(told, str) and told else existing(lambda: _region(api, name))
    except PROBLEMS:
        region = ALL_REGIONS
    return _Bucket(name, region, created) if region else None


def _region(api: Api, name: str) -> str:
    """Return a bucket's region. https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLocation.html"""
    constraint = api.call("s3", "get_bucket_location", Bucket=name).get("LocationConstraint") or "us-east-1"
    return "eu-west-1" if constraint == "EU" else str(constraint)


def _told(api: Api, bucket: _Bucket, aspect: _Aspect) -> Item:
    def ask() -> Answer:
        return api.maybe("s3", aspect.operation, aspect.missing, region=bucket.region, Bucket=bucket.name)

    return parts(ask, aspect.fields)


def _resource(api: Api, bucket: _Bucket, aspects: Iterable[Item | None], block: Any) -> Resource:
    told = {name: value for aspect in aspects for name, value in (aspect or {}).items()}
    observed = {name: told.pop(name) for name in ("AclGrants", "MFADelete", "Owner")}
    observed |= {"AccountPublicAccessBlock": block, "CreationDate": bucket.created}
    properties = {"BucketName": bucket.name, **told, "Observed": observed}
    return Resource(
        BUCKET, _arn(bucket.name), bucket.name, bucket.region, api.account, properties, tag_dict(told["Tags"])
    )


def _encryption(answer: Answer) -> Answer:
    if not answer:
        return None
    rules = answer["ServerSideEncryptionConfiguration"]["Rules"]
    return {"ServerSideEncryptionConfiguration": [_encryption_rule(rule) for rule in rules]}


def _encryption_rule(rule: Item) -> Item:
    default = rule.get("ApplyServerSideEncryptionByDefault", {})
    return {
        "ServerSideEncryptionByDefault": picked(default, "SSEAlgorithm", "KMSMasterKeyID"),
        "BucketKeyEnabled": part(lambda: bool(rule.get("BucketKeyEnabled"))),
    }


def _logging(answer: Item) -> Answer:
    target = answer.get("LoggingEnabled")
    if not target:
        return None
    return {"DestinationBucketName": target.get("TargetBucket"), "LogFilePrefix": target.get("TargetPrefix")}


def _ownership(answer: Answer) -> Answer:
    return (
        {"Rules": [needed(rule, "ObjectOwnership") for rule in answer["OwnershipControls"]["Rules"]]}
        if answer
        else None
    )


_ASPECTS = (
    _Aspect(
        "get_bucket_policy", {"Policy": lambda it: document(it["Policy"]) if it else None}, ("NoSuchBucketPolicy",)
    ),
    _Aspect(
        "get_bucket_acl",
        {"AclGrants": lambda it: it["Grants"], "Owner": lambda it: it["Owner"].get("ID")},
    ),
    _Aspect(
        "get_public_access_block",
        {"PublicAccessBlockConfiguration": public_access_block},
        ("NoSuchPublicAccessBlockConfiguration",),
    ),
    _Aspect(
        "get_bucket_encryption", {"BucketEncryption": _encryption}, ("ServerSideEncryptionConfigurationNotFoundError",)
    ),
    _Aspect(
        "get_bucket_versioning",
        {
            "VersioningConfiguration": lambda it: {"Status": it["Status"]} if it.get("Status") else None,
            "MFADelete": lambda it: it.get("MFADelete", "Disabled"),
        },
    ),
    _Aspect("get_bucket_logging", {"LoggingConfiguration": _logging}),
    _Aspect("get_bucket_ownership_controls", {"OwnershipControls": _ownership}, ("OwnershipControlsNotFoundError",)),
    _Aspect(
        "get_bucket_lifecycle_configuration", {"LifecycleConfiguration": lifecycle}, ("NoSuchLifecycleConfiguration",)
    ),
    _Aspect("get_bucket_tagging", {"Tags": lambda it: tag_list((it or {}).get("TagSet"))}, ("NoSuchTagSet",)),
)
"""The error codes: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html"""

COLLECTOR = Collector(
    Service("s3", "Amazon S3", (BUCKET,), actions(READS), regional=False, shares=2), READS, collect, reread
)
