"""Fixes for Amazon ElastiCache replication groups."""

from __future__ import annotations

from typing import Any

from nephoscope.domain import FixRequest, LiveSession, PlanProblem, Resource
from nephoscope_aws_fixes.pending import PendingMembers
from nephoscope_aws_fixes.setting import operation


class AcceptTls(PendingMembers):
    """https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/in-transit-encryption-enable.html"""

    id = "aws.elasticache.accept_tls"
    title = "Turn on encryption in transit of the replication group"
    summary = (
        "Accepts clients with TLS and without it (mode preferred), which takes AWS some minutes. Once all clients use "
        "TLS, set the mode to required yourself: only that ends unencrypted connections."
    )
    breaks = "Nothing stops working: clients without TLS stay connected until the mode is set to required."
    group = "Caches"
    on = ("AWS::ElastiCache::ReplicationGroup",)
    keys = ("ReplicationGroupId",)
    getter = operation("elasticache", "describe_replication_groups", "elasticache:DescribeReplicationGroups")
    setter = operation("elasticache", "modify_replication_group", "elasticache:ModifyReplicationGroup")
    path = ("ReplicationGroups", 0)
    status = "Status"
    wants = {"TransitEncryptionEnabled": True, "TransitEncryptionMode": "preferred"}
    sends = {"ApplyImmediately": True}
    nodes = operation("elasticache", "describe_cache_clusters", "elasticache:DescribeCacheClusters", anywhere=True)
    also_reads = nodes.actions
    settles = 3_600

    def names(self, resource: Resource) -> dict[str, Any]:
        return {"ReplicationGroupId": resource.name}

    def should_be(self, before: Any, request: FixRequest) -> Any:
        return before if before["TransitEncryptionEnabled"] else super().should_be(before, request)

    def wanted(self, before: Any, request: FixRequest, session: LiveSession) -> Any:
        after = super().wanted(before, request, session)
        if after != before:
            nodes = self.described(request.resource, session)["MemberClusters"]
            self._require_recent(request.resource, str(nodes[0]), session)
        return after

    def _require_recent(self, group: Resource, node: str, session: LiveSession) -> None:
        """Raise PlanProblem if the engine is too old: Redis OSS takes it from 7 on, Valkey always does."""
        found = session.read(self.nodes.on(self.target(group), {"CacheClusterId": node})) or {}
        for each in found.get("CacheClusters", ()):
            if each["Engine"] == "redis" and int(each["EngineVersion"].partition(".")[0]) < 7:
                raise PlanProblem(f"Redis OSS {each['EngineVersion']} cannot turn it on later. Upgrade it to 7 first.")
