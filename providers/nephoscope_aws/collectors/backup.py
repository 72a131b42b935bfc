"""AWS Backup vaults of one region, and whose backups in them are not encrypted.

Calls per region: 1 for each 1,000 vaults, and for each vault 1 for each 1,000 recovery points, at least 1: the number
of recovery points that a list of vaults gives is an approximation and cannot show that a vault is empty.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from nephoscope.domain import Resource, Service
from nephoscope_aws.api import Api
from nephoscope_aws.collector import Collector
from nephoscope_aws.collectors.odd import each
from nephoscope_aws.collectors.shape import Listing, actions, existing, part, parts, picked

VAULT = "AWS::Backup::BackupVault"

READS = {
    ("backup", "list_backup_vaults"): "backup:ListBackupVaults",
    ("backup", "list_recovery_points_by_backup_vault"): "backup:ListRecoveryPointsByBackupVault",
}

MAX_NAMED = 20
"""Resources with unencrypted backups that a vault names; it counts them all."""

Item = dict[str, Any]

_PASSING = ("CREATING", "DELETING")
"""States of recovery points that are not there yet, or about to go."""


def collect(api: Api, region: str) -> Iterator[Resource]:
    """Yield the region's vaults."""
    listing = Listing(_listed(api, region))
    yield from each(api, region, VAULT, partial(_resource, api, region), listing, calls=True)


def reread(api: Api, resource: Resource) -> Resource | None:
    """Read one vault again, with the calls of a collection of one vault.

    Vaults are listed again because describing one that does not exist is answered AccessDeniedException, like a
    refusal: https://github.com/aws/aws-sdk-js/issues/2625
    """
    found = (one for one in _listed(api, resource.region) if one["BackupVaultArn"] == resource.id)
    vault = next(found, None)
    return existing(lambda: _resource(api, resource.region, vault)) if vault else None


def _listed(api: Api, region: str) -> Iterator[Item]:
    return api.pages("backup", "list_backup_vaults", "BackupVaultList", region=region, MaxResults=1000)


def _resource(api: Api, region: str, vault: Item) -> Resource:
    unencrypted = parts(
        lambda: sorted(_unencrypted(api, region, vault["BackupVaultName"])),
        {"UnencryptedResources": lambda found: found[:MAX_NAMED], "UnencryptedResourceCount": len},
    )
    lock = part(lambda: picked(vault, "MinRetentionDays", "MaxRetentionDays") if vault.get("Locked") else None)
    properties = {
        **picked(vault, "BackupVaultName", "EncryptionKeyArn"),
        "LockConfiguration": lock,
        "Observed": {**picked(vault, "VaultType", "EncryptionKeyType"), **unencrypted},
    }
    return Resource(VAULT, vault["BackupVaultArn"], vault["BackupVaultName"], region, api.account, properties)


def _unencrypted(api: Api, region: str, vault: str) -> set[str]:
    """Return the ARNs of what has an unencrypted recovery point in a vault.

    What was backed up, and not the recovery points, which come and go each day and can be hundreds of thousands.
    """
    points = api.pages(
        "backup",
        "list_recovery_points_by_backup_vault",
        "RecoveryPoints",
        region=region,
        BackupVaultName=vault,
        MaxResults=1000,
    )
    return {
        str(point.get("ResourceArn") or point["RecoveryPointArn"])
        for point in points
        if not point["IsEncrypted"] and point.get("Status") not in _PASSING
    }


COLLECTOR = Collector(Service("backup", "AWS Backup", (VAULT,), actions(READS)), READS, collect, reread)
