"""EFS."""

from __future__ import annotations

import json
from typing import Any

from nephoscope_aws_simulator.corrections.patching import replace


def apply() -> None:
    """Backup policies that are changed after a file system was made."""
    _backup_policies()


def _backup_policies() -> None:
    """moto lacks it: https://docs.aws.amazon.com/efs/latest/ug/API_PutBackupPolicy.html"""
    from moto.efs.models import FileSystem
    from moto.efs.responses import EFSResponse

    @replace(EFSResponse, "put_backup_policy")
    def put_backup_policy(self: Any) -> Any:
        policy = self._get_param("BackupPolicy")
        found = self.efs_backend.describe_file_systems(file_system_id=self._get_param("FileSystemId"))[1]
        found[0]._backup_policy = policy
        return json.dumps({"BackupPolicy": policy}), {"Content-Type": "application/json"}

    made = FileSystem.backup_policy.fget
    replace(FileSystem, "backup_policy")(property(lambda self: vars(self).get("_backup_policy") or made(self)))
