"""CloudFront distributions, which belong to the whole account.

Calls: 1 for each 100 distributions, 1 for each distribution (the list lacks its logging and default root object), and,
if there are any, 2 or more for the deliveries of logs of the newer kind. Tags cost a call each, no rule reads them, and
they are left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from nephoscope.domain import ALL_REGIONS, Resource, Service
from nephoscope_aws.api import Api
from nephoscope_aws.collector import Collector
from nephoscope_aws.collectors.odd import each
from nephoscope_aws.collectors.shape import PROBLEMS, Listing, actions, existing, hidden, needed, part, picked

DISTRIBUTION = "AWS::CloudFront::Distribution"

READS = {
    ("cloudfront", "list_distributions"): "cloudfront:ListDistributions",
    ("cloudfront", "get_distribution_config"): "cloudfront:GetDistributionConfig",
    ("logs", "describe_delivery_sources"): "logs:DescribeDeliverySources",
    ("logs", "describe_deliveries"): "logs:DescribeDeliveries",
}

LOGS_REGION = "us-east-1"
"""Where deliveries of CloudFront's logs are made, for all distributions.
https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logging.html"""

Item = dict[str, Any]


def collect(api: Api, region: str) -> Iterator[Resource]:
    """Yield the account's distributions; ``region`` is the one that stands for all."""
    listing = Listing(_listed(api))
    yield from each(api, ALL_REGIONS, DISTRIBUTION, partial(_resource, api), listing, calls=True)


def reread(api: Api, resource: Resource) -> Resource | None:
    """Read one distribution again: 3 calls."""
    config = existing(lambda: _config(api, resource.id.rpartition("/")[2]))
    return _shaped(api, resource.id, config, _of_config(config)) if config else None


def _listed(api: Api) -> Iterator[Item]:
    """Yield the summaries; the list is a level deeper than boto3's own paging could be told here."""
    marker: dict[str, str] = {}
    while True:
        page = api.call("cloudfront", "list_distributions", **marker)["DistributionList"]
        yield from _items(page)
        if not page["IsTruncated"]:
            return
        marker = {"Marker": page["NextMarker"]}


def _config(api: Api, id: str) -> Item:
    config: Item = api.call("cloudfront", "get_distribution_config", Id=id)["DistributionConfig"]
    return config


def _resource(api: Api, summary: Item) -> Resource:
    try:
        further = _of_config(_config(api, summary["Id"]))
    except PROBLEMS as problem:
        further = dict.fromkeys(("Logging", "DefaultRootObject"), hidden(problem))
    return _shaped(api, summary["ARN"], summary, further)


def _of_config(config: Item) -> Item:
    """Return what stands in a configuration alone, and not in the list."""
    return {
        "Logging": part(lambda: _logging(config)),
        "DefaultRootObject": part(lambda: config["DefaultRootObject"] or None),
    }


def _logging(config: Item) -> Item | None:
    """Return where standard logs (legacy) go, null when they go nowhere, as CloudFormation has it."""
    logging = config["Logging"]
    return needed(logging, "Bucket", "Prefix", "IncludeCookies") if logging["Enabled"] else None


def _shaped(api: Api, arn: str, source: Item, further: Item) -> Resource:
    """Return a distribution; ``source`` is its summary or its configuration, which name alike what is taken here."""
    aliases = part(lambda: [str(one) for one in _items(source.get("Aliases"))])
    id = str(arn).rpartition("/")[2]
    properties = {
        "Id": id,
        "DistributionConfig": {
            **picked(source, "Enabled", "Comment", "PriceClass", "HttpVersion", "Staging"),
            "Aliases": aliases,
            "WebACLId": part(lambda: source["WebACLId"] or None),
            "DefaultCacheBehavior": _behavior(source["DefaultCacheBehavior"]),
            "CacheBehaviors": part(
                lambda: [picked(one, "PathPattern") | _behavior(one) for one in _items(source.get("CacheBehaviors"))]
            ),
            "Origins": part(lambda: [_origin(one) for one in _items(source["Origins"])]),
            "OriginGroups": part(lambda: {"Items": [_group(one) for one in _items(source.get("OriginGroups"))]}),
            "ViewerCertificate": part(lambda: _certificate(source["ViewerCertificate"])),
            **further,
        },
        "Observed": {"LogDeliveries": part(lambda: _deliveries(api).get(arn, []))},
    }
    name = aliases[0] if isinstance(aliases, list) and aliases else id
    return Resource(DISTRIBUTION, arn, name, ALL_REGIONS, api.account, properties)


def _items(counted: Item | None) -> list[Any]:
    """Return a list as CloudFormation writes it: the API wraps each with its length."""
    if counted is None:
        return []
    return list(counted["Items"]) if "Items" in counted or counted["Quantity"] else []


def _behavior(behavior: Item) -> Item:
    return picked(behavior, "TargetOriginId") | needed(behavior, "ViewerProtocolPolicy")


def _group(group: Item) -> Item:
    members = [needed(one, "OriginId") for one in _items(group["Members"])]
    return {**needed(group, "Id"), "Members": {"Items": members}}


def _certificate(certificate: Item) -> Item:
    """Return what viewers are shown; CloudFormation spells abbreviations in its own way."""
    return {
        **picked(certificate, "CloudFrontDefaultCertificate", "MinimumProtocolVersion"),
        "AcmCertificateArn": certificate.get("ACMCertificateArn") or None,
        "IamCertificateId": certificate.get("IAMCertificateId") or None,
        "SslSupportMethod": certificate.get("SSLSupportMethod"),
    }


def _origin(origin: Item) -> Item:
    """Return an origin without its custom headers, in which people put shared secrets."""
    s3, custom = origin.get("S3OriginConfig"), origin.get("CustomOriginConfig")
    return {
        **needed(origin, "Id", "DomainName"),
        **picked(origin, "OriginPath"),
        "OriginAccessControlId": part(lambda: origin.get("OriginAccessControlId") or None),
        "S3OriginConfig": picked(s3, "OriginAccessIdentity") if s3 is not None else None,
        "CustomOriginConfig": _custom(custom) if custom is not None else None,
    }


def _custom(custom: Item) -> Item:
    return {
        **picked(custom, "HTTPPort", "HTTPSPort", "OriginProtocolPolicy"),
        "OriginSSLProtocols": part(lambda: sorted(_items(custom.get("OriginSslProtocols")))),
    }


def _deliveries(api: Api) -> dict[str, list[str]]:
    """Return the ARNs of the destinations of each distribution's standard logs (v2), by the distribution's ARN.

    These are not in the distribution's configuration (see :data:`LOGS_REGION`). Read once per session.
    """
    return api.once("cloudfront-log-deliveries", lambda: _read_deliveries(api))


def _read_deliveries(api: Api) -> dict[str, list[str]]:
    sources = {
        str(one["name"]): one["resourceArns"]
        for one in api.pages("logs", "describe_delivery_sources", "deliverySources", region=LOGS_REGION)
        if one["service"] == "cloudfront"
    }
    found: dict[str, list[str]] = {}
    for delivery in api.pages("logs", "describe_deliveries", "deliveries", region=LOGS_REGION) if sources else ():
        for arn in sources.get(delivery["deliverySourceName"], ()):
            found.setdefault(arn, []).append(str(delivery["deliveryDestinationArn"]))
    return {arn: sorted(destinations) for arn, destinations in found.items()}


COLLECTOR = Collector(
    Service("cloudfront", "Amazon CloudFront", (DISTRIBUTION,), actions(READS), regional=False),
    READS,
    collect,
    reread,
)
