"""Fixes for snapshots that everyone may restore: those of RDS, DocumentDB and Neptune, which share one API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from nephoscope.domain import FixRequest, LiveSession, PlanProblem, Resource
from nephoscope_aws_fixes.setting import Setting, in_short_list, operation, put

EVERYONE = "all"
"""Stands among the accounts for all of AWS.
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ShareSnapshot.html"""


class _Private(Setting):
    """Takes everyone away from those who may restore a snapshot. The state is who they are, sorted."""

    title = "Make the snapshot private"
    summary = "Takes away everyone’s right to restore it. Accounts that it is shared with by name keep theirs."
    breaks = (
        "Accounts that restore or copy the snapshot because everyone may can no longer do so. Copies that others have "
        "made already stay theirs: treat what is in it as leaked."
    )
    group = "Public snapshots and AMIs"
    kind: ClassVar[str]
    """How its members are called in the answer, as DBSnapshot."""

    def names(self, resource: Resource) -> dict[str, Any]:
        return {self.keys[0]: resource.name}

    def found(self, answer: Mapping[str, Any]) -> Any:
        attributes = answer[f"{self.kind}AttributesResult"][f"{self.kind}Attributes"]
        return sorted(
            account for each in attributes if each["AttributeName"] == "restore" for account in each["AttributeValues"]
        )

    def wanted(self, before: Any, request: FixRequest, session: LiveSession) -> Any:
        if before is None:
            raise PlanProblem("it does not exist any more.")
        return [account for account in before if account != EVERYONE]

    def parameters(self, state: Any) -> Mapping[str, Any]:
        change = "ValuesToAdd" if EVERYONE in state else "ValuesToRemove"
        return {"AttributeName": "restore", change: [EVERYONE]}

    def show(self, properties: dict[str, Any], state: Any) -> None:
        put(properties, "Observed.Public", EVERYONE in state)

    def uses(self, request: FixRequest, session: LiveSession) -> list[str]:
        accounts = [each for each in self.read(self.target(request.resource), session) or () if each != EVERYONE]
        if not accounts:
            return ["It is shared with no account by name. AWS does not tell who has restored or copied it."]
        return [
            f"It stays shared with {in_short_list(accounts)}. AWS does not tell who else has restored or copied it."
        ]


class KeepSnapshotPrivate(_Private):
    """https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBSnapshotAttribute.html"""

    id = "aws.rds.keep_snapshot_private"
    on = ("AWS::RDS::DBSnapshot",)
    keys = ("DBSnapshotIdentifier",)
    getter = operation("rds", "describe_db_snapshot_attributes", "rds:DescribeDBSnapshotAttributes")
    setter = operation("rds", "modify_db_snapshot_attribute", "rds:ModifyDBSnapshotAttribute")
    kind = "DBSnapshot"


class KeepClusterSnapshotPrivate(_Private):
    """https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBClusterSnapshotAttribute.html"""

    id = "aws.rds.keep_cluster_snapshot_private"
    title = "Make the cluster snapshot private"
    on = ("AWS::RDS::ClusterSnapshot",)
    keys = ("DBClusterSnapshotIdentifier",)
    getter = operation("rds", "describe_db_cluster_snapshot_attributes", "rds:DescribeDBClusterSnapshotAttributes")
    setter = operation("rds", "modify_db_cluster_snapshot_attribute", "rds:ModifyDBClusterSnapshotAttribute")
    kind = "DBClusterSnapshot"
