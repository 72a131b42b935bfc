"""Rules on DynamoDB tables."""

from __future__ import annotations

from nephoscope.domain import Severity, View, rule
from nephoscope_aws.access import is_on

TABLE = "AWS::DynamoDB::Table"


@rule(
    "aws.dynamodb.pitr",
    on=TABLE,
    severity=Severity.MEDIUM,
    link="https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/PointInTimeRecovery_Howitworks.html",
    fix="""
        1. In the DynamoDB console, choose Tables, select the table, then Backups.
        2. Under Point-in-time recovery (PITR), choose Edit, turn it on, and save.
        3. It is charged by table size. A restore always creates a new table.
    """,
    commands="""
        aws dynamodb update-continuous-backups --region={region} --table-name={name}
          --point-in-time-recovery-specification=PointInTimeRecoveryEnabled=true
    """,
    good=[
        {"PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True, "RecoveryPeriodInDays": 35}},
        {"PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": "true"}},
    ],
    bad=[
        {"PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": False}},
        {"PointInTimeRecoverySpecification": None},
        {"PointInTimeRecoverySpecification": "yes"},
        {},
    ],
)
def pitr(table: View) -> bool:
    """DynamoDB point-in-time recovery is off.

    A faulty program or a careless command can overwrite every item within minutes. With point-in-time recovery the
    table can be restored to any second of up to the last 35 days.
    """
    return is_on(table["PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled"])


@rule(
    "aws.dynamodb.deletion_protection",
    on=TABLE,
    severity=Severity.MEDIUM,
    link="https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/WorkingWithTables.Basics.html",
    fix="""
        1. In the DynamoDB console, choose Tables, select the table, then Additional settings.
        2. Under Deletion protection, choose Turn on.
    """,
    commands="""
        aws dynamodb update-table --region={region} --table-name={name} --deletion-protection-enabled
    """,
    good=[
        {"DeletionProtectionEnabled": True},
        {"TableName": "orders", "DeletionProtectionEnabled": "true", "BillingMode": "PAY_PER_REQUEST"},
    ],
    bad=[
        {"DeletionProtectionEnabled": False},
        {"TableName": "orders", "DeletionProtectionEnabled": None},
        {"DeletionProtectionEnabled": "false", "TableClass": "STANDARD"},
        {},
    ],
)
def deletion_protection(table: View) -> bool:
    """DynamoDB deletion protection is off.

    A script with the wrong table name, or a deleted stack, takes the table and its data with it. With deletion
    protection, deleting a table takes two deliberate steps.
    """
    return is_on(table["DeletionProtectionEnabled"])
