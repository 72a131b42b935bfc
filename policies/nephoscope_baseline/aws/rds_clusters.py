"""Rules on database clusters of RDS (Aurora and Multi-AZ), on snapshots, and on TLS."""

from __future__ import annotations

from typing import Any

from nephoscope.domain import Fail, NotKnown, ResourceView, Severity, Unknown, View, rule
from nephoscope_aws.access import is_on
from nephoscope_aws.databases import (
    ENCRYPTED_TYPES,
    cluster_tls_parameter,
    storage_encrypted,
    tls_by_default,
    tls_parameter,
)

CLUSTER = "AWS::RDS::DBCluster"
SNAPSHOT = "AWS::RDS::DBSnapshot"
CLUSTER_SNAPSHOT = "AWS::RDS::ClusterSnapshot"
PARAMETER_GROUP = "AWS::RDS::DBParameterGroup"
CLUSTER_GROUP = "AWS::RDS::DBClusterParameterGroup"
AURORA_GUIDE = "https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/"

GUIDE = "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/"
AURORA_GUIDE = "https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/"


def _group(family: str, **parameters: Any) -> dict[str, Any]:
    """An example: a parameter group; two underscores stand for the dot in a parameter's name."""
    return {"Family": family, "Parameters": {name.replace("__", "."): value for name, value in parameters.items()}}


@rule(
    "aws.rds.cluster_encrypted",
    on=CLUSTER,
    severity=Severity.HIGH,
    link=AURORA_GUIDE + "Overview.Encryption.html",
    fix="""
        1. A cluster cannot be encrypted in place. Take a snapshot.
        2. Restore it with a key. In the RDS console, choose Snapshots, Actions, Restore snapshot, Enable encryption.
        3. Add instances, point your applications to the new cluster, and delete the old one and its snapshots.
    """,
    commands="""
        aws rds create-db-cluster-snapshot --region={region} --db-cluster-identifier={name}
          --db-cluster-snapshot-identifier={name}-unencrypted
        aws rds wait db-cluster-snapshot-available --region={region}
          --db-cluster-snapshot-identifier={name}-unencrypted
        aws rds restore-db-cluster-from-snapshot --region={region} --snapshot-identifier={name}-unencrypted
          --db-cluster-identifier={NEW_NAME} --engine={Engine} --kms-key-id={KEY_ID}
    """,
    inputs={
        "NEW_NAME": "the identifier of the new cluster",
        "KEY_ID": "the KMS key, such as alias/aws/rds",
    },
    good=[
        {"Engine": "aurora-mysql", "StorageEncrypted": True},
        {"Engine": "aurora-mysql", "StorageEncrypted": False, "StorageEncryptionType": "sse-rds"},
        {"Engine": "aurora-postgresql"},
        {"Engine": "mysql", "StorageEncrypted": "true"},
    ],
    bad=[
        {"Engine": "aurora-mysql", "StorageEncrypted": False, "StorageEncryptionType": "none"},
        {"Engine": "postgres", "StorageEncrypted": False},
        {"Engine": "mysql"},
    ],
)
def cluster_encrypted(cluster: View) -> bool | Fail:
    """RDS cluster is not encrypted at rest.

    Its data, backups and snapshots can be read by anyone who obtains a copy. With encryption, reading them also
    requires access to the KMS key.
    """
    # Aurora encrypts every cluster that was created since 2026-02-18:
    # https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Overview.Encryption.html
    return storage_encrypted(
        cluster,
        type_at="StorageEncryptionType",
        by_default=str(cluster["Engine"]).startswith("aurora"),
        inherited_by=(
            "SnapshotIdentifier",
            "SourceDBClusterIdentifier",
            "SourceDbClusterResourceId",
            "ReplicationSourceIdentifier",
        ),
    )


@rule(
    "aws.rds.cluster_deletion_protection",
    on=CLUSTER,
    severity=Severity.LOW,
    link=AURORA_GUIDE + "USER_DeleteCluster.html",
    fix="""
        1. In the RDS console, select the cluster, choose Modify, and turn on Enable deletion protection.
        2. It takes effect at once and causes no outage.
    """,
    commands="""
        aws rds modify-db-cluster --region={region} --db-cluster-identifier={name} --deletion-protection
    """,
    remediations=("aws.rds.enable_cluster_deletion_protection",),
    good=[{"DeletionProtection": True}, {"DeletionProtection": "true"}],
    bad=[{"DeletionProtection": False}, {}],
)
def cluster_deletion_protection(cluster: View) -> bool:
    """RDS cluster deletion protection is off.

    A wrong command or a stolen key can delete it together with its automated backups. Deletion protection must be
    turned off first, a second step that is logged.
    """
    return is_on(cluster["DeletionProtection"])


