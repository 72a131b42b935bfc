"""Databases and warehouses: one right and one wrong thing of each type that moto has."""

from __future__ import annotations

from typing import Any

from nephoscope_aws_simulator.testing import Simulator

REGION = "eu-central-1"
PASSWORD = {"MasterUsername": "owner", "MasterUserPassword": "Passw0rd-1"}


def seed(simulator: Simulator) -> None:
    seed_rds(simulator.client("rds", REGION))
    seed_redshift(simulator.client("redshift", REGION))


def seed_rds(rds: Any) -> None:
    for name, value in (("tls", "1"), ("open", "0"), ("unused", "0")):
        rds.create_db_parameter_group(DBParameterGroupName=name, DBParameterGroupFamily="postgres14", Description=name)
        rds.modify_db_parameter_group(
            DBParameterGroupName=name,
            Parameters=[{"ParameterName": "rds.force_ssl", "ParameterValue": value, "ApplyMethod": "immediate"}],
        )
    small = {"DBInstanceClass": "db.t3.micro", "AllocatedStorage": 20, **PASSWORD}
    rds.create_db_instance(
        DBInstanceIdentifier="right",
        Engine="postgres",
        DBParameterGroupName="tls",
        StorageEncrypted=True,
        MultiAZ=True,
        BackupRetentionPeriod=7,
        DeletionProtection=True,
        EnableIAMDatabaseAuthentication=True,
        EnableCloudwatchLogsExports=["upgrade", "postgresql"],
        PubliclyAccessible=False,
        Tags=[{"Key": "team", "Value": "<b>"}],
        **small,
    )
    rds.create_db_instance(
        DBInstanceIdentifier="wrong",
        Engine="postgres",
        DBParameterGroupName="open",
        PubliclyAccessible=True,
        AutoMinorVersionUpgrade=False,
        **small,
    )
    rds.create_db_cluster(
        DBClusterIdentifier="safe", Engine="aurora-mysql", StorageEncrypted=True, DeletionProtection=True, **PASSWORD
    )
    group = {"DBClusterParameterGroupName": "loose"}
    rds.create_db_cluster_parameter_group(DBParameterGroupFamily="aurora-postgresql16", Description="x", **group)
    rds.modify_db_cluster_parameter_group(
        Parameters=[{"ParameterName": "rds.force_ssl", "ParameterValue": "0", "ApplyMethod": "immediate"}], **group
    )
    rds.create_db_cluster(DBClusterIdentifier="bare", Engine="aurora-postgresql", **group, **PASSWORD)
    rds.create_db_instance(
        DBInstanceIdentifier="bare-1",
        DBInstanceClass="db.r6g.large",
        Engine="aurora-postgresql",
        DBClusterIdentifier="bare",
    )
    for name in (True, False):
        rds.create_db_cluster(DBClusterIdentifier=f"graph-{name}", Engine="neptune", StorageEncrypted=name, **PASSWORD)
    rds.create_db_instance(
        DBInstanceIdentifier="graph-1",
        DBInstanceClass="db.r6g.large",
        Engine="neptune",
        DBClusterIdentifier="graph-True",
    )
    seed_snapshots(rds)


def seed_snapshots(rds: Any) -> None:
    for source in ("right", "wrong"):
        rds.create_db_snapshot(DBSnapshotIdentifier=f"of-{source}", DBInstanceIdentifier=source)
    for source in ("safe", "bare"):
        rds.create_db_cluster_snapshot(DBClusterSnapshotIdentifier=f"of-{source}", DBClusterIdentifier=source)
    for_all = {"AttributeName": "restore", "ValuesToAdd": ["all"]}
    rds.modify_db_snapshot_attribute(DBSnapshotIdentifier="of-wrong", **for_all)
    rds.modify_db_cluster_snapshot_attribute(DBClusterSnapshotIdentifier="of-bare", **for_all)


def seed_redshift(redshift: Any) -> None:
    for name in ("mine", "unused"):
        redshift.create_cluster_parameter_group(
            ParameterGroupName=name, ParameterGroupFamily="redshift-1.0", Description=name
        )
    node = {"NodeType": "ra3.large", **PASSWORD}
    redshift.create_cluster(
        ClusterIdentifier="right",
        Encrypted=True,
        ClusterParameterGroupName="mine",
        PubliclyAccessible=False,
        Tags=[{"Key": "team", "Value": "<b>"}],
        **node,
    )
    redshift.create_cluster(ClusterIdentifier="wrong", Encrypted=False, PubliclyAccessible=True, **node)
    redshift.enable_logging(
        ClusterIdentifier="right", LogDestinationType="cloudwatch", LogExports=["userlog", "connectionlog"]
    )
