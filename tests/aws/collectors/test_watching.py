"""Alarms, detection services and contacts: collected with real boto3, then judged."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from tests.aws.collectors.watching_world import TRAIL_PATTERN
from tests.aws.collectors.world import ACCOUNT, READS, REGION, Clients, at, collected, why
from tests.serving import serving

from nephoscope.domain import Finding, Resource, Rule, Verdict
from nephoscope.engine import Neighbours, judge
from nephoscope_aws.api import Api, Denied
from nephoscope_aws.collectors import ALL, config, macie
from nephoscope_aws.collectors.cloudwatch import subscriptions
from nephoscope_aws_simulator.testing import Simulator
from nephoscope_baseline.aws import accessanalyzer, cloudwatch, guardduty, inspector, securityhub
from nephoscope_baseline.aws import account as account_rules
from nephoscope_baseline.aws import config as config_rules
from nephoscope_baseline.aws import macie as macie_rules
from nephoscope_baseline.aws.composite_alarms import COMPOSITE
from nephoscope_baseline.aws.watching import ALARM, METRIC_FILTER, SUBSCRIPTION

EMPTY = "eu-north-1"
"""A region in which nothing is switched on."""

NOW = datetime(2026, 1, 15, tzinfo=UTC)
SETTINGS = ("config", "guardduty", "securityhub", "macie", "inspector")


@pytest.fixture(scope="module")
def simulator(simulators: Callable[[str], Simulator]) -> Simulator:
    return simulators("watching")


@pytest.fixture(scope="module")
def clients(simulator: Simulator) -> Clients:
    return Clients(simulator.endpoint)


def verdict(rule: Rule, resource: Resource, neighbours: list[Resource] | None = None) -> Finding:
    return judge(rule, resource, now=NOW, neighbours=Neighbours.fixed(neighbours or []))


def chain(api: Api) -> list[Resource]:
    """The account and all that the rules on alarms read."""
    return [each for service in ("account", "cloudtrail", "logs", "cloudwatch") for each in collected(api, service)]


# -- Services that are on or off ---------------------------------------------------------------------------------

RULES = {
    "guardduty": guardduty.enabled,
    "securityhub": securityhub.enabled,
    "macie": macie_rules.enabled,
    "inspector": inspector.enabled,
}


@pytest.mark.parametrize("service", RULES)
def test_a_service_is_judged_in_each_region(api: Api, service: str) -> None:
    [on], [off] = collected(api, service), collected(api, service, EMPTY)
    assert verdict(RULES[service], on).verdict is Verdict.PASS
    found = verdict(RULES[service], off)
    assert (found.verdict, bool(found.message)) == (Verdict.FAIL, True)


@pytest.mark.parametrize("service", SETTINGS)
@pytest.mark.parametrize("region", [REGION, EMPTY])
def test_region_settings_read_again_are_the_same(api: Api, service: str, region: str) -> None:
    [settings] = collected(api, service, region)
    assert ALL[service].reread(api, settings) == settings


def test_a_suspended_detector_is_no_detector(simulator: Simulator, api: Api) -> None:
    simulator.client("guardduty", "eu-west-2").create_detector(Enable=False)
    [settings] = collected(api, "guardduty", "eu-west-2")
    assert verdict(guardduty.enabled, settings).message == "The detector is suspended"


@pytest.mark.parametrize(
    ("service", "rule", "action"),
    [
        ("guardduty", guardduty.enabled, "guardduty:GetDetector"),
        ("config", config_rules.recorder, "config:DescribeConfigurationRecorderStatus"),
    ],
)
def test_a_denied_detail_is_unknown_with_its_permission(
    simulator: Simulator, api: Api, service: str, rule: Rule, action: str
) -> None:
    simulator.control("deny", actions=[action])
    [settings] = collected(api, service)
    found = verdict(rule, settings)
    assert (not settings.unlisted, found.verdict, found.permission) == (True, Verdict.UNKNOWN, action)


@pytest.mark.parametrize(
    ("service", "action"),
    [
        ("guardduty", "guardduty:ListDetectors"),
        ("config", "config:DescribeConfigurationRecorders"),
        ("securityhub", "securityhub:DescribeHub"),
        ("macie", "macie2:GetMacieSession"),
        ("inspector", "inspector2:BatchGetAccountStatus"),
        ("accessanalyzer", "access-analyzer:ListAnalyzers"),
        ("contacts", "account:GetAlternateContact"),
    ],
)
def test_a_denied_service_is_unknown_and_not_off(simulator: Simulator, api: Api, service: str, action: str) -> None:
    simulator.control("deny", actions=[action])
    [hidden] = collected(api, service)
    assert hidden.unlisted
    assert why(hidden.properties)["permission"] == action
    known = Resource(hidden.type, "x", "x", REGION, ACCOUNT, {"LogGroupName": "trail"})
    with pytest.raises(Denied, match=action):
        ALL[service].reread(api, known)


def test_templates_of_detectors_recorders_and_sessions_are_judged_by_the_same_rules() -> None:
    def judged(rule: Rule, type: str, **properties: Any) -> Verdict:
        return verdict(rule, Resource(type, "t", "t", REGION, ACCOUNT, properties, origin="template")).verdict

    assert judged(guardduty.enabled, guardduty.DETECTOR, Enable="true") is Verdict.PASS
    assert judged(guardduty.enabled, guardduty.DETECTOR, Enable=False) is Verdict.FAIL
    assert judged(macie_rules.enabled, macie_rules.SESSION) is Verdict.PASS
    assert judged(macie_rules.enabled, macie_rules.SESSION, Status="PAUSED") is Verdict.FAIL
    assert judged(config_rules.recorder, config_rules.RECORDER) is Verdict.PASS
    some = {"AllSupported": False, "ResourceTypes": ["AWS::EC2::Instance"]}
    assert judged(config_rules.recorder, config_rules.RECORDER, RecordingGroup=some) is Verdict.FAIL


def test_the_security_contact_is_there_whether_aws_has_one_or_not(simulator: Simulator, api: Api) -> None:
    [none] = collected(api, "contacts")
    assert verdict(account_rules.security_contact, none).verdict is Verdict.FAIL
    contact = {"EmailAddress": "s@example.com", "Name": "S", "PhoneNumber": "1", "Title": "T"}
    simulator.client("account").put_alternate_contact(AlternateContactType="SECURITY", **contact)
    [some] = collected(api, "contacts")
    assert (some.id, some.properties["EmailAddress"]) == (none.id, "s@example.com")
    assert "PhoneNumber" not in some.properties
    assert verdict(account_rules.security_contact, some).verdict is Verdict.PASS
    assert ALL["contacts"].reread(api, some) == some


# -- What the simulator cannot answer ----------------------------------------------------------------------------


@contextmanager
def fake(answer: Callable[[str, str], tuple[int, Any]]) -> Iterator[Api]:
    """An Api on a loopback server; ``answer(asked, body)`` is given the target or path, and gives status and body."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            status, body = answer(self.headers.get("X-Amz-Target") or self.path, sent)
            data = (body if isinstance(body, str) else json.dumps(body)).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST  # noqa: N815 - the server's own names

        def log_message(self, *_: Any) -> None: ...

    with serving(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as endpoint:
        api = Api(ACCOUNT, Clients(endpoint), READS)
        try:
            yield api
        finally:
            api.close()


def test_macie_that_is_off_answers_as_if_access_were_denied() -> None:
    with fake(lambda *_: (403, {"__type": "AccessDeniedException", "message": "Macie is not enabled."})) as api:
        [off] = collected(api, "macie")
    assert off.properties == {"Status": None}
    assert off.type == macie.SETTINGS


@pytest.mark.parametrize(
    ("analyzers", "wanted"),
    [
        ([("ACCOUNT", "ACTIVE")], Verdict.PASS),
        ([("ACCOUNT_UNUSED_ACCESS", "ACTIVE"), ("ORGANIZATION", "ACTIVE")], Verdict.PASS),
        ([("ACCOUNT", "DISABLED"), ("ACCOUNT_INTERNAL_ACCESS", "ACTIVE")], Verdict.FAIL),
        ([], Verdict.FAIL),
    ],
)
def test_an_active_analyzer_of_external_access_is_wanted(analyzers: list[tuple[str, str]], wanted: Verdict) -> None:
    listed = [
        {
            "arn": f"arn:aws:access-analyzer:{REGION}:{ACCOUNT}:analyzer/a{number}",
            "name": f"a{number}",
            "type": type,
            "status": status,
            "createdAt": "2026-01-01T00:00:00Z",
        }
        for number, (type, status) in enumerate(analyzers)
    ]
    with fake(lambda *_: (200, {"analyzers": listed})) as api:
        [settings] = collected(api, "accessanalyzer")
        assert ALL["accessanalyzer"].reread(api, settings) == settings
        assert api.calls == 2
    assert verdict(accessanalyzer.enabled, settings).verdict is wanted


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ({"recording": True, "lastStatus": "SUCCESS"}, ""),
        ({"recording": True, "lastStatus": "FAILURE"}, "FAILURE"),
        ({"recording": False, "lastStatus": "SUCCESS"}, "stopped"),
    ],
)
def test_a_recorder_must_run_and_deliver(status: dict[str, Any], said: str) -> None:
    def answer(asked: str, _: str) -> tuple[int, Any]:
        if asked.endswith("RecorderStatus"):
            return 200, {"ConfigurationRecordersStatus": [{"name": "default", **status}]}
        group = {"allSupported": True, "recordingStrategy": {"useOnly": "ALL_SUPPORTED_RESOURCE_TYPES"}}
        return 200, {"ConfigurationRecorders": [{"name": "default", "recordingGroup": group}]}

    with fake(answer) as api:
        [settings] = collected(api, "config")
    assert settings.type == config.SETTINGS
    found = verdict(config_rules.recorder, settings)
    assert found.verdict is (Verdict.FAIL if said else Verdict.PASS)
    assert said in found.message


