"""Fixes for Amazon RDS."""

from __future__ import annotations

from typing import Any

from nephoscope.domain import Resource
from nephoscope_aws_fixes.setting import Members, operation


class InstanceMembers(Members):
    """Members of a DB instance, changed at once and not in its next maintenance window.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBInstance.html
    """

    on = ("AWS::RDS::DBInstance",)
    keys = ("DBInstanceIdentifier",)
    getter = operation("rds", "describe_db_instances", "rds:DescribeDBInstances")
    setter = operation("rds", "modify_db_instance", "rds:ModifyDBInstance")
    path = ("DBInstances", 0)
    sends = {"ApplyImmediately": True}
    settles = 900

    def names(self, resource: Resource) -> dict[str, Any]:
        return {"DBInstanceIdentifier": resource.name}


class KeepPrivate(InstanceMembers):
    id = "aws.rds.keep_private"
    title = "Make the DB instance private"
    summary = "Takes away the public address of the DB instance. It restarts nothing."
    breaks = "Whoever connects from outside the VPC, without a VPN or a peering, can no longer connect."
    group = "Public databases"
    wants = {"PubliclyAccessible": False}
