"""A worker that was stopped in the middle of a change and goes on later, and what is said and undone meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from tests.changes.working import undo, worked
from tests.house import House

from nephoscope import testing as toy
from nephoscope.accounts.models import User
from nephoscope.changes import applying
from nephoscope.changes.approvals import approve_change
from nephoscope.changes.giving_up import discard_plan
from nephoscope.changes.models import Change
from nephoscope.changes.services import request_undo
from nephoscope.changes.worker import Worker
from nephoscope.domain import Call

pytestmark = pytest.mark.django_db


def cut_off(house: House, *, ago: int) -> Change:
    """Leave a fix as a worker leaves it that stopped right after its call, its lease over since so many seconds."""
    change = approved(house)
    house.cloud.doors["front"] = False
    change.steps.update(state="applying")
    until = timezone.now() - timedelta(seconds=ago)
    Change.objects.filter(pk=change.pk).update(state="applying", lease_until=until)
    return Change.objects.get(pk=change.pk)


def approved(house: House) -> Change:
    change = house.plan()
    return approve_change(house.actor, change, digest=change.digest, reason="rain")


def lose(change: Change) -> None:
    Change.objects.filter(pk=change.pk).update(lease_until=timezone.now() - timedelta(seconds=1))


def during_the_call(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object], *, after: bool = False) -> None:
    """Have something happen while the first call is under way: before it lands, or after."""
    write, left = toy.Doors.write, [happens]

    def slow(self: toy.Doors, call: Call) -> Mapping[str, Any]:
        now = left.pop() if left else lambda: None
        if not after:
            now()
        answer = write(self, call)
        if after:
            now()
        return answer

    monkeypatch.setattr(toy.Doors, "write", slow)


def page(user: User, change: Change) -> str:
    client = Client()
    client.force_login(user)
    return client.get(reverse("admin:changes_change_change", args=[change.pk])).content.decode()


def test_undo_of_a_fix_that_is_applying_says_that_and_from_when_it_can_be_undone(
    house: House, remediator: User
) -> None:
    change = cut_off(house, ago=-30)
    with pytest.raises(ValidationError) as refused:
        request_undo(house.actor, change, reason="air")
    assert change.lease_until
    [said] = refused.value.messages
    assert f"{change} is in progress; wait until it finishes." in said
    assert f"undo it after {change.lease_until:%H:%M:%S}" in said
    assert "Undo this change" not in page(remediator, change)


def test_a_fix_whose_worker_was_cut_off_is_undone_at_once_without_housekeeping(house: House, remediator: User) -> None:
    change = cut_off(house, ago=1)
    shown = page(remediator, change)
    for text in ("Its worker has stopped.", "May have been made", "Undo this change", "restores exactly"):
        assert text in shown, text
    change = undo(house.actor, change)
    assert (change.state, house.cloud.doors["front"]) == ("undone", True)


def test_a_fix_that_was_cut_off_before_its_first_call_has_nothing_to_undo_and_has_ended(house: House) -> None:
    change = approved(house)
    Change.objects.filter(pk=change.pk).update(state="applying", lease_until=timezone.now())
    with pytest.raises(ValidationError, match="Nothing to undo"):
        request_undo(house.actor, change, reason="air")
    change.refresh_from_db()
    assert change.state == "failed"


def test_a_slow_fix_that_is_undone_meanwhile_does_not_end_applied(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = approved(house)

    def undone() -> None:
        lose(change)
        undo(house.actor, change)

    during_the_call(monkeypatch, undone, after=True)
    change = worked(change)
    assert (change.state, house.cloud.doors["front"]) == ("undone", True)


def test_a_call_that_lands_after_its_undo_is_said_and_can_be_undone_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = approved(house)

    def undone() -> None:
        lose(change)
        assert undo(house.actor, change).state == "undone"

    during_the_call(monkeypatch, undone)
    change = worked(change)
    assert (change.state, house.cloud.doors["front"]) == ("failed", False)
    assert change.outcome == "A call landed after the undo: front is not as it was before. Undo again."
    assert (undo(house.actor, change).state, house.cloud.doors["front"]) == ("undone", True)


def test_a_worker_that_wakes_between_writing_down_a_call_and_making_it_makes_none(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    change, note = approved(house), Worker.note

    def stopped(self: Any, position: int, state: str, *more: Any, **given: Any) -> None:
        note(self, position, state, *more, **given)
        if state == "applying":
            self.sure_until = 0.0  # as after two minutes
            lose(change)
            undo(house.actor, change)

    monkeypatch.setattr(Worker, "note", stopped)
    change = worked(change)
    assert (change.state, house.cloud.doors["front"]) == ("undone", True)


def test_an_undo_waits_until_the_last_call_of_the_worker_that_stopped_has_landed(
    house: House, remediator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(toy.ToyWriting, "longest_call", 60)
    change = request_undo(house.actor, cut_off(house, ago=1), reason="air")
    assert change.quiet_at and 50 < (change.quiet_at - timezone.now()).total_seconds() <= 60
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        assert house.cloud.doors["front"] is False, "nothing is undone while a call may land"
        assert "can no longer reach the cloud" in page(remediator, change)
        slept.append(seconds)
        monkeypatch.setattr(applying.timezone, "now", lambda: change.quiet_at)

    monkeypatch.setattr(applying.time, "sleep", sleep)
    assert (worked(change).state, len(slept)) == ("undone", 1)


def test_an_undo_after_which_the_resource_is_not_as_before_says_so_and_can_be_tried_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = worked(approved(house))
    monkeypatch.setattr(applying, "SETTLING", (0.0,))
    write = toy.Doors.write
    monkeypatch.setattr(toy.Doors, "write", lambda self, call: {})
    change = undo(house.actor, change)
    assert (change.state, change.outcome) == ("failed", "Undone, but not verified: front is not as it was before.")
    monkeypatch.setattr(toy.Doors, "write", write)
    assert (undo(house.actor, change).state, house.cloud.doors["front"]) == ("undone", True)


def test_of_two_who_act_on_one_change_the_second_is_told_what_the_first_did(house: House) -> None:
    discarded = discard_plan(house.actor, house.plan())
    with pytest.raises(ValidationError, match="was discarded"):
        approve_change(house.actor, discarded, digest=discarded.digest, reason="rain")
    change = worked(approved(house))
    request_undo(house.actor, change, reason="air")
    with pytest.raises(ValidationError, match="wait until it finishes"):
        request_undo(house.actor, change, reason="air")
    with pytest.raises(ValidationError, match="approved already"):
        approve_change(house.actor, change, digest=change.digest, reason="rain")
    with pytest.raises(ValidationError, match="approved already"):
        discard_plan(house.actor, change)
    assert worked(change).state == "undone"
