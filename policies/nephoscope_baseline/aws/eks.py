"""Rules on EKS clusters."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Any

from nephoscope.domain import Fail, NotKnown, ResourceView, Severity, Unknown, View, rule
from nephoscope_aws.addresses import Addresses, parse_range

CLUSTER = "AWS::EKS::Cluster"

END_OF_STANDARD_SUPPORT = {
    29: date(2025, 3, 23),
    30: date(2025, 7, 23),
    31: date(2025, 11, 26),
    32: date(2026, 3, 23),
    33: date(2026, 7, 29),
    34: date(2026, 12, 2),
    35: date(2027, 3, 27),
    36: date(2027, 8, 2),
}
"""When EKS ends standard support of Kubernetes 1.N, 14 months after it offered that version.

https://docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions.html#kubernetes-release-calendar, as of 2026-11.
What is older than the first has ended; what is newer than the last came out after this was written, and is supported
for at least as long as the last.
"""

PUBLIC_ACCESS = "ResourcesVpcConfig.EndpointPublicAccess"
CIDRS = "ResourcesVpcConfig.PublicAccessCidrs"
TYPES = "Logging.ClusterLogging.EnabledTypes"

_VERSION = re.compile(r"1\.(\d{1,3})")


def _endpoint(public: Any = None, *cidrs: Any, **more: Any) -> dict[str, Any]:
    """An example: a cluster whose endpoint is open so far."""
    config: dict[str, Any] = {"SubnetIds": ["subnet-1", "subnet-2"], **more}
    if public is not None:
        config["EndpointPublicAccess"] = public
    if cidrs:
        config["PublicAccessCidrs"] = list(cidrs)
    return {"ResourcesVpcConfig": config}


def _logging(*types: str) -> dict[str, Any]:
    """An example: a cluster that writes these logs."""
    return {"Logging": {"ClusterLogging": {"EnabledTypes": [{"Type": type} for type in types]}}}


@rule(
    "aws.eks.public_endpoint",
    on=CLUSTER,
    severity=Severity.HIGH,
    link="https://docs.aws.amazon.com/eks/latest/userguide/cluster-endpoint.html",
    fix="""
        1. Make sure that everyone who needs the API server can reach it from within the VPC (VPN, bastion host) or from
           known addresses.
        2. In the EKS console, open the cluster and choose Networking, Manage, Endpoint access; select Private, or
           Public and private with the known addresses under Advanced settings.
        3. With public access off, it can only be reached from within the VPC.
    """,
    commands="""
        aws eks update-cluster-config --region={region} --name={name}
          --resources-vpc-config='{"endpointPublicAccess": true, "endpointPrivateAccess": true,
          "publicAccessCidrs": ["{OFFICE_CIDR}"]}'
    """,
    inputs={
        "OFFICE_CIDR": "the addresses that need access, such as 203.0.113.0/24",
    },
    remediations=("aws.eks.close_endpoint",),
    good=[
        _endpoint(False),
        _endpoint("false", "0.0.0.0/0"),
        _endpoint(True, "203.0.113.0/24", "10.0.0.0/8", "224.0.0.0/3"),
        _endpoint(None, "198.51.100.7/32", EndpointPrivateAccess=True),
    ],
    bad=[
        _endpoint(True, "0.0.0.0/0"),
        _endpoint(True, "203.0.113.0/24", "0.0.0.0/1"),
        _endpoint(True, *(f"{first}.0.0.0/8" for first in range(256))),
        _endpoint(True, "::/0"),
        _endpoint(True),
        _endpoint(),
        {},
    ],
)
def public_endpoint(cluster: View) -> bool | Fail:
    """EKS API server endpoint is public.

    Anyone with a stolen token or an exploit for the API server can take over the cluster from anywhere. A private
    endpoint or a list of allowed addresses shuts them out.
    """
    if cluster[PUBLIC_ACCESS] in (False, "false", "False"):
        return True
    cidrs = cluster[CIDRS]
    # AWS's defaults: public, from 0.0.0.0/0. https://docs.aws.amazon.com/eks/latest/APIReference/API_VpcConfigRequest.html
    if not isinstance(cidrs, View) or not cidrs.is_list or not len(cidrs):
        return Fail("The endpoint is public and no CIDR list restricts it", PUBLIC_ACCESS, CIDRS)
    gap: NotKnown | None = None
    allowed = Addresses()
    for index in range(len(cidrs)):
        try:
            allowed |= Addresses.of(parse_range(str(cidrs[index])))
            if allowed.is_world:
                return _open_to(cidrs, index)
        except NotKnown as problem:
            gap = gap or problem
        except ValueError:
            gap = gap or NotKnown(f"{CIDRS}[{index}]", Unknown("it is not a range of addresses"))
    if gap:
        raise gap
    return True


def _open_to(cidrs: View, last: int) -> Fail:
    """Say by which ranges the endpoint is open: by one alone, or by it with those before it."""
    if Addresses.of(parse_range(str(cidrs[last]))).is_world:
        return Fail(f"The endpoint is open to {cidrs[last]}", f"{CIDRS}[{last}]")
    return Fail(f"The endpoint is open to {cidrs[last]} and others, together the internet", CIDRS)


@rule(
    "aws.eks.version",
    on=CLUSTER,
    severity=Severity.HIGH,
    link="https://docs.aws.amazon.com/eks/latest/userguide/update-cluster.html",
    fix="""
        1. Check what the upgrade changes for your workloads: in the EKS console, open the cluster and choose Upgrade
           insights.
        2. Choose Update now to go up by one minor version, then update node groups and add-ons; repeat until the
           version is in standard support.
    """,
    commands="""
        aws eks update-cluster-version --region={region} --name={name} --kubernetes-version={NEXT_VERSION}
    """,
    inputs={
        "NEXT_VERSION": "the next minor version, such as 1.33",
    },
    good=[{"Version": "1.32"}, {"Version": "1.34"}, {"Version": "1.99"}, {}],
    bad=[{"Version": "1.31"}, {"Version": "1.30"}, {"Version": "1.21"}, {"Version": "1.9"}],
)
def version(cluster: ResourceView) -> bool | Fail | None:
    """EKS cluster version is out of standard support.

    The Kubernetes project no longer fixes vulnerabilities in it. AWS charges extra for extended support, and upgrades
    the cluster automatically when that ends as well.
    """
    running = cluster["Version"]
    if running is None:
        return None  # a template that leaves it out gets the version that EKS offers at that time
    found = _VERSION.fullmatch(running) if isinstance(running, str) else None
    if not found:
        raise NotKnown("Version", Unknown("it is not a version of Kubernetes, as 1.34"))
    minor = int(found[1])
    if minor < min(END_OF_STANDARD_SUPPORT):
        return Fail(f"Standard support for Kubernetes {running} ended long ago", "Version")
    newest = max(END_OF_STANDARD_SUPPORT)
    end = END_OF_STANDARD_SUPPORT[min(minor, newest)]
    if cluster.now < datetime(end.year, end.month, end.day, tzinfo=UTC):
        return True
    if minor > newest:
        raise NotKnown("Version", Unknown(f"Kubernetes {running} is newer than the table of 2026-11"))
    return Fail(f"Standard support for Kubernetes {running} ended on {end}", "Version")


@rule(
    "aws.eks.secrets_kms",
    on=CLUSTER,
    severity=Severity.MEDIUM,
    link="https://docs.aws.amazon.com/eks/latest/userguide/enable-kms.html",
    fix="""
        1. Create or choose a symmetric KMS key in the cluster's region. This cannot be turned off again, and a cluster
           whose key is deleted is lost.
        2. In the EKS console, open the cluster, choose Overview, Secrets encryption, Enable, and select the key.
        3. Rewrite the existing secrets as the linked guide shows, so that they are encrypted too.
    """,
    commands="""
        aws eks associate-encryption-config --region={region} --cluster-name={name}
          --encryption-config='[{"resources": ["secrets"], "provider": {"keyArn": "{KEY_ARN}"}}]'
    """,
    inputs={
        "KEY_ARN": "the ARN of the KMS key",
    },
    good=[
        {"EncryptionConfig": [{"Resources": ["secrets"], "Provider": {"KeyArn": "arn:aws:kms:eu-west-1:1:key/a"}}]},
        {"EncryptionConfig": [{}, {"Resources": ["other", "secrets"]}]},
    ],
    bad=[{"EncryptionConfig": None}, {"EncryptionConfig": []}, {"EncryptionConfig": [{"Resources": []}]}, {}],
)
def secrets_kms(cluster: View) -> bool | Fail:
    """EKS secrets are not encrypted with a KMS key.

    With your own KMS key, every decryption is logged in CloudTrail. Access can be revoked at once if a copy of the
    cluster's data leaks.
    """
    if any("secrets" in _texts(entry["Resources"]) for entry in _entries(cluster["EncryptionConfig"])):
        return True
    return Fail("No key is set for the cluster's secrets", "EncryptionConfig")


@rule(
    "aws.eks.audit_logs",
    on=CLUSTER,
    severity=Severity.MEDIUM,
    link="https://docs.aws.amazon.com/eks/latest/userguide/control-plane-logs.html",
    fix="""
        1. In the EKS console, open the cluster, choose Observability, Control plane logs, Manage, and turn Audit on.
        2. Set a retention period on the log group /aws/eks/CLUSTER/cluster in CloudWatch Logs.
    """,
    commands="""
        aws eks update-cluster-config --region={region} --name={name}
          --logging='{"clusterLogging": [{"types": ["audit"], "enabled": true}]}'
    """,
    remediations=("aws.eks.enable_audit_logs",),
    good=[_logging("audit"), _logging("api", "audit", "authenticator")],
    bad=[_logging("api"), _logging(), {"Logging": None}, {}],
)
def audit_logs(cluster: View) -> bool | Fail:
    """EKS audit logging is off.

    Without audit logs nobody can tell who read a secret, started a container or changed a role. CloudTrail does not see
    what happens inside Kubernetes.
    """
    logged = [str(entry["Type"]) for entry in _entries(cluster[TYPES])]
    if "audit" in logged:
        return True
    return Fail(f"Only {', '.join(logged[:5])} logs are on" if logged else "No control plane logs are on", TYPES)


def _entries(value: Any) -> list[View]:
    """The objects in a list; nothing of what is no list."""
    return [each for each in value if isinstance(each, View)] if isinstance(value, View) and value.is_list else []


def _texts(value: Any) -> list[Any]:
    return list(value) if isinstance(value, View) and value.is_list else []
