"""Users with access keys too many, too old or unused."""

from __future__ import annotations

from typing import Any

from tests.fixes.rounds.round import ACCOUNT, Made, goes_round

from nephoscope_aws_simulator.testing import Cloud


def user(cloud: Cloud, name: str, *keys: dict[str, Any]) -> list[str]:
    """Make a user with access keys, and one like it beside it; return the ids of the user's keys."""
    iam, ids = cloud.client("iam"), list[str]()
    for each in (f"{name}-beside", name):
        iam.create_user(UserName=each, Path="/people/")
        ids = [iam.create_access_key(UserName=each)["AccessKey"]["AccessKeyId"] for _ in keys]
        for id, key in zip(ids, keys, strict=True):
            cloud.control("patch", {"kind": "access_key", "account": ACCOUNT, "id": id, **key})
    return ids


def keys_of(cloud: Cloud, name: str) -> Any:
    found = cloud.client("iam").list_access_keys(UserName=name)["AccessKeyMetadata"]
    return {key["AccessKeyId"]: key["Status"] for key in found}


def made(cloud: Cloud, type: str, id: str, name: str, user: str) -> Made:
    return Made(
        f"AWS::IAM::{type}",
        f"arn:aws:iam::{ACCOUNT}:{id}",
        name,
        lambda: keys_of(cloud, user),
        lambda: keys_of(cloud, f"{user}-beside"),
        "global",
    )


@goes_round("aws.iam.deactivate_old_key", "aws.iam.key_rotation")
def old(cloud: Cloud) -> Made:
    id, _ = user(cloud, "old-key", {"age_days": 200, "used_days": 1}, {"age_days": 200, "used_days": None})
    return made(cloud, "AccessKey", f"user/people/old-key/accesskey/{id}", id, "old-key")


@goes_round("aws.iam.deactivate_unused_keys", "aws.iam.unused_credentials")
def unused(cloud: Cloud) -> Made:
    user(cloud, "unused-key", {"age_days": 200, "used_days": 1}, {"age_days": 200, "used_days": 100})
    return made(cloud, "User", "user/people/unused-key", "unused-key", "unused-key")


@goes_round("aws.iam.deactivate_unused_keys", "aws.iam.unused_credentials")
def never_used(cloud: Cloud) -> Made:
    user(cloud, "never-used", {"age_days": 200, "used_days": None}, {"age_days": 2, "used_days": None})
    return made(cloud, "User", "user/people/never-used", "never-used", "never-used")


@goes_round("aws.iam.deactivate_second_key", "aws.iam.one_active_key")
def two(cloud: Cloud) -> Made:
    user(cloud, "two-keys", {"age_days": 20, "used_days": 1}, {"age_days": 10, "used_days": 5})
    return made(cloud, "User", "user/people/two-keys", "two-keys", "two-keys")
