"""RDS and its kin, and EFS."""

from __future__ import annotations

import json
from typing import Any

from nephoscope_aws_simulator.corrections.patching import replace


def apply() -> None:
    """Engines that moto lacks, and backup policies that are changed after a file system was made."""
    _engines()
    _backup_policies()


def _engines() -> None:
    """Db2, and DocumentDB, which shares the API of RDS.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html,
    https://docs.aws.amazon.com/documentdb/latest/developerguide/API_CreateDBCluster.html
    """
    from moto.rds.utils import ClusterEngine, DbInstanceEngine

    instances, clusters = DbInstanceEngine.valid_db_instance_engine(), ClusterEngine.list_cluster_engines()
    replace(DbInstanceEngine, "valid_db_instance_engine")(lambda: [*instances, "db2-ae", "db2-se", "docdb"])
    replace(ClusterEngine, "list_cluster_engines")(lambda: [*clusters, "docdb"])


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