@rule(
    "aws.rds.snapshot_public",
    on=(SNAPSHOT, CLUSTER_SNAPSHOT),
    severity=Severity.CRITICAL,
    live_only=True,
    link=GUIDE + "USER_ShareSnapshot.html",
    fix="""
        1. In the RDS console, choose Snapshots, select the snapshot, Actions, Share snapshot, and set its visibility to
           Private. Add the accounts that need it.
        2. Treat the data in it, passwords included, as leaked. Copies made by others remain.
    """,
    commands={
        SNAPSHOT: """
            aws rds modify-db-snapshot-attribute --region={region} --db-snapshot-identifier={name}
              --attribute-name=restore --values-to-remove=all
        """,
        CLUSTER_SNAPSHOT: """
            aws rds modify-db-cluster-snapshot-attribute --region={region} --db-cluster-snapshot-identifier={name}
              --attribute-name=restore --values-to-remove=all
        """,
    },
    remediations=(
        "aws.rds.keep_snapshot_private",
        "aws.rds.keep_cluster_snapshot_private",
    ),
    good=[{"SnapshotType": "manual", "Observed": {"Public": False}}, {"Observed": {"Public": False}}],
    bad=[{"SnapshotType": "manual", "Observed": {"Public": True}}, {"Observed": {"Public": True}}],
)
def snapshot_public(snapshot: View) -> bool | Fail:
    """RDS snapshot is public.

    Any AWS account can restore it and read the whole database. Public snapshots are listed for everyone and constantly
    searched for secrets.
    """
    public = snapshot["Observed.Public"]
    if public is None:
        raise NotKnown("Observed.Public", Unknown("whether the snapshot is public was not read"))
    return Fail("Any AWS account can restore it", "Observed.Public") if public else True


@rule(
    "aws.rds.snapshot_encrypted",
    on=(SNAPSHOT, CLUSTER_SNAPSHOT),
    severity=Severity.MEDIUM,
    live_only=True,
    link=GUIDE + "USER_CopySnapshot.html",
    fix="""
        1. In the RDS console, choose Snapshots, select the snapshot, Actions, Copy snapshot, and enable encryption.
        2. Delete the unencrypted one.
        3. For an unencrypted cluster snapshot, restore it with a key and take a new snapshot. Automated snapshots
           follow their database: encrypt that.
    """,
    commands={
        SNAPSHOT: """
            aws rds copy-db-snapshot --region={region} --source-db-snapshot-identifier={name}
              --target-db-snapshot-identifier={name}-encrypted --kms-key-id={KEY_ID}
        """,
    },
    inputs={
        "KEY_ID": "the KMS key, such as alias/aws/rds",
    },
    good=[{"Encrypted": True}, {"Encrypted": False, "Observed": {"StorageEncryptionType": "sse-rds"}}],
    bad=[
        {"Encrypted": False, "SnapshotType": "manual"},
        {"Encrypted": False, "Observed": {"StorageEncryptionType": "none"}},
    ],
)
def snapshot_encrypted(snapshot: ResourceView) -> bool:
    """RDS snapshot is not encrypted at rest.

    A snapshot holds the whole database and can be copied and shared. Without encryption, everyone who can restore it
    can read it.
    """
    switch = "StorageEncrypted" if snapshot.type == CLUSTER_SNAPSHOT else "Encrypted"
    return snapshot["Observed.StorageEncryptionType"] in ENCRYPTED_TYPES or is_on(snapshot[switch])


