"""Clusters of RDS and their members, snapshots of either, and parameter groups."""

from __future__ import annotations

from typing import Any

from tests.truth.account import ABROAD, HOME, Truth, holds
from tests.truth.rds import ALL, PASSWORD, SNAPSHOT, judged_automated, made

BOTH = "cluster_encrypted cluster_deletion_protection"
KEPT = {"StorageEncrypted": True, "DeletionProtection": True}
MULTI_AZ = {"DBClusterInstanceClass": "db.m6gd.large", "AllocatedStorage": 100}

CLUSTERS: dict[str, tuple[str, dict[str, Any]]] = {
    "right": ("", {"Engine": "aurora-mysql", **KEPT}),
    "right-postgres": ("", {"Engine": "aurora-postgresql", **KEPT}),
    "right-multi-az": ("", {"Engine": "mysql", **KEPT, **MULTI_AZ}),
    "plain": ("cluster_encrypted", {"Engine": "aurora-mysql", "DeletionProtection": True, "StorageEncrypted": False}),
    "deletable": ("cluster_deletion_protection", {"Engine": "aurora-postgresql", "StorageEncrypted": True}),
    "both-wrong": (BOTH, {"Engine": "postgres", **MULTI_AZ}),
}
"""Each cluster with the rules that it fails, and what it is made with."""


@holds()
def clusters(truth: Truth) -> None:
    for region in (HOME, ABROAD):
        rds = truth.client("rds", region)
        for name, (fails, settings) in CLUSTERS.items():
            rds.create_db_cluster(DBClusterIdentifier=f"{name}-{region}", Port=3306, **PASSWORD, **settings)
            truth.judged(f"{name}-{region}", fails=fails, of=BOTH)
        rds.create_db_cluster(DBClusterIdentifier="gone", Engine="aurora-mysql", Port=3306, **PASSWORD)
        truth.deleting("rds.clusters", "gone", region)
        judged_automated(truth, rds, ("gone", f"plain-{region}", f"both-wrong-{region}"))
    _members(truth, truth.client("rds", HOME))
    _namesake(truth, truth.client("rds", ABROAD))


def _members(truth: Truth, rds: Any) -> None:
    """Members of a cluster: what is the cluster's alone is not asked of them."""
    rds.create_db_cluster(
        DBClusterIdentifier="whole",
        Engine="aurora-mysql",
        BackupRetentionPeriod=7,
        EnableIAMDatabaseAuthentication=True,
        EnableCloudwatchLogsExports=["audit", "error", "general", "slowquery"],
        **KEPT,
        **PASSWORD,
    )
    rds.create_db_cluster(
        DBClusterIdentifier="half", Engine="aurora-postgresql", BackupRetentionPeriod=1, **KEPT, **PASSWORD
    )
    for name in ("whole", "half"):
        truth.judged(f"arn:aws:rds:{HOME}:{truth.cloud.account}:cluster:{name}", passes=BOTH)
    own = "multi_az deletion_protection"
    for name, cluster, settings, fails in (
        ("member", "whole", {}, ""),
        ("member-public", "whole", {"PubliclyAccessible": True}, "public"),
        ("member-not-upgraded", "whole", {"AutoMinorVersionUpgrade": False}, "minor_upgrade"),
        ("member-of-half", "half", {}, "backups iam_auth logs"),
    ):
        rds.create_db_instance(
            DBInstanceIdentifier=name,
            DBInstanceClass="db.r6g.large",
            Engine="aurora-mysql" if cluster == "whole" else "aurora-postgresql",
            DBClusterIdentifier=cluster,
            **{"PubliclyAccessible": False, **settings},
        )
        truth.judged(name, fails=fails, skipped=own, of=ALL)


def _namesake(truth: Truth, rds: Any) -> None:
    """A cluster that is called as one at home is another one."""
    rds.create_db_cluster(
        DBClusterIdentifier="whole", Engine="aurora-mysql", BackupRetentionPeriod=7, **KEPT, **PASSWORD
    )
    truth.judged(f"arn:aws:rds:{ABROAD}:{truth.cloud.account}:cluster:whole", passes=BOTH)
    rds.create_db_instance(
        DBInstanceIdentifier="member-abroad",
        DBInstanceClass="db.r6g.large",
        Engine="aurora-mysql",
        DBClusterIdentifier="whole",
        PubliclyAccessible=False,
    )
    truth.judged("member-abroad", fails="iam_auth logs", skipped="multi_az deletion_protection", of=ALL)


