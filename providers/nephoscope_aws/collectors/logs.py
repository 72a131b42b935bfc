"""Metric filters of CloudWatch Logs of one region.

Log groups themselves are not read: no rule asks about them, and an account may have hundreds of thousands.

Calls per region: 1 for each 50 metric filters, whatever the number of log groups.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from nephoscope.domain import Resource, Service
from nephoscope_aws.api import Api
from nephoscope_aws.collector import Collector
from nephoscope_aws.collectors.odd import each
from nephoscope_aws.collectors.shape import Listing, actions, existing, part

METRIC_FILTER = "AWS::Logs::MetricFilter"

READS = {("logs", "describe_metric_filters"): "logs:DescribeMetricFilters"}

Item = dict[str, Any]


def collect(api: Api, region: str) -> Iterator[Resource]:
    """Yield the metric filters of all log groups of the region."""
    listing = Listing(_listed(api, region, limit=50))
    yield from each(api, region, METRIC_FILTER, partial(_shaped, api, region), listing)


def reread(api: Api, resource: Resource) -> Resource | None:
    """Read one metric filter again: 1 call."""
    region, which = resource.region, {"logGroupName": resource.properties["LogGroupName"]}
    found = (_shaped(api, region, one) for one in _listed(api, region, filterNamePrefix=resource.name, **which))
    return existing(lambda: next((one for one in found if one.id == resource.id), None))


def _listed(api: Api, region: str, **which: Any) -> Iterator[Item]:
    return api.pages("logs", "describe_metric_filters", "metricFilters", region=region, **which)


def _shaped(api: Api, region: str, item: Item) -> Resource:
    """Return a filter; AWS gives it no ARN, so that its id is made like the one of its log group."""
    properties = {
        "FilterName": item["filterName"],
        "LogGroupName": item["logGroupName"],
        "FilterPattern": item.get("filterPattern", ""),
        "MetricTransformations": part(lambda: [_transformation(one) for one in item["metricTransformations"]]),
    }
    group = f"arn:aws:logs:{region}:{api.account}:log-group:{item['logGroupName']}"
    name = str(item["filterName"])
    return Resource(METRIC_FILTER, f"{group}:metric-filter:{name}", name, region, api.account, properties)


def _transformation(item: Item) -> Item:
    return {
        "MetricName": item["metricName"],
        "MetricNamespace": item["metricNamespace"],
        "MetricValue": item.get("metricValue"),
    }


COLLECTOR = Collector(
    Service("logs", "CloudWatch Logs", (METRIC_FILTER,), actions(READS)),
    READS,
    collect,
    reread,
)
