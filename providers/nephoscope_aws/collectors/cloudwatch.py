"""Alarms of one region that notify topics or that composite alarms name, and who is subscribed to these topics.

Calls per region: 1 for each 100 composite alarms, and 1 for each 100 others. Where alarms notify topics, also 1 for
each 100 subscriptions, until each of these topics has a subscriber or as many pages were read as there are topics
without; then 1 for each topic that still has none, for subscriptions that belong to another account are told of their
topic only.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import islice
from typing import Any

from botocore.exceptions import ClientError

from nephoscope.domain import Resource, Service
from nephoscope_aws.alarm_rules import understood
from nephoscope_aws.answers import Missing, Unavailable
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
COMPOSITE = "AWS::CloudWatch::CompositeAlarm"
SUBSCRIPTION = "AWS::SNS::Subscription"

READS = {
    ("cloudwatch", "describe_alarms"): "cloudwatch:DescribeAlarms",
    ("sns", "list_subscriptions"): "sns:ListSubscriptions",
    ("sns", "list_subscriptions_by_topic"): "sns:ListSubscriptionsByTopic",
}

Item = dict[str, Any]


def collect(api: Api, region: str) -> Iterator[Resource]:
    """Yield the composite alarms, the alarms that they name or that notify topics, then these topics' subscriptions."""
    topics, names = set[str](), set[str]()
    # Without all alarms it is not known whose subscriptions are asked for.
    stand_ins: list[Resource] = []
    for composite in _composites(api, region, topics, names):
        if composite.unlisted:
            stand_ins.append(composite)
        else:
            yield composite
    listing = Listing(_described(api, region, "MetricAlarm", MaxRecords=100))
    for alarm in each(api, region, (ALARM, SUBSCRIPTION), partial(_wanted, api, region, topics, names), listing):
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
    """Read one alarm or subscription again: 1 call, and 1 for each 100 composite alarms for one without a topic."""
    region = resource.region
    if resource.type == SUBSCRIPTION:
        found = _of_topic(api, region, resource.properties["TopicArn"])
        return next((one for one in found if one.id == resource.id), None)
    if resource.type == COMPOSITE:
        composites = _described(api, region, "CompositeAlarm", AlarmNames=[resource.name])
        return next((_composite(api, region, one) for one in composites), None)
    alarm = next(_described(api, region, "MetricAlarm", AlarmNames=[resource.name]), None)
    # One that notifies nobody any more is one that would not have been collected.
    return _alarm(api, region, alarm) if alarm and (_topics(alarm) or _is_named(api, region, alarm)) else None


def _is_named(api: Api, region: str, alarm: Item) -> bool:
    names = set[str]()
    hidden = [each for each in _composites(api, region, set(), names) if each.unlisted]
    if not (named := is_one_of(alarm["AlarmName"], names)) and hidden:
        raise Unavailable("It is not known which alarms the composite alarms name")
    return named


def _described(api: Api, region: str, type: str, **which: Any) -> Iterator[Item]:
    return api.pages("cloudwatch", "describe_alarms", f"{type}s", region=region, AlarmTypes=[type], **which)


def _composites(api: Api, region: str, topics: set[str], names: set[str]) -> Iterator[Resource]:
    """Yield the composite alarms; their topics are added to ``topics``, the alarms that they name to ``names``.

    Where it is not known what a rule names, some alarms are hidden.
    """

    def made(item: Item) -> Iterator[Resource]:
        yield _composite(api, region, item)
        topics.update(_topics(item))
        try:
            names.update(understood(str(item["AlarmRule"])).names)
        except (Missing, ValueError) as problem:
            yield unreadable(api, region, ALARM, Missing(str(problem)), one=True)

    listing = Listing(_described(api, region, "CompositeAlarm", MaxRecords=100))
    return each(api, region, (COMPOSITE, ALARM, SUBSCRIPTION), made, listing)


def _composite(api: Api, region: str, alarm: Item) -> Resource:
    properties = {
        **picked(alarm, "AlarmName", "AlarmActions", "ActionsSuppressor"),
        **needed(alarm, "AlarmRule", "ActionsEnabled"),
    }
    return Resource(COMPOSITE, alarm["AlarmArn"], alarm["AlarmName"], region, api.account, properties)


def _wanted(api: Api, region: str, topics: set[str], names: set[str], alarm: Item) -> Resource | None:
    """Return an alarm that notifies topics, which are added to ``topics``, or that has one of the names."""
    notified = _topics(alarm)
    topics.update(notified)
    return _alarm(api, region, alarm) if notified or is_one_of(alarm["AlarmName"], names) else None


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
        for found in each(api, region, SUBSCRIPTION, partial(_subscribed, api, region, topics), page["Subscriptions"]):
            unheard.discard(found.properties.get("TopicArn", ""))
            yield found
    for topic in sorted(unheard):
        try:
            yield from islice(_of_topic(api, region, topic), 1)
        except PROBLEMS as problem:
            yield _unknown(api, region, topic, problem)


def _subscribed(api: Api, region: str, topics: set[str], item: Item) -> Resource | None:
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
    Service("cloudwatch", "CloudWatch alarms", (ALARM, COMPOSITE, SUBSCRIPTION), actions(READS)),
    READS,
    collect,
    reread,
)
