"""Rules on DynamoDB tables."""

from __future__ import annotations

from typing import Any

from nephoscope.domain import Fail, Inventory, ResourceView, Severity, View, rule
from nephoscope.domain.examples import ACCOUNT, example, resource
from nephoscope_aws.access import is_on

TABLE = "AWS::DynamoDB::Table"
KEY = "AWS::KMS::Key"

OWN_KEY = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/0a1b2c3d"
AWS_KEY = "alias/aws/dynamodb"
"""The alias of the key that AWS manages for DynamoDB in an account.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.howitworks.html"""


def _by_kms(key: Any, **more: Any) -> dict[str, Any]:
    """An example: a table that is encrypted with a KMS key."""
    return {"SSESpecification": {"SSEEnabled": True, "SSEType": "KMS", "KMSMasterKeyId": key, **more}}


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
    remediations=("aws.dynamodb.enable_pitr",),
    good=[
        {"PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True, "RecoveryPeriodInDays": 35}},
        {"PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": "true"}},
    ],
    bad=[
        {"PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": False}},
        {"PointInTimeRecoverySpecification": None},
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
    remediations=("aws.dynamodb.enable_deletion_protection",),
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


@rule(
    "aws.dynamodb.customer_key",
    on=TABLE,
    severity=Severity.LOW,
    needs=[KEY],
    link="https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.tutorial.html",
    fix="""
        1. Create a symmetric KMS key whose policy lets the table's users use it through DynamoDB.
        2. In the DynamoDB console, choose Tables, select the table, then Additional settings.
        3. Under Encryption, choose Manage encryption, Stored in your account, and choose the key.
    """,
    commands="""
        aws dynamodb update-table --region={region} --table-name={name}
          --sse-specification=Enabled=true,SSEType=KMS,KMSMasterKeyId={KEY_ARN}
    """,
    inputs={
        "KEY_ARN": "the ARN of your own KMS key",
    },
    good=[
        example(_by_kms(OWN_KEY), neighbours=[resource(KEY, {"KeySpec": "SYMMETRIC_DEFAULT"}, name=OWN_KEY)]),
        _by_kms("arn:aws:kms:eu-west-1:210987654321:key/0a1b2c3d"),
        _by_kms("alias/orders"),
        _by_kms("0a1b2c3d-0000-4000-8000-000000000000", SSEEnabled="true"),
    ],
    bad=[
        {"SSESpecification": None},
        {},
        {"SSESpecification": {"SSEEnabled": False, "KMSMasterKeyId": OWN_KEY}},
        {"SSESpecification": {"SSEEnabled": True, "SSEType": "KMS"}},
        {"SSESpecification": {"SSEEnabled": True, "KMSMasterKeyId": None}},
        _by_kms(AWS_KEY),
        _by_kms(f"arn:aws:kms:eu-west-1:{ACCOUNT}:{AWS_KEY}"),
        example(_by_kms(OWN_KEY), neighbours=[resource(KEY, {"KeySpec": "SYMMETRIC_DEFAULT"}, name="other")]),
    ],
)
def customer_key(table: ResourceView, inventory: Inventory) -> bool | Fail:
    """DynamoDB table is not encrypted with a customer managed key.

    DynamoDB encrypts every table, but you cannot decide who may use an AWS owned or AWS managed key, or disable it.
    Some frameworks ask for a key that you control.
    """
    if not is_on(table["SSESpecification.SSEEnabled"]):
        return Fail("The table is encrypted with an AWS owned key", "SSESpecification.SSEEnabled", "SSESpecification")
    key = table["SSESpecification.KMSMasterKeyId"]
    if not key or str(key).endswith(AWS_KEY) or not _is_customers(str(key), table, inventory):
        return Fail("The table is encrypted with the AWS managed key", "SSESpecification.KMSMasterKeyId")
    return True


def _is_customers(key: str, table: ResourceView, inventory: Inventory) -> bool:
    """Tell whether a key is a customer's: AWS's own are not among the keys that are collected.

    A table names its key by the ARN, and a template as it likes; it has to be a key of the table's region.
    """
    account = key.split(":")[4] if key.startswith("arn:") and key.count(":") >= 5 else ""
    return account != table.account or inventory.get(KEY, key, table.region) is not None
