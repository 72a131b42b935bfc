"""Warehouses, and the parameter groups that they use."""

from __future__ import annotations

from typing import Any

from tests.truth.account import ABROAD, HOME, Truth, holds

ALL = "public encrypted audit"
NODE = {"NodeType": "ra3.large", "MasterUsername": "owner", "MasterUserPassword": "Passw0rd-1"}
RIGHT: dict[str, Any] = {"Encrypted": True, "PubliclyAccessible": False}

TO_BUCKET = {"BucketName": "logs", "S3KeyPrefix": "redshift/"}
TO_CLOUDWATCH = {"LogDestinationType": "cloudwatch", "LogExports": ["connectionlog", "userlog"]}

CLUSTERS: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "right": ("", {}, TO_BUCKET),
    "right-cloudwatch": ("", {}, TO_CLOUDWATCH),
    "public": ("public", {"PubliclyAccessible": True}, TO_BUCKET),
    "plain": ("encrypted", {"Encrypted": False}, TO_BUCKET),
    "unwatched": ("audit", {}, {}),
    "all-wrong": (ALL, {"Encrypted": False, "PubliclyAccessible": True}, {}),
}
"""Each warehouse with the rules that it fails, in what it is not RIGHT, and where its audit log goes."""

GROUPS: dict[str, tuple[bool, str, str]] = {
    "first-as-made": (True, "redshift-1.0", ""),
    "first-off": (True, "redshift-1.0", "false"),
    "first-on": (False, "redshift-1.0", "true"),
    "second-as-made": (False, "redshift-2.0", ""),
    "second-off": (True, "redshift-2.0", "false"),
}
"""Each parameter group with whether it lets clients in without TLS, its family, and require_ssl when it is set."""


def made(redshift: Any, name: str, **settings: Any) -> None:
    redshift.create_cluster(ClusterIdentifier=name, **{**NODE, **RIGHT, **settings})


@holds()
def warehouses(truth: Truth) -> None:
    for region in (HOME, ABROAD):
        redshift = truth.client("redshift", region)
        for name, (fails, settings, logs) in CLUSTERS.items():
            called = f"{name}-{region}"
            made(redshift, called, **settings)
            if logs:
                redshift.enable_logging(ClusterIdentifier=called, **logs)
            truth.judged(called, fails=fails, of=ALL)
        group = f"arn:aws:redshift:{region}:{truth.cloud.account}:parametergroup:default.redshift-1.0"
        truth.judged(group, fails="ssl")
    _no_longer(truth, truth.client("redshift", HOME))


def _no_longer(truth: Truth, redshift: Any) -> None:
    """A log that was turned off again, and warehouses that are being deleted."""
    made(redshift, "no-longer")
    redshift.enable_logging(ClusterIdentifier="no-longer", **TO_BUCKET)
    redshift.disable_logging(ClusterIdentifier="no-longer")
    truth.judged("no-longer", fails="audit", passes="public encrypted")
    for status in ("deleting", "final-snapshot"):
        made(redshift, status, PubliclyAccessible=True)
        truth.deleting("redshift.clusters", status, status=status)


@holds(regions=(ABROAD,))
def parameter_groups(truth: Truth) -> None:
    """Groups in use decide; what nothing uses decides nothing."""
    redshift = truth.client("redshift", ABROAD)
    for name, (fails, family, value) in {**GROUPS, "unused": (True, "redshift-1.0", "false")}.items():
        redshift.create_cluster_parameter_group(ParameterGroupName=name, ParameterGroupFamily=family, Description="-")
        if value:
            parameters = [{"ParameterName": "require_ssl", "ParameterValue": value}]
            redshift.modify_cluster_parameter_group(ParameterGroupName=name, Parameters=parameters)
        if name != "unused":
            made(redshift, f"c-{name}", ClusterParameterGroupName=name)
            truth.judged(f"c-{name}", passes="public encrypted", fails="audit")
            truth.judged(name, fails="ssl" * fails, of="ssl")


@holds()
def unreadable_warehouses(truth: Truth) -> None:
    """Details that are hidden at home, lists that are hidden abroad."""
    made(truth.client("redshift", HOME), "hidden")
    truth.judged("hidden", passes="public encrypted", unknown="audit")
    truth.judged("default.redshift-1.0", unknown="ssl")
    truth.hide("redshift:DescribeClusters", "AWS::Redshift::Cluster", "AWS::Redshift::ClusterParameterGroup")
    truth.cloud.control("deny", actions=["redshift:DescribeLoggingStatus", "redshift:DescribeClusterParameters"])
