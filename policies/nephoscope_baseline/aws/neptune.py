"""Rules on Neptune clusters."""

from __future__ import annotations

from nephoscope.domain import Fail, Severity, View, rule
from nephoscope_aws.databases import storage_encrypted


@rule(
    "aws.neptune.encrypted",
    on="AWS::Neptune::DBCluster",
    severity=Severity.MEDIUM,
    link="https://docs.aws.amazon.com/neptune/latest/userguide/encrypt.html",
    fix="""
        1. A cluster cannot be encrypted in place. Take a snapshot: aws neptune create-db-cluster-snapshot
           --db-cluster-identifier ID --db-cluster-snapshot-identifier SNAPSHOT
        2. In the Neptune console, choose Snapshots, select it, then Actions, Restore snapshot, and enable encryption.
        3. With the AWS CLI: aws neptune restore-db-cluster-from-snapshot --snapshot-identifier SNAPSHOT
           --db-cluster-identifier NEW_ID --engine neptune --kms-key-id KEY_ID
        4. Add instances, point your applications to the new cluster, and delete the old one and its snapshots.
        """,
    good=[
        {"StorageEncrypted": True, "KmsKeyId": "arn:aws:kms:eu-west-1:123456789012:key/1"},
        {"StorageEncrypted": "true"},
        {"StorageEncrypted": False, "Observed": {"StorageEncryptionType": "sse-rds"}},
    ],
    bad=[{"StorageEncrypted": False}, {"StorageEncrypted": None}, {}],
)
def encrypted(cluster: View) -> bool | Fail:
    """Neptune cluster is not encrypted at rest.

    Its graph data, backups and snapshots can be read by anyone who obtains a copy. With encryption, reading them also
    requires access to the KMS key.
    """
    return storage_encrypted(
        cluster,
        type_at="Observed.StorageEncryptionType",
        inherited_by=("SnapshotIdentifier", "SourceDBClusterIdentifier"),
    )
