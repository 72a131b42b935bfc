"""OpenSearch Service domains of one region, those that run Elasticsearch included.

Calls per region: 1, and 1 for each 5 domains. Tags would be one more for each domain, and no rule needs them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nephoscope.domain import Resource, Service
from nephoscope_aws.api import Api
from nephoscope_aws.collector import Collector
from nephoscope_aws.collectors.many import batches
from nephoscope_aws.collectors.shape import PROBLEMS, Listing, actions, document, hidden, picked

DOMAIN = "AWS::OpenSearchService::Domain"

READS = {
    ("opensearch", "list_domain_names"): "es:ListDomainNames",
    ("opensearch", "describe_domains"): "es:DescribeDomains",
    ("opensearch", "describe_domain"): "es:DescribeDomain",
}

BATCH = 5
"""Domains in one call. More are answered "Please provide a maximum of 5 domain names to describe", which the reference
(https://docs.aws.amazon.com/opensearch-service/latest/APIReference/API_DescribeDomains.html) leaves out:
https://github.com/aws-solutions-library-samples/account-assessment-for-aws-organizations/issues/7"""

Item = dict[str, Any]

_SETTINGS = {
    "EncryptionAtRestOptions": ("Enabled", "KmsKeyId"),
    "NodeToNodeEncryptionOptions": ("Enabled",),
    "DomainEndpointOptions": ("EnforceHTTPS", "TLSSecurityPolicy", "CustomEndpointEnabled", "CustomEndpoint"),
    "VPCOptions": ("SubnetIds", "SecurityGroupIds"),
    "AdvancedSecurityOptions": ("Enabled", "InternalUserDatabaseEnabled"),
}
"""Groups of settings, and the members of each that CloudFormation knows by the same name."""

_DESCRIBED = ("EngineVersion", "AccessPolicies", *_SETTINGS)


def collect(api: Api, region: str) -> Iterator[Resource]:
    """Yield the region's domains."""
    listing = Listing(api.pages("opensearch", "list_domain_names", "DomainNames", region=region))
    names = (each["DomainName"] for each in listing)
    for found in api.map(lambda batch: _resources(api, region, batch), batches(names, BATCH)):
        yield from found
    yield from listing.unreadable(api, region, DOMAIN)


def reread(api: Api, resource: Resource) -> Resource | None:
    """Read one domain again, in one call."""
    return next(_described(api, resource.region, [resource.name]), None)


def _resources(api: Api, region: str, names: list[str]) -> list[Resource]:
    """Return those of these domains that still exist, with unknown settings when they could not be described."""
    try:
        return list(_described(api, region, names))
    except PROBLEMS as problem:
        members = dict.fromkeys(_DESCRIBED, hidden(problem))
        return [_shaped(api, region, name, members) for name in names]


def _described(api: Api, region: str, names: list[str]) -> Iterator[Resource]:
    answer = api.call("opensearch", "describe_domains", region=region, DomainNames=names)
    for item in answer["DomainStatusList"]:
        if not item.get("Deleted"):  # what is being deleted is still described
            yield _shaped(api, region, item["DomainName"], _members(item))


def _members(item: Item) -> Item:
    policy = item.get("AccessPolicies")
    settings = {name: picked(item[name], *members) if item.get(name) else None for name, members in _SETTINGS.items()}
    return {**picked(item, "EngineVersion"), "AccessPolicies": document(policy) if policy else None, **settings}


def _shaped(api: Api, region: str, name: str, members: Item) -> Resource:
    arn = api.arn("es", region, f"domain/{name}")
    return Resource(DOMAIN, arn, name, region, api.account, {"DomainName": name, **members})


COLLECTOR = Collector(
    Service("opensearch", "Amazon OpenSearch Service", (DOMAIN,), actions(READS)), READS, collect, reread
)
