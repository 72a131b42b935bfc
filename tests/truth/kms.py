"""Customer managed keys: their rotation, their end, and who may use them."""

from __future__ import annotations

import json
from typing import Any

from tests.truth.account import ABROAD, HOME, Truth, holds
from tests.truth.statements import ORG, OTHER, Statement, allow, to_anyone, to_known

RSA, CURVE = {"KeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY"}, {"KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY"}
HMAC = {"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"}

KEYS: dict[str, tuple[dict[str, Any], bool, str, str]] = {
    "rotates": ({}, True, "Enabled", "passes"),
    "rotates-abroad": ({}, True, "Enabled", "passes"),
    "rotates-in-regions": ({"MultiRegion": True}, True, "Enabled", "passes"),
    "stays": ({}, False, "Enabled", "fails"),
    "stays-abroad": ({}, False, "Enabled", "fails"),
    "stays-in-regions": ({"MultiRegion": True}, False, "Enabled", "fails"),
    "asymmetric": (RSA, False, "Enabled", "skipped"),
    "elliptic": (CURVE, False, "Enabled", "skipped"),
    "hashing": (HMAC, False, "Enabled", "skipped"),
    "imported": ({"Origin": "EXTERNAL"}, False, "Enabled", "skipped"),
    "waiting-for-import": ({"Origin": "EXTERNAL"}, False, "PendingImport", "skipped"),
    "in-a-module": ({"Origin": "AWS_CLOUDHSM"}, False, "Enabled", "skipped"),
    "elsewhere": ({"Origin": "EXTERNAL_KEY_STORE"}, False, "Enabled", "skipped"),
    "disabled": ({}, False, "Disabled", "skipped"),
    "disabled-rotates": ({}, True, "Disabled", "skipped"),
    "ending": ({}, False, "PendingDeletion", "skipped"),
    "ending-rotates": ({}, True, "PendingDeletion", "skipped"),
    "ending-asymmetric": (CURVE, False, "PendingDeletion", "skipped"),
    "ending-with-replicas": ({"MultiRegion": True}, False, "PendingReplicaDeletion", "skipped"),
}
"""What a key is made with, whether it rotates, its state, and the verdict on its rotation. Only symmetric keys with
material of KMS's own can rotate by themselves: https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html
"""


@holds()
def keys(truth: Truth) -> None:
    """Keys of each kind and in each state; a key whose deletion was canceled is disabled."""
    for name, (made, rotates, state, rotation) in KEYS.items():
        region = ABROAD if name.endswith("abroad") else HOME
        kms, key = _key(truth, name, region, **made)
        if rotates:
            kms.enable_key_rotation(KeyId=key)
        if state == "PendingDeletion":
            kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
        truth.patch("kms_key", region=region, id=key, state=state)
        verdict = "fails" if state.endswith("Deletion") else "passes"
        truth.judged(f"alias/{name}", **{rotation: "rotation"})
        truth.judged(f"alias/{name}", **{verdict: "not_deleting"})
    kms, key = _key(truth, "kept", HOME)
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    kms.cancel_key_deletion(KeyId=key)
    truth.judged("alias/kept", passes="not_deleting", skipped="rotation")
    truth.client("kms").describe_key(KeyId="alias/aws/s3")  # AWS's own, of which nothing has to be said


@holds()
def hidden_keys(truth: Truth) -> None:
    """One key after the other cannot be read in part; those of the other region cannot be listed."""
    hidden = {"kms:GetKeyRotationStatus": "rotation", "kms:GetKeyPolicy": "public", "kms:DescribeKey": "not_deleting"}
    for number, (action, rule) in enumerate(hidden.items()):
        _, key = _key(truth, f"hidden-{number}", HOME)
        arn = f"arn:aws:kms:{HOME}:{truth.cloud.account}:key/{key}"
        truth.cloud.control("deny", actions=[action], resources=[arn])
        truth.judged(f"alias/hidden-{number}", unknown=rule + " rotation" * (rule == "not_deleting"))
        truth.judged(f"alias/hidden-{number}", fails="rotation" * (rule == "public"))
    truth.cloud.control("deny", actions=["kms:ListKeys"], regions=[ABROAD])
    truth.judged(f"unlisted:AWS::KMS::Key:{ABROAD}:0", unknown="rotation not_deleting public")


VIA = "s3.us-east-1.amazonaws.com"
NOT_ORG = {"StringNotEquals": {"aws:PrincipalOrgID": ORG}}
ANYBODY: dict[str, list[Statement]] = {
    "one-action": [allow("*", Action="kms:DescribeKey")],
    "in-capitals": [allow("*", Action="KMS:DECRYPT")],
    "all-actions-but": [{"Effect": "Allow", "Principal": "*", "NotAction": "kms:ScheduleKeyDeletion"}],
    "second": [allow({"AWS": OTHER}), allow({"AWS": "*"})],
    "via": [allow("*", {"StringEquals": {"kms:ViaService": VIA}})],
    "any-caller": [allow("*", {"StringLike": {"kms:CallerAccount": "*"}})],
    "not-caller": [allow("*", {"StringNotEquals": {"kms:CallerAccount": OTHER}})],
    "context": [allow("*", {"StringEquals": {"kms:EncryptionContext:app": "billing"}})],
    "half-denied": [allow("*"), {"Effect": "Deny", "Principal": "*", "Action": "kms:Encrypt", "Condition": NOT_ORG}],
    "wrong-ones-denied": [allow("*"), {"Effect": "Deny", "Principal": {"AWS": OTHER}, "Action": "kms:*"}],
}
KNOWN: dict[str, list[Statement]] = {
    "caller": [allow("*", {"StringEquals": {"kms:CallerAccount": OTHER}})],
    "callers": [allow("*", {"StringEquals": {"KMS:calleraccount": [OTHER, "111111111111"]}})],
    "caller-via": [allow("*", {"StringEquals": {"kms:CallerAccount": OTHER, "kms:ViaService": VIA}})],
    "others-denied": [allow("*"), {"Effect": "Deny", "Principal": "*", "Action": "kms:*", "Condition": NOT_ORG}],
    "all-denied": [allow("*", Action="kms:Decrypt"), {"Effect": "Deny", "Principal": "*", "Action": "kms:Decrypt*"}],
}


@holds()
def policies(truth: Truth) -> None:
    """Keys that anyone can use, and keys that look so; a policy may hold one statement without a list."""
    own = truth.cloud.account
    anybody = {name: [each] for name, each in to_anyone(own).items()} | ANYBODY
    known = {name: [each] for name, each in to_known(own).items() if each["Effect"] == "Allow"} | KNOWN
    for verdict, table in (("fails", anybody), ("passes", known)):
        for name, statements in table.items():
            full = [{"Action": "kms:*", "Resource": "*", **each} for each in statements]
            for each in full:
                if "NotAction" in each:
                    del each["Action"]
            kms, key = _key(truth, name, HOME)
            policy = {"Version": "2012-10-17", "Statement": full[0] if len(full) == 1 and "own" in name else full}
            kms.put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps(policy))
            truth.judged(f"alias/{name}", fails="rotation")
            truth.judged(f"alias/{name}", **{verdict: "public"})
    _key(truth, "default", HOME)
    truth.judged("alias/default", passes="public not_deleting", fails="rotation")


def _key(truth: Truth, name: str, region: str, **made: Any) -> tuple[Any, str]:
    kms = truth.client("kms", region)
    key = str(kms.create_key(Description="<i>Schlüssel</i>", **made)["KeyMetadata"]["KeyId"])
    kms.create_alias(AliasName=f"alias/{name}", TargetKeyId=key)
    return kms, key