def test_a_recorder_that_has_just_started_is_unknown() -> None:
    def answer(asked: str, _: str) -> tuple[int, Any]:
        if asked.endswith("RecorderStatus"):
            status = {"name": "default", "recording": True, "lastStatus": "PENDING"}
            return 200, {"ConfigurationRecordersStatus": [status]}
        return 200, {"ConfigurationRecorders": [{"name": "default", "recordingGroup": {"allSupported": True}}]}

    with fake(answer) as api:
        found = verdict(config_rules.recorder, collected(api, "config")[0])
    assert (found.verdict, "has just started" in found.message) == (Verdict.UNKNOWN, True)


def test_filters_are_read_page_by_page_and_what_was_read_is_kept() -> None:
    asked: list[str] = []

    def answer(_: str, sent: str) -> tuple[int, Any]:
        asked.append(sent)
        if "nextToken" in sent:
            return 400, {"__type": "AccessDeniedException", "message": "no"}
        first = {"filterName": "one", "logGroupName": "g", "filterPattern": "", "metricTransformations": []}
        return 200, {"metricFilters": [first], "nextToken": "more"}

    with fake(answer) as api:
        found = (each for each in ALL["logs"].collect(api, REGION) if each.type == METRIC_FILTER)
        assert next(found).name == "one"
        assert len(asked) == 2, "one page of filters, after what the listing of groups was answered"
        [hidden] = found
    assert hidden.unlisted


