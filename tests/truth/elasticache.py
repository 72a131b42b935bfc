"""Replication groups of ElastiCache: whether they are encrypted at rest and in transit."""

from __future__ import annotations

from typing import Any

from tests.truth.account import ABROAD, HOME, Truth, holds

ALL = "transit rest"
BOTH = {"TransitEncryptionEnabled": True, "AtRestEncryptionEnabled": True}

GROUPS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "redis-right": ("", "redis", {**BOTH, "TransitEncryptionMode": "required"}),
    "redis-as-made": (ALL, "redis", {}),
    "redis-said-off": (ALL, "redis", dict.fromkeys(BOTH, False)),
    "redis-transit": ("rest", "redis", {"TransitEncryptionEnabled": True}),
    "redis-rest": ("transit", "redis", {"AtRestEncryptionEnabled": True}),
    "redis-one-on": ("rest", "redis", {**BOTH, "AtRestEncryptionEnabled": False}),
    "valkey-right": ("", "valkey", BOTH),
    "valkey-said-off": (ALL, "valkey", dict.fromkeys(BOTH, False)),
    "valkey-rest-off": ("rest", "valkey", {**BOTH, "AtRestEncryptionEnabled": False}),
    "valkey-as-made": ("transit", "valkey", {}),
}
"""Each group with the rules that it fails, its engine, and what it is made with.

Valkey is encrypted at rest unless it is told not to be:
https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_CreateReplicationGroup.html
"""


@holds()
def groups(truth: Truth) -> None:
    for region in (HOME, ABROAD):
        client = truth.client("elasticache", region)
        for name, (fails, engine, settings) in GROUPS.items():
            _made(client, f"{name}-{region}", Engine=engine, **settings)
            truth.judged(f"{name}-{region}", fails=fails, of=ALL)
        _made(client, "going", Engine="redis")
        truth.deleting("elasticache.replication_groups", "going", region)


def _made(client: Any, name: str, **settings: Any) -> None:
    client.create_replication_group(
        ReplicationGroupId=name, ReplicationGroupDescription="<b>ünsafe</b>", CacheNodeType="cache.t3.small", **settings
    )


@holds()
def unreadable_groups(truth: Truth) -> None:
    """What is hidden abroad is unknown there; at home there is none."""
    _made(truth.client("elasticache", ABROAD), "hidden", Engine="redis")
    truth.hide("elasticache:DescribeReplicationGroups", "AWS::ElastiCache::ReplicationGroup")
