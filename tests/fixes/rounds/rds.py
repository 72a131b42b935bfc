"""DB instances, DB clusters, and parameter groups."""

from __future__ import annotations

from typing import Any

from tests.fixes.rounds.round import ACCOUNT, Made, goes_round

from nephoscope_aws_simulator.testing import Cloud

ARN = f"arn:aws:rds:us-east-1:{ACCOUNT}"
PASSWORD = {"MasterUsername": "root", "MasterUserPassword": "not-a-secret"}


def instance(cloud: Cloud, name: str, **more: Any) -> Made:
    """Make a DB instance, and one like it beside it."""
    rds = cloud.client("rds")
    for each in (name, f"{name}-beside"):
        given = {"DBInstanceClass": "db.t3.micro", "Engine": "postgres", **PASSWORD, **more}
        rds.create_db_instance(DBInstanceIdentifier=each, **given)

    def described(name: str) -> Any:
        found = rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]
        return {key: value for key, value in found.items() if key != "LatestRestorableTime"}

    beside = f"{name}-beside"
    return Made("AWS::RDS::DBInstance", f"{ARN}:db:{name}", name, lambda: described(name), lambda: described(beside))


@goes_round("aws.rds.keep_private", "aws.rds.public")
def public(cloud: Cloud) -> Made:
    return instance(cloud, "round-public", PubliclyAccessible=True)


@goes_round("aws.rds.enable_deletion_protection", "aws.rds.deletion_protection")
def deletable(cloud: Cloud) -> Made:
    return instance(cloud, "round-deletable", DeletionProtection=False)


@goes_round("aws.rds.enable_minor_upgrades", "aws.rds.minor_upgrade")
def not_upgraded(cloud: Cloud) -> Made:
    return instance(cloud, "round-old", AutoMinorVersionUpgrade=False)


@goes_round("aws.rds.enable_multi_az", "aws.rds.multi_az")
def in_one_zone(cloud: Cloud) -> Made:
    return instance(cloud, "round-one-zone", MultiAZ=False)


@goes_round("aws.rds.keep_backups", "aws.rds.backups")
def without_backups(cloud: Cloud) -> Made:
    return instance(cloud, "round-backups-0", BackupRetentionPeriod=0)


@goes_round("aws.rds.keep_backups", "aws.rds.backups")
def short_backups(cloud: Cloud) -> Made:
    return instance(cloud, "round-backups-1", BackupRetentionPeriod=1)


@goes_round("aws.rds.enable_iam_auth", "aws.rds.iam_auth")
def by_passwords(cloud: Cloud) -> Made:
    return instance(cloud, "round-passwords", EnableIAMDatabaseAuthentication=False)


@goes_round("aws.rds.export_logs", "aws.rds.logs")
def without_logs(cloud: Cloud) -> Made:
    return instance(cloud, "round-no-logs")


@goes_round("aws.rds.export_logs", "aws.rds.logs")
def one_log(cloud: Cloud) -> Made:
    exported = ["iam-db-auth-error", "error"]
    return instance(cloud, "round-one-log", Engine="mysql", EnableCloudwatchLogsExports=exported)


@goes_round("aws.rds.enable_cluster_deletion_protection", "aws.rds.cluster_deletion_protection")
def deletable_cluster(cloud: Cloud) -> Made:
    rds, name = cloud.client("rds"), "round-deletable-cluster"
    for each in (name, f"{name}-beside"):
        rds.create_db_cluster(DBClusterIdentifier=each, Engine="aurora-mysql", **PASSWORD)

    def described(name: str) -> Any:
        found = rds.describe_db_clusters(DBClusterIdentifier=name)["DBClusters"][0]
        return {key: value for key, value in found.items() if key != "LatestRestorableTime"}

    beside = f"{name}-beside"
    arn = f"{ARN}:cluster:{name}"
    return Made("AWS::RDS::DBCluster", arn, name, lambda: described(name), lambda: described(beside))


def group(cloud: Cloud, name: str, family: str, *parameters: tuple[str, str], cluster: bool = False) -> Made:
    """Make a parameter group that sets these, and one like it beside it."""
    rds, kind = cloud.client("rds"), "DBClusterParameterGroup" if cluster else "DBParameterGroup"
    call = "db_cluster_parameter" if cluster else "db_parameter"
    key = f"{kind}Name"
    given = [{"ParameterName": one, "ParameterValue": value, "ApplyMethod": "immediate"} for one, value in parameters]
    for each in (name, f"{name}-beside"):
        getattr(rds, f"create_{call}_group")(**{key: each}, DBParameterGroupFamily=family, Description="round")
        if given:
            getattr(rds, f"modify_{call}_group")(**{key: each}, Parameters=given)

    def described(name: str) -> Any:
        return getattr(rds, f"describe_{call}s")(**{key: name})["Parameters"]

    arn, beside = f"{ARN}:{'cluster-' * cluster}pg:{name}", f"{name}-beside"
    return Made(f"AWS::RDS::{kind}", arn, name, lambda: described(name), lambda: described(beside))


@goes_round("aws.rds.require_tls", "aws.rds.tls_required")
def without_tls(cloud: Cloud) -> Made:
    return group(cloud, "round-off", "postgres16", ("rds.force_ssl", "0"), ("log_connections", "1"))


@goes_round("aws.rds.require_tls", "aws.rds.tls_required")
def tls_left_to_engine(cloud: Cloud) -> Made:
    made = group(cloud, "round-as-made", "sqlserver-se-15.0", ("max worker threads", "300"))
    cloud.client("rds").create_db_instance(
        DBInstanceIdentifier="round-user",
        DBInstanceClass="db.t3.micro",
        Engine="sqlserver-se",
        DBParameterGroupName="round-as-made",
        **PASSWORD,
    )
    return made


@goes_round("aws.rds.require_cluster_tls", "aws.rds.cluster_tls_required")
def cluster_without_tls(cloud: Cloud) -> Made:
    return group(cloud, "round-cluster-off", "aurora-mysql8.0", ("require_secure_transport", "OFF"), cluster=True)


@goes_round("aws.rds.require_cluster_tls", "aws.rds.cluster_tls_required")
def cluster_tls_left_to_engine(cloud: Cloud) -> Made:
    return group(cloud, "round-cluster-as-made", "aurora-postgresql16", ("log_connections", "1"), cluster=True)
