"""Suppressing and unsuppressing: at once, per resource, reversible, and only by those who may."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from nephoscope.accounts.models import User
from nephoscope.alerts.models import Alert, Finding, Suppression
from nephoscope.alerts.suppressions import suppress
from nephoscope.audit.models import Entry
from nephoscope.audit.services import Actor
from nephoscope.changes.suppressing import expire_suppressions, unsuppress

pytestmark = pytest.mark.django_db
AddAlert = Callable[..., Alert]


def one(alert: Alert, name: str) -> list[Finding]:
    return list(alert.findings.filter(resource__name=name))


def test_suppressed_resources_leave_the_count_at_once_and_come_back_at_once(add_alert: AddAlert, analyst: User) -> None:
    alert, actor = add_alert("aws.s3.public_read", "a", "b"), Actor.of(analyst, "10.0.0.5")
    assert suppress(actor, alert, one(alert, "a"), "test data only") == 1
    assert (alert.state, alert.affected, alert.suppressed) == ("open", 1, 1)
    assert suppress(actor, alert, one(alert, "b"), "test data only") == 1
    assert (alert.state, alert.affected) == ("suppressed", 0)
    assert unsuppress(actor, alert, one(alert, "a")).count == 1
    assert (alert.state, alert.affected, alert.suppressed) == ("open", 1, 1)


def test_both_are_in_the_audit_log_with_the_reason(add_alert: AddAlert, analyst: User) -> None:
    alert, actor = add_alert(), Actor.of(analyst, "10.0.0.5")
    suppress(actor, alert, alert.findings.all(), "accepted risk")
    unsuppress(actor, alert, alert.findings.all())
    lines = [str(each) for each in Entry.objects.filter(target_id=str(alert.pk)).order_by("id")]
    assert lines == [
        f"anna suppressed 1 resource of {alert}: logs-prod",
        f"anna unsuppressed 1 resource of {alert}: logs-prod",
    ]
    assert Entry.objects.get(action="alert.suppressed").reason == "accepted risk"


def test_suppressing_twice_is_one_suppression(add_alert: AddAlert, system: Actor) -> None:
    alert = add_alert()
    assert suppress(system, alert, alert.findings.all(), "why") == 1
    assert suppress(system, alert, alert.findings.all(), "why") == 0
    assert Suppression.objects.count() == 1


@pytest.mark.parametrize("reason", ["", "   "])
def test_a_reason_is_demanded(add_alert: AddAlert, system: Actor, reason: str) -> None:
    alert = add_alert()
    with pytest.raises(ValidationError) as caught:
        suppress(system, alert, alert.findings.all(), reason)
    assert "reason" in caught.value.message_dict
    assert not Suppression.objects.exists()


def test_nothing_chosen_is_said(add_alert: AddAlert, system: Actor) -> None:
    with pytest.raises(ValidationError, match="Select at least one"):
        suppress(system, add_alert(), [], "why")


def test_a_finding_of_another_alert_is_refused(add_alert: AddAlert, system: Actor) -> None:
    alert, other = add_alert("aws.s3.public_read", "a"), add_alert("aws.s3.versioning", "b")
    with pytest.raises(ValidationError):
        suppress(system, alert, other.findings.all(), "why")
    assert not Suppression.objects.exists()


def test_a_viewer_may_not_suppress(add_alert: AddAlert, viewer: User) -> None:
    alert = add_alert()
    with pytest.raises(PermissionDenied, match="Analyst"):
        suppress(Actor.of(viewer), alert, alert.findings.all(), "why")


def test_an_end_in_the_past_is_refused(add_alert: AddAlert, system: Actor) -> None:
    alert = add_alert()
    with pytest.raises(ValidationError) as caught:
        suppress(system, alert, alert.findings.all(), "why", timezone.now() - timedelta(days=1))
    assert "expires_at" in caught.value.message_dict


def test_a_suppression_ends_when_its_time_is_over_and_says_so(add_alert: AddAlert, system: Actor) -> None:
    alert = add_alert()
    suppress(system, alert, alert.findings.all(), "why", timezone.now() + timedelta(days=1))
    assert expire_suppressions() == 0
    Suppression.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert expire_suppressions() == 1
    alert.refresh_from_db()
    assert alert.state == "open"
    assert Entry.objects.get(action="alert.suppression_expired").data["resource"] == "logs-prod"
