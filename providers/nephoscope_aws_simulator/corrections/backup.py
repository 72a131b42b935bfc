"""AWS Backup: the key and type that every vault has, and recovery points, of which moto has none.

``POST /simulator/patch`` makes recovery points, which AWS's own jobs make.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from nephoscope_aws_simulator.corrections.patching import extend, replace


def apply() -> None:
    """https://docs.aws.amazon.com/aws-backup/latest/devguide/API_ListRecoveryPointsByBackupVault.html"""
    _vaults()
    _recovery_points()


def change(account: str, region: str, name: str, said: Mapping[str, Any]) -> None:
    """Have a vault be listed with these members as well, or without those that are null."""
    vault = _vault(account, region, name)
    vault.said = {**vars(vault).get("said", {}), **said}


def put(account: str, region: str, name: str, points: list[Any]) -> None:
    """Put recovery points, as the API writes them, into a vault."""
    _vault(account, region, name).recovery_points = points


def _vault(account: str, region: str, name: str) -> Any:
    from moto.backup.models import backup_backends

    return backup_backends[account][region].vaults[name]


def _vaults() -> None:
    """A vault that was made without a key has the AWS managed one.

    https://docs.aws.amazon.com/aws-backup/latest/devguide/create-a-vault.html
    """
    from moto.backup.models import Vault

    @extend(Vault, "to_list_dict")
    def to_list_dict(moto: Any, self: Any) -> dict[str, Any]:
        region, account = self.backup_vault_arn.split(":")[3:5]
        default = {
            "EncryptionKeyArn": f"arn:aws:kms:{region}:{account}:key/5bac0000-0000-4000-8000-000000000000",
            "VaultType": "BACKUP_VAULT",
        }
        listed = {**default, **moto(self), **vars(self).get("said", {})}
        return {name: value for name, value in listed.items() if value is not None}


def _recovery_points() -> None:
    from moto.backup.responses import BackupResponse
    from moto.backup.urls import url_paths

    url_paths["{0}/backup-vaults/(?P<name>[^/]+)/recovery-points/$"] = BackupResponse.dispatch

    @replace(BackupResponse, "list_recovery_points_by_backup_vault")
    def list_recovery_points_by_backup_vault(self: Any) -> str:
        vault = self.backup_backend.describe_backup_vault(self.path.rstrip("/").split("/")[-2])
        return json.dumps({"RecoveryPoints": vars(vault).get("recovery_points", [])})
