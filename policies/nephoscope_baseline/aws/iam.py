"""Rules on IAM users, their access keys, and server certificates.

Those on the account as a whole are in :mod:`.iam_account`, those on what policies allow in :mod:`.iam_policies`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from nephoscope.domain import Fail, NotKnown, Parameter, ResourceView, Severity, Unknown, View, rule
from nephoscope_aws.access_policies import known, members, object_members, together
from nephoscope_aws.times import age_days

USER = "AWS::IAM::User"

UNUSED = Parameter("days", "Maximum days without use", "days", 45, "lower")
KEY_AGE = Parameter("days", "Maximum key age in days", "days", 90, "lower")

KEYS_LINK = "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html"
UNUSED_LINK = "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_finding-unused.html"

OLD, RECENT = "2024-03-01T09:00:00Z", "2026-01-10T09:00:00Z"
USED_KEY = {"Active": True, "LastRotated": OLD, "LastUsedDate": RECENT}
OFF_KEY = {"Active": False, "LastRotated": OLD, "LastUsedDate": None}


def _user(**report: Any) -> dict[str, Any]:
    """An example: a user with this line in the credential report."""
    return {
        "UserName": "ann",
        "Observed": {
            "CredentialReport": {
                "PasswordEnabled": False,
                "PasswordLastUsed": None,
                "PasswordLastChanged": None,
                "MfaActive": False,
                "AccessKeys": [],
                "UserCreationTime": OLD,
                **report,
            }
        },
    }


def _report(user: View) -> View:
    """The user's line in the credential report, which AWS renews every four hours at most."""
    line = user["Observed.CredentialReport"]
    if not isinstance(line, View):
        path = "Observed.CredentialReport"
        raise NotKnown(path, Unknown("the user is not in the credential report yet", "iam:GenerateCredentialReport"))
    return line


@rule(
    "aws.iam.user_mfa",
    on=USER,
    severity=Severity.HIGH,
    live_only=True,
    link="https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_enable.html",
    fix="""
        1. In the IAM console, choose Users, select the user, then Security credentials.
        2. Under Multi-factor authentication (MFA), choose Assign MFA device. The user must have the device at hand.
        3. If nobody signs in with this user, remove its password instead: choose Manage console access, Disable.
    """,
    good=[_user(PasswordEnabled=True, MfaActive=True), _user(PasswordEnabled=False)],
    bad=[_user(PasswordEnabled=True, MfaActive=False)],
)
def user_mfa(user: View) -> bool | Fail | None:
    """IAM user has no MFA.

    A console password alone can be phished, guessed or reused. With MFA a stolen password is not enough.
    """
    report = _report(user)
    if not report["PasswordEnabled"]:
        return None
    return bool(report["MfaActive"]) or Fail("Has a console password but no MFA device", "Observed.CredentialReport")


@rule(
    "aws.iam.unused_credentials",
    on=USER,
    severity=Severity.MEDIUM,
    live_only=True,
    link=UNUSED_LINK,
    parameters=[UNUSED],
    fix="""
        1. Ask the user whether the password or key is still needed.
        2. In the IAM console, choose Users, the user, Security credentials; then choose Manage console access, Disable,
           or Actions, Deactivate next to the key.
    """,
    commands="""
        aws iam list-access-keys --user-name={name}

        aws iam update-access-key --user-name={name} --access-key-id={ACCESS_KEY} --status=Inactive

        aws iam delete-login-profile --user-name={USER_NAME}
    """,
    inputs={
        "ACCESS_KEY": "the ID of an unused access key, which the first command lists",
        "USER_NAME": "to remove an unused password: the name of the user, to confirm",
    },
    remediations=("aws.iam.deactivate_unused_keys",),
    good=[
        _user(PasswordEnabled=True, PasswordLastUsed=RECENT, AccessKeys=[USED_KEY, OFF_KEY]),
        _user(PasswordEnabled=True, PasswordLastUsed=None, PasswordLastChanged=RECENT),
        _user(PasswordEnabled=False, PasswordLastUsed=OLD),
    ],
    bad=[
        _user(PasswordEnabled=True, PasswordLastUsed=OLD),
        _user(PasswordEnabled=True, PasswordLastUsed=None, PasswordLastChanged=OLD),
        _user(AccessKeys=[USED_KEY, {**OFF_KEY, "Active": True}]),
    ],
)
def unused_credentials(user: ResourceView, *, days: int) -> bool | Fail:
    """IAM user has unused credentials.

    Nobody notices when an unused credential is misused. Turn off what is not needed.
    """
    report = _report(user)
    gaps: list[NotKnown] = []
    keys = object_members(report["AccessKeys"], gaps)
    credentials = [partial(_password, report), *(partial(_key, key, place) for place, key in enumerate(keys, 1))]
    return together((partial(_is_used, each, report, user.now, days) for each in credentials), gaps) or True


