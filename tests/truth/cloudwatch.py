"""Alarms on events of trails: each link of the chain from the trail to somebody who is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Any

from tests.truth.account import ABROAD, HOME, REGIONS, Holding, Truth
from tests.truth.alarm_patterns import BROAD, OTHERWISE, PUBLISHED, RULES, SHORT
from tests.truth.buckets import made
from tests.truth.cloudtrail_selectors import KMS, RDS_DATA, advanced, classic
from tests.truth.statements import OTHER

GROUP, SPACE = "/aws/trail_events-1.2", "Security"
SERVICES = ("account", "cloudtrail", "cloudwatch", "logs")


@dataclass
class Chain:
    """From one pattern to one subscriber, with what breaks it."""

    pattern: str
    group: str = GROUP
    region: str = HOME
    alarm_region: str = HOME
    metric: str = ""
    space: str = SPACE
    alarm: dict[str, Any] = field(default_factory=dict)
    actions: str = "AlarmActions"
    topic: str = "people"
    calculated: bool = False
    composites: tuple[dict[str, Any], ...] = ()


def _topic(truth: Truth, name: str, region: str = HOME) -> str:
    return f"arn:aws:sns:{region}:{truth.cloud.account}:{name}"


def _topics(truth: Truth, region: str = HOME) -> None:
    """Topics that somebody is told of, nobody, and one that does not answer yet, and one that is gone."""
    sns = truth.client("sns", region)
    for name in ("people", "machine", "nobody", "unconfirmed", "gone"):
        sns.create_topic(Name=name)
    sns.subscribe(TopicArn=_topic(truth, "people", region), Protocol="email", Endpoint="ops@example.com")
    queue = f"arn:aws:sqs:{region}:{truth.cloud.account}:alerts"
    sns.subscribe(TopicArn=_topic(truth, "machine", region), Protocol="sqs", Endpoint=queue)
    sns.subscribe(TopicArn=_topic(truth, "unconfirmed", region), Protocol="email", Endpoint="new@example.com")
    truth.patch("subscription", region=region, topic="unconfirmed", arn="PendingConfirmation")
    sns.delete_topic(TopicArn=_topic(truth, "gone", region))


def _chain(truth: Truth, name: str, chain: Chain) -> None:
    logs, cloudwatch = truth.client("logs", chain.region), truth.client("cloudwatch", chain.alarm_region)
    metric = {"metricName": name, "metricNamespace": SPACE, "metricValue": "1"}
    logs.put_metric_filter(
        logGroupName=chain.group, filterName=name, filterPattern=chain.pattern, metricTransformations=[metric]
    )
    watched = {"Namespace": chain.space, "MetricName": chain.metric or name}
    how = {"Period": 300, "Statistic": "Sum", **watched}
    if chain.calculated:
        stat = {"Metric": watched, "Period": 300, "Stat": "Sum"}
        total = {"Id": "total", "Expression": "m1 * 1", "ReturnData": True}
        how = {"Metrics": [{"Id": "m1", "MetricStat": stat, "ReturnData": False}, total]}
    topics = [_topic(truth, each, chain.alarm_region) if ":" not in each else each for each in chain.topic.split()]
    acting = [] if chain.composites else topics
    alarm = f"{name} <b>ü</b>"
    cloudwatch.put_metric_alarm(
        AlarmName=alarm,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        **how,
        **{"EvaluationPeriods": 1, "Threshold": 1, chain.actions: acting, **chain.alarm},
    )
    for number, composite in enumerate(chain.composites, 1):
        rule = composite["AlarmRule"].replace("IT", f'"{alarm}"')
        said = {"AlarmName": f"{name}-{number}", "AlarmActions": topics, **composite, "AlarmRule": rule}
        cloudwatch.put_composite_alarm(**said)


def _trail(truth: Truth, name: str, **said: Any) -> None:
    """A trail of all regions whose events go to the log group, but for what is said otherwise."""
    region, account = said.get("region", HOME), said.get("account", truth.cloud.account)
    group = f"arn:aws:logs:{region}:{account}:log-group:{said.get('group', GROUP)}:*"
    role = f"arn:aws:iam::{truth.cloud.account}:role/trail"
    sent = {"CloudWatchLogsLogGroupArn": group, "CloudWatchLogsRoleArn": role} if said.get("sent", True) else {}
    cloudtrail = truth.client("cloudtrail", region)
    everywhere = said.get("everywhere", True)
    cloudtrail.create_trail(Name=name, S3BucketName=made(truth, name), IsMultiRegionTrail=everywhere, **sent)
    if said.get("logs", True):
        cloudtrail.start_logging(Name=name)
    if selectors := said.get("selectors"):
        kind = "AdvancedEventSelectors" if "FieldSelectors" in selectors[0] else "EventSelectors"
        cloudtrail.put_event_selectors(TrailName=name, **{kind: selectors})


def _groups(truth: Truth, *regions: str) -> None:
    for region in regions or (HOME,):
        for group in (GROUP, "other"):
            truth.client("logs", region).create_log_group(logGroupName=group)
        _topics(truth, region)


def _patterns(truth: Truth, patterns: dict[str, str], verdict: str) -> None:
    """One chain for each rule, each with its pattern."""
    _groups(truth)
    _trail(truth, "main")
    for name, pattern in patterns.items():
        _chain(truth, name, Chain(pattern))
    truth.judged(truth.cloud.account, **{verdict: RULES})


BROKEN: dict[str, dict[str, Any]] = {
    "alarm_root": {"metric": "another"},
    "alarm_unauthorized": {"space": "Other"},
    "alarm_no_mfa_login": {"alarm": {"ActionsEnabled": False}},
    "alarm_console_fail": {"topic": ""},
    "alarm_iam": {"topic": "arn:aws:automate:us-east-1:ec2:stop"},
    "alarm_trail": {"topic": "nobody"},
    "alarm_kms": {"topic": "unconfirmed"},
    "alarm_s3": {"topic": "gone"},
    "alarm_config": {"group": "other"},
    "alarm_sg": {"region": ABROAD, "alarm_region": ABROAD},
    "alarm_nacl": {"alarm_region": ABROAD},
    "alarm_gateway": {"actions": "OKActions"},
    "alarm_routes": {"actions": "InsufficientDataActions"},
    "alarm_vpc": {"topic": "unconfirmed nobody"},
    "alarm_org": {"topic": f"arn:aws:lambda:us-east-1:{OTHER}:function:log"},
}
"""Another broken link for each rule."""

BROKEN_COMPOSITES: dict[str, dict[str, Any]] = {
    "alarm_root": {"composites": ({"AlarmRule": "ALARM(another)"},)},
    "alarm_unauthorized": {"composites": ({"AlarmRule": "ALARM(IT) AND ALARM(another)"},)},
    "alarm_no_mfa_login": {"composites": ({"AlarmRule": "ALARM(IT)", "ActionsEnabled": False},)},
    "alarm_console_fail": {"composites": ({"AlarmRule": "ALARM(IT)"},), "topic": ""},
    "alarm_iam": {"composites": ({"AlarmRule": "ALARM(IT)"},), "topic": "nobody"},
    "alarm_trail": {"composites": ({"AlarmRule": "OK(IT)"},)},
    "alarm_kms": {"composites": ({"AlarmRule": "ALARM(IT) OR TRUE"},)},
    "alarm_s3": {"composites": ({"AlarmRule": "AT_LEAST(2, ALARM, (another, IT))"},)},
    "alarm_config": {"composites": ({"AlarmRule": "ALARM(IT) AND NOT OK(another)"},)},
    "alarm_sg": {"composites": ({"AlarmRule": "INSUFFICIENT_DATA(IT)"},)},
    "alarm_nacl": {
        "composites": ({"AlarmRule": "ALARM(IT)", "AlarmActions": []}, {"AlarmRule": "NOT ALARM(alarm_nacl-1)"})
    },
    "alarm_gateway": {"composites": ({"AlarmRule": "ALARM(alarm_gateway)"},)},
    "alarm_routes": {"composites": ({"AlarmRule": "ALARM(IT)"},), "alarm_region": ABROAD},
    "alarm_vpc": {"composites": ({"AlarmRule": "AT_LEAST(51%, ALARM, (another, IT))"},)},
    "alarm_org": {"composites": ({"AlarmRule": "ALARM(IT) AND FALSE"},)},
}
"""Alarms that notify nobody themselves, each with composite ones that do not do so for them."""

UNREADABLE = {name: {"composites": ({"AlarmRule": "SOMETIMES(IT)"},)} for name in PUBLISHED}
"""Alarms that notify nobody themselves, and composite ones whose rules are in no known language."""

WHOLE: dict[str, dict[str, Any]] = {
    "alarm_root": {"calculated": True},
    "alarm_trail": {"topic": "nobody people"},
    "alarm_kms": {"topic": "machine"},
    "alarm_s3": {"topic": "arn:aws:automate:us-east-1:ec2:stop people"},
    "alarm_vpc": {"alarm": {"Threshold": 5, "EvaluationPeriods": 3}},
    "alarm_unauthorized": {"composites": ({"AlarmRule": "ALARM(IT)"},)},
    "alarm_no_mfa_login": {"composites": ({"AlarmRule": "ALARM(IT) OR ALARM(another)"},), "topic": "nobody people"},
    "alarm_console_fail": {"composites": ({"AlarmRule": "(ALARM(another) OR ALARM(IT)) AND NOT ALARM(deployment)"},)},
    "alarm_iam": {"composites": ({"AlarmRule": "ALARM(IT)"},), "alarm": {"ActionsEnabled": False}},
    "alarm_config": {"composites": ({"AlarmRule": "AT_LEAST(1, NOT OK, (another, IT))"},), "calculated": True},
    "alarm_sg": {
        "composites": ({"AlarmRule": "NOT OK(IT)", "AlarmActions": []}, {"AlarmRule": "ALARM(alarm_sg-1) OR FALSE"})
    },
}


def _links(truth: Truth, links: dict[str, dict[str, Any]], verdict: str) -> None:
    """The published patterns, with what differs in the links behind them."""
    _groups(truth, *REGIONS)
    _trail(truth, "main")
    for name, pattern in PUBLISHED.items():
        _chain(truth, name, Chain(pattern, **links.get(name, {})))
    truth.judged(truth.cloud.account, **{verdict: RULES})


def _halves(truth: Truth) -> None:
    """Two filters find what one would have to, each with an alarm; a third finds it with nobody listening."""
    _groups(truth)
    _trail(truth, "main")
    for name, pattern in PUBLISHED.items():
        _chain(truth, f"{name}-unheard", Chain(pattern, topic="nobody"))
        if "||" in pattern:
            inner, _, last = pattern.rpartition("||")
            _chain(truth, f"{name}-1", Chain(inner + ")}" if "&& ((" in pattern else inner + "}"))
            _chain(truth, f"{name}-2", Chain("{(" * (last.count(")") > 1) + "{" * (last.count(")") < 2) + last))
        else:
            _chain(truth, f"{name}-1", Chain(pattern))
    truth.judged(truth.cloud.account, passes=RULES)


def _told_elsewhere(truth: Truth) -> None:
    """Alarms notify a topic of another account, whose subscribers are not seen from here."""
    _groups(truth)
    _trail(truth, "main")
    for name, pattern in PUBLISHED.items():
        _chain(truth, name, Chain(pattern, topic=f"arn:aws:sns:{HOME}:{OTHER}:central"))
    truth.judged(truth.cloud.account, unknown=RULES)


NOISY = "alarm_unauthorized alarm_root"
TRAILS: dict[str, tuple[dict[str, dict[str, Any]], str]] = {
    "no-trail": ({}, RULES),
    "not-sent": ({"main": {"sent": False}}, RULES),
    "one-region": ({"main": {"everywhere": False}}, RULES),
    "stopped": ({"main": {"logs": False}}, RULES),
    "another-group": ({"main": {"group": "other"}}, RULES),
    "writes-only": ({"main": {"selectors": [classic("WriteOnly")]}}, RULES),
    "without-kms": ({"main": {"selectors": [classic(without=(KMS,))]}}, f"{NOISY} alarm_kms"),
    "without-rds-data": ({"main": {"selectors": [classic(without=(RDS_DATA,))]}}, NOISY),
    "managed-without-kms": (
        {"main": {"selectors": [advanced("Management", eventSource={"NotEquals": [KMS]})]}},
        f"{NOISY} alarm_kms",
    ),
    "second-is-good": ({"first": {"sent": False}, "main": {}}, ""),
}
"""The account's trails, and which rules fail although everything behind them is right."""