@holds()
def snapshots(truth: Truth) -> None:
    """Manual snapshots of instances and clusters, encrypted or not, kept, shared and for everyone."""
    rds, arn = truth.client("rds", HOME), f"arn:aws:rds:{HOME}:{truth.cloud.account}"
    for name in ("sealed", "plain"):
        made(rds, name, StorageEncrypted=name == "sealed", BackupRetentionPeriod=7)
        truth.judged(f"{arn}:db:{name}", fails="encrypted" * (name == "plain"), of=ALL)
        rds.create_db_cluster(
            DBClusterIdentifier=name, Engine="aurora-mysql", **PASSWORD, **KEPT | {"StorageEncrypted": name == "sealed"}
        )
        truth.judged(f"{arn}:cluster:{name}", fails="cluster_encrypted" * (name == "plain"), of=BOTH)
    truth.judged("default.postgres16", passes="tls_required")
    judged_automated(truth, rds, ("plain",))
    for cluster in (False, True):
        kind = "db-cluster" if cluster else "db"
        for source in ("sealed", "plain"):
            for name, public, steps in (
                ("kept", False, []),
                ("shared", False, [{"ValuesToAdd": ["123456789012"]}]),
                ("public", True, [{"ValuesToAdd": ["all"]}]),
                ("public-and-shared", True, [{"ValuesToAdd": ["123456789012", "all"]}]),
                ("no-longer", False, [{"ValuesToAdd": ["all"]}, {"ValuesToRemove": ["all"]}]),
            ):
                if source == "sealed" and name not in ("kept", "shared"):
                    continue  # RDS refuses to make an encrypted snapshot public
                called = f"{kind}-{source}-{name}"
                _snapshot(rds, cluster, called, source, steps)
                fails = "snapshot_public " * public + "snapshot_encrypted" * (source == "plain")
                truth.judged(called, fails=fails, of=SNAPSHOT)
    _copied(truth, rds)


def _copied(truth: Truth, rds: Any) -> None:
    """A copy that is encrypted on the way."""
    key = truth.client("kms").create_key()["KeyMetadata"]["KeyId"]
    rds.copy_db_snapshot(
        SourceDBSnapshotIdentifier="db-plain-kept", TargetDBSnapshotIdentifier="db-copied", KmsKeyId=key
    )
    truth.judged("db-copied", passes=SNAPSHOT)


def _snapshot(rds: Any, cluster: bool, name: str, source: str, steps: list[dict[str, Any]]) -> None:
    if cluster:
        rds.create_db_cluster_snapshot(DBClusterSnapshotIdentifier=name, DBClusterIdentifier=source)
        for each in steps:
            rds.modify_db_cluster_snapshot_attribute(DBClusterSnapshotIdentifier=name, AttributeName="restore", **each)
        return
    rds.create_db_snapshot(DBSnapshotIdentifier=name, DBInstanceIdentifier=source)
    for each in steps:
        rds.modify_db_snapshot_attribute(DBSnapshotIdentifier=name, AttributeName="restore", **each)


FORCE, SECURE = "rds.force_ssl", "require_secure_transport"

GROUPS: dict[str, tuple[bool | None, str, str, str, str]] = {
    "postgres14-on": (False, "postgres", "14.9", FORCE, "1"),
    "postgres14-off": (True, "postgres", "14.9", FORCE, "0"),
    "postgres14-as-made": (True, "postgres", "14.9", "", ""),
    "postgres15-as-made": (False, "postgres", "15.4", "", ""),
    "postgres15-off": (True, "postgres", "15.4", FORCE, "0"),
    "postgres9.6-as-made": (True, "postgres", "9.6.24", "", ""),
    "mysql8.0-on": (False, "mysql", "8.0.39", SECURE, "1"),
    "mysql8.0-on-in-words": (False, "mysql", "8.0.39", SECURE, "ON"),
    "mysql8.0-off": (True, "mysql", "8.0.39", SECURE, "0"),
    "mysql8.4-as-made": (True, "mysql", "8.4.3", "", ""),
    "mariadb10.11-as-made": (True, "mariadb", "10.11.8", "", ""),
    "mariadb10.11-on": (False, "mariadb", "10.11.8", SECURE, "1"),
    "mariadb11.4-as-made": (True, "mariadb", "11.4.4", "", ""),
    "mariadb11.8-as-made": (False, "mariadb", "11.8.3", "", ""),
    "mariadb11.8-off": (True, "mariadb", "11.8.3", SECURE, "0"),
    "sqlserver-ee-15.0-on": (False, "sqlserver-ee", "15.00.4236.7.v1", FORCE, "1"),
    "sqlserver-ex-16.0-off": (True, "sqlserver-ex", "16.00.4085.2.v1", FORCE, "0"),
    "sqlserver-se-15.0-as-made": (True, "sqlserver-se", "15.00.4236.7.v1", "", ""),
    "oracle-ee-19-as-made": (None, "oracle-ee", "19.0.0.0.ru-2024-07", "", ""),
}
"""Each parameter group, named by its family, with whether it lets clients in without TLS (None: it has no such
parameter), the engine and version of the instance that uses it, and the parameter that is set."""


@holds(regions=(ABROAD,))
def parameter_groups(truth: Truth) -> None:
    """Groups in use decide on TLS; what only a member of a cluster uses, or nothing at all, decides nothing."""
    rds = truth.client("rds", ABROAD)
    for number, (name, (fails, engine, version, parameter, value)) in enumerate(GROUPS.items()):
        family = name.rpartition("-as-made")[0] or name.partition("-o")[0]
        _group(rds, name.replace(".", "-"), family, parameter, value)
        made(rds, f"db-{number}", Engine=engine, EngineVersion=version, DBParameterGroupName=name.replace(".", "-"))
        if fails is not None:
            truth.judged(name.replace(".", "-"), fails="tls_required" * fails, of="tls_required")
        if engine != "postgres":
            truth.judged(f"db-{number}", fails="logs")  # They have the logs of PostgreSQL.
    _group(rds, "unused", "mysql8.0", SECURE, "0")


