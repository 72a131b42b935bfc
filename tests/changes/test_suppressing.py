"""Suppressing a detection, and what that archives in its cloud: a watchman's report, archived by closing the door."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone
from tests.changes.working import worked
from tests.house import House

from nephoscope import domain
from nephoscope import testing as toy
from nephoscope.accounts.models import Account, User
from nephoscope.alerts.models import Alert
from nephoscope.audit.models import Entry
from nephoscope.audit.services import Actor
from nephoscope.changes.models import Change
from nephoscope.changes.suppressing import expire_suppressions, preview_archiving, suppress, unsuppress

pytestmark = pytest.mark.django_db


def suppressed(report: House, **more: Any) -> Change:
    """Suppress and archive the report, and have a worker do that."""
    suppress(report.actor, report.alert, report.alert.findings.all(), "we know", archive=True, **more)
    return worked(Change.objects.latest("pk"))


def test_one_confirmation_suppresses_and_approves_the_call_that_was_shown(report: House) -> None:
    shown = preview_archiving(report.actor, report.alert, report.alert.findings.all())
    assert shown and shown.plan
    assert [step.call.label for step in shown.plan.steps] == ["toy:SetDoor"]
    assert not Change.objects.exists(), "looking stores nothing"
    change = suppressed(report, digest=shown.plan.digest)
    report.alert.refresh_from_db()
    assert report.alert.state == "suppressed"
    assert (change.state, change.digest, change.reason) == ("verified", shown.plan.digest, "we know")
    assert change.suppression == report.alert.suppressions.get()
    assert report.cloud.doors == {"front": False, "back": True}
    assert list(Entry.objects.filter(target_type="change").order_by("id").values_list("action", flat=True)) == [
        "change.planned",
        "change.approved",
        "change.verified",
    ]


def test_another_call_than_the_one_shown_suppresses_nothing(report: House) -> None:
    findings = report.alert.findings.all()
    with pytest.raises(ValidationError, match="differs from what was shown"):
        suppress(report.actor, report.alert, findings, "we know", archive=True, digest="0" * 64)
    assert not Change.objects.exists()
    assert not report.alert.suppressions.exists()


def test_what_cannot_be_archived_is_said_and_can_still_be_suppressed_here(
    report: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def archived_already(*_all: Any) -> Any:
        raise domain.PlanProblem("it is archived already.")

    monkeypatch.setattr(toy.CloseDoor, "plan", archived_already)
    findings = report.alert.findings.all()
    shown = preview_archiving(report.actor, report.alert, findings)
    assert shown and (shown.plan, shown.why) == (None, "front is left out: it is archived already.")
    with pytest.raises(ValidationError, match="archived already"):
        suppress(report.actor, report.alert, findings, "we know", archive=True)
    assert not report.alert.suppressions.exists()
    done = suppress(report.actor, report.alert, findings, "we know")
    assert (done.count, done.notes) == (1, ("It is not archived in Watchman.",))


def test_only_who_may_change_archives_and_others_suppress_here_only(report: House, everyone: dict[str, User]) -> None:
    findings = report.alert.findings.all()
    for role in ("viewer", "analyst", "stranger"):
        actor = Actor.of(everyone[role])
        with pytest.raises(PermissionDenied):
            suppress(actor, report.alert, findings, "we know", archive=True)
        shown = preview_archiving(actor, report.alert, findings)
        assert shown and shown.why == "Archiving this in Watchman requires the Remediator role."
    with pytest.raises(PermissionDenied):
        suppress(Actor.of(everyone["viewer"]), report.alert, findings, "we know")
    done = suppress(Actor.of(everyone["analyst"]), report.alert, findings, "we know")
    assert (done.count, done.notes) == (1, ("It is not archived in Watchman.",))
    assert not Change.objects.exists()


def test_without_a_fix_role_nothing_is_archived(report: House) -> None:
    Account.objects.update(writing_verified_at=None)
    report.alert = Alert.objects.get(pk=report.alert.pk)
    shown = preview_archiving(report.actor, report.alert, report.alert.findings.all())
    assert shown and shown.why == "prod has no fix role, so this is not archived in Watchman."
    with pytest.raises(ValidationError, match="no fix role"):
        suppressed(report)


def test_unsuppressing_undoes_just_that_change(report: House) -> None:
    change = suppressed(report)
    other = Change.objects.create(account=report.account, alert=report.alert, remediation="x", title="x", digest="d")
    other.state = "verified"
    other.save()
    done = unsuppress(report.actor, report.alert, report.alert.findings.all())
    assert (done.count, done.notes) == (1, ())
    assert worked(change).state == "undone"
    assert worked(other).state == "verified"
    assert report.cloud.doors["front"] is True


def test_unsuppressing_before_a_worker_came_withdraws_the_change(report: House) -> None:
    findings = report.alert.findings.all()
    suppress(report.actor, report.alert, findings, "we know", archive=True)
    assert unsuppress(report.actor, report.alert, findings).notes == ()
    change = worked(Change.objects.get())
    assert (change.state, report.cloud.doors["front"]) == ("undone", True)


def test_what_was_not_archived_from_here_is_not_unarchived(report: House) -> None:
    findings = report.alert.findings.all()
    suppress(report.actor, report.alert, findings, "we know")
    report.cloud.doors["front"] = False  # somebody archives it there
    assert unsuppress(report.actor, report.alert, findings).notes == ()
    assert not Change.objects.exists()
    assert report.cloud.doors["front"] is False


def test_an_analyst_who_unsuppresses_is_told_that_it_stays_archived(report: House, analyst: User) -> None:
    change = suppressed(report)
    done = unsuppress(Actor.of(analyst), report.alert, report.alert.findings.all())
    assert done.notes == ("It stays archived in Watchman: unarchiving it requires the Remediator role.",)
    assert worked(change).state == "verified"


def expire(report: House) -> int:
    report.alert.suppressions.filter(lifted_at=None).update(expires_at=timezone.now() - timedelta(seconds=1))
    return expire_suppressions()


def test_a_suppression_that_ends_unarchives(report: House) -> None:
    change = suppressed(report, expires_at=timezone.now() + timedelta(days=1))
    assert expire_suppressions() == 0
    assert expire(report) == 1
    report.alert.refresh_from_db()
    assert report.alert.state == "open"
    assert (worked(change).state, report.cloud.doors["front"]) == ("undone", True)
    assert expire(report) == 0


def test_the_end_of_an_analysts_suppression_changes_no_cloud(report: House, analyst: User) -> None:
    change, findings = suppressed(report), report.alert.findings.all()
    unsuppress(Actor.of(analyst), report.alert, findings)
    suppress(Actor.of(analyst), report.alert, findings, "again", timezone.now() + timedelta(days=1))
    assert expire(report) == 1
    assert (worked(change).state, report.cloud.doors["front"]) == ("verified", False)


def test_a_suppression_whose_archiving_is_under_way_ends_when_that_has_ended(report: House) -> None:
    change = suppressed(report)
    Change.objects.filter(pk=change.pk).update(state="applying")
    assert expire(report) == 0
    Change.objects.filter(pk=change.pk).update(state="verified")
    assert expire(report) == 1
    assert worked(change).state == "undone"


@pytest.mark.parametrize(("reason", "field"), [(" ", "reason"), (None, "reason")])
def test_a_reason_is_asked_for_before_the_cloud_is(report: House, reason: Any, field: str) -> None:
    report.cloud.calls.clear()
    with pytest.raises(ValidationError) as caught:
        suppress(report.actor, report.alert, report.alert.findings.all(), reason, archive=True)
    assert field in caught.value.message_dict
    assert report.cloud.calls == []


def test_what_a_rule_judges_cannot_be_archived(house: House) -> None:
    assert preview_archiving(house.actor, house.alert, house.findings("front")) is None
    with pytest.raises(ValidationError, match="cannot archive"):
        suppress(house.actor, house.alert, house.findings("front"), "we know", archive=True)
    assert suppress(house.actor, house.alert, house.findings("front"), "we know").notes == ()


def test_the_alerts_history_says_what_happened_in_the_cloud(report: House, analyst: User) -> None:
    findings = report.alert.findings.all()
    suppressed(report)
    unsuppress(Actor.of(analyst), report.alert, findings)
    suppress(Actor.of(analyst), report.alert, findings, "again")
    unsuppress(report.actor, report.alert, findings)
    entries = Entry.objects.filter(target_type="alert", action__contains="suppressed").order_by("id")
    assert [str(each).partition(": ")[2] for each in entries] == [
        "front (to be archived in Watchman)",
        "front (stays archived in Watchman)",
        "front (not archived in Watchman)",
        "front",
    ]