def _behind(truth: Truth, trails: dict[str, dict[str, Any]]) -> None:
    _groups(truth)
    for name, trail in trails.items():
        _trail(truth, name, **trail)
    for name, pattern in PUBLISHED.items():
        _chain(truth, name, Chain(pattern))


def _judged_by(truth: Truth, trails: dict[str, dict[str, Any]], fails: str) -> None:
    _behind(truth, trails)
    passes = " ".join(rule for rule in RULES.split() if rule not in fails.split())
    truth.judged(truth.cloud.account, fails=fails, passes=passes)


def _all(truth: Truth, trails: dict[str, dict[str, Any]], verdict: str, deny: str = "") -> None:
    _behind(truth, trails)
    truth.judged(truth.cloud.account, **{verdict: RULES})
    if deny:
        truth.cloud.control("deny", actions=[deny])


def _holding(name: str, make: Any, regions: tuple[str, ...] = REGIONS, services: tuple[str, ...] = SERVICES) -> Holding:
    return Holding("cloudwatch", name, make, regions, services)


MAIN: dict[str, dict[str, Any]] = {"main": {}}
SAID = [
    _holding("published", partial(_patterns, patterns=PUBLISHED, verdict="passes")),
    _holding("otherwise", partial(_patterns, patterns=OTHERWISE, verdict="passes")),
    _holding("short", partial(_patterns, patterns=SHORT, verdict="fails")),
    _holding("broad", partial(_patterns, patterns=BROAD, verdict="fails")),
    _holding("broken-links", partial(_links, links=BROKEN, verdict="fails")),
    _holding("whole-links", partial(_links, links=WHOLE, verdict="passes")),
    _holding("broken-composites", partial(_links, links=BROKEN_COMPOSITES, verdict="fails")),
    _holding("composites-not-understood", partial(_links, links=UNREADABLE, verdict="unknown")),
    _holding("halves", _halves),
    _holding("told-elsewhere", _told_elsewhere),
    *(_holding(name, partial(_judged_by, trails=trails, fails=fails)) for name, (trails, fails) in TRAILS.items()),
    _holding("in-another-account", partial(_all, trails={"main": {"account": OTHER}}, verdict="skipped")),
    _holding("home-not-scanned", partial(_all, trails=MAIN, verdict="unknown"), (ABROAD,)),
    _holding("home-scanned-alone", partial(_all, trails=MAIN, verdict="passes"), (HOME,)),
    *(
        _holding(f"without-{left_out}", partial(_all, trails=MAIN, verdict="unknown"), REGIONS, services)
        for left_out in SERVICES[1:]
        for services in [tuple(each for each in SERVICES if each != left_out)]
    ),
    *(
        _holding(f"denied-{action}", partial(_all, trails=MAIN, verdict="unknown", deny=action))
        for action in (
            "cloudtrail:DescribeTrails",
            "cloudtrail:GetEventSelectors",
            "logs:DescribeMetricFilters",
            "cloudwatch:DescribeAlarms",
            "sns:ListSubscriptions",
        )
    ),
]
