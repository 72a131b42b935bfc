"""IAM users, groups and the root user."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from nephoscope_aws_simulator.company.cloud import Cloud, odd, tag_list

_AWS = "arn:aws:iam::aws:policy/"
_PASSWORD = "Parcel-2024-simulated!"

GROUPS: dict[str, tuple[str, ...]] = {
    "administrators": (_AWS + "AdministratorAccess",),
    "developers": (_AWS + "PowerUserAccess",),
    "finance": (_AWS + "job-function/Billing",),
    "auditors": (_AWS + "SecurityAudit",),
    "former-staff": (),
}


@dataclass(frozen=True)
class AccessKey:
    """`used_days=None`: never used."""

    age_days: int
    used_days: int | None
    active: bool = True


@dataclass(frozen=True)
class User:
    """One user; `password_used_days` -1 is no password, None a password that was never used."""

    name: str
    group: str = ""
    age_days: int = 500
    password_used_days: int | None = -1
    mfa: bool = False
    keys: tuple[AccessKey, ...] = ()
    attached: tuple[str, ...] = ()
    inline: str = ""
    owner: str = "it@northwind.example"


USERS = (
    User("alice.meyer", "administrators", 900, 1, mfa=True),
    User("bob.tanaka", "administrators", 870, 2, mfa=False),
    User("carol.santos", "developers", 400, 0, mfa=True, keys=(AccessKey(30, 1),)),
    User("dave.oconnor", "developers", 700, 5, mfa=True, keys=(AccessKey(410, 3),)),
    User("erin.novak", "developers", 320, 4, mfa=True, keys=(AccessKey(75, 2), AccessKey(20, 1))),
    User("frank.dubois", "finance", 1100, 210, mfa=False),
    User("grace.lee", "developers", 150, 6, mfa=True, keys=(AccessKey(120, None),)),
    User("heidi.berg", "finance", 600, 12, mfa=True, keys=(AccessKey(590, 480, active=False),)),
    User("ivan.petrov", "former-staff", 1500, 520, mfa=False, keys=(AccessKey(1400, 530),)),
    User("judy.adeyemi", "auditors", 250, 9, mfa=True),
    User("niaj.rahman", "developers", 45, None, mfa=False),
    User("olivia.kim", "finance", 30, 1, mfa=True),
    User("mallory.quinn", age_days=380, password_used_days=20, mfa=False, attached=(_AWS + "AdministratorAccess",)),
    User("sybil.turner", age_days=640, password_used_days=60, mfa=True, inline="*"),
    User("trent.moss", age_days=90),
    User("svc-deployer", age_days=720, keys=(AccessKey(700, 0),), attached=(_AWS + "PowerUserAccess",)),
    User("svc-warehouse-sync", age_days=300, keys=(AccessKey(80, 0),), inline="sqs:SendMessage"),
    User("svc-legacy-ftp", age_days=1250, keys=(AccessKey(1200, 400),), attached=(_AWS + "AmazonS3FullAccess",)),
    User("svc-mailer", age_days=200, keys=(AccessKey(60, 1),), inline="ses:SendEmail", owner=odd("unknown")),
    User("victor,extern+agency@northwind.example", "developers", 60, 3, mfa=False),
)


def _inline_policy(action: str) -> str:
    statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _make_group(cloud: Cloud, name: str) -> None:
    iam = cloud.client("iam")
    iam.create_group(GroupName=name)
    for arn in GROUPS[name]:
        iam.attach_group_policy(GroupName=name, PolicyArn=arn)


def _make_credentials(iam: Any, user: User) -> list[dict[str, Any]]:
    """Password, MFA and keys; what has an age is returned as patches."""
    patches: list[dict[str, Any]] = [{"kind": "user", "name": user.name, "age_days": user.age_days}]
    if user.password_used_days != -1:
        iam.create_login_profile(UserName=user.name, Password=_PASSWORD)
        patches[0] |= {"password_used_days": user.password_used_days, "password_changed_days": user.age_days // 2}
    if user.mfa:
        device = iam.create_virtual_mfa_device(VirtualMFADeviceName=user.name)["VirtualMFADevice"]["SerialNumber"]
        iam.enable_mfa_device(
            UserName=user.name, SerialNumber=device, AuthenticationCode1="123456", AuthenticationCode2="654321"
        )
    for key in user.keys:
        made = iam.create_access_key(UserName=user.name)["AccessKey"]["AccessKeyId"]
        if not key.active:
            iam.update_access_key(UserName=user.name, AccessKeyId=made, Status="Inactive")
        patches.append({"kind": "access_key", "id": made, "age_days": key.age_days, "used_days": key.used_days})
    return patches


def _make_user(cloud: Cloud, user: User) -> None:
    iam = cloud.client("iam")
    iam.create_user(UserName=user.name, Tags=tag_list(Team=user.group or "services", Owner=user.owner))
    if user.group:
        iam.add_user_to_group(GroupName=user.group, UserName=user.name)
    for arn in user.attached:
        iam.attach_user_policy(UserName=user.name, PolicyArn=arn)
    if user.inline:
        document = _inline_policy(user.inline)
        iam.put_user_policy(UserName=user.name, PolicyName="own", PolicyDocument=document)
    cloud.patch(_make_credentials(iam, user))


def make_people(cloud: Cloud) -> None:
    """Groups, users, a weak password policy, and a root user without MFA."""
    iam = cloud.client("iam")
    iam.create_account_alias(AccountAlias="northwind-freight")
    iam.update_account_password_policy(MinimumPasswordLength=8, RequireLowercaseCharacters=True)
    cloud.patch([{"kind": "root", "mfa": False, "used_days": 4}])
    cloud.each(lambda name: _make_group(cloud, name), GROUPS)
    cloud.each(lambda user: _make_user(cloud, user), USERS)
    cloud.made("AWS::IAM::Group", len(GROUPS))
    cloud.made("AWS::IAM::User", len(USERS))
    cloud.made("AWS::IAM::AccessKey", sum(len(user.keys) for user in USERS))
