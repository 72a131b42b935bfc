"""Rules on DocumentDB clusters."""

from __future__ import annotations

from nephoscope.domain import Fail, Severity, View, rule
from nephoscope_aws.databases import storage_encrypted


@rule(
    "aws.docdb.encrypted",
    on="AWS::DocDB::DBCluster",
    severity=Severity.MEDIUM,
    link="https://docs.aws.amazon.com/documentdb/latest/developerguide/encryption-at-rest.html",
    fix="""
        1. A cluster cannot be encrypted in place. Take a snapshot of it.
        2. In the DocumentDB console, choose Snapshots, select it, then Actions, Restore, and enable encryption at rest.
        3. Add instances, point your applications to the new cluster, and delete the old one and its snapshots.
    """,
    commands="""
        aws docdb create-db-cluster-snapshot --region={region} --db-cluster-identifier={name}
          --db-cluster-snapshot-identifier={name}-unencrypted

        aws docdb restore-db-cluster-from-snapshot --region={region} --snapshot-identifier={name}-unencrypted
          --db-cluster-identifier={NEW_NAME} --engine=docdb --kms-key-id={KEY_ID}
    """,
    inputs={"NEW_NAME": "once the snapshot is available: the identifier of the new cluster", "KEY_ID": "the KMS key"},
    good=[
        {"StorageEncrypted": True, "KmsKeyId": "arn:aws:kms:eu-west-1:123456789012:key/1"},
        {"StorageEncrypted": "true"},
        {"StorageEncrypted": False, "Observed": {"StorageEncryptionType": "sse-rds"}},
    ],
    bad=[{"StorageEncrypted": False}, {"StorageEncrypted": None}, {}],
)
def encrypted(cluster: View) -> bool | Fail:
    """DocumentDB cluster is not encrypted at rest.

    Its documents, backups and snapshots can be read by anyone who obtains a copy. With encryption, reading them also
    requires access to the KMS key.
    """
    return storage_encrypted(
        cluster,
        type_at="Observed.StorageEncryptionType",
        inherited_by=("SnapshotIdentifier", "SourceDBClusterIdentifier"),
    )
