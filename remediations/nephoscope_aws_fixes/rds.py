"""Fixes for DB instances and DB clusters of Amazon RDS.

What AWS does at once, and what only where it is told to apply it immediately:
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ModifyInstance.Settings.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from nephoscope.domain import FixRequest, LiveSession, PlanProblem, Resource, Step
from nephoscope_aws.databases import logs_of
from nephoscope_aws_fixes.connections import most_connections
from nephoscope_aws_fixes.metrics import METRICS
from nephoscope_aws_fixes.pending import PendingMembers
from nephoscope_aws_fixes.setting import operation

CHANGEABLE = ("available", "storage-optimization")
"""States in which RDS takes changes.
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/accessing-monitoring.html"""

IMMEDIATELY = {"ApplyImmediately": True}


class InstanceMembers(PendingMembers):
    """Members of a DB instance.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBInstance.html
    """

    on = ("AWS::RDS::DBInstance",)
    keys = ("DBInstanceIdentifier",)
    getter = operation("rds", "describe_db_instances", "rds:DescribeDBInstances")
    setter = operation("rds", "modify_db_instance", "rds:ModifyDBInstance")
    path = ("DBInstances", 0)
    status = "DBInstanceStatus"
    ready = CHANGEABLE
    settles = 900
    of_cluster: ClassVar[bool] = False
    """Whether the cluster decides on it for all its members; else only a Multi-AZ DB cluster does."""

    def names(self, resource: Resource) -> dict[str, Any]:
        return {"DBInstanceIdentifier": resource.name}

    def require_changeable(self, described: Mapping[str, Any]) -> None:
        cluster = described.get("DBClusterIdentifier")
        if cluster and (self.of_cluster or not str(described["Engine"]).startswith("aurora")):
            raise PlanProblem(f"its cluster decides on that. Change the DB cluster {cluster}.")
        super().require_changeable(described)


class KeepPrivate(InstanceMembers):
    id = "aws.rds.keep_private"
    title = "Make the DB instance private"
    summary = "Takes away the public address of the DB instance. It restarts nothing."
    breaks = "Whoever connects from outside the VPC, without a VPN or a peering, can no longer connect."
    group = "Public databases"
    wants = {"PubliclyAccessible": False}
    also_reads = METRICS.actions

    def uses(self, request: FixRequest, session: LiveSession) -> list[str]:
        return [most_connections(self.target(request.resource), "AWS/RDS", "DBInstanceIdentifier", session)]


class ProtectFromDeletion(InstanceMembers):
    id = "aws.rds.enable_deletion_protection"
    title = "Turn on deletion protection of the DB instance"
    summary = "Turns on deletion protection. It takes effect at once and causes no outage."
    breaks = "Whatever deletes the DB instance, a stack that is torn down for instance, fails until it is turned off."
    group = "Database protection and backups"
    wants = {"DeletionProtection": True}


class UpgradeMinorVersions(InstanceMembers):
    """RDS Custom demands it off; its instances are not judged."""

    id = "aws.rds.enable_minor_upgrades"
    title = "Turn on automatic minor version upgrades of the DB instance"
    summary = "New minor versions are installed in the maintenance window. Nothing is installed at once."
    breaks = (
        "The DB instance is restarted in a maintenance window when a newer minor version is there, which may be the "
        "next one. Check that its window is at a quiet time."
    )
    group = "Database protection and backups"
    wants = {"AutoMinorVersionUpgrade": True}


class KeepStandby(InstanceMembers):
    """https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Concepts.MultiAZ.Migrating.html"""

    id = "aws.rds.enable_multi_az"
    title = "Add a standby of the DB instance in another Availability Zone"
    summary = "Makes the DB instance Multi-AZ. AWS takes from minutes to hours, without an outage."
    breaks = (
        "Nothing stops working, but the standby doubles what the DB instance costs, writes become slightly slower, and "
        "a busy DB instance is slow while it is copied: do it at a quiet time."
    )
    group = "Database protection and backups"
    wants = {"MultiAZ": True}
    sends = IMMEDIATELY
    settles = 7_200


class KeepBackups(InstanceMembers):
    """https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_WorkingWithAutomatedBackups.html"""

    id = "aws.rds.keep_backups"
    title = "Keep automated backups of the DB instance long enough"
    summary = "Raises the backup retention period to what the rule asks for. A longer one stays."
    breaks = (
        "Turning backups on suspends I/O for seconds to minutes, which interrupts what uses the DB instance. Where "
        "they are on already, nothing is interrupted. Backup storage is charged."
    )
    group = "Database protection and backups"
    loses = "Undo shortens the retention of automated backups again, which deletes the older ones."
    wants = {"BackupRetentionPeriod": None}
    sends = IMMEDIATELY
    of_cluster = True

    def should_be(self, before: Any, request: FixRequest) -> Any:
        days = int(str(request.parameters["days"]))
        return {**before, "BackupRetentionPeriod": max(days, before["BackupRetentionPeriod"])}

    def lost(self, before: Any, after: Any) -> tuple[str, Any]:
        days = before["BackupRetentionPeriod"]
        gone = f"those older than {days} day{'s' if days > 1 else ''}" if days else "all of them, and interrupts I/O"
        return f"Undo shortens the retention of automated backups again, which deletes {gone}.", before


class SignInByIam(InstanceMembers):
    """https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.Enabling.html"""

    id = "aws.rds.enable_iam_auth"
    title = "Turn on IAM authentication of the DB instance"
    summary = "Lets database users sign in with a token of IAM. Passwords keep working."
    breaks = "Nothing stops working. Who signs in with IAM is decided by database users that you create for it."
    group = "Database parameters"
    wants = {"IAMDatabaseAuthenticationEnabled": True}
    sent_as = {"IAMDatabaseAuthenticationEnabled": "EnableIAMDatabaseAuthentication"}
    shown = sent_as
    sends = IMMEDIATELY
    of_cluster = True


class ExportLogs(InstanceMembers):
    """https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_LogAccess.Procedural.UploadtoCloudWatch.html"""

    id = "aws.rds.export_logs"
    title = "Export the logs of the DB instance to CloudWatch Logs"
    summary = "Exports the logs that the rule asks for. Others that are exported stay so; undo keeps the log groups."
    breaks = "Nothing stops working. CloudWatch Logs charges for what is written, much of it for a general query log."
    group = "Database parameters"
    wants = {"EnabledCloudwatchLogsExports": None}
    shown = {"EnabledCloudwatchLogsExports": "EnableCloudwatchLogsExports"}
    of_cluster = True

    def found(self, answer: Mapping[str, Any]) -> Any:
        state = super().found(answer)
        return state and {**state, "EnabledCloudwatchLogsExports": sorted(state["EnabledCloudwatchLogsExports"] or ())}

    def own_pending(self) -> tuple[str, ...]:
        return ("PendingCloudwatchLogsExports",)

    def should_be(self, before: Any, request: FixRequest) -> Any:
        asked_for = logs_of(str(request.resource.properties["Engine"]))
        return {**before, "EnabledCloudwatchLogsExports": sorted({*before["EnabledCloudwatchLogsExports"], *asked_for})}

    def plan(self, request: FixRequest, session: LiveSession) -> list[Step]:
        """AWS takes what is turned on or off, and not what should be on."""
        [step] = super().plan(request, session)
        before, after = (state["EnabledCloudwatchLogsExports"] for state in (step.before, step.after))
        more = [each for each in after if each not in before]
        target = self.target(request.resource)
        call, inverse = (
            self.setter.on(target, {**target.names, "CloudwatchLogsExportConfiguration": {switch: more}})
            for switch in ("EnableLogTypes", "DisableLogTypes")
        )
        return [replace(step, call=call, inverse=inverse)]


class ProtectClusterFromDeletion(PendingMembers):
    """https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBCluster.html"""

    id = "aws.rds.enable_cluster_deletion_protection"
    title = "Turn on deletion protection of the DB cluster"
    summary = "Turns on deletion protection. It takes effect at once and causes no outage."
    breaks = "Whatever deletes the DB cluster, a stack that is torn down for instance, fails until it is turned off."
    group = "Database protection and backups"
    on = ("AWS::RDS::DBCluster",)
    keys = ("DBClusterIdentifier",)
    getter = operation("rds", "describe_db_clusters", "rds:DescribeDBClusters")
    setter = operation("rds", "modify_db_cluster", "rds:ModifyDBCluster")
    path = ("DBClusters", 0)
    status = "Status"
    ready = CHANGEABLE
    wants = {"DeletionProtection": True}
    settles = 900

    def names(self, resource: Resource) -> dict[str, Any]:
        return {"DBClusterIdentifier": resource.name}
