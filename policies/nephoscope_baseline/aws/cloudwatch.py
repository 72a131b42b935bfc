"""Rules on alarms: a rare event notifies somebody.

The events of each alarm are in ``watched_events``, how a chain of alarms is judged is in ``watching``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nephoscope.domain import Fail, Inventory, Resource, ResourceView, Rule, Severity, rule
from nephoscope.domain.examples import example, resource
from nephoscope_baseline.aws.composite_alarms import COMPOSITE
from nephoscope_baseline.aws.trails import NOISY
from nephoscope_baseline.aws.watched_events import WATCHES, Watch, one_of
from nephoscope_baseline.aws.watching import ALARM, METRIC_FILTER, NEEDS, SUBSCRIPTION, TRAIL, watched

ACCOUNT = "AWS::::Account"
TOPIC = "arn:aws:sns:eu-west-1:123456789012:security"

Check = Callable[[ResourceView, Inventory], bool | Fail | None]

FIX = """
    1. Send the events of a multi-region trail to a CloudWatch Logs log group.
    2. In the CloudWatch console, choose Log groups, the group, Actions, Create metric filter, and enter this pattern:
       {pattern}
    3. Set the metric value to 1, then select the filter and choose Create alarm: Sum over 5 minutes, greater than or
       equal to 1, with a notification to an SNS topic that has a subscriber.
    4. The subscriber must confirm the subscription in the email that AWS sends.
    """

COMMANDS = """
    aws logs put-metric-filter --region={{LOG_REGION}} --log-group-name={{LOG_GROUP}} --filter-name={metric}
      --metric-transformations=metricName={metric},metricNamespace=Security,metricValue=1
      --filter-pattern='{pattern}'
    aws cloudwatch put-metric-alarm --region={{LOG_REGION}} --alarm-name={metric} --metric-name={metric}
      --namespace=Security --statistic=Sum --period=300 --evaluation-periods=1 --threshold=1
      --comparison-operator=GreaterThanOrEqualToThreshold --treat-missing-data=notBreaching
      --alarm-actions={{TOPIC_ARN}}
    aws sns subscribe --region={{LOG_REGION}} --topic-arn={{TOPIC_ARN}} --protocol=email
      --notification-endpoint={{ALERT_EMAIL}}
"""
INPUTS = {
    "LOG_REGION": "the region of the log group and the topic",
    "LOG_GROUP": "the name of the log group that receives the events of the trail",
    "TOPIC_ARN": "the ARN of the SNS topic",
    "ALERT_EMAIL": "the address that is notified",
}


# -- Examples ------------------------------------------------------------------------------------------------------


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


def _leaving_out(*sources: str) -> Resource:
    """An example's trail that logs all management events but those of these sources."""
    every = {"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": []}
    return _trail(EventSelectors=[{**every, "ExcludeManagementEventSources": list(sources)}])


def _filter(pattern: str, name: str = "Seen", group: str = "trail") -> Resource:
    metric = {"MetricName": name, "MetricNamespace": "Security", "MetricValue": "1"}
    properties = {"LogGroupName": group, "FilterPattern": pattern, "MetricTransformations": [metric]}
    return resource(METRIC_FILTER, properties, name=name)


def _alarm(name: str = "Seen", **properties: Any) -> Resource:
    watching = {"MetricName": name, "Namespace": "Security", "Metrics": []}
    return resource(ALARM, {**watching, "ActionsEnabled": True, "AlarmActions": [TOPIC], **properties}, name=name)


def _composite(rule: str = "ALARM(Seen)", name: str = "any", **properties: Any) -> Resource:
    acting = {"AlarmRule": rule, "ActionsEnabled": True, "AlarmActions": [TOPIC], "ActionsSuppressor": None}
    return resource(COMPOSITE, {**acting, **properties}, name=name)


def _subscriber(topic: str = TOPIC) -> Resource:
    return resource(SUBSCRIPTION, {"TopicArn": topic, "Protocol": "email"}, name="mail")


def _account(*neighbours: Resource) -> dict[str, Any]:
    return example({}, region="global", neighbours=neighbours)


