"""Fixes for Amazon EFS file systems."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nephoscope.domain import Call, FixRequest, LiveSession, PlanProblem, Resource
from nephoscope_aws_fixes.setting import Setting, Target, operation

ON = ("ENABLED", "ENABLING")


class BackUp(Setting):
    """https://docs.aws.amazon.com/efs/latest/ug/API_PutBackupPolicy.html

    The state is whether automatic backups are on: AWS tells of none as of some that are off.
    """

    id = "aws.efs.enable_backups"
    title = "Turn on automatic backups of the file system"
    summary = "AWS Backup keeps daily backups of the file system for 35 days. Undo keeps those that exist."
    breaks = (
        "Nothing stops working. Backup storage is charged. If another backup plan covers the file system, skip this."
    )
    group = "File systems"
    on = ("AWS::EFS::FileSystem",)
    keys = ("FileSystemId",)
    getter = operation("efs", "describe_backup_policy", "elasticfilesystem:DescribeBackupPolicy")
    setter = operation("efs", "put_backup_policy", "elasticfilesystem:PutBackupPolicy")
    systems = operation("efs", "describe_file_systems", "elasticfilesystem:DescribeFileSystems")
    also_reads = systems.actions
    settles = 300

    def names(self, resource: Resource) -> dict[str, Any]:
        return {"FileSystemId": resource.properties["FileSystemId"]}

    def found(self, answer: Mapping[str, Any]) -> Any:
        return "ENABLED" if answer["BackupPolicy"]["Status"] in ON else None

    def wanted(self, before: Any, request: FixRequest, session: LiveSession) -> Any:
        target = self.target(request.resource)
        if session.read(self.systems.on(target, target.names)) is None:
            raise PlanProblem("it does not exist any more.")
        return "ENABLED"

    def set_to(self, target: Target, state: Any) -> Call | None:
        return self.setter.on(target, {**target.names, "BackupPolicy": {"Status": state or "DISABLED"}})

    def show(self, properties: dict[str, Any], state: Any) -> None:
        properties["BackupPolicy"] = {"Status": state or "DISABLED"}
