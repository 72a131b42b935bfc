"""Alarms of one region that notify topics, and who is subscribed to these topics.

Calls per region: 1 for each 100 alarms. Where alarms notify topics, also 1 for each 100 subscriptions, until each of
these topics has a subscriber or as many pages were read as there are topics without; then 1 for each topic that still
has none, for subscriptions that belong to another account are told of their topic only.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import islice
from typing import Any

from botocore.exceptions import ClientError

from nephoscope.domain import Resource, Service
from nephoscope_aws.api import Api, code_of
from nephoscope_aws.collector import Collector
from nephoscope_aws.collectors.odd import each, is_one_of
from nephoscope_aws.collectors.shape import (
    PROBLEMS,
    Listing,
    actions,
    answers,
    hidden,
    needed,
    part,
    picked,
    unreadable,
)

ALARM = "AWS::CloudWatch::Alarm"
SUBSCRIPTION = "AWS::SNS::Subscription"

READS = {
    ("cloudwatch", "describe_alarms"): "cloudwatch:DescribeAlarms",
    ("sns", "list_subscriptions"): "sns:ListSubscriptions",
    ("sns", "list_subscriptions_by_topic"): "sns:ListSubscriptionsByTopic",
}

Item = dict[str, Any]


def collect(api: Api, region: str) -> Iterator[Resource]:
    """Yield the alarms that notify topics, then these topics' subscriptions."""
    topics: set[str] = set()
    listing = Listing(
        api.pages(
            "cloudwatch", "describe_alarms", "MetricAlarms", region=region, AlarmTypes=["MetricAlarm"], MaxRecords=100
        )
    )
    # Without all alarms it is not known whose subscriptions are asked for.
    stand_ins: list[Resource] = []
    for alarm in each(api, region, (ALARM, SUBSCRIPTION), partial(_notifying, api, region, topics), listing):
        if alarm.unlisted:
            stand_ins.append(alarm)
        else:
            yield alarm
    try:
        yield from subscriptions(api, region, topics)
    except PROBLEMS as problem:
        stand_ins = [*stand_ins, unreadable(api, region, SUBSCRIPTION, problem)]
    yield from stand_ins


def reread(api: Api, resource: Resource) -> Resource | None:
    """Read one alarm or subscription again: 1 call."""
    if resource.type == SUBSCRIPTION:
        found = _of_topic(api, resource.region, resource.properties["TopicArn"])
        return next((one for one in found if one.id == resource.id), None)
    answer = api.call(
        "cloudwatch", "describe_alarms", region=resource.region, AlarmNames=[resource.name], AlarmTypes=["MetricAlarm"]
    )
    # One that notifies nobody any more is one that would not have been collected.
    alarm = next((one for one in answer["MetricAlarms"] if _topics(one)), None)
    return _alarm(api, resource.region, alarm) if alarm else None


def _notifying(api: Api, region: str, topics: set[str], alarm: Item) -> Resource | None:
    """Return an alarm that notifies topics, which are added to ``topics``; None for others."""
    notified = _topics(alarm)
    topics.update(notified)
    return _alarm(api, region, alarm) if notified else None


def _topics(alarm: Item) -> list[str]:
    return [action for action in alarm.get("AlarmActions", ()) if action.split(":")[2:3] == ["sns"]]


def _alarm(api: Api, region: str, alarm: Item) -> Resource:
    """Return an alarm without its state, which changes all the time and is no configuration."""
    properties = {
        **picked(
            alarm,
            "AlarmName",
            "Namespace",
            "MetricName",
            "AlarmActions",
            "Statistic",
            "Period",
            "EvaluationPeriods",
            "Threshold",
            "ComparisonOperator",
        ),
        **needed(alarm, "ActionsEnabled"),
        "Metrics": part(lambda: [_metric(one) for one in alarm.get("Metrics", ())]),
    }
    return Resource(ALARM, alarm["AlarmArn"], alarm["AlarmName"], region, api.account, properties)


def _metric(query: Item) -> Item:
    found = picked(query, "Id", "Expression", "ReturnData")
    if stat := query.get("MetricStat"):
        metric = picked(stat.get("Metric", {}), "Namespace", "MetricName")
        found["MetricStat"] = {**picked(stat, "Period", "Stat"), "Metric": metric}
    return found


def subscriptions(api: Api, region: str, topics: set[str]) -> Iterator[Resource]:
    """Yield confirmed subscriptions of these topics."""
    unheard, pages = set(topics), 0
    listed = answers(api, "sns", "list_subscriptions", "NextToken", region=region)
    # An account may have a million subscriptions: it is cheaper to ask for the few topics once this takes long.
    while len(unheard) > pages and (page := next(listed, None)):
        pages += 1
        for found in each(api, region, SUBSCRIPTION, partial(_wanted, api, region, topics), page["Subscriptions"]):
            unheard.discard(found.properties.get("TopicArn", ""))
            yield found
    for topic in sorted(unheard):
        try:
            yield from islice(_of_topic(api, region, topic), 1)
        except PROBLEMS as problem:
            yield _unknown(api, region, topic, problem)


def _wanted(api: Api, region: str, topics: set[str], item: Item) -> Resource | None:
    wanted = is_one_of(item["TopicArn"], topics) and _confirmed(item)
    return _subscription(api, region, item) if wanted else None


def _of_topic(api: Api, region: str, topic: str) -> Iterator[Resource]:
    listed = api.pages("sns", "list_subscriptions_by_topic", "Subscriptions", region=region, TopicArn=topic)
    try:
        for one in listed:
            if _confirmed(one):
                yield _subscription(api, region, one)
    except ClientError as error:
        # A topic that was deleted has no subscribers. One of another account answers by its policy, if there is one.
        if code_of(error) != "NotFound" or topic.split(":")[4] != api.account:
            raise


def _confirmed(subscription: Item) -> bool:
    """Tell whether a subscription is in force; its ARN says ``PendingConfirmation`` or ``Deleted`` if it is not.

    https://docs.aws.amazon.com/sns/latest/api/API_ListSubscriptionsByTopic.html
    """
    return str(subscription["SubscriptionArn"]).startswith("arn:")


def _subscription(api: Api, region: str, item: Item) -> Resource:
    """Return a subscription without its endpoint: that is a person's address, or a URL with a secret in it."""
    arn, properties = item["SubscriptionArn"], picked(item, "TopicArn", "Protocol")
    return Resource(SUBSCRIPTION, arn, arn.rpartition(":")[2], region, api.account, properties)


def _unknown(api: Api, region: str, topic: str, problem: Exception) -> Resource:
    """Return what stands for the subscribers of a topic that cannot be asked, as one of another account."""
    properties = {"TopicArn": topic, "Protocol": hidden(problem)}
    name = f"Subscribers of {topic.rpartition(':')[2]}"
    return Resource(SUBSCRIPTION, f"{SUBSCRIPTION}:{topic}", name, region, api.account, properties)


COLLECTOR = Collector(
    Service("cloudwatch", "CloudWatch alarms", (ALARM, SUBSCRIPTION), actions(READS)),
    READS,
    collect,
    reread,
)