def _good(watch: Watch) -> list[dict[str, Any]]:
    """Examples: one filter; a filter for each half of the events, with an alarm that calculates; and elsewhere."""
    stat = {"Metric": {"Namespace": "Security", "MetricName": "Two"}, "Period": 300, "Stat": "Sum"}
    calculating = {"MetricName": None, "Namespace": None, "Metrics": [{"Id": "m1", "MetricStat": stat}]}
    names, sources = list(watch.events), {each["eventSource"] for each in watch.fields} or set(NOISY)
    seen, silent, subscriber = _filter(watch.pattern), _alarm(AlarmActions=[]), _subscriber()
    halves = (
        [_filter(f"{{{one_of(half)}}}", name) for name, half in (("One", names[::2]), ("Two", names[1::2]))]
        if len(names) > 1 and names[0].isalpha()
        else [_filter(f"{{({watch.pattern[1:-1]})&&($.eventVersion=1.*)}}", "Two"), _filter("ERROR", "One")]
    )
    return [
        _account(_trail(), _filter(watch.pattern), _alarm(), _subscriber()),
        _account(_trail(IsLogging=False), _trail(), *halves, _alarm("One"), _alarm("", **calculating), _subscriber()),
        _account(_trail(CloudWatchLogsLogGroupArn="arn:aws:logs:eu-west-1:210987654321:log-group:all:*")),
        _account(_trail(), seen, silent, _composite('ALARM("Seen") OR ALARM(x)', ActionsSuppressor="x"), subscriber),
        _account(_leaving_out(*sorted(set(NOISY) - sources)), _filter(watch.pattern), _alarm(), _subscriber()),
    ]


def _bad(watch: Watch) -> list[dict[str, Any]]:
    """Examples: each link of the chain is missing once, and a filter that finds too much or something else."""
    seen, alarm, subscriber = _filter(watch.pattern), _alarm(), _subscriber()
    sources = {each["eventSource"] for each in watch.fields} or set(NOISY)
    return [
        *(_account(_leaving_out(each), seen, alarm, subscriber) for each in NOISY if each in sources),
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
        _account(_trail(), seen, _alarm(AlarmActions=[]), _composite("ALARM(Seen) AND ALARM(x)"), subscriber),
        _account(_trail(), seen, _alarm(AlarmActions=[]), _composite(ActionsSuppressor="Seen"), subscriber),
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
        fix=FIX.format(pattern=watch.pattern),
        commands=COMMANDS.format(pattern=watch.pattern, metric=watch.metric),
        inputs=INPUTS,
        link="https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudwatch-alarms-for-cloudtrail.html",
        good=_good(watch),
        bad=_bad(watch),
    )


# -- Attempts to get in --------------------------------------------------------------------------------------------


@_watching("alarm_unauthorized")
def alarm_unauthorized(account: ResourceView, inventory: Inventory) -> bool | Fail | None:
    """No alarm for unauthorized API calls.

    Attackers try out stolen credentials, and most of what they try is denied. A burst of denied calls is often the
    first sign that someone else holds a key.
    """
    return watched(account, inventory, WATCHES["alarm_unauthorized"])


@_watching("alarm_no_mfa_login")
def alarm_no_mfa_login(account: ResourceView, inventory: Inventory) -> bool | Fail | None:
    """No alarm for console sign-ins without MFA.

    Such a sign-in needs nothing but a password, and passwords leak. The alarm shows who still lacks MFA and when a
    stolen password is used.
    """
    return watched(account, inventory, WATCHES["alarm_no_mfa_login"])


@_watching("alarm_console_fail")
def alarm_console_fail(account: ResourceView, inventory: Inventory) -> bool | Fail | None:
    """No alarm for failed console sign-ins.

    Password guessing shows up as a series of failed sign-ins. An alarm lets you act before a guess succeeds.
    """
    return watched(account, inventory, WATCHES["alarm_console_fail"])


