"""What was applied has succeeded only once its new values show: until then it waits, and is looked at now and then."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone
from tests.changes.working import apply, worked
from tests.house import House

from nephoscope import testing as toy
from nephoscope.audit.models import Entry
from nephoscope.changes import applying
from nephoscope.changes.models import Change
from nephoscope.changes.services import request_undo
from nephoscope.domain import Call

pytestmark = pytest.mark.django_db


@pytest.fixture
def slow(house: House, monkeypatch: pytest.MonkeyPatch) -> House:
    """A house whose doors move only when the wind comes up: :func:`wind`."""
    monkeypatch.setattr(applying, "SETTLING", (0.0,))

    def later(doors: toy.Doors, call: Call) -> Mapping[str, Any]:
        house.cloud.calls.append(f"{call.body['door']}={call.body['open']}")
        return {}

    monkeypatch.setattr(toy.Doors, "write", later)
    return house


def wind(house: House) -> None:
    for moved in house.cloud.calls:
        name, _, open = moved.partition("=")
        if open:
            house.cloud.doors[name] = open == "True"


def test_a_change_whose_new_values_do_not_show_waits_and_has_not_succeeded(slow: House) -> None:
    change = apply(slow.actor, slow.plan())
    assert (change.state, change.get_state_display()) == ("waiting", "Applied, waiting")
    assert change.outcome == "Applied. Waiting until the new values show."
    assert not change.held
    assert slow.alert.findings.filter(resource__name="front", failing_since__isnull=False).exists()
    entry = Entry.objects.filter(action="change.waiting").get()
    assert "the new values do not show yet, approved by rémi" in entry.sentence


def test_it_is_looked_at_again_and_verified_once_they_show(slow: House, monkeypatch: pytest.MonkeyPatch) -> None:
    change = apply(slow.actor, slow.plan())
    assert worked(change).state == "waiting", "they do not show yet"
    wind(slow)
    change = worked(change)
    assert (change.state, change.outcome) == ("verified", "Applied and verified: the resources now pass.")
    assert slow.cloud.calls.count("front=False") == 1, "it was applied once"


def test_housekeeping_wakes_a_worker_for_those_that_are_due(slow: House, monkeypatch: pytest.MonkeyPatch) -> None:
    woken = list[int]()
    monkeypatch.setattr(applying, "wake", lambda change: woken.append(change.pk))
    change = apply(slow.actor, slow.plan())
    applying.reap()
    assert woken == []
    Change.objects.filter(pk=change.pk).update(look_at=timezone.now())
    applying.reap()
    assert woken == [change.pk]


def test_what_does_not_show_in_time_is_applied_and_not_verified(slow: House) -> None:
    change = apply(slow.actor, slow.plan())
    Change.objects.filter(pk=change.pk).update(waits_until=timezone.now() - timedelta(seconds=1))
    change = worked(change)
    assert change.state == "applied"
    assert change.outcome == "Applied, but not verified: the new values did not show within 60 seconds."


def test_what_waits_cannot_be_undone_before_it_shows_since_it_may_still_come(slow: House) -> None:
    change = apply(slow.actor, slow.plan())
    with pytest.raises(ValidationError, match="do not show yet"):
        request_undo(slow.actor, change, reason="rain")
    wind(slow)
    worked(change)
    slow.cloud.calls.clear()
    request_undo(slow.actor, change, reason="rain")
    assert undo_under_way(change, slow).state == "undone"


def undo_under_way(change: Change, house: House) -> Change:
    """Let the wind blow while the undo is at work."""
    real = toy.Doors.write

    def at_once(doors: toy.Doors, call: Call) -> Mapping[str, Any]:
        answer = real(doors, call)
        wind(house)
        return answer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(toy.Doors, "write", at_once)
        return worked(change)


def test_a_cloud_that_cannot_be_reached_while_it_waits_only_delays_it(slow: House) -> None:
    change = apply(slow.actor, slow.plan())
    slow.cloud.closed = "The door fell shut."
    assert worked(change).state == "waiting"
    slow.cloud.closed = ""
    wind(slow)
    assert worked(change).state == "verified"
