"""Domains of OpenSearch Service, those that run Elasticsearch included."""

from __future__ import annotations

from typing import Any

from tests.truth.account import ABROAD, HOME, Truth, holds
from tests.truth.policies import policies

ALL = "encrypted public public_policy node_tls https"

ON, OFF = {"Enabled": True}, {"Enabled": False}


def endpoint(https: bool | None, policy: str = "") -> dict[str, Any]:
    given: dict[str, Any] = {} if https is None else {"EnforceHTTPS": https}
    return given | ({"TLSSecurityPolicy": policy} if policy else {})


LATEST = "Policy-Min-TLS-1-2-PFS-2023-10"

RIGHT: dict[str, Any] = {
    "EngineVersion": "OpenSearch_2.19",
    "EncryptionAtRestOptions": ON,
    "NodeToNodeEncryptionOptions": ON,
    "VPCOptions": {"SubnetIds": ["subnet-0a1b2c3d"], "SecurityGroupIds": ["sg-0a1b2c3d"]},
    "DomainEndpointOptions": endpoint(True, LATEST),
}

DOMAINS: dict[str, tuple[str, dict[str, Any]]] = {
    "right": ("", {}),
    "right-old-engine": ("", {"EngineVersion": "Elasticsearch_7.10"}),
    "right-two-subnets": ("", {"VPCOptions": {"SubnetIds": ["subnet-0a1b2c3d", "subnet-4e5f6a7b"]}}),
    "right-rfc9151": ("", {"DomainEndpointOptions": endpoint(True, "Policy-Min-TLS-1-2-RFC9151-FIPS-2024-08")}),
    "plain": ("encrypted", {"EncryptionAtRestOptions": OFF}),
    "public": ("public", {"VPCOptions": None}),
    "between-nodes": ("node_tls", {"NodeToNodeEncryptionOptions": OFF}),
    "http": ("https", {"DomainEndpointOptions": endpoint(False, LATEST)}),
    "http-unsaid": ("https", {"DomainEndpointOptions": endpoint(None, LATEST)}),
    "old-tls": ("https", {"DomainEndpointOptions": endpoint(True, "Policy-Min-TLS-1-0-2019-07")}),
    "http-and-old-tls": ("https", {"DomainEndpointOptions": endpoint(False, "Policy-Min-TLS-1-0-2019-07")}),
    "as-made": ("encrypted public node_tls https", dict.fromkeys(RIGHT)),
}
"""Each domain with the rules that it fails, and in what it is not RIGHT; None leaves a setting out."""


@holds()
def domains(truth: Truth) -> None:
    for region in (HOME, ABROAD):
        client = truth.client("opensearch", region)
        for name, (fails, settings) in DOMAINS.items():
            _made(client, f"{name}-{region[:2]}", **settings)
            skipped = "" if "public" in fails else "public_policy"
            truth.judged(f"{name}-{region[:2]}", fails=fails, skipped=skipped, of=ALL)
        _made(client, "going", VPCOptions=None)
        truth.deleting("opensearch.domains", "going", region, member="deleted", status=True)


def _made(client: Any, name: str, **settings: Any) -> None:
    given = {key: value for key, value in {**RIGHT, **settings}.items() if value is not None}
    client.create_domain(DomainName=name, **given)


@holds(regions=(HOME,))
def opened(truth: Truth) -> None:
    """Domains by whom their policy lets in; in a VPC, and behind fine-grained access control, that may be everyone."""
    client = truth.client("opensearch")
    every = list(policies(truth.cloud.account, "es:ESHttpGet", "es:ESHttpDelete", "*"))
    for number, policy in enumerate(every):
        _made(client, f"policy-{number}", VPCOptions=None, AccessPolicies=policy.text)
        truth.judged(f"policy-{number}", fails="public public_policy" if policy.is_open else "public", of=ALL)
    anyone = next(policy.text for policy in every if policy.is_open)
    for name, fails, skipped, settings in [
        ("fine-grained", "public", "", {"VPCOptions": None, "AdvancedSecurityOptions": {"Enabled": True}}),
        ("coarse", "public public_policy", "", {"VPCOptions": None, "AdvancedSecurityOptions": {"Enabled": False}}),
        ("in-vpc", "", "public_policy", {}),
    ]:
        _made(client, name, AccessPolicies=anyone, **settings)
        truth.judged(name, fails=fails, skipped=skipped, of=ALL)


@holds()
def unreadable_domains(truth: Truth) -> None:
    """Seven domains that cannot be described at home, and a list that is hidden abroad."""
    for number in range(7):
        _made(truth.client("opensearch", HOME), f"hidden-{number}")
        truth.judged(f"hidden-{number}", unknown=ALL)
    _made(truth.client("opensearch", ABROAD), "hidden")
    truth.hide("es:ListDomainNames", "AWS::OpenSearchService::Domain")
    truth.cloud.control("deny", actions=["es:DescribeDomains", "es:DescribeDomain"], regions=[HOME])
