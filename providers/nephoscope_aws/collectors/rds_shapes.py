"""Answers of the RDS API in the shape of CloudFormation, for RDS, DocumentDB and Neptune.

The three share one API, and each call lists what belongs to all of them; the engine tells them apart.
https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DescribeDBClusters.html
"""

from __future__ import annotations

from typing import Any

from nephoscope_aws.collectors.shape import moment, needed, part, picked, tag_list

RDS_INSTANCE = "AWS::RDS::DBInstance"
RDS_CLUSTER = "AWS::RDS::DBCluster"
DOCDB_INSTANCE = "AWS::DocDB::DBInstance"
DOCDB_CLUSTER = "AWS::DocDB::DBCluster"
NEPTUNE_INSTANCE = "AWS::Neptune::DBInstance"
NEPTUNE_CLUSTER = "AWS::Neptune::DBCluster"
SNAPSHOT = "AWS::RDS::DBSnapshot"
CLUSTER_SNAPSHOT = "AWS::RDS::ClusterSnapshot"

DOCDB_ENGINE = "docdb"
NEPTUNE_ENGINE = "neptune"

Item = dict[str, Any]
Shaped = tuple[str, Item]
"""A type and the properties of one resource of it."""

_EVERY_INSTANCE = ("DBInstanceIdentifier", "DBInstanceClass", "DBClusterIdentifier")
_RDS_INSTANCE = ("Engine", "EngineVersion", "KmsKeyId")
_SAID_OF_INSTANCES = (
    "PubliclyAccessible",
    "StorageEncrypted",
    "MultiAZ",
    "BackupRetentionPeriod",
    "DeletionProtection",
)
"""What AWS says of every instance. https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DBInstance.html"""

_EVERY_CLUSTER = (
    "DBClusterIdentifier",
    "EngineVersion",
    "KmsKeyId",
)
_SAID_OF_CLUSTERS = ("StorageEncrypted", "DeletionProtection", "BackupRetentionPeriod")
_SNAPSHOT = ("Engine", "EngineVersion", "SnapshotType", "KmsKeyId")


def instance(item: Item) -> Shaped:
    """Return a DB instance of the type that its engine says."""
    properties = {
        **picked(item, *_EVERY_INSTANCE),
        **needed(item, "AutoMinorVersionUpgrade"),
        "Tags": tag_list(item.get("TagList")),
    }
    if item["Engine"] == DOCDB_ENGINE:
        return DOCDB_INSTANCE, properties
    if item["Engine"] == NEPTUNE_ENGINE:
        return NEPTUNE_INSTANCE, {**properties, **needed(item, "PubliclyAccessible")}
    return RDS_INSTANCE, {
        **properties,
        **picked(item, *_RDS_INSTANCE),
        **needed(item, *_SAID_OF_INSTANCES),
        "EnableIAMDatabaseAuthentication": item["IAMDatabaseAuthenticationEnabled"],
        "EnableCloudwatchLogsExports": part(lambda: sorted(item.get("EnabledCloudwatchLogsExports") or ())),
        "SourceDBInstanceIdentifier": part(lambda: item.get("ReadReplicaSourceDBInstanceIdentifier") or None),
        "SourceDBClusterIdentifier": part(lambda: item.get("ReadReplicaSourceDBClusterIdentifier") or None),
        "DBParameterGroupName": part(
            lambda: next((one["DBParameterGroupName"] for one in item["DBParameterGroups"]), None)
        ),
        "DBSubnetGroupName": item.get("DBSubnetGroup", {}).get("DBSubnetGroupName"),
        "VPCSecurityGroups": _groups(item),
        "Observed": picked(item, "StorageEncryptionType"),
    }


def cluster(item: Item) -> Shaped:
    """Return a DB cluster of the type that its engine says."""
    properties = {
        **picked(item, *_EVERY_CLUSTER),
        **needed(item, *_SAID_OF_CLUSTERS),
        "EnableCloudwatchLogsExports": part(lambda: sorted(item.get("EnabledCloudwatchLogsExports") or ())),
        "DBClusterParameterGroupName": item.get("DBClusterParameterGroup"),
        "DBSubnetGroupName": item.get("DBSubnetGroup"),
        "VpcSecurityGroupIds": _groups(item),
        "Tags": tag_list(item.get("TagList")),
    }
    observed = {"Observed": picked(item, "StorageEncryptionType")}
    by_iam = item.get("IAMDatabaseAuthenticationEnabled")
    if item["Engine"] == DOCDB_ENGINE:
        return DOCDB_CLUSTER, properties | observed
    if item["Engine"] == NEPTUNE_ENGINE:
        return NEPTUNE_CLUSTER, properties | observed | {"IamAuthEnabled": by_iam}
    more = picked(item, "Engine", "EngineMode", "PubliclyAccessible", "StorageEncryptionType")
    return RDS_CLUSTER, properties | more | {"EnableIAMDatabaseAuthentication": by_iam}


def snapshot(item: Item) -> Shaped:
    return SNAPSHOT, {
        **picked(item, "DBSnapshotIdentifier", "DBInstanceIdentifier"),
        **needed(item, "Encrypted"),
        **_snapshot(item),
    }


def cluster_snapshot(item: Item) -> Shaped:
    return CLUSTER_SNAPSHOT, {
        **picked(item, "DBClusterSnapshotIdentifier", "DBClusterIdentifier"),
        **needed(item, "StorageEncrypted"),
        **_snapshot(item),
    }


def _snapshot(item: Item) -> Item:
    return {
        **picked(item, *_SNAPSHOT),
        "SnapshotCreateTime": moment(item.get("SnapshotCreateTime")),
        "Tags": tag_list(item.get("TagList")),
        "Observed": picked(item, "StorageEncryptionType"),
    }


def _groups(item: Item) -> Any:
    return part(lambda: sorted(str(group["VpcSecurityGroupId"]) for group in item.get("VpcSecurityGroups") or ()))