@_watching("alarm_root")
def alarm_root(account: ResourceView, inventory: Inventory) -> bool | Fail | None:
    """No alarm for root user activity.

    The root user can do anything and nothing can restrict it. It is hardly ever needed, so every use is worth a look.
    """
    return watched(account, inventory, WATCHES["alarm_root"])


# -- Changes to what protects the account --------------------------------------------------------------------------


@_watching("alarm_iam")
def alarm_iam(account: ResourceView, inventory: Inventory) -> bool | Fail | None:
    """No alarm for changes to IAM policies.

    An attacker's first step is usually to gain more permissions. A policy change can also open the account to everyone
    by mistake.
    """
    return watched(account, inventory, WATCHES["alarm_iam"])


@_watching("alarm_trail")
def alarm_trail(account: ResourceView, inventory: Inventory) -> bool | Fail | None:
    """No alarm for changes to CloudTrail.

    Attackers turn logging off to hide what they do next. The call that does so is the last one on record.
    """
    return watched(account, inventory, WATCHES["alarm_trail"])


@_watching("alarm_config")
def alarm_config(account: ResourceView, inventory: Inventory) -> bool | Fail | None:
    """No alarm for changes to AWS Config.

    A stopped recorder no longer tracks how resources change. Nobody notices until the history is needed.
    """
    return watched(account, inventory, WATCHES["alarm_config"])


@_watching("alarm_kms")
def alarm_kms(account: ResourceView, inventory: Inventory) -> bool | Fail | None:
    """No alarm for disabling or deleting KMS keys.

    Without its key, encrypted data cannot be read; once the key is deleted, the data is lost for good. Deletion can be
    canceled only during the waiting period.
    """
    return watched(account, inventory, WATCHES["alarm_kms"])


@_watching("alarm_s3")
def alarm_s3(account: ResourceView, inventory: Inventory) -> bool | Fail | None:
    """No alarm for changes to S3 bucket policies.

    A single policy or ACL change can make a whole bucket public. The sooner it is noticed, the less is copied.
    """
    return watched(account, inventory, WATCHES["alarm_s3"])


@_watching("alarm_org")
def alarm_org(account: ResourceView, inventory: Inventory) -> bool | Fail | None:
    """No alarm for changes to AWS Organizations.

    An account that leaves the organization escapes its service control policies. Detaching a policy does the same to
    many accounts at once.
    """
    return watched(account, inventory, WATCHES["alarm_org"])


# -- Changes to the network ----------------------------------------------------------------------------------------


@_watching("alarm_sg")
def alarm_sg(account: ResourceView, inventory: Inventory) -> bool | Fail | None:
    """No alarm for changes to security groups.

    A port opened for a minute of debugging tends to stay open. Internet scanners find it within hours.
    """
    return watched(account, inventory, WATCHES["alarm_sg"])


@_watching("alarm_nacl")
def alarm_nacl(account: ResourceView, inventory: Inventory) -> bool | Fail | None:
    """No alarm for changes to network ACLs.

    Network ACLs protect whole subnets. One changed entry can expose all of them or cut them off.
    """
    return watched(account, inventory, WATCHES["alarm_nacl"])


@_watching("alarm_gateway")
def alarm_gateway(account: ResourceView, inventory: Inventory) -> bool | Fail | None:
    """No alarm for changes to network gateways.

    Traffic enters and leaves the network through gateways. A new one can connect a private network to the internet.
    """
    return watched(account, inventory, WATCHES["alarm_gateway"])


@_watching("alarm_routes")
def alarm_routes(account: ResourceView, inventory: Inventory) -> bool | Fail | None:
    """No alarm for changes to route tables.

    A changed route can send traffic around the firewall or through someone else's instance. Everything seems to work
    meanwhile.
    """
    return watched(account, inventory, WATCHES["alarm_routes"])


@_watching("alarm_vpc")
def alarm_vpc(account: ResourceView, inventory: Inventory) -> bool | Fail | None:
    """No alarm for changes to VPCs and VPC peering.

    A peering connection joins two separate networks, possibly with one that belongs to a stranger. Attackers also hide
    instances in new VPCs.
    """
    return watched(account, inventory, WATCHES["alarm_vpc"])
