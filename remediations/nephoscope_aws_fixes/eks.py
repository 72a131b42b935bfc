"""Fixes for Amazon EKS clusters. EKS makes one update of a cluster at a time, in minutes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from nephoscope.domain import Field, FixRequest, LiveSession, PlanProblem, Resource, Verdict, Wait, result
from nephoscope_aws_fixes.setting import Setting, Target, operation

FAILED = ("Failed", "Cancelled")
"""States of an update that is over and was not made.
https://docs.aws.amazon.com/eks/latest/APIReference/API_Update.html"""


class ClusterSetting(Setting):
    """https://docs.aws.amazon.com/eks/latest/APIReference/API_UpdateClusterConfig.html"""

    group = "EKS"
    on = ("AWS::EKS::Cluster",)
    keys = ("name",)
    getter = operation("eks", "describe_cluster", "eks:DescribeCluster")
    setter = operation("eks", "update_cluster_config", "eks:UpdateClusterConfig")
    update = operation("eks", "describe_update", "eks:DescribeUpdate")
    also_reads = update.actions
    keep = ("update.id",)
    settles = 900

    def names(self, resource: Resource) -> dict[str, Any]:
        return {"name": resource.name}

    def wait(self, target: Target) -> Wait:
        asked = {**target.names, "updateId": result(0, "update.id")}
        return Wait(self.update.on(target, asked), "update.status", ("Successful",), 1_200, 10, FAILED)

    def wanted(self, before: Any, request: FixRequest, session: LiveSession) -> Any:
        if before is None:
            raise PlanProblem("it does not exist any more.")
        after = self.should_be(before, request)
        if not self.same(before, after):
            self._require_active(request.resource, session)
        return after

    def should_be(self, before: Any, request: FixRequest) -> Any:
        """Return what should be; PlanProblem where that cannot be had."""
        raise NotImplementedError

    def _require_active(self, resource: Resource, session: LiveSession) -> None:
        target = self.target(resource)
        answer = session.read(self.getter.on(target, target.names)) or {}
        if (status := answer.get("cluster", {}).get("status")) != "ACTIVE":
            raise PlanProblem(f"it is {status}: EKS makes one update at a time. Try again once it is ACTIVE.")


class CloseEndpoint(ClusterSetting):
    """https://docs.aws.amazon.com/eks/latest/userguide/cluster-endpoint.html"""

    id = "aws.eks.close_endpoint"
    title = "Close the cluster’s API server endpoint to the internet"
    summary = (
        "Opens the endpoint within the VPC, and closes it to the internet or limits it to the addresses that you "
        "enter. EKS takes some minutes."
    )
    breaks = (
        "Whoever uses kubectl, or deploys, from other addresses outside the VPC can no longer do so. Nodes and pods "
        "reach the endpoint within the VPC from then on, for which the VPC needs DNS support and DNS hostnames."
    )
    inputs = (
        Field(
            "cidrs",
            "Addresses that keep access",
            "CIDR blocks, separated by commas, such as 203.0.113.0/24. Leave empty to close it to the internet.",
        ),
    )

    def found(self, answer: Mapping[str, Any]) -> Any:
        network = answer["cluster"]["resourcesVpcConfig"]
        public = bool(network["endpointPublicAccess"])
        return {
            "endpointPublicAccess": public,
            "endpointPrivateAccess": bool(network["endpointPrivateAccess"]),
            # Those of a private endpoint mean nothing, and EKS may still list them.
            # https://github.com/aws/containers-roadmap/issues/2002
            "publicAccessCidrs": sorted(network.get("publicAccessCidrs") or ()) if public else [],
        }

    def should_be(self, before: Any, request: FixRequest) -> Any:
        cidrs = sorted(set(re.split(r"[,\s]+", request.inputs["cidrs"].strip())) - {""})
        after = {"endpointPublicAccess": bool(cidrs), "endpointPrivateAccess": True, "publicAccessCidrs": cidrs}
        properties = {**request.resource.properties}
        self.show(properties, after)
        assert request.judge, "asked for a finding of a rule only"
        judged = request.judge(replace(request.resource, properties=properties))
        if judged.verdict != Verdict.PASS:
            raise PlanProblem(f"with these addresses it would stay as it is: {judged.message}.")
        return after

    def parameters(self, state: Any) -> Mapping[str, Any]:
        return {"resourcesVpcConfig": {name: value for name, value in state.items() if value != []}}

    def show(self, properties: dict[str, Any], state: Any) -> None:
        held = properties.get("ResourcesVpcConfig")
        shown = {f"{name[0].upper()}{name[1:]}": value for name, value in state.items()}
        properties["ResourcesVpcConfig"] = {**(held if isinstance(held, dict) else {}), **shown}


class LogAudit(ClusterSetting):
    """https://docs.aws.amazon.com/eks/latest/userguide/control-plane-logs.html

    The state is the types of logs that are on, sorted.
    """

    id = "aws.eks.enable_audit_logs"
    title = "Turn on audit logs of the cluster"
    summary = "Writes the control plane’s audit logs to CloudWatch Logs. Other types stay as they are."
    breaks = "Nothing stops working. CloudWatch Logs charges for what is written; a busy cluster writes much."
    kind = "audit"

    def found(self, answer: Mapping[str, Any]) -> Any:
        entries = (answer["cluster"].get("logging") or {}).get("clusterLogging") or ()
        return sorted(type for each in entries if each["enabled"] for type in each["types"])

    def should_be(self, before: Any, request: FixRequest) -> Any:
        return sorted({*before, self.kind})

    def parameters(self, state: Any) -> Mapping[str, Any]:
        return {"logging": {"clusterLogging": [{"types": [self.kind], "enabled": self.kind in state}]}}

    def show(self, properties: dict[str, Any], state: Any) -> None:
        properties["Logging"] = {"ClusterLogging": {"EnabledTypes": [{"Type": each} for each in state]}}
