"""Alarms on events: what a trail logs and what a filter says of the account itself."""

from __future__ import annotations

from typing import Any

import pytest

from nephoscope.domain import Resource, Verdict
from nephoscope.engine import Neighbours, judge
from nephoscope.testing import NOW
from nephoscope_baseline.aws import cloudwatch
from nephoscope_baseline.aws.watching import ALARM, METRIC_FILTER, SUBSCRIPTION, TRAIL

OWN = "210987654321"
KEY_EVENTS = '($.eventName = "DisableKey") || ($.eventName = "ScheduleKeyDeletion")'


def account(pattern: str, partition: str = "aws", region: str = "eu-west-1") -> tuple[Resource, list[Resource]]:
    """Return an account, and a chain from its trail to a subscriber, with one filter."""
    topic = f"arn:{partition}:sns:{region}:{OWN}:security"
    group = f"arn:{partition}:logs:{region}:{OWN}:log-group:trail:*"
    metric = {"MetricName": "Seen", "MetricNamespace": "Security", "MetricValue": "1"}
    chain: dict[str, dict[str, Any]] = {
        TRAIL: {
            "IsMultiRegionTrail": True,
            "IsLogging": True,
            "CloudWatchLogsLogGroupArn": group,
            "EventSelectors": [],
            "AdvancedEventSelectors": [],
        },
        METRIC_FILTER: {"LogGroupName": "trail", "FilterPattern": pattern, "MetricTransformations": [metric]},
        ALARM: {"MetricName": "Seen", "Namespace": "Security", "Metrics": [], "AlarmActions": [topic]},
        SUBSCRIPTION: {"TopicArn": topic, "Protocol": "email"},
    }
    neighbours = [Resource(type, type, type, region, OWN, properties) for type, properties in chain.items()]
    return Resource("AWS::::Account", f"arn:{partition}:iam::{OWN}:root", OWN, "global", OWN, {}), neighbours


@pytest.mark.parametrize(
    ("narrowed", "verdict"),
    [
        (f'($.recipientAccountId = "{OWN}")', Verdict.PASS),
        (f"($.userIdentity.accountId = {OWN})", Verdict.PASS),
        (f'($.userIdentity.arn = "arn:aws:iam::{OWN}:user/*")', Verdict.PASS),
        ('($.recipientAccountId = "999999999999")', Verdict.FAIL),
    ],
)
def test_a_filter_that_names_the_account_finds_its_events(narrowed: str, verdict: Verdict) -> None:
    judged, neighbours = account(f"{{ ({KEY_EVENTS}) && {narrowed} }}")
    found = judge(cloudwatch.alarm_kms, judged, now=NOW, neighbours=Neighbours.fixed(neighbours))
    assert found.verdict is verdict


@pytest.mark.parametrize("partition", ["aws-cn", "aws-us-gov"])
def test_events_are_those_of_the_accounts_partition(partition: str) -> None:
    pattern = f'{{ ($.userIdentity.type = "Root") && ($.userIdentity.arn = "arn:{partition}:iam::*:root") }}'
    judged, neighbours = account(pattern, partition, "cn-north-1")
    found = judge(cloudwatch.alarm_root, judged, now=NOW, neighbours=Neighbours.fixed(neighbours))
    assert found.verdict is Verdict.PASS
