"""Rules on what a DB instance has from its cluster where it is a member of one: logins by IAM, and exported logs.

Neither can be set on a member, whose own answer need not show it:
https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nephoscope.domain import Fail, Inventory, ResourceView, Severity, View, rule
from nephoscope.domain.examples import example, resource
from nephoscope_aws.access import is_on
from nephoscope_aws.databases import given, logs_of
from nephoscope_baseline.aws.rds import GUIDE, IN_CLUSTER, INSTANCE, left_to_cluster, postgres
from nephoscope_baseline.aws.rds_clusters import CLUSTER

IAM_ENGINES = ("mysql", "mariadb", "postgres", "aurora", "aurora-mysql", "aurora-postgresql")
"""Engines that let IAM sign people in; MariaDB does from 10.6.
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.html"""


def _member(properties: dict[str, Any], cluster: dict[str, Any]) -> dict[str, Any]:
    """An example: an instance as it is read live, and its cluster."""
    neighbours = [resource(CLUSTER, cluster, name=IN_CLUSTER["DBClusterIdentifier"])]
    return example({**IN_CLUSTER, **properties}, neighbours=neighbours)


def _places(db: ResourceView, inventory: Inventory) -> Iterator[View]:
    """Yield where a setting may stand: the instance, and its cluster if it has one."""
    yield db
    if given(db, "DBClusterIdentifier"):
        # A cluster of another region may have the same name.
        yield from (each for each in inventory.of(CLUSTER, db.region) if each.name == db["DBClusterIdentifier"])


@rule(
    "aws.rds.iam_auth",
    on=INSTANCE,
    needs=[CLUSTER],
    severity=Severity.MEDIUM,
    link=GUIDE + "UsingWithRDS.IAMDBAuth.Enabling.html",
    fix="""
        1. In the RDS console, select the database, choose Modify, Database authentication, Password and IAM database
           authentication. Passwords keep working.
        2. For a member of a cluster, change the cluster instead.
        3. Create database users that authenticate with IAM, allow rds-db:connect for the roles that use them, and
           remove the passwords from your applications.
    """,
    commands="""
        aws rds modify-db-instance --region={region} --db-instance-identifier={name}
          --enable-iam-database-authentication --apply-immediately
    """,
    remediations=("aws.rds.enable_iam_auth",),
    good=[
        postgres(EnableIAMDatabaseAuthentication=True),
        {"Engine": "sqlserver-ee", "EnableIAMDatabaseAuthentication": False},
        {"Engine": "mariadb", "EngineVersion": "10.5.20", "EnableIAMDatabaseAuthentication": False},
        IN_CLUSTER,
        _member({"EnableIAMDatabaseAuthentication": False}, {"EnableIAMDatabaseAuthentication": True}),
    ],
    bad=[
        postgres(EnableIAMDatabaseAuthentication=False),
        _member({"EnableIAMDatabaseAuthentication": False}, {"EnableIAMDatabaseAuthentication": False}),
        {"Engine": "mariadb", "EngineVersion": "10.11.8", "EnableIAMDatabaseAuthentication": False},
        {**IN_CLUSTER, "EnableIAMDatabaseAuthentication": False},
        {"Engine": "mysql"},
    ],
)
def iam_auth(db: ResourceView, inventory: Inventory) -> bool | Fail | None:
    """RDS IAM database authentication is off.

    Database passwords sit in configuration files, last for years and are shared. With IAM, applications sign in with a
    token that expires after 15 minutes, and access is revoked in one place.
    """
    if db["Engine"] not in IAM_ENGINES or left_to_cluster(db, "EnableIAMDatabaseAuthentication"):
        return None
    if db["Engine"] == "mariadb" and str(db["EngineVersion"]).startswith(("10.2", "10.3", "10.4", "10.5")):
        return None
    enabled = "EnableIAMDatabaseAuthentication"
    on = any(is_on(place[enabled]) for place in _places(db, inventory))
    return on or Fail("IAM database authentication is off", enabled)


@rule(
    "aws.rds.logs",
    on=INSTANCE,
    needs=[CLUSTER],
    severity=Severity.MEDIUM,
    link=GUIDE + "USER_LogAccess.Procedural.UploadtoCloudWatch.html",
    fix="""
        1. In the RDS console, select the database, choose Modify, Log exports, and select every log.
        2. For a member of a cluster, change the cluster instead.
        3. Some logs are empty until a parameter or option turns them on: the general and slow query logs, and the audit
           log of MySQL and MariaDB.
    """,
    commands="""
        aws rds modify-db-instance --region={region} --db-instance-identifier={name}
          --cloudwatch-logs-export-configuration='{"EnableLogTypes": ["{LOG_TYPE}"]}'
    """,
    inputs={
        "LOG_TYPE": "a log that the engine has, such as error, slowquery, audit or postgresql",
    },
    remediations=("aws.rds.export_logs",),
    good=[
        postgres(EnableCloudwatchLogsExports=["postgresql", "upgrade", "iam-db-auth-error"]),
        {"Engine": "mysql", "EnableCloudwatchLogsExports": ["audit", "error", "general", "slowquery"]},
        {"Engine": "sqlserver-ex", "EnableCloudwatchLogsExports": ["error"]},
        {"Engine": "custom-oracle-ee"},
        IN_CLUSTER,
        _member({"EnableCloudwatchLogsExports": []}, {"EnableCloudwatchLogsExports": list(logs_of("aurora-mysql"))}),
    ],
    bad=[
        postgres(EnableCloudwatchLogsExports=["postgresql"]),
        _member({"EnableCloudwatchLogsExports": []}, {"EnableCloudwatchLogsExports": ["audit"]}),
        {"Engine": "oracle-se2", "EnableCloudwatchLogsExports": ["alert", "audit"]},
        {**IN_CLUSTER, "EnableCloudwatchLogsExports": []},
        {"Engine": "mariadb", "EnableCloudwatchLogsExports": "audit"},
        {"Engine": "mysql"},
    ],
)
def logs(db: ResourceView, inventory: Inventory) -> bool | Fail | None:
    """RDS instance does not export all logs.

    Logs on the instance are overwritten within days and are lost with it. In CloudWatch Logs they can be searched after
    an incident and trigger alarms.
    """
    wanted = logs_of(str(db["Engine"]))
    if not wanted or left_to_cluster(db, "EnableCloudwatchLogsExports"):
        return None
    missing = set(wanted)
    for place in _places(db, inventory):
        held = place["EnableCloudwatchLogsExports"]
        missing -= set(map(str, held)) if isinstance(held, View) and held.is_list else set()
        if not missing:
            return True
    said = ", ".join(log for log in wanted if log in missing)
    return Fail(f"Not exported: {said}", "EnableCloudwatchLogsExports")