@rule(
    "aws.rds.tls_required",
    on=PARAMETER_GROUP,
    severity=Severity.MEDIUM,
    link=GUIDE + "UsingWithRDS.SSL.html",
    fix="""
        1. Make sure that all clients use TLS and trust the RDS certificate authorities.
        2. A default parameter group cannot be changed. Create one of the same family.
        3. In the RDS console, choose Parameter groups, select the group, Edit, and set rds.force_ssl (PostgreSQL, SQL
           Server) or require_secure_transport (MySQL, MariaDB) to 1.
        4. Assign a new group to the instance, and reboot it.
    """,
    commands="""
        aws rds modify-db-parameter-group --region={region} --db-parameter-group-name={name}
          --parameters=ParameterName={TLS_PARAMETER},ParameterValue=1,ApplyMethod=pending-reboot

        aws rds reboot-db-instance --region={region} --db-instance-identifier={DB_INSTANCE}
    """,
    inputs={
        "TLS_PARAMETER": "rds.force_ssl or require_secure_transport",
        "DB_INSTANCE": "an instance that uses the group, to be rebooted",
    },
    remediations=("aws.rds.require_tls",),
    good=[
        _group("postgres14", rds__force_ssl="1"),
        _group("postgres16"),
        _group("mysql8.0", require_secure_transport="ON"),
        _group("mariadb11.8"),
        _group("sqlserver-ee-15.0", rds__force_ssl=1),
        _group("oracle-ee-19"),
    ],
    bad=[
        _group("postgres16", rds__force_ssl="0"),
        _group("postgres14"),
        _group("mysql8.4", require_secure_transport="0"),
        _group("mariadb11.4"),
        _group("sqlserver-se-16.00", rds__force_ssl=0),
        {"Family": "mysql8.0"},
    ],
)
def tls_required(group: View) -> bool | Fail | None:
    """RDS parameter group does not require TLS.

    A client that does not ask for TLS sends queries, results and sometimes passwords in plaintext. The server can
    refuse such connections, whatever the client's settings.
    """
    return _tls_required(group, tls_parameter(group["Family"]))


@rule(
    "aws.rds.cluster_tls_required",
    on=CLUSTER_GROUP,
    severity=Severity.MEDIUM,
    link=AURORA_GUIDE + "UsingWithRDS.SSL.html",
    fix="""
        1. Make sure that all clients use TLS and trust the RDS certificate authorities.
        2. A default parameter group cannot be changed. Create a DB cluster parameter group of the same family.
        3. In the RDS console, choose Parameter groups, select the group, Edit, and set rds.force_ssl (PostgreSQL) or
           require_secure_transport (MySQL) to 1.
        4. Assign a new group to the cluster, and reboot its instances.
    """,
    commands="""
        aws rds modify-db-cluster-parameter-group --region={region} --db-cluster-parameter-group-name={name}
          --parameters=ParameterName={TLS_PARAMETER},ParameterValue=1,ApplyMethod=pending-reboot
    """,
    inputs={
        "TLS_PARAMETER": "rds.force_ssl or require_secure_transport",
    },
    remediations=("aws.rds.require_cluster_tls",),
    good=[
        _group("aurora-postgresql16", rds__force_ssl="1"),
        _group("aurora-postgresql17"),
        _group("aurora-mysql8.0", require_secure_transport="ON"),
        _group("aurora-mysql5.7", require_secure_transport=True),
        _group("postgres15"),
        _group("mysql8.0", require_secure_transport="1"),
        _group("docdb5.0"),
        _group("neptune1.3"),
    ],
    bad=[
        _group("aurora-postgresql17", rds__force_ssl="0"),
        _group("aurora-postgresql16"),
        _group("aurora-postgresql16", rds__force_ssl=0),
        _group("aurora-mysql8.0"),
        _group("aurora-mysql8.0", require_secure_transport="OFF"),
        _group("postgres14"),
        _group("mysql8.0", require_secure_transport="off"),
        {"Family": "aurora-postgresql15"},
    ],
)
def cluster_tls_required(group: View) -> bool | Fail | None:
    """RDS cluster parameter group does not require TLS.

    A client that does not ask for TLS sends queries, results and sometimes passwords in plaintext. In Aurora and in
    Multi-AZ DB clusters, the cluster's parameter group decides whether that is refused.
    """
    return _tls_required(group, cluster_tls_parameter(group["Family"]))


def _tls_required(group: View, name: str | None) -> bool | Fail | None:
    """Tell whether a group demands TLS by the parameter of this name; None for an engine that has none."""
    if name is None:
        return None
    parameters = group.object_at("Parameters")
    value = None if parameters is None else parameters.key(name)
    if tls_by_default(group["Family"]) if value is None else str(value).lower() in ("1", "on", "true"):
        return True
    return Fail(f"{name} is {'not set' if value is None else 'off'}", f"Parameters.{name}", "Parameters")
