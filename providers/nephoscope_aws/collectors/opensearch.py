"""OpenSearch Service domains of one region, those that run Elasticsearch included.

Calls per region: 1, and 1 for each 5 domains. Tags would be one more for each domain, and no rule needs them.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from nephoscope.domain import Resource, Service
from nephoscope_aws.api import Api
from nephoscope_aws.collector import Collector
from nephoscope_aws.collectors.many import batches
from nephoscope_aws.collectors.odd import each, is_one_of, isolated
from nephoscope_aws.collectors.shape import PROBLEMS, Listing, actions, document, hidden, needed, part, picked

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

_ALWAYS = {
    "EncryptionAtRestOptions": ("Enabled",),
    "NodeToNodeEncryptionOptions": ("Enabled",),
}
"""What AWS says of every domain."""

_DESCRIBED = ("EngineVersion", "AccessPolicies", *_SETTINGS)


def collect(api: Api, region: str) -> Iterator[Resource]:
    """Yield the region's domains."""
    listing = Listing(api.pages("opensearch", "list_domain_names", "DomainNames", region=region))
    yield from each(api, region, DOMAIN, partial(_batch, api, region), batches(listing, BATCH), calls=True)
    yield from listing.unreadable(api, region, DOMAIN)


def reread(api: Api, resource: Resource) -> Resource | None:
    """Read one domain again, in one call."""
    return next(iter(_described(api, resource.region, [resource.name])), None)


def _batch(api: Api, region: str, listed: list[Item]) -> list[Resource]:
    names: list[str] = []

    def name(one: Item) -> None:
        names.append(str(one["DomainName"]))

    named = isolated(api, region, DOMAIN, name)
    nameless = [stand_in for one in listed for stand_in in named(one)]
    return [*nameless, *_resources(api, region, names)]


def _resources(api: Api, region: str, names: list[str]) -> list[Resource]:
    """Return those of these domains that still exist, with unknown settings when they could not be described."""
    try:
        return _described(api, region, names) if names else []
    except PROBLEMS as problem:
        members = dict.fromkeys(_DESCRIBED, hidden(problem))
        return [_shaped(api, region, name, members) for name in names]


def _described(api: Api, region: str, names: list[str]) -> list[Resource]:
    answer = api.call("opensearch", "describe_domains", region=region, DomainNames=names)
    return list(each(api, region, DOMAIN, partial(_domain, api, region), answer["DomainStatusList"]))


def _domain(api: Api, region: str, item: Item) -> Resource | None:
    # What is being deleted is still described.
    deleted = is_one_of(item.get("Deleted"), (True,))
    return None if deleted else _shaped(api, region, str(item["DomainName"]), _members(item))


def _members(item: Item) -> Item:
    settings = {name: part(partial(_settings, item, name)) for name in _SETTINGS}
    return {**picked(item, "EngineVersion"), "AccessPolicies": part(lambda: _policy(item)), **settings}


def _settings(item: Item, name: str) -> Item | None:
    if name in _ALWAYS:
        return picked(item[name], *_SETTINGS[name]) | needed(item[name], *_ALWAYS[name])
    return picked(item[name], *_SETTINGS[name]) if item.get(name) else None


def _policy(item: Item) -> Any:
    policy = item.get("AccessPolicies")
    return document(policy) if policy else None


def _shaped(api: Api, region: str, name: str, members: Item) -> Resource:
    arn = api.arn("es", region, f"domain/{name}")
    return Resource(DOMAIN, arn, name, region, api.account, {"DomainName": name, **members})


COLLECTOR = Collector(
    Service("opensearch", "Amazon OpenSearch Service", (DOMAIN,), actions(READS)), READS, collect, reread
)
