"""Rules on ElastiCache replication groups."""

from __future__ import annotations

from nephoscope.domain import Fail, Severity, View, rule
from nephoscope_aws.access import is_on

GROUP = "AWS::ElastiCache::ReplicationGroup"

DURABLE = ("sync", "async")
"""Settings of Durability with which a group is always encrypted at rest.
https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/at-rest-encryption.html"""

ENCRYPTED = ("sse-elasticache", "sse-kms")
"""What ElastiCache calls the encryption of a group that is encrypted, whatever was asked for.
https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_ReplicationGroup.html"""


@rule(
    "aws.elasticache.transit",
    on=GROUP,
    severity=Severity.MEDIUM,
    link="https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/in-transit-encryption-enable.html",
    fix="""
        1. In the ElastiCache console, select the cache, choose Modify, and under Security turn on Encryption in transit
           with the mode Preferred, which accepts clients with and without TLS.
        2. Switch every client to TLS, then set the mode to Required: only that ends unencrypted connections.
        3. Redis OSS before version 7 must be recreated from a backup with encryption on.
    """,
    commands="""
        aws elasticache modify-replication-group --region={region} --replication-group-id={name}
          --transit-encryption-enabled --transit-encryption-mode=preferred --apply-immediately

        aws elasticache modify-replication-group --region={region} --replication-group-id={GROUP_ID}
          --transit-encryption-mode=required --apply-immediately
    """,
    inputs={
        "GROUP_ID": "once all clients use TLS: the ID of the replication group, to confirm",
    },
    remediations=("aws.elasticache.accept_tls",),
    good=[
        {"TransitEncryptionEnabled": True, "TransitEncryptionMode": "required"},
        {"Engine": "redis", "TransitEncryptionEnabled": "true"},
    ],
    bad=[
        {"TransitEncryptionEnabled": False, "TransitEncryptionMode": None},
        {"Engine": "valkey", "AtRestEncryptionEnabled": True},
        {"TransitEncryptionEnabled": "false", "TransitEncryptionMode": "required"},
        {},
    ],
)
def transit(group: View) -> bool:
    """ElastiCache is not encrypted in transit.

    Cached sessions and tokens, and the cache password itself, cross the network in plaintext. Anyone with a foothold in
    the network can read and change them.
    """
    return is_on(group["TransitEncryptionEnabled"])


@rule(
    "aws.elasticache.rest",
    on=GROUP,
    severity=Severity.MEDIUM,
    link="https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/at-rest-encryption.html",
    fix="""
        1. A replication group cannot be encrypted later. In the ElastiCache console, select the cache and choose
           Actions, Backup.
        2. Choose Backups, select the backup, then Restore, and turn on Encryption at rest for the new cache.
        3. Point the clients to the new group and delete the old one.
    """,
    commands="""
        aws elasticache create-snapshot --region={region} --replication-group-id={name}
          --snapshot-name={name}-unencrypted

        aws elasticache create-replication-group --region={region} --replication-group-id={NEW_NAME}
          --replication-group-description='Encrypted copy' --snapshot-name={name}-unencrypted
          --at-rest-encryption-enabled
    """,
    inputs={
        "NEW_NAME": "once the backup is available: the ID of the new replication group",
    },
    good=[
        {"AtRestEncryptionEnabled": True, "Engine": "redis"},
        {"AtRestEncryptionEnabled": "true"},
        {"Engine": "valkey"},
        {"Engine": "valkey", "Durability": "sync", "AtRestEncryptionEnabled": False},
        {"AtRestEncryptionEnabled": False, "Observed": {"StorageEncryptionType": "sse-elasticache"}},
    ],
    bad=[
        {"AtRestEncryptionEnabled": False, "Observed": {"StorageEncryptionType": "none"}},
        {"AtRestEncryptionEnabled": False, "Engine": "valkey", "Durability": "disabled"},
        {"AtRestEncryptionEnabled": None, "Engine": "redis"},
        {"AtRestEncryptionEnabled": ["true"], "Engine": {"Name": "valkey"}},
        {},
    ],
)
def rest(group: View) -> bool | Fail:
    """ElastiCache is not encrypted at rest.

    Nodes write memory to disk for backups, new replicas and swap. Without encryption a leaked backup is a readable copy
    of the cache.
    """
    asked = group["AtRestEncryptionEnabled"]
    if is_on(asked) or group["Observed.StorageEncryptionType"] in ENCRYPTED or group["Durability"] in DURABLE:
        return True
    # Valkey is encrypted unless it is told not to be, Redis OSS the other way round:
    # https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_CreateReplicationGroup.html
    if asked is None and group["Engine"] == "valkey":
        return True
    return Fail("Encryption at rest is off", "AtRestEncryptionEnabled")
