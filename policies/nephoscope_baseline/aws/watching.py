"""Whether events notify somebody: trail -> log group -> metric filter -> alarm -> topic -> subscriber.

A composite alarm may stand between an alarm and the topic.
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudwatch-alarms-for-cloudtrail.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from nephoscope.domain import Fail, Inventory, NotKnown, ResourceView, View
from nephoscope_aws.access import is_on
from nephoscope_aws.names import partition
from nephoscope_baseline.aws.composite_alarms import COMPOSITE, Composites
from nephoscope_baseline.aws.log_patterns import matcher
from nephoscope_baseline.aws.trails import shortfall, unlogged
from nephoscope_baseline.aws.watched_events import Watch

TRAIL = "AWS::CloudTrail::Trail"
METRIC_FILTER = "AWS::Logs::MetricFilter"
ALARM = "AWS::CloudWatch::Alarm"
SUBSCRIPTION = "AWS::SNS::Subscription"
NEEDS = (TRAIL, METRIC_FILTER, ALARM, COMPOSITE, SUBSCRIPTION)

_MAX_NAMED = 4

T = TypeVar("T")


def watched(account: ResourceView, inventory: Inventory, watch: Watch) -> bool | Fail | None:
    """Pass if one trail of all regions leads to somebody for every event of the watch.

    Not applicable where the events go to a log group of another account (an organization's trail): its filters and
    alarms are judged there. Raises NotKnown when what could not be read might be what is missing.
    """
    chain = _Chain(inventory, watch.within(account.account, partition(account.id)))
    problems, elsewhere = [], False
    for trail in chain.known(inventory.of(TRAIL)):
        try:
            problem, group = _log_group(trail, watch)
            if not problem and group[1] != account.account:
                elsewhere = True
                continue
            problem = problem or chain.broken(*group)
        except NotKnown as gap:
            chain.gaps.append(gap)
            continue
        if not problem:
            return True
        problems.append(f"Trail '{trail.name}': {problem}")
    if chain.gaps:
        raise chain.gaps[0]
    return None if elsewhere else Fail(_listed(problems, "; ") or "The account has no trail")


def _log_group(trail: View, watch: Watch) -> tuple[str, tuple[str, str, str]]:
    """Return why a trail's events cannot be watched, or nothing; and region, account and name of its log group."""
    nowhere = ("", "", "")
    if problem := shortfall(trail) or unlogged(trail, *watch.fields):
        return problem, nowhere
    # arn:aws:logs:REGION:ACCOUNT:log-group:NAME:*
    parts = str(trail["CloudWatchLogsLogGroupArn"] or "").split(":")
    if len(parts) < 7:
        return "events are not sent to CloudWatch Logs", nowhere
    return "", (parts[3], parts[4], parts[6])


class _Chain:
    """What follows a log group; ``gaps`` are the parts that could not be read so far."""

    def __init__(self, inventory: Inventory, watch: Watch) -> None:
        self.inventory, self.watch = inventory, watch
        self.gaps: list[NotKnown] = []

    def known(self, items: Iterable[T]) -> Iterator[T]:
        """Yield what could be read, and remember that there is more."""
        try:
            yield from items
        except NotKnown as gap:
            self.gaps.append(gap)

    def broken(self, region: str, account: str, group: str) -> str:
        """Return which events notify nobody, in words, or nothing."""
        unseen, silent = set(self.watch.events), []
        unheard = set(unseen)
        for each in self.known(self.inventory.of(METRIC_FILTER, region)):
            found = self._found(each, group)
            if found & unheard:
                unseen -= found
                if self._heard(each, region):
                    unheard -= found
                else:
                    silent.append(each.name)
        if unseen:
            names = _listed([name for name in self.watch.events if name in unseen])
            return f"no metric filter on log group '{group}' matches {names}"
        if unheard:
            return f"no alarm on {_listed(silent)} notifies a subscriber"
        return ""

    def _found(self, metric_filter: View, group: str) -> set[str]:
        """Return which of the events a filter of the log group finds; none if it finds everyday ones as well."""
        try:
            if metric_filter["LogGroupName"] != group:
                return set()
            matches = matcher(str(metric_filter.get("FilterPattern", "")))
        except NotKnown as gap:
            self.gaps.append(gap)
            return set()
        if any(matches(each) for each in self.watch.everyday):
            return set()
        return {name for name, event in self.watch.events.items() if matches(event)}

    def _heard(self, metric_filter: View, region: str) -> bool:
        metrics = {
            (each["MetricNamespace"], each["MetricName"]) for each in metric_filter.objects("MetricTransformations")
        }
        alarms = [
            each for each in self.known(self.inventory.of(ALARM, region)) if self._certain(_watches, each, metrics)
        ]
        return any(self._certain(self._acts, each) for each in alarms) or self._raised(alarms, region)

    def _raised(self, alarms: list[ResourceView], region: str) -> bool:
        """Tell whether alarms raise a composite one that notifies a subscriber."""
        composites = Composites(self.known(self.inventory.of(COMPOSITE, region)))
        names = [each.name for each in alarms]
        raised = (each for each in composites if self._certain(composites.raised, each, names))
        return any(self._certain(self._acts, each) for each in raised)

    def _acts(self, alarm: View) -> bool:
        enabled = is_on(alarm.get("ActionsEnabled", True))
        return enabled and any(map(self._subscribed, alarm.texts("AlarmActions")))

    def _certain(self, ask: Callable[..., bool], *about: Any) -> bool:
        """Tell whether something is so for certain, and remember what could not be read."""
        try:
            return ask(*about)
        except NotKnown as gap:
            self.gaps.append(gap)
            return False

    def _subscribed(self, topic: object) -> bool:
        """Tell whether an action is a topic with a subscriber; the other kinds of action notify nobody."""
        parts = str(topic).split(":")
        if len(parts) != 6 or parts[2] != "sns":
            return False
        for each in self.known(self.inventory.of(SUBSCRIPTION, parts[3])):
            try:
                if each["TopicArn"] == topic and each["Protocol"]:
                    return True
            except NotKnown as gap:
                self.gaps.append(gap)
        return False


def _watches(alarm: View, metrics: set[tuple[object, object]]) -> bool:
    return not metrics.isdisjoint(_metrics(alarm))


def _metrics(alarm: View) -> Iterator[tuple[object, object]]:
    """Yield the metrics that an alarm watches, directly or in a calculation."""
    yield alarm["Namespace"], alarm["MetricName"]
    for each in alarm.objects("Metrics"):
        yield each["MetricStat.Metric.Namespace"], each["MetricStat.Metric.MetricName"]


def _listed(items: list[str], between: str = ", ") -> str:
    more = [f"{len(items) - _MAX_NAMED} more"] if len(items) > _MAX_NAMED else []
    return between.join(items[:_MAX_NAMED] + more)
