"""The account itself: its root user, its password policy, and who can ask AWS for help."""

from __future__ import annotations

import json
from typing import Any

from tests.truth.account import Truth, holds

SUPPORT = "arn:aws:iam::aws:policy/AWSSupportAccess"
ON_POLICY = "password_length password_reuse password_strength"
ON_ROOT = "root_no_access_keys root_mfa root_hardware_mfa root_not_used"
STRONG = {
    "MinimumPasswordLength": 14,
    "PasswordReusePrevention": 24,
    "RequireSymbols": True,
    "RequireNumbers": True,
    "RequireUppercaseCharacters": True,
    "RequireLowercaseCharacters": True,
}
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"},
        ],
    }
)


def _account(truth: Truth, policy: dict[str, Any] | None, fails: str, **root: Any) -> None:
    """Say of an account with this password policy and root user which rules fail; the others pass."""
    if policy is not None:
        truth.client("iam").update_account_password_policy(**policy)
    truth.patch("root", **{"mfa": True, "virtual_mfa": False, **root})
    passes = {*ON_POLICY.split(), *ON_ROOT.split()} - {*fails.split()}
    truth.judged(truth.cloud.account, fails=fails, passes=" ".join(passes), unknown="support_role")


def _without(*names: str) -> dict[str, Any]:
    return {name: value for name, value in STRONG.items() if name not in names}


@holds(services=("account",))
def guarded(truth: Truth) -> None:
    _account(truth, STRONG, "", used_days=None)


@holds(services=("account",))
def bare(truth: Truth) -> None:
    """No password policy of its own, and a root user without MFA that has a key."""
    fails = f"{ON_POLICY} root_no_access_keys root_mfa root_hardware_mfa root_not_used"
    _account(truth, None, fails, mfa=False, access_key=True, used_days=0.5)


@holds(services=("account",))
def just_right(truth: Truth) -> None:
    """A security key, last used longer ago than the limit; a user's authenticator app is not root's."""
    iam = truth.client("iam")
    iam.create_user(UserName="root")
    device = iam.create_virtual_mfa_device(VirtualMFADeviceName="root")["VirtualMFADevice"]["SerialNumber"]
    codes = {"AuthenticationCode1": "123456", "AuthenticationCode2": "654321"}
    iam.enable_mfa_device(UserName="root", SerialNumber=device, **codes)
    iam.create_virtual_mfa_device(VirtualMFADeviceName="nobodys")
    _account(truth, {**STRONG, "MinimumPasswordLength": 15}, "", used_days=90.1)


@holds(services=("account",))
def just_wrong(truth: Truth) -> None:
    """One below each figure; an authenticator app of root's."""
    policy = {**STRONG, "MinimumPasswordLength": 13, "PasswordReusePrevention": 23}
    fails = "password_length password_reuse root_hardware_mfa root_not_used"
    _account(truth, policy, fails, virtual_mfa=True, used_days=89.9)


@holds(services=("account",))
def root_key_used(truth: Truth) -> None:
    """Root did not sign in, but something used its key."""
    _account(truth, STRONG, "root_no_access_keys root_not_used", access_key=True)
    truth.patch("root_key", used_days=89.9)


@holds(services=("account",))
def root_key_idle(truth: Truth) -> None:
    _account(truth, STRONG, "root_no_access_keys", access_key=True)
    truth.patch("root_key", used_days=90.1)


@holds(services=("account",))
def longest(truth: Truth) -> None:
    """The account has a name. The longest length; reuse is not prevented; one kind of characters is missing."""
    truth.client("iam").create_account_alias(AccountAlias="northwind-production")
    policy = {**_without("PasswordReusePrevention"), "MinimumPasswordLength": 128, "RequireNumbers": False}
    truth.client("iam").update_account_password_policy(**policy)
    truth.patch("root", mfa=True, virtual_mfa=False, access_key=True)
    fails = "password_reuse password_strength root_no_access_keys"
    truth.judged("northwind-production", fails=fails, passes="password_length root_mfa root_hardware_mfa")
    truth.judged("northwind-production", unknown="support_role")


@holds(services=("account",))
def defaults(truth: Truth) -> None:
    """A policy that says nothing asks for six characters of any kind."""
    _account(truth, {}, ON_POLICY)


@holds(services=("account",))
def without_uppercase(truth: Truth) -> None:
    _account(truth, {**STRONG, "RequireUppercaseCharacters": False}, "password_strength")


