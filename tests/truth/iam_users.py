"""IAM users: how they sign in, how long they have not, their keys, and how they got their permissions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.truth.account import Truth, holds

READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
ALLOW = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*"}]}'


@dataclass(frozen=True)
class Key:
    """Ages in days; ``used`` is None for a key that never was."""

    age: float = 10
    used: float | None = 1
    active: bool = True


@dataclass(frozen=True)
class User:
    """``password`` has the days since its last use (None: never) and since its last change; ``fails`` and ``skipped``
    are the rules that do, the others pass."""

    fails: str = ""
    skipped: str = ""
    password: tuple[float | None, float] | None = None
    mfa: bool = False
    keys: tuple[Key, ...] = ()
    path: str = "/"
    age: float = 400
    attached: tuple[str, ...] = ()
    inline: bool = False
    groups: tuple[str, ...] = ()
    boundary: str = ""
    key_fails: tuple[bool, ...] = ()


NO_LOGIN = "user_mfa"
USERS = {
    "idle": User(skipped=NO_LOGIN),
    "signs-in": User(password=(1, 30), mfa=True),
    "no-mfa": User("user_mfa", password=(1, 30)),
    "no-mfa@example.com": User("user_mfa", password=(1, 30), path="/division/team/"),
    "mfa-without-password": User(skipped=NO_LOGIN, mfa=True),
    "keys-only": User(skipped=NO_LOGIN, keys=(Key(),)),
    "used-44-days-ago": User(password=(44.9, 400), mfa=True),
    "used-46-days-ago": User("unused_credentials", password=(45.1, 400), mfa=True),
    "never-used-new": User(password=(None, 44.9), mfa=True),
    "never-used-old": User("unused_credentials", password=(None, 45.1), mfa=True),
    "never-used-reset": User(password=(None, 3), mfa=True),
    "key-used-44-days-ago": User(skipped=NO_LOGIN, keys=(Key(80, 44.9),)),
    "key-used-46-days-ago": User("unused_credentials", NO_LOGIN, keys=(Key(80, 45.1),)),
    "key-never-used-new": User(skipped=NO_LOGIN, keys=(Key(44.9, None),)),
    "key-never-used-old": User("unused_credentials", NO_LOGIN, keys=(Key(45.1, None),)),
    "second-key-unused": User("unused_credentials one_active_key", NO_LOGIN, keys=(Key(), Key(60, 50))),
    "unused-key-is-off": User(skipped=NO_LOGIN, keys=(Key(), Key(400, 300, active=False))),
    "only-key-is-off": User(skipped=NO_LOGIN, keys=(Key(400, 300, active=False),)),
    "used-key-unused-password": User("unused_credentials user_mfa", password=(60, 60), keys=(Key(),)),
    "two-keys": User("one_active_key", NO_LOGIN, keys=(Key(), Key())),
    "two-keys-off": User(skipped=NO_LOGIN, keys=(Key(active=False), Key(active=False))),
    "key-89-days": User(skipped=NO_LOGIN, keys=(Key(89.9),)),
    "key-91-days": User(skipped=NO_LOGIN, keys=(Key(90.1),), key_fails=(True,)),
    "old-and-new-key": User("one_active_key", NO_LOGIN, keys=(Key(5), Key(900)), key_fails=(False, True)),
    "old-key-is-off": User(skipped=NO_LOGIN, keys=(Key(900, active=False),)),
    "in-groups": User(skipped=NO_LOGIN, groups=("devs", "ops")),
    "attached": User("user_no_direct_policies", NO_LOGIN, attached=(READ_ONLY,), groups=("devs",)),
    "inline": User("user_no_direct_policies", NO_LOGIN, inline=True),
    "attached-and-inline": User("user_no_direct_policies", NO_LOGIN, attached=(READ_ONLY,), inline=True),
    "bounded": User(skipped=NO_LOGIN, boundary=READ_ONLY),
}
ON_USERS = {"user_mfa", "unused_credentials", "one_active_key", "user_no_direct_policies", "cloudshell_full"}


@holds(services=("iam",))
def users(truth: Truth) -> None:
    """One user on each side of every limit. https://docs.aws.amazon.com/securityhub/latest/userguide/iam-controls.html"""
    iam = truth.client("iam")
    for group in ("devs", "ops"):
        iam.create_group(GroupName=group)
        iam.attach_group_policy(GroupName=group, PolicyArn=READ_ONLY)
    for name, user in USERS.items():
        _user(truth, iam, name, user)
        passes = ON_USERS - {*user.fails.split(), *user.skipped.split()}
        truth.judged(name, fails=user.fails, skipped=user.skipped, passes=" ".join(passes))


