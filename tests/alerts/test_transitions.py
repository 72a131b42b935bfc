"""Every change of an alert's state or severity is a row of the outbox, written with it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from nephoscope.accounts.models import Account
from nephoscope.alerts import detections
from nephoscope.alerts.models import Alert, Finding, Transition
from nephoscope.alerts.suppressions import suppress
from nephoscope.audit.services import Actor
from nephoscope.changes.suppressing import unsuppress
from nephoscope.domain import Detection, Kind, Service, Severity
from nephoscope.inventory.models import Resource
from nephoscope.judging.services import Judge, judge_resources
from nephoscope.operations.tasks import housekeeping
from nephoscope.policies.models import Policy
from nephoscope.policies.rule_settings import set_rule
from nephoscope.policies.services import add_rule, create_policy

pytestmark = pytest.mark.django_db

BUCKET, VERSIONING = "AWS::S3::Bucket", "aws.s3.versioning"
ON, OFF = {"VersioningConfiguration": {"Status": "Enabled"}}, {"VersioningConfiguration": None}
Add = Callable[..., Resource]


@pytest.fixture(autouse=True)
def policy(account: Account, system: Actor) -> Policy:
    policy = add_rule(system, create_policy(system, name="One rule", provider="aws"), VERSIONING)
    account.policies = [policy.key]
    account.save()
    return policy


def judged(account: Account, *resources: Resource) -> None:
    judge_resources(account, Actor.system("test"), [each.pk for each in resources], [])


def told() -> list[tuple[str, str, str]]:
    return list(Transition.objects.values_list("what", "was", "now"))


def test_an_alert_that_opens_is_resolved_and_reopens_says_so_with_its_counts(
    account: Account, add_resource: Add
) -> None:
    judged(account, add_resource(BUCKET, "a", OFF), add_resource(BUCKET, "b", OFF))
    judged(account, add_resource(BUCKET, "a", ON), add_resource(BUCKET, "b", ON))
    judged(account, add_resource(BUCKET, "a", OFF))
    assert told() == [
        ("opened", "resolved", "open"),
        ("resolved", "open", "resolved"),
        ("reopened", "resolved", "open"),
    ]
    rows = Transition.objects.values_list("affected", "suppressed", "severity", "processed_at")
    assert list(rows) == [(2, 0, "low", None), (0, 0, "low", None), (1, 0, "low", None)]
    assert Transition.objects.latest("pk").created_at == Alert.objects.get().opened_at


def test_resources_that_come_and_go_while_the_state_stays_tell_nothing(account: Account, add_resource: Add) -> None:
    judged(account, add_resource(BUCKET, "a", OFF))
    judged(account, add_resource(BUCKET, "b", OFF))
    judged(account, add_resource(BUCKET, "a", ON))
    assert len(told()) == 1


def test_suppressing_the_last_resource_and_taking_it_back_are_told(
    account: Account, add_resource: Add, system: Actor
) -> None:
    judged(account, add_resource(BUCKET, "a", OFF), add_resource(BUCKET, "b", OFF))
    alert, [first, second] = Alert.objects.get(), Finding.objects.order_by("pk")
    suppress(system, alert, [first], "test bucket")
    assert len(told()) == 1, "it is still open"
    suppress(system, alert, [second], "test bucket")
    unsuppress(system, alert, [first])
    assert told()[1:] == [("suppressed", "open", "suppressed"), ("unsuppressed", "suppressed", "open")]


def test_a_suppressed_alert_reopens_when_another_resource_fails(
    account: Account, add_resource: Add, system: Actor
) -> None:
    judged(account, add_resource(BUCKET, "a", OFF))
    suppress(system, Alert.objects.get(), Finding.objects.all(), "test bucket")
    judged(account, add_resource(BUCKET, "b", OFF))
    assert told()[-1] == ("reopened", "suppressed", "open")


def test_a_severity_that_is_set_is_told_while_the_alert_stands(
    account: Account, add_resource: Add, system: Actor
) -> None:
    judged(account, add_resource(BUCKET, "a", OFF))
    set_rule(system, VERSIONING, severity="critical")
    judge = Judge(account, system)
    judge.close(judge.unchecked)
    assert told()[-1] == ("graded", "low", "critical")
    assert Transition.objects.latest("pk").severity == "critical"


def test_a_severity_that_a_detector_changed_is_told(account: Account, system: Actor) -> None:
    now, service = timezone.now(), Service("guard", "Guard", ("Guard::Finding",), (), detections=True)

    def detection(severity: Severity) -> Detection:
        return Detection(
            kind=Kind.THREAT,
            source="Guard",
            key="d1",
            region="eu-west-1",
            severity=severity,
            title="Portscan",
            description="Somebody scans ports.",
            resource_id="i-1",
            resource_type="AWS::EC2::Instance",
            resource_name="web",
            first_seen=now,
            last_seen=now,
            updated=now,
            count=1,
            link="",
            guide="",
            facts={},
            details={},
        )

    for severity in (Severity.LOW, Severity.LOW, Severity.HIGH):
        detections.save(account, service, [detection(severity)], system)
    assert told() == [("opened", "resolved", "open"), ("graded", "low", "high")]


def test_a_scan_that_opens_many_alerts_writes_them_at_once(
    account: Account, add_resource: Add, policy: Policy, system: Actor
) -> None:
    for rule in ("aws.s3.logging", "aws.s3.lifecycle", "aws.s3.mfa_delete"):
        add_rule(system, policy, rule)
    row = add_resource(BUCKET, "a", {**OFF, "LoggingConfiguration": None, "LifecycleConfiguration": None})
    with CaptureQueriesContext(
        connection,
    ) as queries:
        judged(account, row)
    inserts = [each for each in queries.captured_queries if 'INSERT INTO "alerts_transition"' in each["sql"]]
    assert (Transition.objects.count() > 1, len(inserts)) == (True, 1)


def test_housekeeping_forgets_old_ones(account: Account, add_resource: Add, settings: Any) -> None:
    judged(account, add_resource(BUCKET, "a", OFF))
    settings.NEPHOSCOPE_TRANSITION_DAYS = 10
    Transition.objects.update(created_at=timezone.now() - timedelta(days=9))
    housekeeping()
    assert len(told()) == 1
    Transition.objects.update(created_at=timezone.now() - timedelta(days=11))
    housekeeping()
    assert told() == []
