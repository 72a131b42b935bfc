"""A rule that is fixed automatically: after notice, within the limit, and never against a person's word."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.test import override_settings
from django.utils import timezone
from tests.changes.automatic import days_pass, judged, minute, notice, on
from tests.changes.working import undo, worked
from tests.house import House

from nephoscope import domain
from nephoscope import testing as toy
from nephoscope.accounts.models import User
from nephoscope.alerts.models import Finding
from nephoscope.audit.models import Entry
from nephoscope.audit.services import Actor
from nephoscope.changes import automatic_work
from nephoscope.changes.approvals import require_second_approver
from nephoscope.changes.automatic import object_to, switch_off, withdraw_objection
from nephoscope.changes.automatic_models import FixNotice
from nephoscope.changes.models import Change
from nephoscope.changes.suppressing import suppress
from nephoscope.inventory.models import Resource
from nephoscope.plugins import registry

pytestmark = pytest.mark.django_db


def test_at_once_each_failing_resource_is_planned_approved_and_fixed(house: House, boss: Actor) -> None:
    automatic = on(boss, house)
    changes = minute(house)
    assert sorted(change.steps.get().resource_name for change in changes) == ["back", "front"]
    assert {worked(change).state for change in changes} == {"verified"}
    assert house.cloud.doors == {"front": False, "back": False}
    for change in Change.objects.all():
        assert (change.automatic, change.approved_by, change.planned_by) == (automatic, boss.user, boss.user)
        day = timezone.localdate().isoformat()
        assert change.reason == f"Automatic fix of “{toy.closed.title}”, on since {day} by ada"
    assert minute(house) == []
    assert Change.objects.count() == 2


def test_what_is_recorded_says_that_nobody_was_asked(house: House, boss: Actor) -> None:
    on(boss, house)
    for change in minute(house):
        worked(change)
    entries = Entry.objects.filter(action__in=("change.planned", "change.approved"))
    assert {(entry.actor, entry.user) for entry in entries} == {("Automatic fix set by ada", boss.user)}
    assert Entry.objects.filter(action="automatic.on", account=house.account).count() == 1


def test_with_notice_nothing_is_done_before_it_is_due(house: House, boss: Actor) -> None:
    on(boss, house, days=3)
    assert minute(house) == []
    assert notice().state == "upcoming" and notice().due_at > timezone.now() + timedelta(days=2.9)
    assert Entry.objects.get(action="automatic.noticed").data["resources"] == ["back", "front"]
    days_pass(2.9)
    assert minute(house) == []
    days_pass(0.1)
    assert len(minute(house)) == 2
    assert Entry.objects.filter(action="automatic.noticed").count() == 1


def test_who_may_suppress_may_object_and_withdraw_the_objection(house: House, boss: Actor, analyst: User) -> None:
    on(boss, house, days=3)
    minute(house)
    object_to(Actor.of(analyst), notice(), reason="the movers come")
    days_pass(3)
    assert [change.steps.get().resource_name for change in minute(house)] == ["back"]
    assert (notice().state, notice().objection) == ("objected", "the movers come")
    withdraw_objection(Actor.of(analyst), notice())
    assert len(minute(house)) == 1, "notice begins anew"
    days_pass(2.9)
    assert Change.objects.count() == 1
    days_pass(0.1)
    minute(house)
    assert Change.objects.count() == 2 and notice().state == "changed"
    codes = ["automatic.objected", "automatic.objection_withdrawn"]
    assert list(Entry.objects.filter(action__in=codes).order_by("pk").values_list("action", flat=True)) == codes


def test_a_viewer_may_not_object_and_nobody_but_administrators_may_switch(
    house: House, boss: Actor, everyone: dict[str, User]
) -> None:
    automatic = on(boss, house, days=3)
    minute(house)
    with pytest.raises(PermissionDenied):
        object_to(Actor.of(everyone["viewer"]), notice(), reason="no")
    for role in ("viewer", "analyst", "remediator", "stranger"):
        with pytest.raises(PermissionDenied):
            on(Actor.of(everyone[role]), house)
        with pytest.raises(PermissionDenied):
            switch_off(Actor.of(everyone[role]), automatic)


def test_an_objection_holds_over_closing_and_over_switching_off_and_on(house: House, boss: Actor) -> None:
    automatic = on(boss, house, days=1)
    minute(house)
    object_to(boss, notice(), reason="we need it")
    switch_off(boss, automatic)
    judged(house, front=False)
    judged(house, front=True)
    on(boss, house)
    assert [change.steps.get().resource_name for change in minute(house)] == ["back"]


def test_what_a_person_undid_is_never_fixed_automatically_again(house: House, boss: Actor) -> None:
    on(boss, house)
    changes = [worked(change) for change in minute(house)]
    for change in changes:
        if change.steps.get().resource_name == "front":
            assert undo(house.actor, change).state == "undone"
    days_pass(10)
    assert minute(house) == []
    judged(house, front=False, back=True)
    judged(house, front=True)
    assert [change.steps.get().resource_name for change in minute(house)] == ["back"], "that one fails anew"


@pytest.mark.parametrize("state", ["suppressed", "fixed", "gone"])
def test_what_fails_no_more_or_is_suppressed_is_not_fixed_and_has_notice_anew(
    house: House, boss: Actor, state: str
) -> None:
    on(boss, house, days=3)
    minute(house)
    if state == "suppressed":
        suppress(house.actor, house.alert, house.findings("front"), "we know")
    elif state == "fixed":
        judged(house, front=False)
    else:
        Resource.objects.filter(name="front").update(gone_at=timezone.now())
    days_pass(3)
    assert [change.steps.get().resource_name for change in minute(house)] == ["back"]
    assert not FixNotice.objects.filter(resource_name="front").exists()


def test_a_stack_keeps_a_resource_back_and_the_reason_is_shown(
    house: House, boss: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        toy.ToyWriting, "managed_by", lambda self, resource: "the stack attic" if resource.name == "front" else ""
    )
    on(boss, house)
    assert [change.steps.get().resource_name for change in minute(house)] == ["back"]
    assert (notice().state, notice().problem) == (
        "kept_back",
        "It is managed by the stack attic, so it is not fixed automatically.",
    )


def test_what_cannot_be_read_any_more_is_not_fixed_until_it_fails_again(house: House, boss: Actor) -> None:
    on(boss, house)
    Finding.objects.filter(resource__name="front").update(verdict="unknown")
    assert [change.steps.get().resource_name for change in minute(house)] == ["back"]
    assert not FixNotice.objects.filter(resource_name="front").exists()
    Finding.objects.filter(resource__name="front").update(verdict="fail")
    assert len(minute(house)) == 2


def test_tags_as_they_are_when_it_is_planned_keep_it_back_as_well(
    house: House, boss: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    tagged = {"door/front": {"stack": "attic"}}
    monkeypatch.setattr(toy.ToyWriting, "tags", lambda *_: tagged)
    monkeypatch.setattr(toy.ToyWriting, "managed_by", lambda self, resource: resource.tags.get("stack", ""))
    on(boss, house)
    automatic_work.wake_due()
    assert notice().state == "upcoming", "nothing that is stored says so"
    assert [change.steps.get().resource_name for change in minute(house)] == ["back"]
    assert notice().problem == "It is managed by attic, so it is not fixed automatically."


# -- What needs a person ---------------------------------------------------------------------------


@pytest.mark.parametrize("which", ["no inverse", "loses", "second"])
def test_what_needs_a_person_becomes_a_plan_that_waits_for_one(
    house: House, boss: Actor, which: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = toy.CloseDoor.plan

    def losing(self: toy.CloseDoor, *asked: Any) -> list[domain.Step]:
        [step] = plan(self, *asked)
        object.__setattr__(step, *(("inverse", None) if which == "no inverse" else ("loses", "The draught is gone.")))
        return [step]

    if which == "second":
        require_second_approver(boss, severity="high")
    else:
        monkeypatch.setattr(toy.CloseDoor, "plan", losing)
    on(boss, house)
    assert minute(house) == []
    assert [(change.state, change.automatic) for change in Change.objects.all()] == [("planned", None)] * 2
    assert notice().state == "needs_approval"
    assert "approv" in notice().problem
    assert minute(house) == [] and Change.objects.count() == 2
    assert house.cloud.doors["front"] is True


def test_a_plan_that_a_plugin_vetoes_is_noted_and_tried_again_a_day_later(
    house: House, boss: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = ["not on Sundays"]
    monkeypatch.setattr(type(registry()), "vetoes", lambda *_: list(said))
    on(boss, house)
    assert minute(house) == []
    assert (notice().problem, notice().state) == ("not on Sundays", "kept_back")
    assert not Change.objects.exists()
    said.clear()
    days_pass(0.9)
    assert minute(house) == []
    days_pass(0.1)
    assert len(minute(house)) == 2


def test_an_account_that_cannot_be_opened_is_tried_again_a_day_later(house: House, boss: Actor) -> None:
    on(boss, house)
    house.cloud.closed = "The role is gone."
    assert minute(house) == [] and notice().problem == "The role is gone."
    house.cloud.closed = ""
    assert minute(house) == []
    days_pass(1)
    assert len(minute(house)) == 2 and notice().problem == ""


def test_what_was_refused_because_somebody_changed_it_is_planned_again_a_day_later(house: House, boss: Actor) -> None:
    on(boss, house)
    changes = minute(house)
    house.cloud.doors |= {"front": False}
    states = sorted(worked(change).state for change in changes)
    assert states == ["refused", "verified"]
    house.cloud.doors |= {"front": True}
    days_pass(0.5)
    assert minute(house) == []
    days_pass(0.5)
    [again] = minute(house)
    assert worked(again).state == "verified"


def test_a_change_that_failed_is_left_to_a_person(house: House, boss: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    def refusing(*_: Any) -> None:
        raise PermissionError("denied")

    on(boss, house)
    monkeypatch.setattr(toy.Doors, "write", refusing)
    assert {worked(change).state for change in minute(house)} == {"failed"}
    days_pass(2)
    assert minute(house) == [] and notice().state == "changed"


def test_nothing_is_planned_once_who_switched_it_on_is_no_administrator(
    house: House, boss: Actor, administrator: User
) -> None:
    on(boss, house)
    User.objects.filter(pk=administrator.pk).update(role="remediator")
    assert minute(house) == []
    assert notice().problem == "ada, who switched it on, is no longer an administrator. Switch it on again."


def test_a_worker_applies_nothing_for_who_lost_the_right_after_the_approval(
    house: House, boss: Actor, administrator: User
) -> None:
    on(boss, house)
    [change, _other] = minute(house)
    User.objects.filter(pk=administrator.pk).update(role="viewer")
    assert worked(change).outcome == "ada no longer has the Remediator role; nothing was changed."


# -- The limit -------------------------------------------------------------------------------------


def test_more_than_the_limit_waits_for_the_next_hour_and_says_so(house: House, boss: Actor) -> None:
    on(boss, house)
    with override_settings(NEPHOSCOPE_AUTOMATIC_FIXES_PER_HOUR=1):
        assert len(minute(house)) == 1
        [waits] = FixNotice.objects.filter(change=None)
        assert waits.problem == "At most 1 resource of an account is fixed automatically within an hour; it waits."
        assert waits.retry_at and timezone.now() < waits.retry_at <= timezone.now() + timedelta(hours=1)
        assert len(minute(house)) == 1
        days_pass(1 / 24)
        assert len(minute(house)) == 2


def test_a_limit_of_none_fixes_nothing(house: House, boss: Actor) -> None:
    on(boss, house)
    with override_settings(NEPHOSCOPE_AUTOMATIC_FIXES_PER_HOUR=0):
        assert minute(house) == []
