"""Fixes for Amazon EMR."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nephoscope.domain import FixRequest, LiveSession, PlanProblem, Resource
from nephoscope_aws_fixes.setting import Setting, operation

SSH = 22


class BlockPublicAccess(Setting):
    """https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-block-public-access.html"""

    id = "aws.emr.block_public_access"
    title = "Block public EMR clusters in the region"
    summary = "Turns on block public access, and takes away its exceptions other than port 22."
    breaks = (
        "New clusters whose security groups open other ports to the internet no longer start. Clusters that run are "
        "not touched."
    )
    group = "EMR"
    on = ("AWS::EMR::RegionSettings",)
    keys = ()
    getter = operation(
        "emr",
        "get_block_public_access_configuration",
        "elasticmapreduce:GetBlockPublicAccessConfiguration",
        anywhere=True,
    )
    setter = operation(
        "emr",
        "put_block_public_access_configuration",
        "elasticmapreduce:PutBlockPublicAccessConfiguration",
        anywhere=True,
    )

    def names(self, resource: Resource) -> dict[str, Any]:
        return {}

    def found(self, answer: Mapping[str, Any]) -> Any:
        block = answer["BlockPublicAccessConfiguration"]
        return {"PermittedPublicSecurityGroupRuleRanges": [], **block}

    def wanted(self, before: Any, request: FixRequest, session: LiveSession) -> Any:
        if before is None:
            raise PlanProblem("it could not be read: EMR gives no answer.")
        kept = [each for each in before["PermittedPublicSecurityGroupRuleRanges"] if _is_ssh(each)]
        return {**before, "BlockPublicSecurityGroupRules": True, "PermittedPublicSecurityGroupRuleRanges": kept}

    def parameters(self, state: Any) -> Mapping[str, Any]:
        return {"BlockPublicAccessConfiguration": state}

    def show(self, properties: dict[str, Any], state: Any) -> None:
        properties["BlockPublicAccessConfiguration"] = state


def _is_ssh(ports: Mapping[str, Any]) -> bool:
    first = ports.get("MinRange")
    return bool(first == ports.get("MaxRange", first) == SSH)
