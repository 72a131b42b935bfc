"""Buckets that take plain HTTP, are encrypted without a KMS key, or have ACLs."""

from __future__ import annotations

import json
from typing import Any

from tests.fixes.rounds.round import ACCOUNT, Made, goes_round
from tests.fixes.rounds.s3 import bucket, made

from nephoscope_aws_simulator.testing import Cloud

ALL_USERS = "http://acs.amazonaws.com/groups/global/AllUsers"
LOGS = "http://acs.amazonaws.com/groups/s3/LogDelivery"


def both(cloud: Cloud, name: str) -> Any:
    bucket(cloud, f"{name}-beside")
    return bucket(cloud, name)


def policy_of(s3: Any, name: str) -> Any:
    try:
        return s3.get_bucket_policy(Bucket=name)["Policy"]
    except s3.exceptions.ClientError:
        return None


@goes_round("aws.s3.require_tls", "aws.s3.tls_only")
def without_policy(cloud: Cloud) -> Made:
    s3 = both(cloud, "tls-none")
    return made("tls-none", lambda: policy_of(s3, "tls-none"), lambda: policy_of(s3, "tls-none-beside"))


@goes_round("aws.s3.require_tls", "aws.s3.tls_only")
def with_a_statement_of_its_own(cloud: Cloud) -> Made:
    """The statement stands alone, is not in our order, and has the name that the new one would have."""
    s3 = both(cloud, "tls-some")
    for name in ("tls-some", "tls-some-beside"):
        arns = f"arn:aws:s3:::{name}/*"
        partner = {"Principal": {"AWS": "arn:aws:iam::210987654321:root"}, "Action": "s3:GetObject", "Resource": arns}
        text = json.dumps({"Statement": {"Sid": "RequireTls", "Effect": "Allow", **partner}, "Version": "2012-10-17"})
        s3.put_bucket_policy(Bucket=name, Policy=text)
    return made("tls-some", lambda: policy_of(s3, "tls-some"), lambda: policy_of(s3, "tls-some-beside"))


def _encrypted(cloud: Cloud, name: str, encryption: dict[str, Any] | None) -> Made:
    s3 = both(cloud, name)
    for each in (name, f"{name}-beside"):
        s3.delete_bucket_encryption(Bucket=each)
        if encryption:
            s3.put_bucket_encryption(Bucket=each, ServerSideEncryptionConfiguration={"Rules": [encryption]})

    def now(name: str) -> Any:
        try:
            return s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]
        except s3.exceptions.ClientError:
            return None

    return made(name, lambda: now(name), lambda: now(f"{name}-beside"))


@goes_round("aws.s3.encrypt_with_kms", "aws.s3.kms")
def with_managed_keys(cloud: Cloud) -> Made:
    by_s3 = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}
    return _encrypted(cloud, "kms-managed", by_s3)


@goes_round("aws.s3.encrypt_with_kms", "aws.s3.kms", inputs={"kms_key": "alias/round-buckets"})
def not_encrypted(cloud: Cloud) -> Made:
    kms = cloud.client("kms")
    kms.create_alias(AliasName="alias/round-buckets", TargetKeyId=kms.create_key()["KeyMetadata"]["KeyId"])
    return _encrypted(cloud, "kms-none", None)


def _owned(cloud: Cloud, name: str, ownership: str) -> Made:
    s3 = both(cloud, name)
    for each in (name, f"{name}-beside"):
        s3.delete_bucket_ownership_controls(Bucket=each)
        if ownership:
            controls = {"Rules": [{"ObjectOwnership": ownership}]}
            s3.put_bucket_ownership_controls(Bucket=each, OwnershipControls=controls)

    def now(name: str) -> Any:
        try:
            return s3.get_bucket_ownership_controls(Bucket=name)["OwnershipControls"]
        except s3.exceptions.ClientError:
            return None

    return made(name, lambda: now(name), lambda: now(f"{name}-beside"))


@goes_round("aws.s3.disable_acls", "aws.s3.acl_disabled")
def owned_by_writers(cloud: Cloud) -> Made:
    return _owned(cloud, "acls-on", "ObjectWriter")


@goes_round("aws.s3.disable_acls", "aws.s3.acl_disabled")
def without_controls(cloud: Cloud) -> Made:
    return _owned(cloud, "acls-old", "")


@goes_round("aws.s3.remove_public_grants", "aws.s3.public_read")
def beside_log_delivery(cloud: Cloud) -> Made:
    s3 = both(cloud, "acl-public")
    for name in ("acl-public", "acl-public-beside"):
        s3.delete_public_access_block(Bucket=name)
        controls = {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}
        s3.put_bucket_ownership_controls(Bucket=name, OwnershipControls=controls)
        acl = s3.get_bucket_acl(Bucket=name)
        groups = [{"Grantee": {"Type": "Group", "URI": uri}, "Permission": "READ"} for uri in (ALL_USERS, LOGS)]
        s3.put_bucket_acl(Bucket=name, AccessControlPolicy={"Grants": [*acl["Grants"], *groups], "Owner": acl["Owner"]})
        s3.put_bucket_policy(Bucket=name, Policy=_own(name))

    def now(name: str) -> Any:
        acl = s3.get_bucket_acl(Bucket=name)
        return acl["Grants"], acl["Owner"], policy_of(s3, name)

    return made("acl-public", lambda: now("acl-public"), lambda: now("acl-public-beside"))


def _own(name: str) -> str:
    allow = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "s3:GetObject"}
    return json.dumps({"Version": "2012-10-17", "Statement": [{**allow, "Resource": f"arn:aws:s3:::{name}/*"}]})
