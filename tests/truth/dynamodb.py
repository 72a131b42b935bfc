"""Tables: whether they can be restored to any second, and whether they are kept from deletion."""

from __future__ import annotations

from typing import Any

from tests.truth.account import ABROAD, HOME, Truth, holds

ALL = "pitr deletion_protection customer_key"

TABLES: dict[str, tuple[str, bool | None, bool | None]] = {
    "right": ("", True, True),
    "as-made": ("pitr deletion_protection", None, None),
    "said-off": ("pitr deletion_protection", False, False),
    "not-restorable": ("pitr", None, True),
    "not-restorable-any-more": ("pitr", False, True),
    "deletable": ("deletion_protection", True, None),
}
"""Each table with the rules that it fails, and the two switches; None says nothing of one."""


@holds()
def tables(truth: Truth) -> None:
    for region in (HOME, ABROAD):
        dynamodb = truth.client("dynamodb", region)
        for name, (fails, restorable, kept) in TABLES.items():
            _table(dynamodb, f"{name}-{region}", kept)
            if restorable is not None:
                _restorable(dynamodb, f"{name}-{region}", True)
                _restorable(dynamodb, f"{name}-{region}", restorable)
            truth.judged(f"{name}-{region}", fails=f"{fails} customer_key", of=ALL)
        _changed_later(truth, region, dynamodb)


def _table(dynamodb: Any, name: str, kept: bool | None = None, **given: Any) -> None:
    given |= {} if kept is None else {"DeletionProtectionEnabled": kept}
    dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        **given,
    )


def _restorable(dynamodb: Any, name: str, on: bool) -> None:
    switch = {"PointInTimeRecoveryEnabled": on}
    dynamodb.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification=switch)


def _changed_later(truth: Truth, region: str, dynamodb: Any) -> None:
    """Protection turned on and off after a table was made, and a table that was deleted."""
    for name, kept in (("protected-later", True), ("unprotected-later", False)):
        _table(dynamodb, f"{name}-{region}", not kept)
        dynamodb.update_table(TableName=f"{name}-{region}", DeletionProtectionEnabled=kept)
        fails = "pitr customer_key" + " deletion_protection" * (not kept)
        truth.judged(f"{name}-{region}", fails=fails, of=ALL)
    _table(dynamodb, f"gone-{region}")
    dynamodb.delete_table(TableName=f"gone-{region}")


@holds()
def keys(truth: Truth) -> None:
    """Tables under keys of their own, of AWS, of another account, and of nobody's choice."""
    dynamodb, kms = truth.client("dynamodb"), truth.client("kms")
    own = kms.create_key()["KeyMetadata"]
    kms.create_alias(AliasName="alias/orders", TargetKeyId=own["KeyId"])
    other = f"arn:aws:kms:{HOME}:123456789012:key/0a1b2c3d-0000-4000-8000-000000000000"
    for name, given, fails in (
        ("own", {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": own["Arn"]}, False),
        ("of-another-account", {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": other}, False),
        ("of-aws", {"Enabled": True, "SSEType": "KMS"}, True),
        ("off", {"Enabled": False}, True),
    ):
        _table(dynamodb, name, True, SSESpecification=given)
        truth.judged(name, fails="pitr" + " customer_key" * fails, of=ALL)


@holds()
def hidden_keys(truth: Truth) -> None:
    """It takes the keys to tell one's own from AWS's."""
    own = truth.client("kms").create_key()["KeyMetadata"]["Arn"]
    given = {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": own}
    _table(truth.client("dynamodb"), "own", True, SSESpecification=given)
    truth.judged("own", fails="pitr", unknown="customer_key", of=ALL)
    truth.cloud.control("deny", actions=["kms:ListKeys"])


@holds()
def unreadable_tables(truth: Truth) -> None:
    """Each of the three calls hidden from someone: what it tells is unknown, and what the others tell is not."""
    _table(truth.client("dynamodb", HOME), "no-backups-told", kept=True)
    truth.judged("no-backups-told", unknown="pitr", passes="deletion_protection", fails="customer_key")
    _table(truth.client("dynamodb", ABROAD), "not-described", kept=False)
    truth.judged("not-described", unknown="deletion_protection customer_key", fails="pitr")
    truth.cloud.control("deny", actions=["dynamodb:DescribeContinuousBackups"], regions=[HOME])
    truth.cloud.control("deny", actions=["dynamodb:DescribeTable"], regions=[ABROAD])


@holds()
def unlisted_tables(truth: Truth) -> None:
    _table(truth.client("dynamodb", ABROAD), "hidden")
    truth.hide("dynamodb:ListTables", "AWS::DynamoDB::Table")


@holds(regions=(ABROAD,))
def tables_elsewhere(truth: Truth) -> None:
    """What is in a region that was not chosen is not judged."""
    _table(truth.client("dynamodb", HOME), "not-chosen")
    _table(truth.client("dynamodb", ABROAD), "chosen")
    truth.judged("chosen", fails=ALL)
