"""Replication groups."""

from __future__ import annotations

from typing import Any

from tests.fixes.rounds.round import ACCOUNT, Made, goes_round

from nephoscope_aws_simulator.testing import Cloud


def group(cloud: Cloud, name: str, **more: Any) -> Made:
    """Make a replication group, and one like it beside it."""
    elasticache = cloud.client("elasticache")
    for each in (name, f"{name}-beside"):
        elasticache.create_replication_group(
            ReplicationGroupId=each,
            ReplicationGroupDescription="round",
            **{"CacheNodeType": "cache.t3.small", "Engine": "valkey", **more},
        )

    def described(name: str) -> Any:
        return elasticache.describe_replication_groups(ReplicationGroupId=name)["ReplicationGroups"]

    arn = f"arn:aws:elasticache:us-east-1:{ACCOUNT}:replicationgroup:{name}"
    kind = "AWS::ElastiCache::ReplicationGroup"
    return Made(kind, arn, name, lambda: described(name), lambda: described(f"{name}-beside"))


@goes_round("aws.elasticache.accept_tls", "aws.elasticache.transit")
def without_tls(cloud: Cloud) -> Made:
    return group(cloud, "round-plain")
