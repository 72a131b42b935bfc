"""Tables: whether they can be restored to any second, and whether they are kept from deletion."""

from __future__ import annotations

from typing import Any

from tests.truth.account import ABROAD, HOME, Truth, holds

ALL = "pitr deletion_protection"

TABLES: dict[str, tuple[str, bool | None, bool | None]] = {
    "right": ("", True, True),
    "as-made": (ALL, None, None),
    "said-off": (ALL, False, False),
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
            truth.judged(f"{name}-{region}", fails=fails, of=ALL)
        _changed_later(truth, region, dynamodb)


def _table(dynamodb: Any, name: str, kept: bool | None = None) -> None:
    given = {} if kept is None else {"DeletionProtectionEnabled": kept}
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
        truth.judged(f"{name}-{region}", fails="pitr", **({} if not kept else {"passes": "deletion_protection"}))
        if not kept:
            truth.judged(f"{name}-{region}", fails="deletion_protection")
    _table(dynamodb, f"gone-{region}")
    dynamodb.delete_table(TableName=f"gone-{region}")


@holds()
def unreadable_tables(truth: Truth) -> None:
    """Each of the three calls hidden from someone: what it tells is unknown, and what the others tell is not."""
    _table(truth.client("dynamodb", HOME), "no-backups-told", kept=True)
    truth.judged("no-backups-told", unknown="pitr", passes="deletion_protection")
    _table(truth.client("dynamodb", ABROAD), "not-described", kept=False)
    truth.judged("not-described", unknown="deletion_protection", fails="pitr")
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
