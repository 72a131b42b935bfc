"""Rules on alarms: somebody is told when something happens that should be rare.

What each alarm has to notice stands in ``watched_events``, how that is judged in ``watching``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nephoscope.domain import Fail, Inventory, Resource, ResourceView, Rule, Severity, rule
from nephoscope.domain.examples import example, resource
from nephoscope_baseline.watched_events import WATCHES, Watch, one_of
from nephoscope_baseline.watching import ALARM, METRIC_FILTER, NEEDS, SUBSCRIPTION, TRAIL, watched

ACCOUNT = "AWS::::Account"
TOPIC = "arn:aws:sns:eu-west-1:123456789012:security"

Check = Callable[[ResourceView, Inventory], bool | Fail | None]

FIX = """
    1. Let a trail of all regions deliver to a log group of CloudWatch Logs.
    2. In the CloudWatch console choose Log groups, that group, Actions, Create metric filter, and enter this pattern:
       {pattern}
    3. Give it a metric with the value 1, then choose the filter and Create alarm: Sum of 5 minutes, greater than or
       equal to 1, with a notification to an SNS topic to which somebody is subscribed.
    4. By command line: aws logs put-metric-filter --log-group-name LOG_GROUP --filter-name {metric}
       --metric-transformations metricName={metric},metricNamespace=Security,metricValue=1
       --filter-pattern '{pattern}'
    5. Then: aws cloudwatch put-metric-alarm --alarm-name {metric} --metric-name {metric} --namespace Security
       --statistic Sum --period 300 --evaluation-periods 1 --threshold 1
       --comparison-operator GreaterThanOrEqualToThreshold --treat-missing-data notBreaching --alarm-actions TOPIC_ARN
    6. Then: aws sns subscribe --topic-arn TOPIC_ARN --protocol email --notification-endpoint ADDRESS
       The subscription counts when it has been confirmed from the mail that AWS sends.
    """


# -- Examples ----------------------------------------------------------------------------------------------------


def _trail(**properties: Any) -> Resource:
    group = "arn:aws:logs:eu-west-1:123456789012:log-group:trail:*"
    return resource(
        TRAIL,
        {
            "IsMultiRegionTrail": True,
            "IsLogging": True,
            "CloudWatchLogsLogGroupArn": group,
            "EventSelectors": [],
            "AdvancedEventSelectors": [],
            **properties,
        },
        name="main",
    )


def _filter(pattern: str, name: str = "Seen", group: str = "trail") -> Resource:
    metric = {"MetricName": name, "MetricNamespace": "Security", "MetricValue": "1"}
    properties = {"LogGroupName": group, "FilterPattern": pattern, "MetricTransformations": [metric]}
    return resource(METRIC_FILTER, properties, name=name)


def _alarm(name: str = "Seen", **properties: Any) -> Resource:
    watching = {"MetricName": name, "Namespace": "Security", "Metrics": []}
    return resource(ALARM, {**watching, "ActionsEnabled": True, "AlarmActions": [TOPIC], **properties}, name=name)


def _subscriber(topic: str = TOPIC) -> Resource:
    return resource(SUBSCRIPTION, {"TopicArn": topic, "Protocol": "email"}, name="mail")


def _account(*neighbours: Resource) -> dict[str, Any]:
    return example({}, region="global", neighbours=neighbours)


def _good(watch: Watch) -> list[dict[str, Any]]:
    """Examples: one filter; a filter for each half of the events, with an alarm that calculates; and elsewhere."""
    stat = {"Metric": {"Namespace": "Security", "MetricName": "Two"}, "Period": 300, "Stat": "Sum"}
    calculating = {"MetricName": None, "Namespace": None, "Metrics": [{"Id": "m1", "MetricStat": stat}]}
    names = list(watch.events)
    halves = (
        [_filter(f"{{{one_of(half)}}}", name) for name, half in (("One", names[::2]), ("Two", names[1::2]))]
        if len(names) > 1 and names[0].isalpha()
        else [_filter(f"{{({watch.pattern[1:-1]})&&($.eventVersion=1.*)}}", "Two"), _filter("ERROR", "One")]
    )
    return [
        _account(_trail(), _filter(watch.pattern), _alarm(), _subscriber()),
        _account(_trail(IsLogging=False), _trail(), *halves, _alarm("One"), _alarm("", **calculating), _subscriber()),
        _account(_trail(CloudWatchLogsLogGroupArn="arn:aws:logs:eu-west-1:210987654321:log-group:all:*")),
    ]


def _bad(watch: Watch) -> list[dict[str, Any]]:
    """Examples: each link of the chain is missing once, and a filter that finds too much or something else."""
    seen, alarm, subscriber = _filter(watch.pattern), _alarm(), _subscriber()
    return [
        _account(),
        _account(_trail(CloudWatchLogsLogGroupArn=None), seen, alarm, subscriber),
        _account(_trail(IsMultiRegionTrail=False), seen, alarm, subscriber),
        _account(_trail(), _filter(watch.pattern, group="other"), alarm, subscriber),
        _account(_trail(), _filter(""), alarm, subscriber),
        _account(_trail(), _filter('{ $.eventName = "GetObject" }'), alarm, subscriber),
        _account(_trail(), seen, _alarm("Other"), subscriber),
        _account(_trail(), seen, _alarm(ActionsEnabled=False), subscriber),
        _account(_trail(), seen, _alarm(AlarmActions=["arn:aws:automate:eu-west-1:ec2:stop"]), subscriber),
        _account(_trail(), seen, alarm, _subscriber(TOPIC + "-other")),
    ]


def _watching(name: str) -> Callable[[Check], Rule]:
    """Make a rule of a function, with what all of these rules share."""
    watch = WATCHES[name]
    return rule(
        f"aws.cloudwatch.{name}",
        on=ACCOUNT,
        severity=Severity.LOW,
        needs=NEEDS,
        live_only=True,
        fix=FIX.format(pattern=watch.pattern, metric=watch.metric),
        link="https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudwatch-alarms-for-cloudtrail.html",
        good=_good(watch),
        bad=_bad(watch),
    )


# -- Who tries to get in -----------------------------------------------------------------------------------------


@_watching("alarm_unauthorized")
def alarm_unauthorized(account: ResourceView, inventory: Inventory) -> bool | Fail | None:
    """Nobody is told of refused API calls.

    Stolen credentials are tried out, and most of what is tried is refused. Many refusals in a short time are often
    the first sign that somebody else holds a key.
    """
    return watched(account, inventory, WATCHES["alarm_unauthorized"])


@_watching("alarm_no_mfa_login")
def alarm_no_mfa_login(account: ResourceView, inventory: Inventory) -> bool | Fail | None:
    """Nobody is told of console sign-ins without MFA.

    Such a sign-in needs a password only, and passwords leak. Being told of it shows both who still lacks MFA and who
    uses somebody's password.
    """
    return watched(account, inventory, WATCHES["alarm_no_mfa_login"])


@_watching("alarm_console_fail")
def alarm_console_fail(account: ResourceView, inventory: Inventory) -> bool | Fail | None:
    """Nobody is told of failed console sign-ins.

    Guessing a password leaves a trail of failures. Whoever is told of them can act before one of the guesses is right.
    """
    return watched(account, inventory, WATCHES["alarm_console_fail"])


@_watching("alarm_root")
def alarm_root(account: ResourceView, inventory: Inventory) -> bool | Fail | None:
    """Nobody is told when the root user is used.

    The root user may do everything and nothing can limit it. As it is hardly ever needed, each use is worth a look.
    """
    return watched(account, inventory, WATCHES["alarm_root"])


# -- Who changes what protects the account -----------------------------------------------------------------------


@_watching("alarm_iam")
def alarm_iam(account: ResourceView, inventory: Inventory) -> bool | Fail | None:
    """Nobody is told of changes of IAM policies.

    Whoever has got in widens their permissions first. A changed policy is also how a mistake opens the account to all.
    """
    return watched(account, inventory, WATCHES["alarm_iam"])


@_watching("alarm_trail")
def alarm_trail(account: ResourceView, inventory: Inventory) -> bool | Fail | None:
    """Nobody is told of changes of CloudTrail.

    Switching the record off is how an intruder hides what comes next. The call that does so is the last one recorded.
    """
    return watched(account, inventory, WATCHES["alarm_trail"])


@_watching("alarm_config")
def alarm_config(account: ResourceView, inventory: Inventory) -> bool | Fail | None:
    """Nobody is told of changes of AWS Config.

    A stopped recorder no longer shows how resources were changed. Nobody misses it until the history is needed.
    """
    return watched(account, inventory, WATCHES["alarm_config"])


@_watching("alarm_kms")
def alarm_kms(account: ResourceView, inventory: Inventory) -> bool | Fail | None:
    """Nobody is told when a KMS key is disabled or due for deletion.

    Without its key, encrypted data cannot be read, and once the key is deleted it never can be again. Deletion can be
    cancelled only while it is waiting.
    """
    return watched(account, inventory, WATCHES["alarm_kms"])


@_watching("alarm_s3")
def alarm_s3(account: ResourceView, inventory: Inventory) -> bool | Fail | None:
    """Nobody is told of changes of bucket policies.

    One changed policy or access list can publish a whole bucket. The sooner somebody sees it, the less is copied.
    """
    return watched(account, inventory, WATCHES["alarm_s3"])


@_watching("alarm_org")
def alarm_org(account: ResourceView, inventory: Inventory) -> bool | Fail | None:
    """Nobody is told of changes of the organization.

    An account that leaves the organization leaves its guard rails behind. Detached policies do the same to many
    accounts at once.
    """
    return watched(account, inventory, WATCHES["alarm_org"])


# -- Who changes the network -------------------------------------------------------------------------------------


@_watching("alarm_sg")
def alarm_sg(account: ResourceView, inventory: Inventory) -> bool | Fail | None:
    """Nobody is told of changes of security groups.

    A port that was opened for a minute of debugging tends to stay open. Scanners on the internet find it within hours.
    """
    return watched(account, inventory, WATCHES["alarm_sg"])


@_watching("alarm_nacl")
def alarm_nacl(account: ResourceView, inventory: Inventory) -> bool | Fail | None:
    """Nobody is told of changes of network ACLs.

    Network ACLs are the outer fence of whole subnets. A changed entry can open all of them, or cut them off.
    """
    return watched(account, inventory, WATCHES["alarm_nacl"])


@_watching("alarm_gateway")
def alarm_gateway(account: ResourceView, inventory: Inventory) -> bool | Fail | None:
    """Nobody is told of changes of network gateways.

    Gateways are where traffic enters and leaves. A new one can connect to the internet what was meant to be inside.
    """
    return watched(account, inventory, WATCHES["alarm_gateway"])


@_watching("alarm_routes")
def alarm_routes(account: ResourceView, inventory: Inventory) -> bool | Fail | None:
    """Nobody is told of changes of route tables.

    A changed route sends traffic past the firewall or through somebody else's machine. Everything seems to work while
    it does.
    """
    return watched(account, inventory, WATCHES["alarm_routes"])


@_watching("alarm_vpc")
def alarm_vpc(account: ResourceView, inventory: Inventory) -> bool | Fail | None:
    """Nobody is told of changes of VPCs and their peerings.

    A peering joins two networks that were apart, perhaps with one of a stranger. New VPCs are where unwanted machines
    are hidden.
    """
    return watched(account, inventory, WATCHES["alarm_vpc"])
