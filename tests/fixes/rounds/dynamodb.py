"""Tables."""

from __future__ import annotations

from typing import Any

from tests.fixes.rounds.round import ACCOUNT, Made, goes_round

from nephoscope_aws_simulator.testing import Cloud


def table(cloud: Cloud, name: str) -> Made:
    dynamodb = cloud.client("dynamodb")
    for each in (name, f"{name}-beside"):
        dynamodb.create_table(
            TableName=each,
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        )

    def described(name: str) -> Any:
        backups = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
        return dynamodb.describe_table(TableName=name)["Table"], backups

    arn = f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/{name}"
    return Made("AWS::DynamoDB::Table", arn, name, lambda: described(name), lambda: described(f"{name}-beside"))


@goes_round("aws.dynamodb.enable_pitr", "aws.dynamodb.pitr")
def without_recovery(cloud: Cloud) -> Made:
    return table(cloud, "round-recovery")


@goes_round("aws.dynamodb.enable_deletion_protection", "aws.dynamodb.deletion_protection")
def deletable(cloud: Cloud) -> Made:
    return table(cloud, "round-deletable")