Credential = tuple[str, str, str | None, str | None]
"""One that is on: its name, path, last use, and what an unused one is measured from."""


def _password(report: View) -> Credential | None:
    if not report["PasswordEnabled"]:
        return None
    path = f"{report.path}.PasswordLastUsed"
    return "The console password", path, report["PasswordLastUsed"], report["PasswordLastChanged"]


def _key(key: View, number: int) -> Credential | None:
    return (f"Access key {number}", key.path, key["LastUsedDate"], key["LastRotated"]) if key["Active"] else None


def _is_used(read: Callable[[], Credential | None], report: View, now: datetime, days: int) -> bool | Fail | None:
    credential = read()
    if credential is None:
        return None
    what, at, last, since = credential
    age = age_days(last or since or report["UserCreationTime"], now, at)
    used = f"last used {age:.0f} days ago" if last else "never used"
    return age is None or age <= days or Fail(f"{what} was {used}; the limit is {days} days", at)


@rule(
    "aws.iam.one_active_key",
    on=USER,
    severity=Severity.MEDIUM,
    live_only=True,
    link=KEYS_LINK,
    fix="""
        1. In the IAM console, choose Users, the user, Security credentials, and compare when each key was last used.
        2. Switch what uses the older key to the newer one, then choose Actions, Deactivate on the older key.
    """,
    commands="""
        aws iam list-access-keys --user-name={name}

        aws iam update-access-key --user-name={name} --access-key-id={ACCESS_KEY} --status=Inactive
    """,
    inputs={
        "ACCESS_KEY": "the ID of the older key, which the first command lists",
    },
    remediations=("aws.iam.deactivate_second_key",),
    good=[_user(AccessKeys=[]), _user(AccessKeys=[USED_KEY, OFF_KEY])],
    bad=[_user(AccessKeys=[USED_KEY, USED_KEY])],
)
def one_active_key(user: View) -> bool | Fail:
    """IAM user has two active access keys.

    The second key is meant for rotation only. Left active, it doubles what can leak, and nobody watches it.
    """
    gaps: list[NotKnown] = []
    keys = object_members(_report(user)["AccessKeys"], gaps)
    active = [key for key in keys if known(gaps, partial(key.key, "Active"), False)]
    if len(active) <= 1 and gaps:
        raise gaps[0]
    return len(active) <= 1 or Fail(f"{len(active)} access keys are active", *active)


@rule(
    "aws.iam.key_rotation",
    on="AWS::IAM::AccessKey",
    severity=Severity.MEDIUM,
    parameters=[KEY_AGE],
    live_only=True,
    link="https://docs.aws.amazon.com/IAM/latest/UserGuide/id-credentials-access-keys-update.html",
    fix="""
        1. Create a second key for the user, and replace the old one wherever it is used.
        2. When the old key is no longer used (check Last used), deactivate it.
        3. After a few days without problems, delete it.
        4. Better still, give the workload a role, which needs no key.
    """,
    commands="""
        aws iam get-access-key-last-used --access-key-id={name}

        aws iam update-access-key --user-name={UserName} --access-key-id={OLD_KEY} --status=Inactive
    """,
    inputs={
        "OLD_KEY": "once nothing uses the old key: its ID, to confirm",
    },
    remediations=("aws.iam.deactivate_old_key",),
    good=[
        {"UserName": "ann", "Status": "Active", "Observed": {"CreateDate": RECENT}},
        {"UserName": "ann", "Status": "Inactive", "Observed": {"CreateDate": OLD}},
    ],
    bad=[{"UserName": "ann", "Status": "Active", "Observed": {"CreateDate": OLD}}],
)
def key_rotation(key: ResourceView, *, days: int) -> bool | Fail | None:
    """IAM access key is overdue for rotation.

    Keys end up in scripts, laptops and images, and work until someone turns them off. The older a key, the more copies
    exist.
    """
    if key["Status"] != "Active":
        return None
    age = age_days(key["Observed.CreateDate"], key.now, "Observed.CreateDate")
    if age is None:
        raise NotKnown("Observed.CreateDate", Unknown("the key's age is unknown", "iam:ListAccessKeys"))
    old = f"Key of {key['UserName']} is {age:.0f} days old; the limit is {days} days"
    return age <= days or Fail(old, "Observed.CreateDate")


