"""Rules on RDS database instances; what belongs to Aurora or a Multi-AZ cluster is mostly a matter of the cluster.

Which settings an instance of a cluster does not have of its own:
https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html
"""

from __future__ import annotations

from typing import Any

from nephoscope.domain import Fail, Parameter, Severity, View, rule
from nephoscope_aws.access import is_on
from nephoscope_aws.databases import given, storage_encrypted

INSTANCE = "AWS::RDS::DBInstance"

BACKUP_DAYS = 7
KEPT = Parameter("days", "Minimum backup retention in days", "days", BACKUP_DAYS, "higher", most=35)
"""How long automated backups are kept at least; 35 days are the most that RDS keeps.
https://docs.aws.amazon.com/securityhub/latest/userguide/rds-controls.html#rds-11"""

GUIDE = "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/"
IN_CLUSTER = {"Engine": "aurora-mysql", "DBClusterIdentifier": "orders"}


def postgres(**properties: Any) -> dict[str, Any]:
    """An example: an instance of its own as it is read live."""
    return {"Engine": "postgres", "EngineVersion": "16.4", "DBClusterIdentifier": None, **properties}


def _in_cluster(db: View) -> bool:
    return str(db["Engine"]).startswith("aurora") or given(db, "DBClusterIdentifier")


def left_to_cluster(db: View, name: str) -> bool:
    """Tell whether a template leaves a setting to the cluster; a live instance shows what its cluster gave it."""
    return name not in db and _in_cluster(db)


def _is_replica(db: View) -> bool:
    """Tell whether it is a read replica; a template that names a time restores a copy instead."""
    copied = given(db, "SourceDBInstanceIdentifier") or given(db, "SourceDBClusterIdentifier")
    return copied and not given(db, "RestoreTime") and not given(db, "UseLatestRestorableTime")


def _whole(value: Any) -> int | None:
    try:
        return int(value) if isinstance(value, int | str) else None
    except ValueError:
        return None


@rule(
    "aws.rds.public",
    on=INSTANCE,
    severity=Severity.CRITICAL,
    link=GUIDE + "USER_VPC.WorkingWithRDSInstanceinaVPC.html",
    fix="""
        1. Find out who connects from outside, and give them a VPN, a bastion host or Session Manager port forwarding
           instead.
        2. In the RDS console, select the database, choose Modify, Connectivity, Additional configuration, and select
           Not publicly accessible.
        3. Remove internet ranges from the database's security groups too.
    """,
    commands="""
        aws rds modify-db-instance --region={region} --db-instance-identifier={name} --no-publicly-accessible
    """,
    remediations=("aws.rds.keep_private",),
    good=[
        postgres(PubliclyAccessible=False),
        {"Engine": "mysql", "PubliclyAccessible": "false"},
        {"Engine": "mysql", "DBSubnetGroupName": "private"},
        IN_CLUSTER,
    ],
    bad=[
        postgres(PubliclyAccessible=True),
        {"Engine": "mysql", "PubliclyAccessible": "true"},
        {"Engine": "mysql"},
        {"Engine": "mysql", "DBSubnetGroupName": "default"},
        {**IN_CLUSTER, "PubliclyAccessible": True},
    ],
)
def public(db: View) -> bool | Fail:
    """RDS instance is public.

    Its endpoint resolves to a public IP address, so one bad security group rule lets strangers try passwords.
    Applications inside the network do not need a public endpoint.
    """
    if "PubliclyAccessible" in db:
        return not is_on(db["PubliclyAccessible"])
    # What AWS does then: https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html
    if str(db["Engine"]).startswith("aurora") or db["DBSubnetGroupName"] not in (None, "default"):
        return True
    return Fail("Public by default: no DB subnet group is set", "PubliclyAccessible", "DBSubnetGroupName")


