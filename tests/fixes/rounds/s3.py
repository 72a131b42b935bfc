"""Buckets that get a setting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.fixes.rounds.round import Made, goes_round

from nephoscope_aws_simulator.testing import Cloud

BUCKET = "AWS::S3::Bucket"


def bucket(cloud: Cloud, name: str) -> Any:
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket=name)
    return s3


def made(name: str, state: Callable[[], Any], beside: Callable[[], Any]) -> Made:
    return Made(BUCKET, f"arn:aws:s3:::{name}", name, state, beside)


def block_of(s3: Any, name: str) -> Any:
    try:
        return s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]
    except s3.exceptions.ClientError:
        return None


def _open(cloud: Cloud, name: str, block: dict[str, bool] | None) -> Made:
    s3 = bucket(cloud, name)
    bucket(cloud, f"{name}-beside")
    for each in (name, f"{name}-beside"):
        s3.delete_public_access_block(Bucket=each)
    if block:
        s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=block)
    return made(name, lambda: block_of(s3, name), lambda: block_of(s3, f"{name}-beside"))


@goes_round("aws.s3.block_public_access", "aws.s3.bucket_bpa")
def none(cloud: Cloud) -> Made:
    return _open(cloud, "blocked-none", None)


@goes_round("aws.s3.block_public_access", "aws.s3.bucket_bpa")
def half(cloud: Cloud) -> Made:
    flags = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    return _open(cloud, "blocked-half", {flag: flag == "IgnorePublicAcls" for flag in flags})


def _versioned(cloud: Cloud, name: str, status: str) -> Made:
    s3 = bucket(cloud, name)
    bucket(cloud, f"{name}-beside")
    if status:
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": status})

    def now(name: str) -> Any:
        return s3.get_bucket_versioning(Bucket=name).get("Status")

    return made(name, lambda: now(name), lambda: now(f"{name}-beside"))


@goes_round("aws.s3.enable_versioning", "aws.s3.versioning", restored="Suspended")
def never(cloud: Cloud) -> Made:
    return _versioned(cloud, "versions-never", "")


@goes_round("aws.s3.enable_versioning", "aws.s3.versioning")
def suspended(cloud: Cloud) -> Made:
    return _versioned(cloud, "versions-suspended", "Suspended")
