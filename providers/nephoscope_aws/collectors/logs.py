"""Log groups and metric filters of CloudWatch Logs of one region.

An account may have hundreds of thousands of log groups, so nothing is asked of each one, not even its tags.

Calls per region: 1 for each 50 log groups, and 1 for each 50 metric filters.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from nephoscope.domain import Resource, Service
from nephoscope_aws.answers import Unavailable
from nephoscope_aws.api import Api
from nephoscope_aws.collector import Collector
from nephoscope_aws.collectors.odd import each
from nephoscope_aws.collectors.shape import Listing, actions, existing, part

LOG_GROUP = "AWS::Logs::LogGroup"
METRIC_FILTER = "AWS::Logs::MetricFilter"

READS = {
    ("logs", "describe_log_groups"): "logs:DescribeLogGroups",
    ("logs", "describe_metric_filters"): "logs:DescribeMetricFilters",
}

Item = dict[str, Any]


def collect(api: Api, region: str) -> Iterator[Resource]:
    """Yield the region's log groups, then the metric filters of all of them."""
    groups = Listing(_groups(api, region, limit=50))
    yield from each(api, region, LOG_GROUP, partial(_group, api, region), groups)
    listing = Listing(_listed(api, region, limit=50))
    yield from each(api, region, METRIC_FILTER, partial(_shaped, api, region), listing)


def reread(api: Api, resource: Resource) -> Resource | None:
    """Read one log group or metric filter again: 1 call."""
    if resource.type == LOG_GROUP:
        named = (_group(api, resource.region, one) for one in _named(api, resource))
        return next((one for one in named if one.id == resource.id), None)
    region, which = resource.region, {"logGroupName": resource.properties["LogGroupName"]}
    found = (_shaped(api, region, one) for one in _listed(api, region, filterNamePrefix=resource.name, **which))
    return existing(lambda: next((one for one in found if one.id == resource.id), None))


def _groups(api: Api, region: str, **which: Any) -> Iterator[Item]:
    return api.pages("logs", "describe_log_groups", "logGroups", region=region, **which)


def _named(api: Api, resource: Resource) -> Iterator[Item]:
    return _groups(api, resource.region, logGroupNamePrefix=resource.name)


def _group(api: Api, region: str, item: Item) -> Resource:
    """Return a log group. AWS leaves out the key where there is none.

    https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_LogGroup.html
    """
    name = str(item["logGroupName"])
    properties = {
        "LogGroupName": name,
        "KmsKeyId": item.get("kmsKeyId"),
        "LogGroupClass": item.get("logGroupClass"),
        "RetentionInDays": item.get("retentionInDays"),
    }
    return Resource(LOG_GROUP, api.arn("logs", region, f"log-group:{name}"), name, region, api.account, properties)


def _listed(api: Api, region: str, **which: Any) -> Iterator[Item]:
    return api.pages("logs", "describe_metric_filters", "metricFilters", region=region, **which)


def _shaped(api: Api, region: str, item: Item) -> Resource:
    """Return a filter; AWS gives it no ARN, so that its id is made like the one of its log group."""
    if item["logGroupName"] == "":
        raise Unavailable("describe_metric_filters: AWS's answer does not name the log group of a filter")
    properties = {
        "FilterName": item["filterName"],
        "LogGroupName": item["logGroupName"],
        "FilterPattern": item.get("filterPattern", ""),
        "MetricTransformations": part(lambda: [_transformation(one) for one in item["metricTransformations"]]),
    }
    group = api.arn("logs", region, f"log-group:{item['logGroupName']}")
    name = str(item["filterName"])
    return Resource(METRIC_FILTER, f"{group}:metric-filter:{name}", name, region, api.account, properties)


def _transformation(item: Item) -> Item:
    return {
        "MetricName": item["metricName"],
        "MetricNamespace": item["metricNamespace"],
        "MetricValue": item.get("metricValue"),
    }


COLLECTOR = Collector(
    Service("logs", "CloudWatch Logs", (LOG_GROUP, METRIC_FILTER), actions(READS)),
    READS,
    collect,
    reread,
)
