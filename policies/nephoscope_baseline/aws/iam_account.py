"""Rules on an AWS account's root user and password policy: all judged on the account itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from nephoscope.domain import Fail, NotKnown, Parameter, ResourceView, Severity, Unknown, View, rule
from nephoscope_aws.access_policies import all_right, known, object_members, together
from nephoscope_aws.names import partition
from nephoscope_aws.times import age_days

ACCOUNT = "AWS::::Account"
ROOT_IDLE = Parameter("days", "Minimum days since the last root use", "days", 90, "higher")
LENGTH = Parameter("length", "Minimum password length", "number", 14, "higher", least=6, most=128)
REMEMBERED = Parameter("passwords", "Remembered passwords", "number", 24, "higher", most=24)
"""https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAccountPasswordPolicy.html bounds both."""

ROOT_LINK = "https://docs.aws.amazon.com/IAM/latest/UserGuide/root-user-best-practices.html"
ROOT_MFA_LINK = "https://docs.aws.amazon.com/IAM/latest/UserGuide/enable-mfa-for-root.html"
PASSWORD_LINK = "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_passwords_account-policy.html"
PASSWORD_WARNING = (
    "The command sets the whole password policy. Add --max-password-age and --hard-expiry if yours has them."
)

OF_LENGTH = {"MINIMUM_LENGTH": "the minimum password length"}
OF_REUSE = {"REMEMBERED_PASSWORDS": "how many passwords are remembered, at most 24"}

MFA = {"AccountMFAEnabled": 1}
ROOT_ARN = "arn:aws:iam::123456789012:root"
VIRTUAL = {"SerialNumber": "arn:aws:iam::123456789012:mfa/root-account-mfa-device", "UserArn": ROOT_ARN}
USERS_OWN = {"SerialNumber": "arn:aws:iam::123456789012:mfa/ann", "UserArn": "arn:aws:iam::123456789012:user/ann"}
NEVER: dict[str, Any] = {"PasswordLastUsed": None, "AccessKeys": [], "MfaActive": True}
STRONG = {
    "MinimumPasswordLength": 14,
    "PasswordReusePrevention": 24,
    "RequireUppercaseCharacters": True,
    "RequireLowercaseCharacters": True,
    "RequireSymbols": True,
    "RequireNumbers": True,
}


CREDENTIALS = ("AccessKeys", "SigningCertificates", "Password")
NOBODY = {"AccountMFAEnabled": 0, **{f"Account{each}Present": 0 for each in CREDENTIALS}}
"""The summary of an account whose root user has no credentials."""


def _has_no_root_credentials(account: ResourceView) -> bool:
    """Tell whether nobody can sign in as root; credentials that nothing says to be absent are there.

    Member accounts whose root access is managed centrally have no root credentials, and new ones are made without:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_root-user.html#id_root-user-access-management. Root of GovCloud
    cannot sign in to the console: https://docs.aws.amazon.com/govcloud-us/latest/UserGuide/govcloud-iam.html. Accounts
    in China have no root user: https://docs.amazonaws.cn/en_us/aws/latest/userguide/iam.html.
    """
    if partition(account.id) in ("aws-cn", "aws-us-gov"):
        return True
    gaps: list[NotKnown] = []
    paths = (f"AccountSummary.Account{each}Present" for each in CREDENTIALS[:2])
    if any(known(gaps, partial(account.__getitem__, each), 0) for each in paths):
        return False
    if gaps:
        raise gaps[0]
    password = account["AccountSummary.AccountPasswordPresent"]
    if password is not None:
        return bool(password == 0)
    try:
        return account["Observed.RootCredentials.PasswordEnabled"] is False
    except NotKnown:
        return False


@rule(
    "aws.iam.root_no_access_keys",
    on=ACCOUNT,
    severity=Severity.CRITICAL,
    live_only=True,
    link=ROOT_LINK,
    fix="""
        1. Find out what uses the key (last use is in the credential report) and give that workload a role of its own.
        2. Sign in as root, choose Security credentials in the account menu, and under Access keys choose Deactivate.
        3. If nothing has failed after a few days, choose Delete there.
        4. Or delete it with the AWS CLI and root credentials.
    """,
    commands="""
        aws iam delete-access-key --access-key-id={ROOT_KEY}
    """,
    inputs={
        "ROOT_KEY": "the ID of the access key of the root user",
    },
    good=[{"AccountSummary": {"AccountAccessKeysPresent": 0}}],
    bad=[{"AccountSummary": {"AccountAccessKeysPresent": 1}}, {"AccountSummary": {"AccountAccessKeysPresent": 2}}],
)
def root_no_access_keys(account: View) -> bool | Fail:
    """Root user has access keys.

    A root key can do anything in the account, and no IAM policy can restrict it. If it leaks, the account is lost.
    """
    keys = account["AccountSummary.AccountAccessKeysPresent"]
    return keys == 0 or Fail(f"Access keys of the root user: {keys}", "AccountSummary.AccountAccessKeysPresent")


@rule(
    "aws.iam.root_mfa",
    on=ACCOUNT,
    severity=Severity.CRITICAL,
    live_only=True,
    link=ROOT_MFA_LINK,
    fix="""
        1. Sign in as root and choose Security credentials in the account menu.
        2. Under Multi-factor authentication (MFA), choose Assign MFA device and follow the steps; prefer a security
           key.
        3. Assign a second device and keep it in another place.
        4. Check: the command below returns 1.
    """,
    commands="""
        aws iam get-account-summary --query=SummaryMap.AccountMFAEnabled
    """,
    good=[
        {"AccountSummary": MFA},
        {"AccountSummary": NOBODY},
        {"AccountSummary": {"AccountMFAEnabled": 0}, "Observed": {"RootCredentials": {"PasswordEnabled": False}}},
    ],
    bad=[
        {"AccountSummary": {"AccountMFAEnabled": 0}},
        {"AccountSummary": {**NOBODY, "AccountPasswordPresent": 1}},
        {"AccountSummary": {**NOBODY, "AccountAccessKeysPresent": 1}},
        {"AccountSummary": {**NOBODY, "AccountSigningCertificatesPresent": 1}},
        {"AccountSummary": {"AccountMFAEnabled": 0}, "Observed": {"RootCredentials": {"PasswordEnabled": None}}},
    ],
)
def root_mfa(account: ResourceView) -> bool | Fail | None:
    """Root user has no MFA.

    Anyone who learns the root password owns the account, its data and its bill. With MFA a stolen password is not
    enough. A root user without credentials needs none.
    """
    if account["AccountSummary.AccountMFAEnabled"] == 1:
        return True
    if _has_no_root_credentials(account):
        return None
    return Fail("The root user has no MFA device", "AccountSummary.AccountMFAEnabled")


@rule(
    "aws.iam.root_hardware_mfa",
    on=ACCOUNT,
    severity=Severity.CRITICAL,
    live_only=True,
    link=ROOT_MFA_LINK,
    fix="""
        1. Get a FIDO2 security key or a hardware token that AWS supports.
        2. Sign in as root, choose Security credentials, and under MFA choose Assign MFA device, Passkey or security key
           or Hardware TOTP token.
        3. Remove the authenticator app from the same list.
        4. Check: the command below lists no device of the root user.
    """,
    commands="""
        aws iam list-virtual-mfa-devices --assignment-status=Assigned
    """,
    good=[
        {"AccountSummary": MFA, "VirtualMFADevices": []},
        {"AccountSummary": MFA, "VirtualMFADevices": [USERS_OWN]},
        {"AccountSummary": NOBODY, "VirtualMFADevices": []},
    ],
    bad=[
        {"AccountSummary": MFA, "VirtualMFADevices": [VIRTUAL]},
        {"AccountSummary": MFA, "VirtualMFADevices": [USERS_OWN, {**USERS_OWN, "UserArn": ROOT_ARN}]},
        {"AccountSummary": {"AccountMFAEnabled": 0}, "VirtualMFADevices": []},
        {"AccountSummary": {**NOBODY, "AccountPasswordPresent": 1}, "VirtualMFADevices": []},
    ],
)
def root_hardware_mfa(account: ResourceView) -> bool | Fail | None:
    """Root user has no hardware MFA.

    An authenticator app is only as safe as the phone and its backups. A security key cannot be copied or phished.
    """
    if account["AccountSummary.AccountMFAEnabled"] != 1:
        nobody = _has_no_root_credentials(account)
        return None if nobody else Fail("The root user has no MFA device", "AccountSummary.AccountMFAEnabled")
    return all_right(account["VirtualMFADevices"], lambda device: together(_not_roots(device))) or True


def _not_roots(device: View) -> Iterator[Callable[[], bool | Fail]]:
    for name, ending in (("SerialNumber", ":mfa/root-account-mfa-device"), ("UserArn", ":root")):
        yield partial(_not_ending, device, name, ending)


def _not_ending(device: View, name: str, ending: str) -> bool | Fail:
    is_roots = str(device[name]).endswith(ending)
    return not is_roots or Fail("The root user's MFA device is an authenticator app", device)


@rule(
    "aws.iam.root_not_used",
    on=ACCOUNT,
    severity=Severity.HIGH,
    live_only=True,
    link=ROOT_LINK,
    parameters=[ROOT_IDLE],
    fix="""
        1. Ask who signed in as root and why. If nobody did, change the root password and treat it as an incident.
        2. Check what was done: in CloudTrail, Event history, filter User name by root.
        3. Give the people and workloads that did it an IAM role or an Identity Center permission set for that task.
        4. The alert closes by itself once the last use is long enough ago.
        """,
    good=[
        {"Observed": {"RootCredentials": NEVER}},
        {"Observed": {"RootCredentials": {**NEVER, "PasswordLastUsed": "2025-09-01T00:00:00Z"}}},
    ],
    bad=[
        {"Observed": {"RootCredentials": {**NEVER, "PasswordLastUsed": "2026-01-10T08:00:00Z"}}},
        {
            "Observed": {
                "RootCredentials": {
                    **NEVER,
                    "AccessKeys": [
                        {"Active": True, "LastRotated": "2020-01-01T00:00:00Z", "LastUsedDate": "2025-12-24T00:00:00Z"}
                    ],
                }
            }
        },
    ],
)
def root_not_used(account: ResourceView, *, days: int) -> bool | Fail:
    """Root user was used recently.

    Actions taken as root bypass every permissions boundary and cannot be traced to a person. Very few tasks need it.
    """
    root = account.object_at("Observed.RootCredentials")
    if root is None:
        raise NotKnown("Observed.RootCredentials", Unknown("root is not in the credential report"))
    gaps: list[NotKnown] = []
    keys = object_members(root["AccessKeys"], gaps)
    uses = [(root, "PasswordLastUsed", "signed in"), *((key, "LastUsedDate", "used an access key") for key in keys)]
    return together((partial(_not_since, account, days, *use) for use in uses), gaps) or True


def _not_since(account: ResourceView, days: int, read: View, name: str, how: str) -> bool | Fail:
    age = age_days(read[name], account.now, f"{read.path}.{name}")
    recent = age is not None and age <= days
    return not recent or Fail(f"Root user {how} {age:.0f} days ago; the limit is {days} days", read.path)


def _password_policy(length: str, remembered: str) -> str:
    """The command, which sets all of the policy: what is left out is reset."""
    return f"""
        aws iam update-account-password-policy --require-symbols --require-numbers --require-uppercase-characters
          --require-lowercase-characters --allow-users-to-change-password
          --minimum-password-length={length} --password-reuse-prevention={remembered}
    """


def _at_least(account: View, setting: str, least: int, too_little: str) -> bool | Fail:
    policy = account.object_at("PasswordPolicy")
    if policy is None:
        return Fail("The account has no password policy", "PasswordPolicy")
    value = policy[setting]
    if isinstance(value, int) and value >= least:
        return True
    return Fail(f"{too_little.format(value or 0)}; required: {least}", f"PasswordPolicy.{setting}")


@rule(
    "aws.iam.password_length",
    on=ACCOUNT,
    severity=Severity.MEDIUM,
    live_only=True,
    link=PASSWORD_LINK,
    parameters=[LENGTH],
    fix=f"""
        1. In the IAM console, open Account settings and choose Edit next to Password policy.
        2. Choose Custom, set “Password minimum length” to 14 or more, and save.
        3. {PASSWORD_WARNING}
    """,
    commands=_password_policy("{length}", "{REMEMBERED_PASSWORDS}"),
    inputs=OF_REUSE,
    remediations=("aws.iam.strengthen_passwords",),
    good=[{"PasswordPolicy": STRONG}, {"PasswordPolicy": {**STRONG, "MinimumPasswordLength": 20}}],
    bad=[{"PasswordPolicy": {**STRONG, "MinimumPasswordLength": 8}}, {"PasswordPolicy": None}],
)
def password_length(account: View, *, length: int) -> bool | Fail:
    """Password policy allows short passwords.

    Short passwords fall to guessing and to leaked password lists. Length is what makes guessing infeasible.
    """
    return _at_least(account, "MinimumPasswordLength", length, "Minimum password length is {}")


@rule(
    "aws.iam.password_reuse",
    on=ACCOUNT,
    severity=Severity.LOW,
    live_only=True,
    link=PASSWORD_LINK,
    parameters=[REMEMBERED],
    fix=f"""
        1. In the IAM console, open Account settings and choose Edit next to Password policy.
        2. Choose Custom, select Prevent password reuse with 24 remembered passwords, and save.
        3. {PASSWORD_WARNING}
    """,
    commands=_password_policy("{MINIMUM_LENGTH}", "{passwords}"),
    inputs=OF_LENGTH,
    remediations=("aws.iam.strengthen_passwords",),
    good=[{"PasswordPolicy": STRONG}],
    bad=[{"PasswordPolicy": None}, *({"PasswordPolicy": {**STRONG, "PasswordReusePrevention": n}} for n in (5, None))],
)
def password_reuse(account: View, *, passwords: int) -> bool | Fail:
    """Password policy allows password reuse.

    A leaked password comes back into use when people rotate between a few. IAM can remember the last 24.
    """
    return _at_least(account, "PasswordReusePrevention", passwords, "Remembered passwords: {}")


@rule(
    "aws.iam.password_strength",
    on=ACCOUNT,
    severity=Severity.MEDIUM,
    live_only=True,
    link=PASSWORD_LINK,
    fix=f"""
        1. In the IAM console, open Account settings and choose Edit next to Password policy.
        2. Choose Custom and require uppercase, lowercase, numbers and non-alphanumeric characters; save.
        3. {PASSWORD_WARNING}
    """,
    commands=_password_policy("{MINIMUM_LENGTH}", "{REMEMBERED_PASSWORDS}"),
    inputs={**OF_LENGTH, **OF_REUSE},
    remediations=("aws.iam.strengthen_passwords",),
    good=[{"PasswordPolicy": STRONG}],
    bad=[{"PasswordPolicy": {**STRONG, "RequireSymbols": False}}, {"PasswordPolicy": None}],
)
def password_strength(account: View) -> bool | Fail:
    """Password policy does not require all character types.

    Guessing tools try plain words and names first. Uppercase, lowercase, digits and symbols widen the search.
    """
    policy = account.object_at("PasswordPolicy")
    if policy is None:
        return Fail("The account has no password policy", "PasswordPolicy")
    kinds = {
        "RequireUppercaseCharacters": "uppercase letters",
        "RequireLowercaseCharacters": "lowercase letters",
        "RequireNumbers": "numbers",
        "RequireSymbols": "symbols",
    }
    gaps: list[NotKnown] = []
    missing = [name for name in kinds if known(gaps, partial(policy.key, name), True) is not True]
    if not missing and gaps:
        raise gaps[0]
    asked = ", ".join(kinds[name] for name in missing)
    return not missing or Fail(f"Not required: {asked}", *(f"PasswordPolicy.{name}" for name in missing))
