"""Domains."""

from __future__ import annotations

from typing import Any

from tests.fixes.rounds.policies import open_policy
from tests.fixes.rounds.round import ACCOUNT, Made, goes_round

from nephoscope_aws_simulator.testing import Cloud

OLD, NEW = "Policy-Min-TLS-1-0-2019-07", "Policy-Min-TLS-1-2-2019-07"


def domain(cloud: Cloud, name: str, **settings: Any) -> Made:
    """Make a domain, and one like it beside it."""
    client = cloud.client("opensearch")
    for each in (name, f"{name}-2"):
        client.create_domain(DomainName=each, EngineVersion="OpenSearch_2.19", **settings)

    def now(name: str) -> Any:
        return client.describe_domain(DomainName=name)["DomainStatus"]

    arn = f"arn:aws:es:us-east-1:{ACCOUNT}:domain/{name}"
    return Made("AWS::OpenSearchService::Domain", arn, name, lambda: now(name), lambda: now(f"{name}-2"))


@goes_round("aws.opensearch.require_https", "aws.opensearch.https")
def http(cloud: Cloud) -> Made:
    options = {"EnforceHTTPS": False, "TLSSecurityPolicy": NEW, "CustomEndpointEnabled": False}
    return domain(cloud, "round-http", DomainEndpointOptions=options)


@goes_round("aws.opensearch.require_https", "aws.opensearch.https")
def old_tls(cloud: Cloud) -> Made:
    return domain(cloud, "round-old-tls", DomainEndpointOptions={"EnforceHTTPS": True, "TLSSecurityPolicy": OLD})


@goes_round("aws.opensearch.remove_public_access", "aws.opensearch.public_policy")
def public(cloud: Cloud) -> Made:
    resource = f"arn:aws:es:us-east-1:{ACCOUNT}:domain/round-public/*"
    return domain(cloud, "round-public", AccessPolicies=open_policy("es:ESHttpGet", resource=resource))


@goes_round("aws.opensearch.encrypt_at_rest", "aws.opensearch.encrypted")
def at_rest(cloud: Cloud) -> Made:
    return domain(cloud, "round-at-rest", EncryptionAtRestOptions={"Enabled": False})


@goes_round("aws.opensearch.encrypt_between_nodes", "aws.opensearch.node_tls")
def between_nodes(cloud: Cloud) -> Made:
    return domain(cloud, "round-nodes", NodeToNodeEncryptionOptions={"Enabled": False})
