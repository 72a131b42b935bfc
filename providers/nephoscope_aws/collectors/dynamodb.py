"""DynamoDB tables of one region.

Calls per region: 1 for each 100 tables, and 2 for each table: no call tells the settings of several. Tags would be a
third one, and no rule needs them.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from nephoscope.domain import Resource, Service
from nephoscope_aws.api import Api
from nephoscope_aws.collector import Collector
from nephoscope_aws.collectors.odd import each, is_one_of
from nephoscope_aws.collectors.shape import PROBLEMS, Listing, actions, hidden, needed, part, picked

TABLE = "AWS::DynamoDB::Table"

READS = {
    ("dynamodb", "list_tables"): "dynamodb:ListTables",
    ("dynamodb", "describe_table"): "dynamodb:DescribeTable",
    ("dynamodb", "describe_continuous_backups"): "dynamodb:DescribeContinuousBackups",
}

Item = dict[str, Any]

_DESCRIBED = ("BillingMode", "DeletionProtectionEnabled", "SSESpecification", "TableClass")


def collect(api: Api, region: str) -> Iterator[Resource]:
    """Yield the region's tables."""
    listing = Listing(api.pages("dynamodb", "list_tables", "TableNames", region=region, Limit=100))
    yield from each(api, region, TABLE, partial(_resource, api, region), listing, calls=True)


def reread(api: Api, resource: Resource) -> Resource | None:
    """Read one table again: 2 calls. Raises Denied and Unavailable when the table cannot be described."""
    table = _table(api, resource.region, resource.name)
    return _shaped(api, resource.region, resource.name, _members(table)) if table else None


def _resource(api: Api, region: str, name: str) -> Resource | None:
    """Return a table that was listed, or None when it is gone meanwhile."""
    try:
        table = _table(api, region, name)
    except PROBLEMS as problem:
        return _shaped(api, region, name, dict.fromkeys(_DESCRIBED, hidden(problem)))
    return _shaped(api, region, name, _members(table)) if table else None


def _table(api: Api, region: str, name: str) -> Item | None:
    """Return the description of a table; None for one that is deleted or being deleted.

    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeTable.html
    """
    answer = api.maybe("dynamodb", "describe_table", ("ResourceNotFoundException",), region=region, TableName=name)
    table: Item | None = answer["Table"] if answer else None
    return None if table and is_one_of(table.get("TableStatus"), ("DELETING",)) else table


def _members(table: Item) -> Item:
    return {
        "BillingMode": table.get("BillingModeSummary", {}).get("BillingMode"),
        **needed(table, "DeletionProtectionEnabled"),
        "SSESpecification": part(lambda: _encryption(table.get("SSEDescription"))),
        "TableClass": table.get("TableClassSummary", {}).get("TableClass"),
    }


def _encryption(sse: Item | None) -> Item | None:
    if not sse:
        return None
    enabled = sse["Status"] in ("ENABLED", "ENABLING", "UPDATING")
    return {"SSEEnabled": enabled, "SSEType": sse.get("SSEType"), "KMSMasterKeyId": sse.get("KMSMasterKeyArn")}


def _shaped(api: Api, region: str, name: str, members: Item) -> Resource:
    recovery = part(lambda: _recovery(api, region, name))
    properties = {"TableName": name, **members, "PointInTimeRecoverySpecification": recovery}
    arn = f"arn:aws:dynamodb:{region}:{api.account}:table/{name}"
    return Resource(TABLE, arn, name, region, api.account, properties)


def _recovery(api: Api, region: str, name: str) -> Item:
    """Return whether the table can be restored to any second; the two ends of the window move and are left out."""
    answer = api.call("dynamodb", "describe_continuous_backups", region=region, TableName=name)
    found = answer["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
    enabled = found["PointInTimeRecoveryStatus"] == "ENABLED"
    return {"PointInTimeRecoveryEnabled": enabled, **picked(found, "RecoveryPeriodInDays")}


COLLECTOR = Collector(Service("dynamodb", "Amazon DynamoDB", (TABLE,), actions(READS)), READS, collect, reread)