def _group(rds: Any, name: str, family: str, parameter: str, value: str) -> None:
    rds.create_db_parameter_group(DBParameterGroupName=name, DBParameterGroupFamily=family, Description="truth")
    if parameter:
        given = {"ParameterName": parameter, "ParameterValue": value, "ApplyMethod": "pending-reboot"}
        rds.modify_db_parameter_group(DBParameterGroupName=name, Parameters=[given])


CLUSTER_GROUPS: dict[str, tuple[bool, str, str, str, str]] = {
    "aurora-postgresql16-on": (False, "aurora-postgresql", "16.4", FORCE, "1"),
    "aurora-postgresql16-off": (True, "aurora-postgresql", "16.4", FORCE, "0"),
    "aurora-postgresql16-as-made": (True, "aurora-postgresql", "16.4", "", ""),
    "aurora-postgresql17-as-made": (False, "aurora-postgresql", "17.4", "", ""),
    "aurora-postgresql17-off": (True, "aurora-postgresql", "17.4", FORCE, "0"),
    "aurora-mysql8.0-on": (False, "aurora-mysql", "8.0.mysql_aurora.3.08.0", SECURE, "ON"),
    "aurora-mysql8.0-on-by-number": (False, "aurora-mysql", "8.0.mysql_aurora.3.08.0", SECURE, "1"),
    "aurora-mysql8.0-off": (True, "aurora-mysql", "8.0.mysql_aurora.3.08.0", SECURE, "OFF"),
    "aurora-mysql8.0-as-made": (True, "aurora-mysql", "8.0.mysql_aurora.3.08.0", "", ""),
    "mysql8.0-of-many-zones-on": (False, "mysql", "8.0.39", SECURE, "1"),
    "postgres14-of-many-zones-as-made": (True, "postgres", "14.9", "", ""),
    "postgres15-of-many-zones-as-made": (False, "postgres", "15.4", "", ""),
}
"""The same of clusters. https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/AuroraPostgreSQL.Security.html"""


@holds(regions=(ABROAD,))
def cluster_parameter_groups(truth: Truth) -> None:
    rds = truth.client("rds", ABROAD)
    unused = {"unused-on-cluster": (None, "", "", SECURE, "0")}
    for number, (name, (fails, engine, version, parameter, value)) in enumerate({**CLUSTER_GROUPS, **unused}.items()):
        called, family = name.replace(".", "-"), name.split("-o")[0].split("-as-")[0]
        family = "aurora-mysql8.0" if fails is None else family
        rds.create_db_cluster_parameter_group(
            DBClusterParameterGroupName=called, DBParameterGroupFamily=family, Description="truth"
        )
        if parameter:
            given = {"ParameterName": parameter, "ParameterValue": value, "ApplyMethod": "pending-reboot"}
            rds.modify_db_cluster_parameter_group(DBClusterParameterGroupName=called, Parameters=[given])
        if fails is None:
            continue
        more = KEPT | (MULTI_AZ if "zones" in name else {})
        rds.create_db_cluster(
            DBClusterIdentifier=f"c-{number}",
            Engine=engine,
            EngineVersion=version,
            DBClusterParameterGroupName=called,
            Port=3306,
            **PASSWORD,
            **more,
        )
        truth.judged(f"c-{number}", passes=BOTH)
        truth.judged(called, fails="cluster_tls_required" * fails, of="cluster_tls_required")


@holds()
def unreadable_databases(truth: Truth) -> None:
    """At home the details of snapshots and parameters are hidden, abroad the lists."""
    rds = truth.client("rds", HOME)
    made(rds, "plain", StorageEncrypted=False)
    truth.judged("plain", fails="encrypted", of=ALL)
    rds.create_db_cluster(DBClusterIdentifier="flat", Engine="aurora-mysql", Port=3306, **PASSWORD)
    truth.judged("flat", fails=BOTH)
    judged_automated(truth, rds, ("plain", "flat"))
    for cluster in (False, True):
        _snapshot(rds, cluster, f"hidden-{int(cluster)}", "flat" if cluster else "plain", [])
        truth.judged(f"hidden-{int(cluster)}", unknown="snapshot_public", fails="snapshot_encrypted")
    truth.judged("default.postgres16", unknown="tls_required")
    for action in ("DescribeDBSnapshotAttributes", "DescribeDBClusterSnapshotAttributes", "DescribeDBParameters"):
        truth.cloud.control("deny", actions=[f"rds:{action}"], regions=[HOME])
    for action in ("DBInstances", "DBClusters", "DBSnapshots", "DBParameterGroups", "DBClusterParameterGroups"):
        truth.hide(f"rds:Describe{action}", f"AWS::RDS::{action.removesuffix('s')}")
    truth.hide("rds:DescribeDBClusterSnapshots", "AWS::RDS::ClusterSnapshot")
