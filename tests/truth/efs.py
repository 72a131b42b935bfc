"""File systems: whether they are encrypted and backed up."""

from __future__ import annotations

from typing import Any

from tests.truth.account import ABROAD, HOME, Truth, holds

ALL = "encrypted backup"

SYSTEMS: dict[str, tuple[str, dict[str, Any], str]] = {
    "right": ("", {"Encrypted": True, "Backup": True}, ""),
    "right-later": ("", {"Encrypted": True}, "ENABLED"),
    "as-made": (ALL, {}, ""),
    "said-off": (ALL, {"Encrypted": False, "Backup": False}, ""),
    "backed-up-no-more": ("backup", {"Encrypted": True, "Backup": True}, "DISABLED"),
    "plain": ("encrypted", {"Encrypted": False, "Backup": True}, ""),
    "one-zone": ("", {"AvailabilityZoneName": "eu-west-1a", "Encrypted": True, "Backup": True}, ""),
    "märkup <b>": ("backup", {"Encrypted": True}, ""),
}
"""Each file system with the rules that it fails, what it is made with, and its backup policy when set afterwards."""


@holds()
def file_systems(truth: Truth) -> None:
    for region in (HOME, ABROAD):
        efs = truth.client("efs", region)
        for name, (fails, settings, policy) in SYSTEMS.items():
            if region == HOME and "AvailabilityZoneName" in settings:
                continue
            made = _made(efs, f"{name}-{region}", **settings)
            if policy:
                efs.put_backup_policy(FileSystemId=made, BackupPolicy={"Status": policy})
            truth.judged(f"{name}-{region}", fails=fails, of=ALL)
        efs.delete_file_system(FileSystemId=_made(efs, "gone"))
        truth.deleting("efs.file_systems_by_id", _made(efs, "going"), region, member="life_cycle_state")


def _made(efs: Any, name: str, **settings: Any) -> str:
    made = efs.create_file_system(CreationToken=name, Tags=[{"Key": "Name", "Value": name}], **settings)
    return str(made["FileSystemId"])


@holds()
def unreadable_file_systems(truth: Truth) -> None:
    """A backup policy that is hidden at home, and a list that is hidden abroad."""
    for region in (HOME, ABROAD):
        _made(truth.client("efs", region), f"hidden-{region}", Encrypted=True, Backup=True)
    truth.judged(f"hidden-{HOME}", passes="encrypted", unknown="backup")
    truth.hide("elasticfilesystem:DescribeFileSystems", "AWS::EFS::FileSystem")
    truth.cloud.control("deny", actions=["elasticfilesystem:DescribeBackupPolicy"], regions=[HOME])
