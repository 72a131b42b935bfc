"""Rules on OpenSearch Service domains."""

from __future__ import annotations

import re
from typing import Any

from nephoscope.domain import Fail, ResourceView, Severity, View, rule
from nephoscope_aws.access import is_on
from nephoscope_aws.access_grants import open_grants

DOMAIN = "AWS::OpenSearchService::Domain"
ARN = "arn:aws:es:eu-west-1:123456789012:domain/logs"
GUIDE = "https://docs.aws.amazon.com/opensearch-service/latest/developerguide/"

OLDEST_TLS = (1, 2)
"""The oldest version of TLS that an endpoint should accept; 1.0 and 1.1 are withdrawn since RFC 8996."""

_TLS_POLICY = re.compile(r"Policy-Min-TLS-(\d+)-(\d+)-.+")
"""How security policies are named: by the oldest version that they accept.
https://docs.aws.amazon.com/opensearch-service/latest/APIReference/API_DomainEndpointOptions.html"""


def _endpoint(https: Any, policy: Any) -> dict[str, Any]:
    """An example: a domain with these endpoint options."""
    return {"DomainEndpointOptions": {"EnforceHTTPS": https, "TLSSecurityPolicy": policy}}


def _policy(principal: Any, condition: dict[str, Any] | None = None) -> dict[str, Any]:
    """An example: a domain whose access policy is one statement."""
    statement = {"Effect": "Allow", "Principal": principal, "Action": "es:ESHttp*", "Resource": f"{ARN}/*"}
    return {"AccessPolicies": {"Statement": [statement | ({"Condition": condition} if condition else {})]}}


def _is_in_vpc(domain: View) -> bool:
    """Tell whether a domain is in a VPC."""
    subnets = domain["VPCOptions.SubnetIds"]
    return isinstance(subnets, View) and subnets.is_list and len(subnets) > 0


@rule(
    "aws.opensearch.encrypted",
    on=DOMAIN,
    severity=Severity.MEDIUM,
    link=GUIDE + "encryption-at-rest.html",
    fix="""
        1. In the OpenSearch Service console, choose the domain, Actions, Edit security configuration.
        2. Turn on Encryption of data at rest, choose the KMS key, and save. It cannot be turned off again.
        3. Elasticsearch before version 6.7 needs a new domain, restored from a snapshot of the old one.
    """,
    commands="""
        aws opensearch update-domain-config --region={region} --domain-name={name}
          --encryption-at-rest-options=Enabled=true
    """,
    remediations=("aws.opensearch.encrypt_at_rest",),
    good=[
        {"EncryptionAtRestOptions": {"Enabled": True, "KmsKeyId": "0a1b2c3d"}},
        {"EncryptionAtRestOptions": {"Enabled": "true"}},
    ],
    bad=[
        {"EncryptionAtRestOptions": {"Enabled": False}},
        {"EncryptionAtRestOptions": None},
        {"EncryptionAtRestOptions": {"KmsKeyId": "0a1b2c3d"}},
        {},
    ],
)
def encrypted(domain: View) -> bool:
    """OpenSearch domain is not encrypted at rest.

    Indexes, logs, swap files and automatic snapshots can be read by anyone who obtains a copy. With encryption, a copy
    is worthless without the KMS key.
    """
    return is_on(domain["EncryptionAtRestOptions.Enabled"])


@rule(
    "aws.opensearch.public",
    on=DOMAIN,
    severity=Severity.CRITICAL,
    link=GUIDE + "vpc.html",
    fix="""
        1. A public domain cannot be moved into a VPC. In the OpenSearch Service console, choose Create domain, and
           under Network select VPC access, private subnets, and a security group for the clients.
        2. Take a manual snapshot of the old domain, restore it to the new one, then point the clients to it.
        3. Delete the public domain.
        4. Until then, restrict the access policy of the old domain to your roles and IP addresses.
    """,
    commands="""
        aws opensearch create-domain --region={region} --domain-name={NEW_DOMAIN}
          --vpc-options='{"SubnetIds": ["{SUBNET_ID}"], "SecurityGroupIds": ["{GROUP_ID}"]}'
    """,
    inputs={
        "NEW_DOMAIN": "the name of the new domain",
        "SUBNET_ID": "a private subnet",
        "GROUP_ID": "a security group for the clients",
    },
    good=[
        {"VPCOptions": {"SubnetIds": ["subnet-0a1b2c3d"], "SecurityGroupIds": ["sg-0a1b2c3d"]}},
        {"DomainName": "logs", "VPCOptions": {"SubnetIds": ["subnet-0a1b2c3d", "subnet-4e5f6a7b"]}},
    ],
    bad=[
        {"VPCOptions": None},
        {"VPCOptions": {"SubnetIds": []}},
        {"VPCOptions": {"SecurityGroupIds": ["sg-0a1b2c3d"]}},
        {"DomainName": "logs"},
    ],
)
def public(domain: View) -> bool | Fail:
    """OpenSearch domain is public.

    Only its access policy protects the data, and scanners find a mistake in it within hours. Inside a VPC, the network
    is a second layer of protection.
    """
    if _is_in_vpc(domain):
        return True
    return Fail("The domain is not in a VPC, so its endpoint is public", "VPCOptions.SubnetIds", "VPCOptions")


