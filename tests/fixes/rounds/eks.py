"""Kubernetes clusters."""

from __future__ import annotations

from typing import Any

from tests.fixes.rounds.round import ACCOUNT, Made, goes_round

from nephoscope_aws_simulator.testing import Cloud

OPEN = {"endpointPublicAccess": True, "endpointPrivateAccess": False, "publicAccessCidrs": ["0.0.0.0/0"]}
PRIVATE = {"endpointPublicAccess": False, "endpointPrivateAccess": True, "publicAccessCidrs": []}


def cluster(cloud: Cloud, name: str, *, network: dict[str, Any] = PRIVATE, logs: tuple[str, ...] = ()) -> Made:
    """Make a cluster, and one like it beside it."""
    eks = cloud.client("eks")
    types = ("api", "audit", "authenticator", "controllerManager", "scheduler")
    sides = ((list(logs), True), ([each for each in types if each not in logs], False))
    for each in (name, f"{name}-beside"):
        eks.create_cluster(
            name=each,
            roleArn=f"arn:aws:iam::{ACCOUNT}:role/eks",
            resourcesVpcConfig={"subnetIds": ["subnet-1", "subnet-2"], **network},
            logging={"clusterLogging": [{"types": of, "enabled": enabled} for of, enabled in sides if of]},
        )

    def described(name: str) -> Any:
        found = eks.describe_cluster(name=name)["cluster"]
        kept = {side["enabled"]: sorted(side["types"]) for side in found["logging"]["clusterLogging"]}
        return found["resourcesVpcConfig"], kept, found["status"]

    arn = f"arn:aws:eks:us-east-1:{ACCOUNT}:cluster/{name}"
    return Made("AWS::EKS::Cluster", arn, name, lambda: described(name), lambda: described(f"{name}-beside"))


@goes_round("aws.eks.close_endpoint", "aws.eks.public_endpoint")
def open_to_all(cloud: Cloud) -> Made:
    return cluster(cloud, "round-open", network=OPEN)


@goes_round("aws.eks.close_endpoint", "aws.eks.public_endpoint", inputs={"cidrs": "203.0.113.0/24, 198.51.100.7/32"})
def open_to_an_office(cloud: Cloud) -> Made:
    halves = {**OPEN, "endpointPrivateAccess": True, "publicAccessCidrs": ["0.0.0.0/1", "128.0.0.0/1"]}
    return cluster(cloud, "round-halves", network=halves)


@goes_round("aws.eks.enable_audit_logs", "aws.eks.audit_logs")
def without_logs(cloud: Cloud) -> Made:
    return cluster(cloud, "round-no-logs")


@goes_round("aws.eks.enable_audit_logs", "aws.eks.audit_logs")
def with_other_logs(cloud: Cloud) -> Made:
    return cluster(cloud, "round-other-logs", logs=("api", "scheduler"))