def listing(name: str, *subscriptions: tuple[str, str]) -> str:
    members = "".join(
        f"<member><TopicArn>{topic}</TopicArn><Protocol>sqs</Protocol><SubscriptionArn>{arn}</SubscriptionArn></member>"
        for topic, arn in subscriptions
    )
    return (
        f'<{name}Response xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><{name}Result><Subscriptions>{members}'
        f"</Subscriptions></{name}Result></{name}Response>"
    )


def topics_with(by_topic: tuple[int, str], *own: tuple[str, str], topic: str = "") -> list[Resource]:
    """The subscriptions that the collector finds of one topic, by what AWS says of the account's own and of it."""

    def answer(_: str, sent: str) -> tuple[int, Any]:
        return by_topic if "ListSubscriptionsByTopic" in sent else (200, listing("ListSubscriptions", *own))

    with fake(answer) as api:
        return list(subscriptions(api, REGION, {topic or TOPIC}))


TOPIC = f"arn:aws:sns:{REGION}:210987654321:central"
MINE = (TOPIC, f"{TOPIC}:11111111-0000-4000-8000-000000000000")


def test_a_subscriber_of_another_account_is_found_through_the_topic() -> None:
    [found] = topics_with((200, listing("ListSubscriptionsByTopic", MINE)), (TOPIC, "PendingConfirmation"))
    assert found.properties == {"TopicArn": TOPIC, "Protocol": "sqs"}