@rule(
    "aws.iam.user_no_direct_policies",
    on=USER,
    severity=Severity.LOW,
    link="https://docs.aws.amazon.com/IAM/latest/UserGuide/id_groups_manage_attach-policy.html",
    fix="""
        1. In the IAM console, choose User groups, and find or create the group for the user's job.
        2. Attach the policy to the group and add the user to it.
        3. Open the user, choose Permissions, and remove the directly attached and inline policies.
    """,
    commands="""
        aws iam list-attached-user-policies --user-name={name}
        aws iam list-user-policies --user-name={name}

        aws iam detach-user-policy --user-name={name} --policy-arn={POLICY_ARN}

        aws iam delete-user-policy --user-name={name} --policy-name={POLICY_NAME}
    """,
    inputs={
        "POLICY_ARN": "the ARN of an attached policy, which the first command lists",
        "POLICY_NAME": "the name of an inline policy, which the second command lists",
    },
    good=[{"Policies": [], "ManagedPolicyArns": [], "Groups": ["devs"]}, {"UserName": "ann"}],
    bad=[
        {"Policies": [], "ManagedPolicyArns": ["arn:aws:iam::aws:policy/ReadOnlyAccess"]},
        {"Policies": [{"PolicyName": "p", "PolicyDocument": {"Statement": []}}], "ManagedPolicyArns": []},
    ],
)
def user_no_direct_policies(user: View) -> bool | Fail:
    """IAM user has directly attached policies.

    Permissions granted to individual users are forgotten when people change jobs. Groups show in one place who can do
    what.
    """
    gaps: list[NotKnown] = []
    held = [str(arn).rpartition("/")[2] for arn in members(user["ManagedPolicyArns"], gaps)]
    inline = [_name_of(policy) for policy in members(user["Policies"], gaps)]
    if not held and not inline and not gaps:
        return True
    shown = ", ".join([*held, *inline, *("one that is not known yet" for _ in gaps)][:5])
    return Fail(f"Attached directly: {shown}", "ManagedPolicyArns", "Policies")


def _name_of(policy: Any) -> str:
    try:
        return str(policy["PolicyName"]) if isinstance(policy, View) else "inline"
    except NotKnown:
        return "inline"


@rule(
    "aws.iam.expired_certs",
    on="AWS::IAM::ServerCertificate",
    severity=Severity.MEDIUM,
    live_only=True,
    link="https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_server-certs_manage.html",
    fix="""
        1. Make sure that no load balancer or distribution uses it. Replace it with a certificate from ACM.
        2. The console has no page for it: delete it with the command below.
    """,
    commands="""
        aws iam delete-server-certificate --server-certificate-name={name}
    """,
    good=[{"Observed": {"Expiration": "2027-01-01T00:00:00Z"}}],
    bad=[{"Observed": {"Expiration": "2026-01-14T00:00:00Z"}}],
)
def expired_certs(certificate: ResourceView) -> bool | Fail:
    """IAM server certificate has expired.

    If it is deployed by mistake, every client connection fails. It serves no other purpose.
    """
    age = age_days(certificate["Observed.Expiration"], certificate.now, "Observed.Expiration")
    if age is None:
        raise NotKnown("Observed.Expiration", Unknown("its expiry date is unknown", "iam:ListServerCertificates"))
    return age < 0 or Fail(f"Expired {age:.0f} days ago", "Observed.Expiration")