@rule(
    "aws.opensearch.public_policy",
    on=DOMAIN,
    severity=Severity.CRITICAL,
    link=GUIDE + "ac.html",
    fix="""
        1. In the OpenSearch Service console, choose the domain, then Security configuration, Edit.
        2. Under Access policy, replace the wildcard principal with the accounts or roles that use the domain, or add a
           condition on aws:SourceIp with your own networks.
        3. If people sign in to Dashboards with a password, turn on fine-grained access control instead.
    """,
    commands="""
        aws opensearch update-domain-config --region={region} --domain-name={name} --access-policies={POLICY_FILE}
    """,
    inputs={
        "POLICY_FILE": "file://policy.json, where policy.json is the complete new policy",
    },
    remediations=("aws.opensearch.remove_public_access",),
    good=[
        _policy({"AWS": "arn:aws:iam::123456789012:root"}),
        _policy("*", {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}),
        _policy("*") | {"VPCOptions": {"SubnetIds": ["subnet-0a1b2c3d"]}},
        _policy("*") | {"AdvancedSecurityOptions": {"Enabled": True}},
        {"AccessPolicies": None},
        {},
    ],
    bad=[
        _policy("*"),
        _policy({"AWS": "*"}) | {"AdvancedSecurityOptions": {"Enabled": False}},
        _policy({"AWS": ["*"]}, {"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}),
        _policy("*") | {"VPCOptions": None},
    ],
)
def public_policy(domain: ResourceView) -> bool | Fail | None:
    """OpenSearch access policy allows everyone.

    The domain's endpoint is on the internet, and its policy asks nobody who they are. Anyone who finds it can search,
    change and delete the data.
    """
    if _is_in_vpc(domain):
        return None
    grants = open_grants(domain.key("AccessPolicies"), own=domain.id)
    # With fine-grained access control an open policy is usual: who may do what is decided behind it.
    # https://docs.aws.amazon.com/opensearch-service/latest/developerguide/fgac.html
    if not grants or is_on(domain["AdvancedSecurityOptions.Enabled"]):
        return True
    return Fail(f"{grants[0].who} can use this domain: policy allows {grants[0].actions}", grants[0].at)


@rule(
    "aws.opensearch.node_tls",
    on=DOMAIN,
    severity=Severity.MEDIUM,
    link=GUIDE + "ntn.html",
    fix="""
        1. In the OpenSearch Service console, choose the domain, Actions, Edit security configuration.
        2. Turn on Node-to-node encryption and save. It cannot be turned off again.
        3. Elasticsearch before version 6.7 needs a new domain, restored from a snapshot of the old one.
    """,
    commands="""
        aws opensearch update-domain-config --region={region} --domain-name={name}
          --node-to-node-encryption-options=Enabled=true
    """,
    remediations=("aws.opensearch.encrypt_between_nodes",),
    good=[
        {"NodeToNodeEncryptionOptions": {"Enabled": True}},
        {"NodeToNodeEncryptionOptions": {"Enabled": "true"}, "EngineVersion": "OpenSearch_2.19"},
    ],
    bad=[
        {"NodeToNodeEncryptionOptions": {"Enabled": False}},
        {"NodeToNodeEncryptionOptions": None},
        {},
    ],
)
def node_tls(domain: View) -> bool:
    """OpenSearch node-to-node encryption is off.

    Nodes exchange whole shards and every query. In plaintext, anyone with access to the network between them can read
    and change the data.
    """
    return is_on(domain["NodeToNodeEncryptionOptions.Enabled"])


@rule(
    "aws.opensearch.https",
    on=DOMAIN,
    severity=Severity.MEDIUM,
    link=GUIDE + "infrastructure-security.html",
    fix="""
        1. Make sure that all clients connect over HTTPS and support TLS 1.2.
        2. In the OpenSearch Service console, choose the domain, Actions, Edit security configuration.
        3. Turn on Require HTTPS for all traffic, choose the newest TLS security policy, and save.
    """,
    commands="""
        aws opensearch update-domain-config --region={region} --domain-name={name}
          --domain-endpoint-options=EnforceHTTPS=true,TLSSecurityPolicy=Policy-Min-TLS-1-2-PFS-2023-10
    """,
    remediations=("aws.opensearch.require_https",),
    good=[
        _endpoint(True, "Policy-Min-TLS-1-2-2019-07"),
        _endpoint("true", "Policy-Min-TLS-1-2-PFS-2023-10"),
        _endpoint(True, "Policy-Min-TLS-1-2-RFC9151-FIPS-2024-08"),
        _endpoint(True, "Policy-Min-TLS-1-3-2027-01"),
    ],
    bad=[
        _endpoint(False, "Policy-Min-TLS-1-2-PFS-2023-10"),
        _endpoint(True, "Policy-Min-TLS-1-0-2019-07"),
        _endpoint(True, None),
        _endpoint(True, "TLS 1.2"),
        _endpoint(True, ["Policy-Min-TLS-1-2-2019-07"]),
        {"DomainEndpointOptions": None},
        {},
    ],
)
def https(domain: View) -> bool | Fail:
    """OpenSearch domain allows HTTP or outdated TLS.

    Queries, documents and the credentials in requests can be read in transit. TLS versions before 1.2 can be broken or
    downgraded.
    """
    if not is_on(domain["DomainEndpointOptions.EnforceHTTPS"]):
        return Fail("HTTPS is not required", "DomainEndpointOptions.EnforceHTTPS")
    policy = domain["DomainEndpointOptions.TLSSecurityPolicy"]
    if _oldest_tls(policy) >= OLDEST_TLS:
        return True
    said = policy if isinstance(policy, str) else "not set"
    return Fail(
        f"TLS versions before 1.2 are allowed: security policy is {said}", "DomainEndpointOptions.TLSSecurityPolicy"
    )


def _oldest_tls(policy: Any) -> tuple[int, int]:
    """Return the oldest version that a security policy accepts; for what is none, version 0."""
    found = _TLS_POLICY.fullmatch(policy) if isinstance(policy, str) else None
    return (int(found[1]), int(found[2])) if found else (0, 0)
