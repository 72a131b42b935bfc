"""Database instances of RDS, alone and in clusters."""

from __future__ import annotations

from typing import Any

from tests.truth.account import ABROAD, HOME, Truth, holds

ALL = "public encrypted minor_upgrade multi_az backups deletion_protection iam_auth logs"
SNAPSHOT = "snapshot_public snapshot_encrypted"
PASSWORD = {"MasterUsername": "owner", "MasterUserPassword": "Passw0rd-1"}
MYSQL_LOGS = ["audit", "error", "general", "slowquery"]

RIGHT: dict[str, Any] = {
    "Engine": "postgres",
    "EngineVersion": "16.4",
    "PubliclyAccessible": False,
    "StorageEncrypted": True,
    "AutoMinorVersionUpgrade": True,
    "MultiAZ": True,
    "BackupRetentionPeriod": 7,
    "DeletionProtection": True,
    "EnableIAMDatabaseAuthentication": True,
    "EnableCloudwatchLogsExports": ["postgresql", "upgrade"],
}

POSTGRES: dict[str, tuple[str, dict[str, Any]]] = {
    "right": ("", {}),
    "public": ("public", {"PubliclyAccessible": True}),
    "plain": ("encrypted", {"StorageEncrypted": False}),
    "not-upgraded": ("minor_upgrade", {"AutoMinorVersionUpgrade": False}),
    "one-zone": ("multi_az", {"MultiAZ": False}),
    "deletable": ("deletion_protection", {"DeletionProtection": False}),
    "passwords": ("iam_auth", {"EnableIAMDatabaseAuthentication": False}),
    "backups-0": ("backups", {"BackupRetentionPeriod": 0}),
    "backups-1": ("backups", {"BackupRetentionPeriod": 1}),
    "backups-6": ("backups", {"BackupRetentionPeriod": 6}),
    "backups-8": ("", {"BackupRetentionPeriod": 8}),
    "backups-35": ("", {"BackupRetentionPeriod": 35}),
    "no-logs": ("logs", {"EnableCloudwatchLogsExports": []}),
    "one-log": ("logs", {"EnableCloudwatchLogsExports": ["postgresql"]}),
    "other-log": ("logs", {"EnableCloudwatchLogsExports": ["upgrade", "iam-db-auth-error"]}),
    "more-logs": ("", {"EnableCloudwatchLogsExports": ["iam-db-auth-error", "upgrade", "postgresql"]}),
    "all-wrong": (
        ALL,
        {
            "PubliclyAccessible": True,
            "StorageEncrypted": False,
            "AutoMinorVersionUpgrade": False,
            "MultiAZ": False,
            "BackupRetentionPeriod": 0,
            "DeletionProtection": False,
            "EnableIAMDatabaseAuthentication": False,
            "EnableCloudwatchLogsExports": [],
        },
    ),
}
"""Each instance of PostgreSQL with the rules that it fails, and in what it is not RIGHT."""


def exports(*logs: str, **more: Any) -> dict[str, Any]:
    """The logs of an instance that does not let IAM sign people in."""
    return {"EnableCloudwatchLogsExports": list(logs), "EnableIAMDatabaseAuthentication": False, **more}


MY8: dict[str, Any] = {"EngineVersion": "8.0.39"}

ENGINES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "mysql": ("", "", exports(*MYSQL_LOGS, **MY8, EnableIAMDatabaseAuthentication=True)),
    "mysql-no-audit": ("logs iam_auth", "", exports(*MYSQL_LOGS[1:], **MY8)),
    "mysql-passwords": ("iam_auth", "", exports(*MYSQL_LOGS, **MY8)),
    "mariadb": ("iam_auth", "", exports(*MYSQL_LOGS, EngineVersion="10.11.8")),
    "mariadb-no-iam-yet": ("", "iam_auth", exports(*MYSQL_LOGS, EngineVersion="10.5.20")),
    "mariadb-first-iam": ("iam_auth", "", exports(*MYSQL_LOGS, EngineVersion="10.6.5")),
    "oracle-ee": ("", "iam_auth", exports("trace", "audit", "alert", "listener")),
    "oracle-se2": ("logs", "iam_auth", exports("audit", "alert")),
    "sqlserver-se": ("", "iam_auth", exports("error", "agent")),
    "sqlserver-ee": ("logs", "iam_auth", exports("error")),
    "sqlserver-ex": ("", "iam_auth", exports("error")),
    "db2-se": ("", "iam_auth", exports("diag.log", "notify.log")),
    "custom-oracle-ee": ("", "iam_auth minor_upgrade logs", exports(AutoMinorVersionUpgrade=False)),
}
"""Each engine, or an instance named after it, with what it fails, what does not ask it, and in what it differs."""


def engine_of(name: str) -> str:
    return name if name.startswith(("oracle", "sqlserver", "db2", "custom")) else name.partition("-")[0]


def made(rds: Any, name: str, **settings: Any) -> None:
    given = {"DBInstanceClass": "db.t3.micro", "AllocatedStorage": 20, "Port": 5432, **PASSWORD, **RIGHT, **settings}
    rds.create_db_instance(DBInstanceIdentifier=name, **given)


def judged_automated(truth: Truth, rds: Any, plain: tuple[str, ...]) -> None:
    """Automated snapshots follow their database, and cannot be public."""
    clusters = rds.describe_db_cluster_snapshots(SnapshotType="automated")["DBClusterSnapshots"]
    of = {each["DBClusterSnapshotArn"]: each["DBClusterIdentifier"] for each in clusters}
    for each in rds.describe_db_snapshots(SnapshotType="automated")["DBSnapshots"]:
        of[each["DBSnapshotArn"]] = each["DBInstanceIdentifier"]
    for arn, source in of.items():
        truth.judged(arn, fails="snapshot_encrypted" * (source in plain), of=SNAPSHOT)


@holds()
def instances(truth: Truth) -> None:
    home, abroad = truth.client("rds", HOME), truth.client("rds", ABROAD)
    for name, (fails, settings) in POSTGRES.items():
        made(home, name, **settings)
        truth.judged(name, fails=fails, of=ALL)
    for name, (fails, skipped, settings) in ENGINES.items():
        made(abroad, name, **{"Engine": engine_of(name), **settings})
        truth.judged(name, fails=fails, skipped=skipped, of=ALL)
    _replica(truth, home)
    made(home, "gone", PubliclyAccessible=True)
    truth.deleting("rds.databases", "gone")
    judged_automated(truth, home, ("plain", "all-wrong"))
    judged_automated(truth, abroad, ())
    truth.judged("default.postgres16", passes="tls_required")
    for family in ("mysql8.0", "mariadb10.5", "mariadb10.6", "mariadb10.11"):
        truth.judged(f"default.{family}", fails="tls_required")


def _replica(truth: Truth, rds: Any) -> None:
    """A read replica is backed up by its source."""
    rds.create_db_instance_read_replica(DBInstanceIdentifier="replica", SourceDBInstanceIdentifier="right")
    rds.modify_db_instance(DBInstanceIdentifier="replica", BackupRetentionPeriod=0, ApplyImmediately=True)
    truth.judged("replica", skipped="backups", of=ALL)
