"""Web ACLs of AWS WAF of one region; those of CloudFront are asked for, and belong to, us-east-1.

Calls per region: 1 for each 100 web ACLs and, if there are any, 1 for each 100 logging configurations; in us-east-1
the same once more. Tags cost a call each, no rule reads them, and they are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from nephoscope.domain import Resource, Service
from nephoscope_aws.api import Api
from nephoscope_aws.collector import Collector
from nephoscope_aws.collectors.odd import each
from nephoscope_aws.collectors.shape import PROBLEMS, Listing, actions, answers, hidden, needed, picked

WEB_ACL = "AWS::WAFv2::WebACL"

READS = {
    ("wafv2", "list_web_acls"): "wafv2:ListWebACLs",
    ("wafv2", "list_logging_configurations"): "wafv2:ListLoggingConfigurations",
    ("wafv2", "get_web_acl"): "wafv2:GetWebACL",
}

SYNTHETIC = {WEB_ACL: ("LoggingConfiguration",)}
"""Properties that CloudFormation has on a type of its own (AWS::WAFv2::LoggingConfiguration) and that are folded in."""

CLOUDFRONT_REGION = "us-east-1"
"""Where web ACLs for CloudFront are. https://docs.aws.amazon.com/waf/latest/APIReference/API_ListWebACLs.html"""

Item = dict[str, Any]


def collect(api: Api, region: str) -> Iterator[Resource]:
    """Yield the region's web ACLs; one scope does not hide the other."""
    return _everything(api, region)


def reread(api: Api, resource: Resource) -> Resource | None:
    """Read one web ACL again: through the lists, 2 calls."""
    scope = "CLOUDFRONT" if ":global/" in resource.id else "REGIONAL"
    found = _of(api, resource.region, scope, _listed(api, resource.region, scope))
    return next((one for one in found if one.id == resource.id), None)


def _everything(api: Api, region: str) -> Iterator[Resource]:
    for scope in ("REGIONAL", "CLOUDFRONT") if region == CLOUDFRONT_REGION else ("REGIONAL",):
        listing = Listing(_listed(api, region, scope))
        yield from _of(api, region, scope, listing)


def _listed(api: Api, region: str, scope: str) -> Iterator[Item]:
    pages = answers(api, "wafv2", "list_web_acls", "NextMarker", region=region, Scope=scope, Limit=100)
    return (one for page in pages for one in page["WebACLs"])


def _of(api: Api, region: str, scope: str, items: Any) -> Iterator[Resource]:
    logging = cache(lambda: _logging(api, region, scope))  # asked where there is a web ACL
    return each(api, region, WEB_ACL, lambda item: _web_acl(api, region, scope, item, logging()), items)


def _web_acl(api: Api, region: str, scope: str, item: Item, logging: Callable[[str], Any]) -> Resource:
    arn = str(item["ARN"])
    properties = {**picked(item, "Name", "Description"), "Scope": scope, "LoggingConfiguration": logging(arn)}
    return Resource(WEB_ACL, arn, item["Name"], region, api.account, properties)


def _logging(api: Api, region: str, scope: str) -> Callable[[str], Any]:
    """Return what gives a web ACL's logging configuration by its ARN, null if it has none.

    Only those of the account itself are listed; what Security Lake collects is its own.
    https://docs.aws.amazon.com/waf/latest/APIReference/API_ListLoggingConfigurations.html
    """
    try:
        pages = answers(
            api, "wafv2", "list_logging_configurations", "NextMarker", region=region, Scope=scope, Limit=100
        )
        found = {
            str(one["ResourceArn"]): needed(one, "LogDestinationConfigs")
            for page in pages
            for one in page["LoggingConfigurations"]
        }
    except PROBLEMS as problem:
        why = hidden(problem)
        return lambda arn: why
    return found.get


COLLECTOR = Collector(Service("waf", "AWS WAF", (WEB_ACL,), actions(READS)), READS, collect, reread)
