"""The filters and counts that the console and the API share."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from nephoscope.accounts.models import Account, User
from nephoscope.alerts import queries
from nephoscope.alerts.models import Alert, Finding
from nephoscope.alerts.suppressions import suppress
from nephoscope.audit.services import Actor
from nephoscope.connections.conditions import conditions
from nephoscope.plugins import registry

AddAlert = Callable[..., Alert]


@pytest.fixture
def public(add_alert: AddAlert) -> Alert:
    return add_alert("aws.s3.public_read", "logs-prod")


@pytest.fixture
def other(add_alert: AddAlert) -> Alert:
    return add_alert("aws.made_up", "else", severity="low")


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("state", "open", True),
        ("state", "resolved", False),
        ("state", "open,resolved", True),
        ("state", "all", True),
        ("severity", "critical", True),
        ("severity", "critical,high", True),
        ("severity", "low", False),
        ("kind", "security", True),
        ("kind", "iac", False),
        ("account", "0", False),
        ("account", "x", False),
        ("account", "9" * 30, False),
        ("region", "eu-west-1", True),
        ("region", "us-east-1", False),
        ("opened", "1", True),
        ("opened", "x", False),
        ("resolved", "7", False),
        ("q", "PUBLICLY readable", True),
        ("q", "logs-prod", True),
        ("q", "arn:aws:s3:::logs", True),
        ("q", "prod", True),
        ("q", "public_read", True),
        ("q", "logs nothing", False),
        ("q", "%", False),
        ("q", "\x00", True),
    ],
)
def test_a_filter_finds_what_it_says(name: str, value: str, found: bool, public: Alert) -> None:
    assert queries.FILTERS[name](Alert.objects.all(), value).filter(pk=public.pk).exists() is found


def test_an_alert_that_is_suppressed_in_part_is_open_and_among_the_suppressed(
    add_alert: AddAlert, system: Actor
) -> None:
    partly, open_ = add_alert("aws.s3.public_read", "logs", "assets"), add_alert("aws.made_up", "else")
    suppress(system, partly, partly.findings.filter(resource__name="logs"), "accepted")
    found = {value: set(queries.with_state(Alert.objects.all(), value)) for value in ("suppressed", "open", "resolved")}
    assert found == {"suppressed": {partly}, "open": {partly, open_}, "resolved": set()}


def test_an_alert_is_found_by_its_number(public: Alert, other: Alert) -> None:
    for text in (str(public), f"a-{public.pk}"):
        assert public in queries.matching(Alert.objects.all(), text)


def test_a_policy_finds_the_alerts_of_its_rules_and_an_unknown_one_none(public: Alert, other: Alert) -> None:
    with_it = next(each.id for each in registry().frameworks.values() if "aws.s3.public_read" in each.rules)
    assert list(queries.of_policy(Alert.objects.all(), with_it)) == [public]
    assert not queries.of_policy(Alert.objects.all(), "no-such")


def test_the_summary_counts_what_the_user_may_see(
    public: Alert, other: Alert, account: Account, viewer: User, stranger: User, system: Actor
) -> None:
    suppress(system, other, other.findings.all(), "accepted")
    finding = public.findings.get()
    Finding.objects.create(
        account=account, rule_id="aws.other", resource=finding.resource, verdict="unknown", changed_at=timezone.now()
    )
    seen = queries.summary(viewer, conditions([account]))
    assert (seen.open, seen.severities["critical"], seen.severities["low"]) == (1, 1, 0)
    assert (seen.suppressed, seen.unknown, seen.opened, seen.resolved) == (1, 1, 1, 0)
    assert (seen.kinds["security"], seen.accounts) == (1, {account: 1})
    nothing = queries.summary(stranger, [])
    assert (nothing.open, nothing.suppressed, nothing.unknown, nothing.accounts) == (0, 0, 0, {})


def test_the_trend_rises_when_alerts_open_falls_when_they_resolve_and_ends_with_what_is_open(
    public: Alert, other: Alert, viewer: User
) -> None:
    now = timezone.now()
    Alert.objects.filter(pk=public.pk).update(opened_at=now - timedelta(days=200))
    Alert.objects.filter(pk=other.pk).update(
        opened_at=now - timedelta(days=5), resolved_at=now - timedelta(days=2), state="resolved"
    )
    line = [count for _day, count in queries.trend(viewer, 10)]
    assert line == [1, 1, 1, 1, 2, 2, 2, 1, 1, 1]
