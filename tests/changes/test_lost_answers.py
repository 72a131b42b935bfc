"""What was made in the cloud stays undoable, whatever happens to its answer or on the way out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone
from tests.changes.working import apply, undo, worked
from tests.house import House

from nephoscope import testing as toy
from nephoscope.changes.models import Change
from nephoscope.changes.suppressing import suppress, unsuppress
from nephoscope.domain import Call

pytestmark = pytest.mark.django_db


def test_a_call_whose_answer_was_lost_can_be_undone(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    write = toy.Doors.write

    def lost(self: toy.Doors, call: Call) -> Mapping[str, Any]:
        write(self, call)
        raise TimeoutError("no answer in time")

    change = house.plan()
    monkeypatch.setattr(toy.Doors, "write", lost)
    change = apply(house.actor, change)
    step = change.steps.get()
    assert (change.state, step.state, step.error) == ("failed", "applied", "no answer in time")
    assert house.cloud.doors["front"] is False
    monkeypatch.setattr(toy.Doors, "write", write)
    assert undo(house.actor, change).state == "undone"
    assert house.cloud.doors["front"] is True


def test_a_call_that_was_refused_has_failed(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(self: toy.Doors, call: Call) -> Mapping[str, Any]:
        raise PermissionError("denied")

    change = house.plan()
    monkeypatch.setattr(toy.Doors, "write", refused)
    assert apply(house.actor, change).steps.get().state == "failed"


def test_a_session_that_does_not_close_changes_nothing_of_how_it_ended(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: toy.Doors) -> None:
        raise OSError("the connection is gone")

    change = house.plan()
    monkeypatch.setattr(toy.Doors, "close", broken)
    change = Change.objects.get(pk=change.pk)
    change = apply(house.actor, change)
    assert change.state == "verified"
    change = undo(house.actor, change)
    assert (change.state, house.cloud.doors["front"]) == ("undone", True)


def test_nothing_is_unsuppressed_while_it_is_being_archived(report: House) -> None:
    suppress(report.actor, report.alert, report.alert.findings.all(), "we know", archive=True)
    change = Change.objects.latest("pk")
    Change.objects.filter(pk=change.pk).update(state="applying")
    with pytest.raises(ValidationError, match="being archived right now"):
        unsuppress(report.actor, report.alert, report.alert.findings.all())
    assert report.alert.suppressions.filter(lifted_at=None).exists()


def test_suppressing_again_after_the_end_unarchives_what_the_first_one_archived(report: House) -> None:
    findings = report.alert.findings.all()
    suppress(report.actor, report.alert, findings, "we know", archive=True)
    first = worked(Change.objects.latest("pk"))
    report.alert.suppressions.update(expires_at=timezone.now() - timedelta(seconds=1))
    suppress(report.actor, report.alert, findings, "still")
    first.refresh_from_db()
    assert first.state == "undo_queued"
    assert report.alert.suppressions.filter(lifted_at=None).count() == 1