@holds(services=("account",))
def without_lowercase(truth: Truth) -> None:
    _account(truth, {**STRONG, "RequireLowercaseCharacters": False}, "password_strength")


@holds(services=("account",))
def without_symbols(truth: Truth) -> None:
    _account(truth, {**STRONG, "RequireSymbols": False}, "password_strength")


@holds(services=("account",))
def deleted_policy(truth: Truth) -> None:
    truth.client("iam").update_account_password_policy(**STRONG)
    truth.client("iam").delete_account_password_policy()
    _account(truth, None, ON_POLICY)


@holds(services=("account",))
def hidden_account(truth: Truth) -> None:
    """Nothing about the account could be read."""
    truth.patch("root", mfa=True, virtual_mfa=False)
    actions = ["GetAccountSummary", "GetAccountPasswordPolicy", "ListVirtualMFADevices", "GenerateCredentialReport"]
    truth.cloud.control("deny", actions=[f"iam:{action}" for action in actions])
    truth.judged(truth.cloud.account, unknown=f"{ON_ROOT} {ON_POLICY} support_role")


@holds(services=("account",))
def hidden_devices(truth: Truth) -> None:
    """Whether root's MFA device is an app is in a list of its own."""
    truth.patch("root", mfa=True, virtual_mfa=True)
    truth.cloud.control("deny", actions=["iam:ListVirtualMFADevices"])
    truth.judged(truth.cloud.account, passes="root_mfa", unknown="root_hardware_mfa support_role", fails=ON_POLICY)


@holds(services=("account",))
def removed_root(truth: Truth) -> None:
    """Root credentials that were removed centrally need no MFA.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_root-user.html#id_root-user-access-management
    """
    truth.client("iam").update_account_password_policy(**STRONG)
    truth.patch("root", password=False, mfa=False)
    truth.judged(truth.cloud.account, skipped="root_mfa root_hardware_mfa", unknown="support_role")
    truth.judged(truth.cloud.account, passes=f"root_no_access_keys root_not_used {ON_POLICY}")


@holds(services=("account",))
def half_removed_root(truth: Truth) -> None:
    """A key is a credential, too."""
    truth.client("iam").update_account_password_policy(**STRONG)
    truth.patch("root", password=False, mfa=False, access_key=True)
    fails = "root_mfa root_hardware_mfa root_no_access_keys"
    truth.judged(truth.cloud.account, fails=fails, unknown="support_role", passes=f"root_not_used {ON_POLICY}")


# -- Who can ask AWS for help ------------------------------------------------------------------------------------


def _support(truth: Truth, verdict: str, *arns: str) -> None:
    truth.patch("root", mfa=True, virtual_mfa=False)
    truth.client("iam").update_account_password_policy(**STRONG)
    truth.judged(truth.cloud.account, **{verdict: "support_role"})
    iam = truth.client("iam")
    for name, given in (
        ("with-other-policies", "arn:aws:iam::aws:policy/ReadOnlyAccess"),
        *(("help", a) for a in arns),
    ):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)
        iam.attach_role_policy(RoleName=name, PolicyArn=given)


@holds()
def help_by_role(truth: Truth) -> None:
    _support(truth, "passes", SUPPORT)


@holds()
def help_by_group(truth: Truth) -> None:
    _support(truth, "passes")
    truth.client("iam").create_group(GroupName="support")
    truth.client("iam").attach_group_policy(GroupName="support", PolicyArn=SUPPORT)


@holds()
def help_by_user(truth: Truth) -> None:
    _support(truth, "passes")
    truth.client("iam").create_user(UserName="ann")
    truth.client("iam").attach_user_policy(UserName="ann", PolicyArn=SUPPORT)
    truth.judged("ann", fails="user_no_direct_policies")


@holds()
def no_help(truth: Truth) -> None:
    """A policy of the customer's that is called so, one that is only a boundary, and a role called so, do not count."""
    document = (
        '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sqs:ListQueues", "Resource": "*"}]}'
    )
    own = truth.client("iam").create_policy(PolicyName="AWSSupportAccess", PolicyDocument=document)["Policy"]["Arn"]
    _support(truth, "fails", own)
    truth.client("iam").create_user(UserName="ann", PermissionsBoundary=SUPPORT)
    truth.client("iam").create_role(RoleName="AWSSupportAccess", AssumeRolePolicyDocument=TRUST)
