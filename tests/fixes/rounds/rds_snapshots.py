"""Snapshots that everyone may restore, beside accounts that may."""

from __future__ import annotations

from typing import Any

from tests.fixes.rounds.rds import ARN, PASSWORD
from tests.fixes.rounds.round import Made, goes_round

from nephoscope_aws_simulator.testing import Cloud

SHARED = ("123456789012", "all")


def _made(cloud: Cloud, name: str, accounts: tuple[str, ...], *, cluster: bool = False) -> Made:
    """Make a snapshot of a database or a cluster that these may restore, and one like it beside it."""
    rds, kind = cloud.client("rds"), "DBCluster" if cluster else "DB"
    call, source = ("db_cluster", "DBClusterIdentifier") if cluster else ("db", "DBInstanceIdentifier")
    key = f"{kind}SnapshotIdentifier"
    more = {} if cluster else {"DBInstanceClass": "db.t3.micro"}
    engine = "aurora-mysql" if cluster else "postgres"
    make = rds.create_db_cluster if cluster else rds.create_db_instance
    make(**{source: f"{name}-source"}, Engine=engine, **PASSWORD, **more)
    for each in (name, f"{name}-beside"):
        getattr(rds, f"create_{call}_snapshot")(**{key: each, source: f"{name}-source"})
        getattr(rds, f"modify_{call}_snapshot_attribute")(
            **{key: each}, AttributeName="restore", ValuesToAdd=list(accounts)
        )

    def accounts_of(name: str) -> Any:
        answer = getattr(rds, f"describe_{call}_snapshot_attributes")(**{key: name})
        [held] = answer[f"{kind}SnapshotAttributesResult"][f"{kind}SnapshotAttributes"]
        return sorted(held["AttributeValues"])

    arn, beside = f"{ARN}:{'cluster-' * cluster}snapshot:{name}", f"{name}-beside"
    type = "AWS::RDS::ClusterSnapshot" if cluster else "AWS::RDS::DBSnapshot"
    return Made(type, arn, name, lambda: accounts_of(name), lambda: accounts_of(beside))


@goes_round("aws.rds.keep_snapshot_private", "aws.rds.snapshot_public")
def public_snapshot(cloud: Cloud) -> Made:
    return _made(cloud, "snapshot-public", ("all",))


@goes_round("aws.rds.keep_snapshot_private", "aws.rds.snapshot_public")
def shared_snapshot(cloud: Cloud) -> Made:
    return _made(cloud, "snapshot-shared", SHARED)


@goes_round("aws.rds.keep_cluster_snapshot_private", "aws.rds.snapshot_public")
def shared_cluster_snapshot(cloud: Cloud) -> Made:
    return _made(cloud, "cluster-snapshot-shared", SHARED, cluster=True)