def _user(truth: Truth, iam: Any, name: str, user: User) -> None:
    boundary = {"PermissionsBoundary": user.boundary} if user.boundary else {}
    iam.create_user(UserName=name, Path=user.path, **boundary)
    if user.password:
        used, changed = user.password
        iam.create_login_profile(UserName=name, Password="Correct-horse-7-battery")
        truth.patch("user", name=name, password_used_days=used, password_changed_days=changed)
    truth.patch("user", name=name, age_days=user.age)
    if user.mfa:
        device = iam.create_virtual_mfa_device(VirtualMFADeviceName=name)["VirtualMFADevice"]["SerialNumber"]
        codes = {"AuthenticationCode1": "123456", "AuthenticationCode2": "654321"}
        iam.enable_mfa_device(UserName=name, SerialNumber=device, **codes)
    for number, key in enumerate(user.keys):
        id = iam.create_access_key(UserName=name)["AccessKey"]["AccessKeyId"]
        truth.patch("access_key", id=id, age_days=key.age, used_days=key.used)
        if not key.active:
            iam.update_access_key(UserName=name, AccessKeyId=id, Status="Inactive")
        verdict = "fails" if user.key_fails and user.key_fails[number] else "passes" if key.active else "skipped"
        truth.judged(id, **{verdict: "key_rotation"})
    for arn in user.attached:
        iam.attach_user_policy(UserName=name, PolicyArn=arn)
    if user.inline:
        iam.put_user_policy(UserName=name, PolicyName="own+policy@v=1,2", PolicyDocument=ALLOW)
    for group in user.groups:
        iam.add_user_to_group(UserName=name, GroupName=group)


@holds(services=("iam",))
def hidden_report(truth: Truth) -> None:
    """Without the credential report nothing is known of passwords; what the policies are is."""
    iam = truth.client("iam")
    iam.create_user(UserName="ann")
    key = iam.create_access_key(UserName="ann")["AccessKey"]["AccessKeyId"]
    truth.patch("access_key", id=key, age_days=91)
    truth.cloud.control("deny", actions=["iam:GetCredentialReport"])
    truth.judged("ann", unknown="user_mfa unused_credentials one_active_key", passes="user_no_direct_policies")
    truth.judged(key, fails="key_rotation")


@holds(services=("iam",))
def hidden_keys(truth: Truth) -> None:
    """The ages of keys come from a list for each user."""
    truth.client("iam").create_user(UserName="ann")
    truth.client("iam").create_access_key(UserName="ann")
    truth.cloud.control("deny", actions=["iam:ListAccessKeys"])
    truth.judged("unlisted:AWS::IAM::AccessKey:global:0", unknown="key_rotation")
    truth.judged("ann", passes="one_active_key unused_credentials", skipped="user_mfa")


@holds(services=("iam",))
def hidden_users(truth: Truth) -> None:
    """One list gives users, groups, roles and policies; without it, nothing is known of any."""
    truth.client("iam").create_user(UserName="ann")
    truth.cloud.control("deny", actions=["iam:GetAccountAuthorizationDetails"])
    on_user = "user_mfa unused_credentials one_active_key user_no_direct_policies"
    on_all, on_holders = "cloudshell_full no_star_inline", "privilege_escalation"
    truth.judged("unlisted:AWS::IAM::User:global:0", unknown=f"{on_user} {on_all} {on_holders}")
    truth.judged("unlisted:AWS::IAM::AccessKey:global:0", unknown="key_rotation")
    truth.judged("unlisted:AWS::IAM::Group:global:0", unknown=on_all)
    truth.judged("unlisted:AWS::IAM::Role:global:0", unknown=f"{on_all} {on_holders} role_trust_wildcard")
    truth.judged("unlisted:AWS::IAM::ManagedPolicy:global:0", unknown="no_star_policy no_service_star")
