"""Fixes for Amazon Redshift clusters and their parameter groups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nephoscope.domain import Call, FixRequest, LiveSession, PlanProblem, Resource
from nephoscope_aws_fixes.connections import most_connections
from nephoscope_aws_fixes.metrics import METRICS
from nephoscope_aws_fixes.pending import PendingMembers
from nephoscope_aws_fixes.setting import Setting, Target, at, in_short_list, operation

CLUSTER = "AWS::Redshift::Cluster"
TLS = "require_ssl"

OFF = {"LoggingEnabled": False}
TO_CLOUDWATCH = {
    "LoggingEnabled": True,
    "LogDestinationType": "cloudwatch",
    "LogExports": ["connectionlog", "useractivitylog", "userlog"],
}


class KeepPrivate(PendingMembers):
    """https://docs.aws.amazon.com/redshift/latest/APIReference/API_ModifyCluster.html"""

    id = "aws.redshift.keep_private"
    title = "Make the Redshift cluster private"
    summary = "Takes away the public address of the cluster. Undo gives it back its Elastic IP address, if it had one."
    breaks = "Whoever connects from outside the VPC, without a VPN or a peering, can no longer connect."
    group = "Redshift"
    on = (CLUSTER,)
    keys = ("ClusterIdentifier",)
    getter = operation("redshift", "describe_clusters", "redshift:DescribeClusters")
    setter = operation("redshift", "modify_cluster", "redshift:ModifyCluster")
    path = ("Clusters", 0)
    status = "ClusterStatus"
    wants = {"PubliclyAccessible": False}
    also_reads = METRICS.actions
    settles = 900

    def names(self, resource: Resource) -> dict[str, Any]:
        return {"ClusterIdentifier": resource.name}

    def uses(self, request: FixRequest, session: LiveSession) -> list[str]:
        return [most_connections(self.target(request.resource), "AWS/Redshift", "ClusterIdentifier", session)]

    def found(self, answer: Mapping[str, Any]) -> Any:
        state = super().found(answer)
        # An address that is on its way out is none that belongs to a private cluster.
        address = at(answer, (*self.path, "ElasticIpStatus", "ElasticIp"))
        return state and {**state, "ElasticIp": address if state["PubliclyAccessible"] else None}

    def should_be(self, before: Any, request: FixRequest) -> Any:
        return {**super().should_be(before, request), "ElasticIp": None}

    def show(self, properties: dict[str, Any], state: Any) -> None:
        properties["PubliclyAccessible"] = state["PubliclyAccessible"]


class LogAudit(Setting):
    """https://docs.aws.amazon.com/redshift/latest/APIReference/API_EnableLogging.html"""

    id = "aws.redshift.enable_audit_logging"
    title = "Turn on audit logging of the Redshift cluster"
    summary = (
        "Writes the connection, user and user activity logs to CloudWatch Logs. Undo keeps what was written. The user "
        "activity log stays empty until the parameter group sets enable_user_activity_logging."
    )
    breaks = "Nothing stops working. CloudWatch Logs charges for what is written."
    group = "Redshift"
    on = (CLUSTER,)
    keys = ("ClusterIdentifier",)
    getter = operation("redshift", "describe_logging_status", "redshift:DescribeLoggingStatus")
    setter = operation("redshift", "enable_logging", "redshift:EnableLogging")
    remover = operation("redshift", "disable_logging", "redshift:DisableLogging")

    def names(self, resource: Resource) -> dict[str, Any]:
        return {"ClusterIdentifier": resource.name}

    def found(self, answer: Mapping[str, Any]) -> Any:
        if not answer["LoggingEnabled"]:
            return OFF
        to = {name: answer[name] for name in ("BucketName", "S3KeyPrefix", "LogDestinationType") if answer.get(name)}
        return {"LoggingEnabled": True, **to, "LogExports": sorted(answer.get("LogExports") or ())}

    def wanted(self, before: Any, request: FixRequest, session: LiveSession) -> Any:
        if before is None:
            raise PlanProblem("it does not exist any more.")
        return TO_CLOUDWATCH if before == OFF else before

    def set_to(self, target: Target, state: Any) -> Call | None:
        if state == OFF:
            return self.remover.on(target, target.names)
        sent = {name: value for name, value in state.items() if name != "LoggingEnabled"}
        return self.setter.on(target, {**target.names, **sent})

    def show(self, properties: dict[str, Any], state: Any) -> None:
        properties["LoggingProperties"] = None if state == OFF else state


class RequireTls(Setting):
    """https://docs.aws.amazon.com/redshift/latest/mgmt/connecting-ssl-support.html

    The state is the parameter's value where the group sets it, else None.
    """

    id = "aws.redshift.require_tls"
    title = "Require TLS in the Redshift parameter group"
    summary = "Sets require_ssl to true. It takes effect once the clusters that use the group are rebooted: do that."
    breaks = "Once a cluster is rebooted, clients that connect without TLS are refused."
    group = "Redshift"
    on = ("AWS::Redshift::ClusterParameterGroup",)
    keys = ("ParameterGroupName",)
    getter = operation("redshift", "describe_cluster_parameters", "redshift:DescribeClusterParameters")
    setter = operation("redshift", "modify_cluster_parameter_group", "redshift:ModifyClusterParameterGroup")
    remover = operation("redshift", "reset_cluster_parameter_group", "redshift:ResetClusterParameterGroup")
    users = operation("redshift", "describe_clusters", "redshift:DescribeClusters", anywhere=True)
    also_reads = users.actions

    def names(self, resource: Resource) -> dict[str, Any]:
        return {"ParameterGroupName": resource.name}

    def asked(self, target: Target) -> Mapping[str, Any]:
        return {**target.names, "MaxRecords": 100}

    def found(self, answer: Mapping[str, Any]) -> Any:
        own = (each for each in answer["Parameters"] if each["ParameterName"] == TLS and each["Source"] == "user")
        return next((each["ParameterValue"] for each in own), None)

    def wanted(self, before: Any, request: FixRequest, session: LiveSession) -> Any:
        if request.resource.name.startswith("default."):
            raise PlanProblem(
                "AWS’s default parameter groups cannot be changed. Create one of the family "
                f"{request.resource.properties['ParameterGroupFamily']}, require TLS in it, and assign it."
            )
        return "true"

    def set_to(self, target: Target, state: Any) -> Call | None:
        named = {"ParameterName": TLS, "ApplyType": "static"}
        if state is None:
            return self.remover.on(target, {**target.names, "ResetAllParameters": False, "Parameters": [named]})
        return self.setter.on(target, {**target.names, "Parameters": [{**named, "ParameterValue": state}]})

    def show(self, properties: dict[str, Any], state: Any) -> None:
        held = properties.get("Parameters")
        others = [each for each in held if each["ParameterName"] != TLS] if isinstance(held, list) else []
        properties["Parameters"] = [*others, {"ParameterName": TLS, "ParameterValue": state}]

    def uses(self, request: FixRequest, session: LiveSession) -> list[str]:
        answer = session.read(self.users.on(self.target(request.resource), {"MaxRecords": 100})) or {}
        using = [
            str(cluster["ClusterIdentifier"])
            for cluster in answer.get("Clusters", ())
            if any(each["ParameterGroupName"] == request.resource.name for each in cluster["ClusterParameterGroups"])
        ]
        return [f"Used by {in_short_list(using)}: reboot afterwards."] if using else ["No cluster uses it."]
