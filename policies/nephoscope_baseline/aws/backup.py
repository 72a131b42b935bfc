"""Rules on AWS Backup."""

from __future__ import annotations

from typing import Any

from nephoscope.domain import Fail, Severity, View, rule

VAULT = "AWS::Backup::BackupVault"

KEY = "arn:aws:kms:eu-west-1:123456789012:key/0a1b2c3d"
VOLUME = "arn:aws:ec2:eu-west-1:123456789012:volume/vol-0a1b2c3d"

ORDINARY = "BACKUP_VAULT"
"""The type of vault that has a key of the account; logically air-gapped ones may use a key of AWS's own.
https://docs.aws.amazon.com/aws-backup/latest/devguide/logicallyairgappedvault.html"""

MAX_SHOWN = 3
"""Resources that a message names."""


def _vault(key: str | None, *unencrypted: str, type: str | None = ORDINARY, count: Any = None) -> dict[str, Any]:
    """An example: a vault with a key, and the resources that have unencrypted backups in it."""
    return {
        "EncryptionKeyArn": key,
        "Observed": {
            "VaultType": type,
            "UnencryptedResources": list(unencrypted),
            "UnencryptedResourceCount": len(unencrypted) if count is None else count,
        },
    }


@rule(
    "aws.backup.vault_encrypted",
    on=VAULT,
    severity=Severity.MEDIUM,
    live_only=True,
    link="https://docs.aws.amazon.com/aws-backup/latest/devguide/encryption.html",
    fix="""
        1. List the unencrypted backups: the first command below does.
        2. Most are unencrypted because their source is. Encrypt the source (for EBS and RDS: copy a snapshot with
           encryption and restore from the copy); its next backup is then encrypted.
        3. In the AWS Backup console, choose Vaults, open the vault, and delete the old recovery points once they are no
           longer needed, or let them expire.
    """,
    commands="""
        aws backup list-recovery-points-by-backup-vault --region={region} --backup-vault-name={name}
          --query='RecoveryPoints[?!IsEncrypted].[RecoveryPointArn,ResourceArn]' --output=table

        aws backup delete-recovery-point --region={region} --backup-vault-name={name}
          --recovery-point-arn={RECOVERY_POINT}
    """,
    inputs={"RECOVERY_POINT": "the ARN of an unencrypted recovery point that is no longer needed"},
    good=[
        _vault(KEY),
        _vault(None, type="LOGICALLY_AIR_GAPPED_BACKUP_VAULT"),
        {"BackupVaultName": "Default", **_vault(KEY, type=None)},
    ],
    bad=[
        _vault(KEY, VOLUME),
        _vault(KEY, *(f"{VOLUME}{number}" for number in range(20)), count=412),
        _vault(None),
        _vault(None, type=None),
        {"EncryptionKeyArn": KEY, "Observed": {"UnencryptedResources": "all", "UnencryptedResourceCount": 1}},
    ],
)
def vault_encrypted(vault: View) -> bool | Fail:
    """Backup vault contains unencrypted backups.

    A backup is a full copy of the data, kept for a long time and rarely monitored. Left unencrypted, it bypasses the
    encryption of its source.
    """
    if not vault["EncryptionKeyArn"] and vault.get("Observed.VaultType", ORDINARY) == ORDINARY:
        return Fail("The vault has no encryption key", "EncryptionKeyArn")
    count = vault["Observed.UnencryptedResourceCount"]
    if count == 0:
        return True
    return Fail(_in_words(vault["Observed.UnencryptedResources"], count), "Observed.UnencryptedResources")


def _in_words(resources: Any, count: Any) -> str:
    listed = isinstance(resources, View) and resources.is_list
    named = [str(each) for each in resources][:MAX_SHOWN] if listed else []
    more = ["…"] if len(named) != count else []
    things = "1 resource has" if count == 1 else f"{count} resources have"
    return f"{things} unencrypted backups in this vault: {', '.join([*named, *more])}"
