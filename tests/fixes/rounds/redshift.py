"""Warehouses and their parameter groups."""

from __future__ import annotations

from typing import Any

from tests.fixes.rounds.round import ACCOUNT, Made, goes_round

from nephoscope_aws_simulator.testing import Cloud

ARN = f"arn:aws:redshift:us-east-1:{ACCOUNT}"


def cluster(cloud: Cloud, name: str, **more: Any) -> Made:
    """Make a cluster, and one like it beside it."""
    redshift = cloud.client("redshift")
    for each in (name, f"{name}-beside"):
        redshift.create_cluster(
            ClusterIdentifier=each,
            NodeType="ra3.large",
            MasterUsername="owner",
            MasterUserPassword="Passw0rd-1",
            **more,
        )

    def described(name: str) -> Any:
        found = redshift.describe_clusters(ClusterIdentifier=name)["Clusters"]
        logs = redshift.describe_logging_status(ClusterIdentifier=name)
        return found, {key: value for key, value in logs.items() if key != "ResponseMetadata"}

    beside = f"{name}-beside"
    arn = f"{ARN}:cluster:{name}"
    return Made("AWS::Redshift::Cluster", arn, name, lambda: described(name), lambda: described(beside))


@goes_round("aws.redshift.keep_private", "aws.redshift.public")
def public(cloud: Cloud) -> Made:
    return cluster(cloud, "round-public", PubliclyAccessible=True)


@goes_round("aws.redshift.enable_audit_logging", "aws.redshift.audit")
def without_logs(cloud: Cloud) -> Made:
    return cluster(cloud, "round-no-logs", PubliclyAccessible=False)


def _group(cloud: Cloud, name: str, *parameters: tuple[str, str]) -> Made:
    redshift = cloud.client("redshift")
    given = [{"ParameterName": one, "ParameterValue": value} for one, value in parameters]
    for each in (name, f"{name}-beside"):
        redshift.create_cluster_parameter_group(
            ParameterGroupName=each, ParameterGroupFamily="redshift-1.0", Description="round"
        )
        if given:
            redshift.modify_cluster_parameter_group(ParameterGroupName=each, Parameters=given)

    def described(name: str) -> Any:
        return redshift.describe_cluster_parameters(ParameterGroupName=name)["Parameters"]

    arn, beside = f"{ARN}:parametergroup:{name}", f"{name}-beside"
    kind = "AWS::Redshift::ClusterParameterGroup"
    return Made(kind, arn, name, lambda: described(name), lambda: described(beside))


@goes_round("aws.redshift.require_tls", "aws.redshift.ssl")
def without_tls(cloud: Cloud) -> Made:
    return _group(cloud, "round-off", ("require_ssl", "false"), ("enable_user_activity_logging", "true"))


@goes_round("aws.redshift.require_tls", "aws.redshift.ssl")
def tls_left_to_engine(cloud: Cloud) -> Made:
    made = _group(cloud, "round-as-made", ("enable_user_activity_logging", "true"))
    cluster(cloud, "round-user", ClusterParameterGroupName="round-as-made")
    return made