@rule(
    "aws.rds.encrypted",
    on=INSTANCE,
    severity=Severity.HIGH,
    link=GUIDE + "Overview.Encryption.html",
    fix="""
        1. An instance cannot be encrypted in place. In the RDS console, take a snapshot, copy it with encryption, and
           restore the copy.
        2. Point your applications to the new instance, and delete the old one and its snapshots.
    """,
    commands="""
        aws rds create-db-snapshot --region={region} --db-instance-identifier={name}
          --db-snapshot-identifier={name}-unencrypted
        aws rds wait db-snapshot-available --region={region} --db-snapshot-identifier={name}-unencrypted
        aws rds copy-db-snapshot --region={region} --source-db-snapshot-identifier={name}-unencrypted
          --target-db-snapshot-identifier={name}-encrypted --kms-key-id={KEY_ID}
        aws rds wait db-snapshot-available --region={region} --db-snapshot-identifier={name}-encrypted
        aws rds restore-db-instance-from-db-snapshot --region={region} --db-snapshot-identifier={name}-encrypted
          --db-instance-identifier={NEW_NAME}
    """,
    inputs={
        "KEY_ID": "the KMS key, such as alias/aws/rds",
        "NEW_NAME": "the identifier of the new instance",
    },
    good=[
        postgres(StorageEncrypted=True, KmsKeyId="arn:aws:kms:eu-west-1:123456789012:key/1"),
        postgres(StorageEncrypted=False, Observed={"StorageEncryptionType": "sse-rds"}),
        {"Engine": "mysql", "StorageEncrypted": "true"},
        IN_CLUSTER,
    ],
    bad=[
        postgres(StorageEncrypted=False, Observed={"StorageEncryptionType": "none"}),
        {**IN_CLUSTER, "StorageEncrypted": False},
        {"Engine": "mysql"},
    ],
)
def encrypted(db: View) -> bool | Fail | None:
    """RDS instance is not encrypted at rest.

    Its data, backups, replicas and snapshots can be read by anyone who obtains a copy. With encryption, reading them
    also requires access to the KMS key.
    """
    if left_to_cluster(db, "StorageEncrypted"):
        return None
    return storage_encrypted(
        db,
        type_at="Observed.StorageEncryptionType",
        inherited_by=(
            "DBSnapshotIdentifier",
            "SourceDBInstanceIdentifier",
            "SourceDbiResourceId",
            "SourceDBInstanceAutomatedBackupsArn",
        ),
    )


@rule(
    "aws.rds.minor_upgrade",
    on=INSTANCE,
    severity=Severity.MEDIUM,
    link=GUIDE + "USER_UpgradeDBInstance.Upgrading.html",
    fix="""
        1. In the RDS console, select the database, choose Modify, Maintenance, turn on Auto minor version upgrade, and
           choose a maintenance window in which a short outage does no harm.
        2. A newer minor version is then installed in the next maintenance window.
    """,
    commands="""
        aws rds modify-db-instance --region={region} --db-instance-identifier={name} --auto-minor-version-upgrade
    """,
    remediations=("aws.rds.enable_minor_upgrades",),
    good=[
        postgres(AutoMinorVersionUpgrade=True),
        {"AutoMinorVersionUpgrade": "true"},
        {"Engine": "mysql"},
        {"Engine": "custom-oracle-ee", "AutoMinorVersionUpgrade": False},
    ],
    bad=[postgres(AutoMinorVersionUpgrade=False), {**IN_CLUSTER, "AutoMinorVersionUpgrade": False}],
)
def minor_upgrade(db: View) -> bool | None:
    """RDS auto minor version upgrade is off.

    Minor versions fix vulnerabilities without changing behavior. An instance that waits for a manual upgrade stays
    exposed to publicly known flaws.
    """
    # RDS Custom is upgraded by its owner and demands the switch off.
    if str(db["Engine"]).startswith("custom-"):
        return None
    return "AutoMinorVersionUpgrade" not in db or is_on(db["AutoMinorVersionUpgrade"])


