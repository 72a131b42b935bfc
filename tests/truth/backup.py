"""Vaults, and whether the backups in them are encrypted."""

from __future__ import annotations

from typing import Any

from tests.truth.account import ABROAD, HOME, Truth, holds

AIR_GAPPED = "LOGICALLY_AIR_GAPPED_BACKUP_VAULT"


def _points(*states: str) -> list[dict[str, Any]]:
    """A recovery point for each of ``+`` encrypted, ``-`` not; a state may follow."""
    return [
        {
            "RecoveryPointArn": f"arn:aws:ec2:us-east-1::snapshot/snap-{number}",
            "ResourceArn": f"arn:aws:ec2:us-east-1:300000000000:volume/vol-{number % 30}",
            "IsEncrypted": state[0] == "+",
            "Status": state[1:] or "COMPLETED",
        }
        for number, state in enumerate(states)
    ]


VAULTS: dict[str, tuple[dict[str, Any], list[dict[str, Any]], str]] = {
    "empty": ({}, [], "right"),
    "encrypted": ({}, _points("+", "+"), "right"),
    "one-not": ({}, _points("+", "-"), "wrong"),
    "none-encrypted": ({}, _points(*("-" * 40)), "wrong"),
    "partial": ({}, _points("-PARTIAL"), "wrong"),
    "expired": ({}, _points("-EXPIRED"), "wrong"),
    "about-to-be": ({}, _points("-CREATING", "+"), "right"),
    "about-to-go": ({}, _points("-DELETING"), "right"),
    "air-gapped": ({"VaultType": AIR_GAPPED, "EncryptionKeyArn": None}, _points("+"), "right"),
    "air-gapped-with-key": ({"VaultType": AIR_GAPPED}, [], "right"),
    "air-gapped-plain": ({"VaultType": AIR_GAPPED, "EncryptionKeyArn": None}, _points("-"), "wrong"),
    "untyped": ({"VaultType": None}, _points("+"), "right"),
}


@holds()
def vaults(truth: Truth) -> None:
    """One for each kind of vault and of what is in it."""
    for number, (name, (said, points, verdict)) in enumerate(VAULTS.items()):
        region = (HOME, ABROAD)[number % 2]
        key = {"EncryptionKeyArn": f"arn:aws:kms:{region}:{truth.cloud.account}:key/k"} if number % 3 else {}
        truth.client("backup", region).create_backup_vault(BackupVaultName=name, **key)
        truth.patch("backup_vault", region=region, name=name, said=said, points=points)
        truth.judged(name, **{"passes" if verdict == "right" else "fails": "vault_encrypted"})


@holds()
def hidden_points(truth: Truth) -> None:
    """What is in a vault could not be listed, and of the other region not even the vaults."""
    for region in (HOME, ABROAD):
        truth.client("backup", region).create_backup_vault(BackupVaultName="v")
    truth.cloud.control("deny", actions=["backup:ListRecoveryPointsByBackupVault"])
    truth.cloud.control("deny", actions=["backup:ListBackupVaults"], regions=[ABROAD])
    truth.judged("v", unknown="vault_encrypted")
    truth.judged(f"unlisted:AWS::Backup::BackupVault:{ABROAD}:0", unknown="vault_encrypted")