def test_a_topic_that_may_not_be_asked_is_unknown_and_one_that_is_gone_has_nobody() -> None:
    def error(code: str) -> str:
        return f"<ErrorResponse><Error><Code>{code}</Code><Message>no</Message></Error></ErrorResponse>"

    [hidden] = topics_with((403, error("AuthorizationError")))
    assert why(hidden.properties["Protocol"])["permission"] == "sns:ListSubscriptionsByTopic"
    assert topics_with((404, error("NotFound")), topic=f"arn:aws:sns:{REGION}:{ACCOUNT}:gone") == []
    [elsewhere] = topics_with((404, error("NotFound")))
    assert why(elsewhere.properties["Protocol"])


# -- Alarms ------------------------------------------------------------------------------------------------------


def test_alarms_filters_and_subscriptions_have_their_shape_and_no_more(api: Api) -> None:
    found = {(each.type, each.name): each for each in chain(api)}
    assert sorted(name for type, name in found if type == ALARM) == ["Errors", "Keys", "Trail"], "Other tells nobody"
    assert found[COMPOSITE, "Any"].properties == {
        "AlarmName": "Any",
        "AlarmRule": 'ALARM("Errors") OR ALARM("Lost")',
        "ActionsEnabled": True,
        "AlarmActions": [f"arn:aws:sns:{REGION}:{ACCOUNT}:heard"],
        "ActionsSuppressor": "Keys",
    }
    assert at(found[METRIC_FILTER, "Trail"], "FilterPattern") == TRAIL_PATTERN
    assert found[METRIC_FILTER, "Trail"].properties["MetricTransformations"] == [
        {"MetricName": "Trail", "MetricNamespace": "Security", "MetricValue": "1"}
    ]
    [subscription] = [each for (type, _), each in found.items() if type == SUBSCRIPTION]
    assert "example.com" not in json.dumps(subscription.properties)


def test_one_chain_is_whole_and_the_others_say_where_they_break(api: Api) -> None:
    account, *neighbours = chain(api)
    assert verdict(cloudwatch.alarm_trail, account, neighbours).verdict is Verdict.PASS
    keys = verdict(cloudwatch.alarm_kms, account, neighbours)
    assert (keys.verdict, keys.message) == (Verdict.FAIL, "Trail 'main': no alarm on Keys notifies a subscriber")
    root = verdict(cloudwatch.alarm_root, account, neighbours)
    assert "no metric filter on log group 'trail' matches" in root.message


@pytest.mark.parametrize(
    "action",
    [
        "logs:DescribeMetricFilters",
        "cloudwatch:DescribeAlarms",
        "sns:ListSubscriptions",
        "cloudtrail:DescribeTrails",
    ],
)
def test_a_link_that_is_denied_makes_the_chain_unknown(simulator: Simulator, api: Api, action: str) -> None:
    simulator.control("deny", actions=[action])
    account, *neighbours = chain(api)
    found = verdict(cloudwatch.alarm_trail, account, neighbours)
    assert (found.verdict, found.permission) == (Verdict.UNKNOWN, action)


def test_a_topic_that_could_not_be_asked_makes_only_its_chain_unknown(simulator: Simulator, api: Api) -> None:
    simulator.control("deny", actions=["sns:ListSubscriptionsByTopic"])
    account, *neighbours = chain(api)
    assert verdict(cloudwatch.alarm_trail, account, neighbours).verdict is Verdict.PASS
    assert verdict(cloudwatch.alarm_kms, account, neighbours).permission == "sns:ListSubscriptionsByTopic"
    assert verdict(cloudwatch.alarm_root, account, neighbours).verdict is Verdict.FAIL


def test_alarms_filters_and_subscriptions_are_read_again(simulator: Simulator, api: Api) -> None:
    for service in ("logs", "cloudwatch"):
        for each in collected(api, service):
            assert ALL[service].reread(api, each) == each
            other = {"LogGroupName": "none", "TopicArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:none"}
            gone = Resource(each.type, each.id + "x", each.name + "x", REGION, ACCOUNT, {**each.properties, **other})
            assert ALL[service].reread(api, gone) is None