@rule(
    "aws.rds.multi_az",
    on=INSTANCE,
    severity=Severity.MEDIUM,
    link=GUIDE + "Concepts.MultiAZ.Migrating.html",
    fix="""
        1. In the RDS console, select the database, then choose Actions, Convert to Multi-AZ deployment.
        2. The change is applied in the next maintenance window. It costs a second instance and slows writes slightly.
    """,
    commands="aws rds modify-db-instance --region={region} --db-instance-identifier={name} --multi-az",
    remediations=("aws.rds.enable_multi_az",),
    good=[postgres(MultiAZ=True), {"Engine": "mysql", "MultiAZ": "true"}, {**IN_CLUSTER, "MultiAZ": False}],
    bad=[postgres(MultiAZ=False), {"Engine": "mysql"}],
)
def multi_az(db: View) -> bool | None:
    """RDS instance is not Multi-AZ.

    If its Availability Zone fails, so does everything that depends on the database. A standby in another zone takes
    over within minutes, without data loss.
    """
    if _in_cluster(db):
        return None
    return is_on(db["MultiAZ"])


@rule(
    "aws.rds.backups",
    on=INSTANCE,
    severity=Severity.MEDIUM,
    parameters=[KEPT],
    link=GUIDE + "USER_WorkingWithAutomatedBackups.Enabling.html",
    fix=f"""
        1. In the RDS console, choose the database, then Modify, Backup, and set the backup retention period to
           {BACKUP_DAYS} days or more. Raising it from 0 causes a short outage.
        2. For an instance of Aurora or a Multi-AZ cluster, change the cluster instead.
    """,
    commands="""
        aws rds modify-db-instance --region={region} --db-instance-identifier={name}
          --backup-retention-period={days} --apply-immediately
    """,
    remediations=("aws.rds.keep_backups",),
    good=[
        postgres(BackupRetentionPeriod=7),
        {"BackupRetentionPeriod": "35"},
        postgres(BackupRetentionPeriod=0, SourceDBInstanceIdentifier="orders"),
        IN_CLUSTER,
    ],
    bad=[
        postgres(BackupRetentionPeriod=6),
        postgres(BackupRetentionPeriod=0),
        {"BackupRetentionPeriod": "many"},
        {"Engine": "mysql"},
    ],
)
def backups(db: View, *, days: int) -> bool | Fail | None:
    """RDS backup retention is too short.

    Damage to data is often noticed only days later. Without a backup from before, it cannot be undone.
    """
    if left_to_cluster(db, "BackupRetentionPeriod") or _is_replica(db):
        return None
    if "BackupRetentionPeriod" not in db:
        # AWS keeps backups for one day unless told otherwise.
        return days <= 1 or Fail(f"Backup retention is 1 day by default; required: {days}", "BackupRetentionPeriod")
    kept = _whole(db["BackupRetentionPeriod"])
    if kept is not None and kept >= days:
        return True
    said = f"Backup retention is {kept} days; required: {days}" if kept else "Automated backups are off"
    return Fail(said, "BackupRetentionPeriod")


@rule(
    "aws.rds.deletion_protection",
    on=INSTANCE,
    severity=Severity.LOW,
    link=GUIDE + "USER_DeleteInstance.html",
    fix="""
        1. In the RDS console, select the database, choose Modify, and turn on Enable deletion protection.
        2. It takes effect at once and causes no outage.
    """,
    commands="""
        aws rds modify-db-instance --region={region} --db-instance-identifier={name} --deletion-protection
    """,
    remediations=("aws.rds.enable_deletion_protection",),
    good=[
        postgres(DeletionProtection=True),
        {"DeletionProtection": "true"},
        {**IN_CLUSTER, "DeletionProtection": False},
    ],
    bad=[postgres(DeletionProtection=False), {"Engine": "mysql"}],
)
def deletion_protection(db: View) -> bool | None:
    """RDS instance deletion protection is off.

    A wrong command or a stolen key can delete it together with its automated backups. Deletion protection must be
    turned off first, a second step that is logged.
    """
    # Protection is a switch of the cluster, and does not keep its instances.
    if _in_cluster(db):
        return None
    return is_on(db["DeletionProtection"])
