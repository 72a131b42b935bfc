"""What belongs to the account as a whole. Each round leaves the account without it, as another test finds it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tests.fixes.rounds.round import ACCOUNT, Made, goes_round

from nephoscope_aws_simulator.testing import Cloud

FLAGS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


def account(state: Callable[[], Any], beside: Callable[[], Any]) -> Made:
    return Made("AWS::::Account", f"arn:aws:iam::{ACCOUNT}:root", ACCOUNT, state, beside, "global")


def _block(cloud: Cloud, block: Mapping[str, bool] | None) -> Made:
    s3, control = cloud.client("s3"), cloud.client("s3control")
    s3.create_bucket(Bucket="beside-account")
    control.delete_public_access_block(AccountId=ACCOUNT)
    if block:
        control.put_public_access_block(AccountId=ACCOUNT, PublicAccessBlockConfiguration=block)

    def now() -> Any:
        try:
            return control.get_public_access_block(AccountId=ACCOUNT)["PublicAccessBlockConfiguration"]
        except control.exceptions.ClientError:
            return None

    def beside() -> Any:
        return s3.get_public_access_block(Bucket="beside-account")["PublicAccessBlockConfiguration"]

    s3.put_public_access_block(
        Bucket="beside-account", PublicAccessBlockConfiguration=dict.fromkeys(FLAGS, False) | {FLAGS[0]: True}
    )
    return account(now, beside)


@goes_round("aws.s3.block_account", "aws.s3.account_bpa")
def half_blocked(cloud: Cloud) -> Made:
    return _block(cloud, {flag: flag == "IgnorePublicAcls" for flag in FLAGS})


@goes_round("aws.s3.block_account", "aws.s3.account_bpa")
def not_blocked(cloud: Cloud) -> Made:
    return _block(cloud, None)


def _passwords(cloud: Cloud, policy: Mapping[str, Any] | None) -> Made:
    iam = cloud.client("iam")
    if policy is not None:
        iam.update_account_password_policy(**policy)
    elif _policy(iam):
        iam.delete_account_password_policy()
    return account(lambda: _policy(iam), lambda: iam.list_account_aliases()["AccountAliases"])


def _policy(iam: Any) -> Any:
    try:
        return iam.get_account_password_policy()["PasswordPolicy"]
    except iam.exceptions.NoSuchEntityException:
        return None


AGEING = {"MinimumPasswordLength": 8, "MaxPasswordAge": 90, "HardExpiry": True, "AllowUsersToChangePassword": True}


@goes_round("aws.iam.strengthen_passwords", "aws.iam.password_length")
def short_and_ageing(cloud: Cloud) -> Made:
    return _passwords(cloud, AGEING)


@goes_round("aws.iam.strengthen_passwords", "aws.iam.password_reuse")
def few_remembered(cloud: Cloud) -> Made:
    return _passwords(cloud, {"MinimumPasswordLength": 20, "RequireSymbols": True, "PasswordReusePrevention": 3})


@goes_round("aws.iam.strengthen_passwords", "aws.iam.password_strength")
def without_policy(cloud: Cloud) -> Made:
    return _passwords(cloud, None)
