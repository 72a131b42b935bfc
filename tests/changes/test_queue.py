"""Approving binds the plan and queues it; one worker applies it; what a dead worker left is seen and can be undone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone
from tests.changes.working import apply, undo, worked
from tests.house import House

from nephoscope import testing as toy
from nephoscope.accounts.models import User
from nephoscope.audit.models import Entry
from nephoscope.audit.services import Actor
from nephoscope.changes import applying, services, worker
from nephoscope.changes.approvals import approve_change
from nephoscope.changes.models import Change
from nephoscope.changes.planning import plan_change
from nephoscope.changes.services import request_undo
from nephoscope.changes.stored import undo_digest
from nephoscope.domain import Call
from nephoscope.plugins import registry

pytestmark = pytest.mark.django_db


def approve(house: House, change: Change, reason: str = "rain") -> Change:
    return approve_change(house.actor, change, digest=change.digest, reason=reason)


def refusal(act: Callable[[], Any]) -> dict[str, list[str]]:
    with pytest.raises(ValidationError) as caught:
        act()
    return caught.value.message_dict


def die(change: Change, state: str, **steps: str) -> None:
    """Leave a change as a worker leaves it that was killed."""
    Change.objects.filter(pk=change.pk).update(state=state, lease_until=timezone.now() - timedelta(seconds=1))
    for position, step in steps.items():
        change.steps.filter(position=int(position[1:])).update(state=step)


# -- Approving -------------------------------------------------------------------------------------


def test_approving_binds_the_digest_and_queues_and_touches_no_cloud(
    house: House, django_capture_on_commit_callbacks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    queued: list[tuple[str, int]] = []
    monkeypatch.setattr(services, "dispatch", lambda task, pk, name: queued.append((task, pk)))
    change = house.plan()
    house.cloud.calls.clear()
    with django_capture_on_commit_callbacks(execute=True):
        change = approve(house, change)
    assert (change.state, change.get_state_display()) == ("approved", "Queued")
    assert (change.approved_by, change.reason) == (house.actor.user, "rain")
    assert queued == [("work_on_change", change.pk)]
    assert (house.cloud.calls, house.cloud.doors["front"]) == ([], True)
    entry = Entry.objects.get(action="change.approved")
    assert (entry.actor, entry.address, entry.reason) == ("rémi", "10.0.0.5", "rain")


def test_a_worker_opens_the_cloud_once_to_read_and_once_to_write(house: House) -> None:
    change = approve(house, house.plan("front", "back"))
    house.cloud.calls.clear()
    change = worked(change)
    assert (change.state, change.outcome) == ("verified", "Applied and verified: the resources now pass.")
    assert house.cloud.calls == ["open", "open for writing"]
    assert house.cloud.doors == {"front": False, "back": False}
    assert house.findings("front", "back") == []
    house.cloud.calls.clear()
    assert undo(house.actor, change).state == "undone"
    assert house.cloud.calls == ["open", "open for writing"]
    assert len(house.findings("front", "back")) == 2


def test_a_plan_is_approved_once(house: House) -> None:
    change = approve(house, house.plan())
    assert refusal(lambda: approve(house, change)) == {"change": [f"{change} was approved already."]}
    worked(change)
    assert refusal(lambda: approve(house, change)) == {"change": [f"{change} was approved already."]}
    assert Entry.objects.filter(action="change.approved").count() == 1


def test_a_plan_that_was_refused_is_not_approved_any_more(house: House) -> None:
    change = house.plan()
    Change.objects.filter(pk=change.pk).update(state="refused")
    assert refusal(lambda: approve(house, change)) == {"change": [f"{change} was refused; plan again."]}


def test_a_plan_that_a_plugin_vetoes_by_now_is_not_approved(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    change = house.plan()
    monkeypatch.setattr(registry(), "vetoes", lambda plan, resources: [f"Leave {resources[0].name} alone."])
    assert refusal(lambda: approve(house, change)) == {"change": ["Leave front alone."]}
    change.refresh_from_db()
    assert change.state == "planned"


def test_only_who_may_change_approves_and_undoes(house: House, everyone: dict[str, User]) -> None:
    change = house.plan()
    for role in ("viewer", "analyst", "stranger"):
        actor = Actor.of(everyone[role])
        with pytest.raises(PermissionDenied):
            approve_change(actor, change, digest=change.digest, reason="rain")
        with pytest.raises(PermissionDenied):
            request_undo(actor, change, reason="rain")
        with pytest.raises(PermissionDenied):
            plan_change(actor, house.alert, house.findings("front"), toy.CloseDoor.id)
    change.refresh_from_db()
    assert (change.state, house.cloud.doors["front"]) == ("planned", True)
    for role in ("remediator", "administrator"):
        planned = house.plan()
        assert approve_change(Actor.of(everyone[role]), planned, digest=planned.digest, reason="rain").approved_by


# -- Applying --------------------------------------------------------------------------------------


def test_two_workers_do_not_apply_one_change(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    change, written = approve(house, house.plan()), []
    write = toy.Doors.write

    def second_worker_comes(doors: toy.Doors, call: Call) -> Mapping[str, Any]:
        written.append(call.label)
        if len(written) == 1:
            applying.work(change.pk)
        return write(doors, call)

    monkeypatch.setattr(toy.Doors, "write", second_worker_comes)
    assert worked(change).state == "verified"
    assert written == ["toy:SetDoor"]


def test_what_nobody_approved_is_not_applied(house: House) -> None:
    change = house.plan()
    assert worked(change).state == "planned"
    assert house.cloud.doors["front"] is True


def test_a_plan_altered_after_its_approval_is_refused(house: House) -> None:
    change = approve(house, house.plan())
    step = change.steps.get()
    step.call["body"]["door"] = "back"
    step.save()
    change = worked(change)
    assert (change.state, change.outcome) == ("refused", "The plan has changed since it was shown. Plan again.")
    assert house.cloud.doors == {"front": True, "back": True}


def test_a_cloud_that_cannot_be_reached_fails_the_change_and_says_why(house: House) -> None:
    change = approve(house, house.plan())
    house.cloud.closed = "The role cannot be assumed."
    change = worked(change)
    assert (change.state, change.outcome) == ("failed", "The role cannot be assumed.")
    assert "Nothing to undo" in refusal(lambda: request_undo(house.actor, change, reason="x"))["change"][0]


def test_a_worker_whose_change_was_ended_makes_no_further_call(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    change, write = approve(house, house.plan("front", "back")), toy.Doors.write

    def too_slow(doors: toy.Doors, call: Call) -> Mapping[str, Any]:
        Change.objects.filter(pk=change.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
        applying.reap()
        return write(doors, call)

    monkeypatch.setattr(toy.Doors, "write", too_slow)
    change = worked(change)
    assert change.state == "failed"
    assert list(change.steps.values_list("state", flat=True)) == ["applying", "pending"]
    assert list(house.cloud.doors.values()).count(False) == 1


def test_the_lease_is_given_back_at_the_end(house: House) -> None:
    change = apply(house.actor, house.plan())
    assert (change.owner, change.lease_until, change.held) == (None, None, False)


def test_what_still_fails_is_applied_but_not_verified(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(toy.Doors, "reread", lambda doors, resource: toy.door(resource.name, True))
    change = apply(house.actor, house.plan())
    assert (change.state, change.outcome) == ("applied", "Applied, but not verified: front")
    assert undo(house.actor, change).state == "undone"


def test_a_verification_that_goes_wrong_leaves_it_applied(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "recheck_resources", lambda *_all, **_more: 1 / 0)
    change = apply(house.actor, house.plan())
    assert change.state == "applied"
    assert "Applied, but not verified: ZeroDivisionError" in change.outcome


# -- Workers that died -----------------------------------------------------------------------------


def test_a_change_whose_worker_died_has_failed_and_can_be_undone(house: House) -> None:
    change = approve(house, house.plan("front", "back"))
    first = change.steps.get(position=0)
    house.cloud.doors[first.resource_name] = False
    die(change, "applying", p0="applied", p1="applying")
    assert applying.reap() == 1
    change.refresh_from_db()
    assert change.state == "failed"
    assert "Interrupted" in change.outcome
    change = undo(house.actor, change)
    assert (change.state, change.outcome) == ("undone", "Undone: the resources are as they were before.")
    assert house.cloud.doors == {"front": True, "back": True}
    assert set(change.steps.values_list("state", flat=True)) == {"undone"}


def test_an_undo_whose_worker_died_can_be_undone_again(house: House) -> None:
    change = apply(house.actor, house.plan("front", "back"))
    request_undo(house.actor, change, reason="air")
    house.cloud.doors["front"] = True
    die(change, "undoing", p0="undoing", p1="undoing")
    applying.reap()
    change.refresh_from_db()
    assert change.state == "failed"
    assert undo(house.actor, change).state == "undone"
    assert house.cloud.doors == {"front": True, "back": True}


def test_a_change_under_a_lease_is_left_alone(house: House) -> None:
    change = approve(house, house.plan())
    Change.objects.filter(pk=change.pk).update(state="applying", lease_until=timezone.now() + timedelta(seconds=30))
    assert applying.reap() == 0
    change.refresh_from_db()
    assert change.state == "applying"


def test_what_no_worker_has_taken_is_queued_again_and_what_is_new_is_not(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    woken: list[int] = []
    monkeypatch.setattr(applying, "wake", lambda change: woken.append(change.pk))
    lost, new = approve(house, house.plan("front")), approve(house, house.plan("back"))
    Change.objects.filter(pk=lost.pk).update(queued_at=timezone.now() - timedelta(minutes=5))
    applying.reap()
    assert woken == [lost.pk]
    assert new.state == "approved"


# -- Undoing ---------------------------------------------------------------------------------------


def test_a_change_that_is_still_queued_is_withdrawn(house: House) -> None:
    change = request_undo(house.actor, approve(house, house.plan()), reason="not today")
    assert (change.state, change.outcome) == ("undone", "Withdrawn before anything changed.")
    assert worked(change).state == "undone"
    assert house.cloud.doors["front"] is True
    assert Entry.objects.get(action="change.undone").reason == "not today"


@pytest.mark.parametrize("state", ["applying", "undo_queued", "undoing"])
def test_a_change_that_a_worker_is_at_waits_for_it(house: House, state: str) -> None:
    change = apply(house.actor, house.plan())
    Change.objects.filter(pk=change.pk).update(state=state, lease_until=timezone.now() + timedelta(seconds=30))
    assert "wait until it finishes" in refusal(lambda: request_undo(house.actor, change, reason="x"))["change"][0]


def test_an_undo_needs_a_reason_and_something_to_undo(house: House) -> None:
    planned = house.plan()
    assert "Nothing to undo" in refusal(lambda: request_undo(house.actor, planned, reason="x"))["change"][0]
    assert "reason" in refusal(lambda: request_undo(house.actor, planned, reason=" "))


def test_what_has_no_inverse_is_not_undone(house: House) -> None:
    change = apply(house.actor, house.plan())
    change.steps.update(inverse=None)
    assert refusal(lambda: request_undo(house.actor, change, reason="x")) == {"change": [f"{change} cannot be undone."]}


def test_an_undo_that_is_refused_leaves_the_change_as_it_ended(house: House) -> None:
    change = apply(house.actor, house.plan("front"))
    house.cloud.closed = "The role cannot be assumed."
    change = undo(house.actor, change)
    assert (change.state, change.outcome) == ("verified", "Not undone: The role cannot be assumed.")
    assert (change.owner, change.undone_at) == (None, None)
    house.cloud.closed = ""
    assert undo(house.actor, change).state == "undone"


# -- Steps and inputs ------------------------------------------------------------------------------


def test_a_change_of_two_steps_is_applied_and_undone_with_what_the_first_returned(house: House) -> None:
    change = apply(house.actor, house.plan_lock())
    assert (change.state, change.inputs) == ("verified", {"maker": "Yale"})
    assert [(step.state, step.kept) for step in change.steps.all()] == [
        ("applied", {"Lock.Number": "lock-1"}),
        ("applied", {}),
    ]
    assert (house.cloud.doors["front"], list(house.cloud.locks)) == (False, ["lock-1"])
    assert undo(house.actor, change).state == "undone"
    assert (house.cloud.doors["front"], house.cloud.locks) == (True, {})


@pytest.mark.parametrize(
    ("inputs", "field", "said"),
    [
        ({}, "maker", "Maker is missing."),
        ({"maker": " "}, "maker", "Maker is missing."),
        ({"maker": "Yale", "colour": "red"}, "colour", "This fix does not ask for “colour”."),
    ],
)
def test_inputs_that_are_missing_or_unknown_are_named(
    house: House, inputs: dict[str, str], field: str, said: str
) -> None:
    asked = house.findings("front")
    errors = refusal(lambda: plan_change(house.actor, house.alert, asked, toy.FitLock.id, inputs))
    assert errors == {field: [said]}
    assert not Change.objects.exists()


def test_a_fix_that_asks_for_nothing_takes_no_inputs(house: House) -> None:
    asked = house.findings("front")
    errors = refusal(lambda: plan_change(house.actor, house.alert, asked, toy.CloseDoor.id, {"maker": "x"}))
    assert errors == {"maker": ["This fix does not ask for “maker”."]}


def test_inputs_altered_in_the_database_are_noticed(house: House) -> None:
    change = house.plan_lock()
    Change.objects.filter(pk=change.pk).update(inputs={"maker": "Abus"})
    assert "digest" in refusal(lambda: approve(house, change))


# -- The plan of an undo ---------------------------------------------------------------------------


def test_an_undo_binds_the_calls_that_were_shown(house: House) -> None:
    change = apply(house.actor, house.plan("front", "back"))
    shown = undo_digest(change.steps.all())
    wrong = refusal(lambda: request_undo(house.actor, change, reason="air", digest="0" * 64))
    assert wrong == {"digest": ["The change has gone on since it was shown. Review its undo again."]}
    assert request_undo(house.actor, change, reason="air", digest=shown).undo_digest == shown
    assert worked(change).state == "undone"


def test_what_is_undone_is_what_was_asked_for(house: House) -> None:
    change = apply(house.actor, house.plan("front"))
    request_undo(house.actor, change, reason="air")
    step = change.steps.get()
    step.inverse["body"]["door"] = "back"
    step.save()
    change = worked(change)
    assert (change.state, house.cloud.doors["front"]) == ("verified", False)
    assert change.outcome == "Not undone: what it would undo is not what it was asked to undo; ask again."
