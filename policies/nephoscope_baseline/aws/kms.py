"""Rules on customer managed KMS keys."""

from __future__ import annotations

from typing import Any

from nephoscope.domain import Fail, ResourceView, Severity, View, rule
from nephoscope_aws.access import is_on
from nephoscope_aws.access_grants import open_grants

KEY = "AWS::KMS::Key"
ANYONE = {"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*"}
OWN = {"AWS": "arn:aws:iam::123456789012:root"}


def _key_policy(principal: Any, condition: dict[str, Any] | None = None) -> dict[str, Any]:
    """An example: a key whose policy is one statement."""
    statement = {"Effect": "Allow", "Principal": principal, "Action": "kms:*", "Resource": "*"}
    return {"KeyPolicy": {"Statement": [statement | ({"Condition": condition} if condition else {})]}}


@rule(
    "aws.kms.rotation",
    on=KEY,
    severity=Severity.MEDIUM,
    link="https://docs.aws.amazon.com/kms/latest/developerguide/rotating-keys-enable.html",
    fix="""
        1. In the KMS console, choose Customer managed keys and select the key.
        2. Under Key rotation, choose Edit, turn on Automatically rotate this KMS key, and save.
        3. Nothing has to be re-encrypted: KMS keeps the old key material for existing ciphertext.
    """,
    commands="""
        aws kms enable-key-rotation --region={region} --key-id={id}
    """,
    remediations=("aws.kms.enable_rotation",),
    good=[
        {"EnableKeyRotation": True, "KeySpec": "SYMMETRIC_DEFAULT", "Origin": "AWS_KMS"},
        {"EnableKeyRotation": False, "KeySpec": "RSA_2048"},
        {"EnableKeyRotation": False, "Origin": "EXTERNAL"},
        {"EnableKeyRotation": False, "Observed": {"KeyState": "PendingDeletion"}},
    ],
    bad=[
        {"EnableKeyRotation": False, "KeySpec": "SYMMETRIC_DEFAULT", "Origin": "AWS_KMS"},
        {"EnableKeyRotation": False, "Observed": {"KeyState": "Enabled"}},
        {},
    ],
)
def rotation(key: View) -> bool | None:
    """KMS key rotation is off.

    The longer the same key material is used, the more data is lost if it is compromised. KMS rotates it without any
    change to applications.
    """
    # Only symmetric keys with material made by KMS can rotate by themselves, and only while they are enabled.
    # https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html
    if key.get("KeySpec", "SYMMETRIC_DEFAULT") != "SYMMETRIC_DEFAULT" or key.get("Origin", "AWS_KMS") != "AWS_KMS":
        return None
    if key.get("Observed.KeyState", "Enabled") != "Enabled":
        return None
    return is_on(key["EnableKeyRotation"])


@rule(
    "aws.kms.not_deleting",
    on=KEY,
    severity=Severity.CRITICAL,
    live_only=True,
    link="https://docs.aws.amazon.com/kms/latest/developerguide/deleting-keys-scheduling-key-deletion.html",
    fix="""
        1. Ask who scheduled it: in CloudTrail, Event history, filter Event name by ScheduleKeyDeletion.
        2. To keep the key, open it in the KMS console and choose Key actions, Cancel key deletion.
        3. If the deletion is intended, first make sure that nothing is still encrypted with the key, then suppress this
           alert.
    """,
    commands="""
        aws kms cancel-key-deletion --region={region} --key-id={id}
        aws kms enable-key --region={region} --key-id={id}
    """,
    remediations=("aws.kms.cancel_deletion",),
    good=[{"Observed": {"KeyState": "Enabled"}}, {"Observed": {"KeyState": "Disabled"}}],
    bad=[
        {"Observed": {"KeyState": "PendingDeletion", "DeletionDate": "2026-02-01T00:00:00Z"}},
        {"Observed": {"KeyState": "PendingReplicaDeletion", "DeletionDate": None}},
    ],
)
def not_deleting(key: View) -> bool | Fail:
    """KMS key is scheduled for deletion.

    When the waiting period ends, everything encrypted with the key is lost for good. Until then deletion can be
    canceled.
    """
    if key["Observed.KeyState"] not in ("PendingDeletion", "PendingReplicaDeletion"):
        return True
    date = key["Observed.DeletionDate"]
    return Fail(f"Scheduled for deletion on {str(date)[:10]}" if date else "Pending deletion", "Observed.KeyState")


@rule(
    "aws.kms.public",
    on=KEY,
    severity=Severity.CRITICAL,
    link="https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html",
    fix="""
        1. In the KMS console, open the key and choose Key policy, Switch to policy view, Edit.
        2. Replace the wildcard principal with the accounts or roles that use the key, or add a condition with a fixed
           kms:CallerAccount or aws:PrincipalOrgID. kms:ViaService alone is not enough: anyone can call through a
           service.
    """,
    commands="""
        aws kms put-key-policy --region={region} --key-id={id} --policy-name=default --policy={POLICY_FILE}
    """,
    inputs={
        "POLICY_FILE": "file://policy.json, where policy.json is the complete new policy",
    },
    remediations=("aws.kms.remove_public_access",),
    good=[
        _key_policy(OWN),
        _key_policy(
            {"AWS": "*"},
            {"StringEquals": {"kms:CallerAccount": "123456789012", "kms:ViaService": "s3.eu-west-1.amazonaws.com"}},
        ),
        _key_policy("*", {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}),
        _key_policy("*", {"ArnEquals": {"aws:SourceVpcArn": "arn:aws:ec2:eu-west-1:123456789012:vpc/vpc-0a1b2c3d"}}),
        _key_policy({"Service": "logs.eu-west-1.amazonaws.com"}),
        {"KeyPolicy": {"Statement": [ANYONE, {**ANYONE, "Effect": "Deny", "Resource": f"example:{KEY}:example"}]}},
    ],
    bad=[
        _key_policy("*"),
        _key_policy({"AWS": "*"}),
        _key_policy({"AWS": ["*"]}, {"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}}),
        _key_policy("*", {"StringLike": {"kms:CallerAccount": "*"}}),
    ],
)
def public(key: ResourceView) -> bool | Fail:
    """KMS key is public.

    Any AWS account can call the key, so what it encrypts is no longer protected by it. Depending on the actions,
    strangers can even delete it.
    """
    for grant in open_grants(key.key("KeyPolicy"), own=key.id):
        return Fail(f"{grant.who} can use this key: policy allows {grant.actions}", grant.at)
    return True
