"""Database instances of RDS, alone and in clusters."""

from __future__ import annotations

from typing import Any

from tests.truth.account import ABROAD, HOME, Truth, holds

ALL = "public encrypted minor_upgrade multi_az backups deletion_protection iam_auth logs"
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

NO_IAM = {"EnableIAMDatabaseAuthentication": False}

ENGINES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "mysql": ("", "", {"EnableCloudwatchLogsExports": MYSQL_LOGS}),
    "mysql-no-audit": ("logs", "", {"Engine": "mysql", "EnableCloudwatchLogsExports": MYSQL_LOGS[1:]}),
    "mysql-passwords": ("iam_auth", "", {"EnableCloudwatchLogsExports": MYSQL_LOGS, **NO_IAM}),
    "mariadb": ("", "", {"EngineVersion": "10.11.8", "EnableCloudwatchLogsExports": MYSQL_LOGS}),
    "mariadb-no-iam-yet": ("", "iam_auth", {"EngineVersion": "10.5.20", "EnableCloudwatchLogsExports": MYSQL_LOGS, **NO_IAM}),
    "mariadb-passwords": ("iam_auth", "", {"EngineVersion": "10.6.5", "EnableCloudwatchLogsExports": MYSQL_LOGS, **NO_IAM}),
    "oracle-ee": ("", "iam_auth", {"EnableCloudwatchLogsExports": ["trace", "audit", "alert", "listener"], **NO_IAM}),
    "oracle-se2": ("logs", "iam_auth", {"EnableCloudwatchLogsExports": ["audit", "alert"], **NO_IAM}),
    "sqlserver-se": ("", "iam_auth", {"EnableCloudwatchLogsExports": ["error", "agent"], **NO_IAM}),
    "sqlserver-ee": ("logs", "iam_auth", {"EnableCloudwatchLogsExports": ["error"], **NO_IAM}),
    "sqlserver-ex": ("", "iam_auth", {"EnableCloudwatchLogsExports": ["error"], **NO_IAM}),
    "db2-se": ("", "iam_auth", {"EnableCloudwatchLogsExports": ["diag.log", "notify.log"], **NO_IAM}),
    "custom-oracle-ee": ("", "iam_auth minor_upgrade logs", {"AutoMinorVersionUpgrade": False, "EnableCloudwatchLogsExports": [], **NO_IAM}),
}
"""Each engine, or an instance named after it, with what it fails, what does not ask it, and in what it differs."""


def engine_of(name: str) -> str:
    return name if name.startswith(("oracle", "sqlserver", "db2", "custom")) else name.partition("-")[0]


def judged(truth: Truth, name: str, fails: str = "", skipped: str = "", unknown: str = "") -> None:
    said = {*fails.split(), *skipped.split(), *unknown.split()}
    passes = " ".join(each for each in ALL.split() if each not in said)
    truth.judged(name, fails=fails, skipped=skipped, unknown=unknown, passes=passes)


def made(rds: Any, name: str, **settings: Any) -> None:
    given = {"DBInstanceClass": "db.t3.micro", "AllocatedStorage": 20, **PASSWORD, **RIGHT, **settings}
    rds.create_db_instance(DBInstanceIdentifier=name, **given)


def judged_automated(truth: Truth, rds: Any, plain: tuple[str, ...]) -> None:
    """Automated snapshots follow their database, and cannot be public."""
    for each in rds.describe_db_snapshots(SnapshotType="automated")["DBSnapshots"]:
        how = "fails" if each["DBInstanceIdentifier"] in plain else "passes"
        verdicts = {"passes": "snapshot_public"}
        verdicts[how] = f"{verdicts.get(how, '')} snapshot_encrypted"
        truth.judged(each["DBSnapshotArn"], **verdicts)


@holds()
def instances(truth: Truth) -> None:
    home, abroad = truth.client("rds", HOME), truth.client("rds", ABROAD)
    for name, (fails, settings) in POSTGRES.items():
        made(home, name, **settings)
        judged(truth, name, fails)
    for name, (fails, skipped, settings) in ENGINES.items():
        made(abroad, name, **{"Engine": engine_of(name), **settings})
        judged(truth, name, fails, skipped)
    _replica(truth, home)
    judged_automated(truth, home, ("plain", "all-wrong"))
    judged_automated(truth, abroad, ())


def _replica(truth: Truth, rds: Any) -> None:
    """A read replica is backed up by its source."""
    rds.create_db_instance_read_replica(
        DBInstanceIdentifier="replica", SourceDBInstanceIdentifier="right", BackupRetentionPeriod=0
    )
    judged(truth, "replica", skipped="backups")
