"""Fixes for Amazon DynamoDB tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nephoscope.domain import Resource
from nephoscope_aws_fixes.pending import PendingMembers
from nephoscope_aws_fixes.setting import Members, operation

TABLE = "AWS::DynamoDB::Table"


class RecoverToAnyPoint(Members):
    """https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateContinuousBackups.html"""

    id = "aws.dynamodb.enable_pitr"
    title = "Turn on point-in-time recovery of the table"
    summary = "The table can be restored to any second of the last 35 days, counted from now on."
    breaks = "Nothing stops working. It is charged by the size of the table."
    group = "DynamoDB"
    loses = "Undo ends point-in-time recovery: the table cannot be restored to any time before that."
    on = (TABLE,)
    keys = ("TableName",)
    getter = operation("dynamodb", "describe_continuous_backups", "dynamodb:DescribeContinuousBackups")
    setter = operation("dynamodb", "update_continuous_backups", "dynamodb:UpdateContinuousBackups")
    path = ("ContinuousBackupsDescription", "PointInTimeRecoveryDescription")
    wants = {"PointInTimeRecoveryStatus": "ENABLED"}
    settles = 300

    def names(self, resource: Resource) -> dict[str, Any]:
        return {"TableName": resource.name}

    def parameters(self, state: Any) -> Mapping[str, Any]:
        return {"PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": _enabled(state)}}

    def lost(self, before: Any, after: Any) -> tuple[str, Any]:
        return self.loses, before

    def show(self, properties: dict[str, Any], state: Any) -> None:
        properties["PointInTimeRecoverySpecification"] = {"PointInTimeRecoveryEnabled": _enabled(state)}


def _enabled(state: Mapping[str, Any]) -> bool:
    return bool(state["PointInTimeRecoveryStatus"] == "ENABLED")


class ProtectFromDeletion(PendingMembers):
    """https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateTable.html"""

    id = "aws.dynamodb.enable_deletion_protection"
    title = "Turn on deletion protection of the table"
    summary = "The table cannot be deleted until it is turned off again."
    breaks = "Whatever deletes the table, a stack that is torn down for instance, fails until it is turned off."
    group = "DynamoDB"
    on = (TABLE,)
    keys = ("TableName",)
    getter = operation("dynamodb", "describe_table", "dynamodb:DescribeTable")
    setter = operation("dynamodb", "update_table", "dynamodb:UpdateTable")
    path = ("Table",)
    status = "TableStatus"
    ready = ("ACTIVE",)
    wants = {"DeletionProtectionEnabled": True}
    settles = 300

    def names(self, resource: Resource) -> dict[str, Any]:
        return {"TableName": resource.name}
