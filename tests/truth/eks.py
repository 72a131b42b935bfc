"""Clusters: who reaches their API server, and their version, encryption and logs."""

from __future__ import annotations

from itertools import cycle
from typing import Any

from tests.truth.account import ABROAD, ALL_THREE, FAR, HOME, Truth, holds

ALL = "public_endpoint version secrets_kms audit_logs"
KEY = "arn:aws:kms:us-east-1:210987654321:key/0d9c7a9e-1111-4222-8333-444455556666"

PRIVATE = {"endpointPublicAccess": False, "endpointPrivateAccess": True}
ENCRYPTED = [{"resources": ["secrets"], "provider": {"keyArn": KEY}}]
AUDITED = {"clusterLogging": [{"types": ["audit"], "enabled": True}]}


def _public(*ranges: str) -> dict[str, Any]:
    return {"endpointPublicAccess": True, "endpointPrivateAccess": True, "publicAccessCidrs": list(ranges)}


ENDPOINTS: dict[str, tuple[bool, dict[str, Any]]] = {
    "private": (True, PRIVATE),
    "private-with-ranges": (True, PRIVATE | {"publicAccessCidrs": ["0.0.0.0/0"]}),
    "office": (True, _public("203.0.113.0/24")),
    "offices": (True, _public("203.0.113.0/24", "198.51.100.7/32", "2001:db8::/32")),
    "whole-block": (True, _public("17.0.0.0/8")),
    "public-by-default": (False, {}),
    "public": (False, _public("0.0.0.0/0")),
    "public-without-ranges": (False, _public()),
    "public-in-second": (False, _public("203.0.113.0/24", "0.0.0.0/0")),
    "public-in-halves": (False, _public("0.0.0.0/1", "128.0.0.0/1")),
    "public-in-quarters": (False, _public("0.0.0.0/2", "64.0.0.0/2", "128.0.0.0/2", "192.0.0.0/2")),
    "public-in-six": (False, _public("203.0.113.0/24", "::/0")),
}

LOGS: dict[str, tuple[bool, Any]] = {
    "all-logs": (
        True,
        [{"types": ["api", "audit", "authenticator", "controllerManager", "scheduler"], "enabled": True}],
    ),
    "audit-in-second": (True, [{"types": ["api"], "enabled": True}, {"types": ["audit"], "enabled": True}]),
    "audit-beside-off": (True, [{"types": ["audit"], "enabled": True}, {"types": ["api"], "enabled": False}]),
    "audit-off": (False, [{"types": ["api"], "enabled": True}, {"types": ["audit"], "enabled": False}]),
    "all-off": (False, [{"types": ["api", "audit", "authenticator"], "enabled": False}]),
    "authenticator": (False, [{"types": ["authenticator"], "enabled": True}]),
}


VERSIONS = {
    **dict.fromkeys(("1.34", "1.35", "1.36", "1.37"), True),
    **dict.fromkeys(("1.33", "1.32", "1.29", "1.28", "1.9"), False),
}
"""As of 2026-11-29. https://docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions.html"""


def _made(truth: Truth, name: str, fails: str = "", region: str = HOME, **settings: Any) -> None:
    given = {"resourcesVpcConfig": PRIVATE, "version": "1.35", "encryptionConfig": ENCRYPTED, "logging": AUDITED}
    given |= settings
    given["resourcesVpcConfig"] = {"subnetIds": ["subnet-1", "subnet-2"], **given["resourcesVpcConfig"]}
    role = f"arn:aws:iam::{truth.cloud.account}:role/eks"
    truth.client("eks", region).create_cluster(name=name, roleArn=role, **given)
    if region == HOME:
        truth.judged(name, fails=fails, passes=" ".join(each for each in ALL.split() if each not in fails.split()))


@holds(regions=ALL_THREE)
def clusters(truth: Truth) -> None:
    """Clusters by endpoint, logs and version, one of each at a time; in the other region they cannot be described."""
    for endpoint, logs, version in zip(ENDPOINTS, cycle(LOGS), cycle(VERSIONS), strict=False):
        wrong = {
            "public_endpoint": not ENDPOINTS[endpoint][0],
            "audit_logs": not LOGS[logs][0],
            "version": not VERSIONS[version],
        }
        _made(
            truth,
            f"{endpoint}--{logs}--{version.replace('.', '-')}",
            " ".join(rule for rule, is_wrong in wrong.items() if is_wrong),
            resourcesVpcConfig=ENDPOINTS[endpoint][1],
            logging={"clusterLogging": LOGS[logs][1]},
            version=version,
        )
    _made(truth, "fine")
    _made(truth, "no-key", "secrets_kms", encryptionConfig=[])
    _made(truth, "bare", ALL, resourcesVpcConfig={}, version="1.30", encryptionConfig=[], logging={})
    _made(truth, "hidden", region=ABROAD)
    truth.cloud.control("deny", actions=["eks:DescribeCluster"], regions=[ABROAD])
    truth.judged("hidden", unknown=ALL)
    truth.cloud.control("deny", actions=["eks:ListClusters"], regions=[FAR])
    truth.judged(f"All AWS::EKS::Cluster in {FAR}", unknown=ALL)
