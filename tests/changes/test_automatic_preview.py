"""What a fix would have done in the last thirty days, and would do now, before it is switched on."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import override_settings
from django.utils import timezone
from tests.house import House

from nephoscope import testing as toy
from nephoscope.accounts.models import User
from nephoscope.alerts.models import Transition
from nephoscope.audit.models import Entry
from nephoscope.audit.services import Actor
from nephoscope.changes.approvals import require_second_approver
from nephoscope.changes.automatic_preview import Forecast, Preview, preview
from nephoscope.changes.suppressing import suppress
from nephoscope.inventory import store
from nephoscope.judging.services import judge_resources

pytestmark = pytest.mark.django_db

FIX = toy.CloseDoor()


def seen(house: House, days: int = 0) -> Preview:
    house.cloud.calls.clear()
    found = preview(toy.closed, FIX, [house.account], days)
    assert house.cloud.calls == []
    return found


def judged(house: House, days_ago: float, monkeypatch: pytest.MonkeyPatch, **doors: bool) -> None:
    """Have the doors read and judged so long ago."""
    then = timezone.now() - timedelta(days=days_ago)
    house.cloud.doors |= doors
    with monkeypatch.context() as patch:
        patch.setattr(timezone, "now", lambda: then)
        read = store.save(house.account, "doors", toy.Doors(house.cloud.doors).collect("doors", "north"))
        judge_resources(house.account, Actor.system(), read, ())


def named(rows: list[Forecast]) -> list[tuple[str, bool, str]]:
    return [(each.resource, each.fixed_at is not None, each.why) for each in rows]


def test_it_shows_what_fails_now_and_when_it_is_fixed(house: House) -> None:
    found = seen(house, days=3)
    assert named(found.now) == [("back", True, ""), ("front", True, "")]
    assert {each.due_at.date() for each in found.now} == {(timezone.now() + timedelta(days=3)).date()}
    assert found.now_fixed == 2 and found.past == [], "what began to fail today is not due yet"


def test_what_is_suppressed_or_managed_is_not_fixed(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    suppress(house.actor, house.alert, house.findings("back"), "we know")
    monkeypatch.setattr(toy.ToyWriting, "managed_by", lambda *_: "the stack attic")
    found = seen(house)
    said = "It is managed by the stack attic, so it is not fixed automatically."
    assert named(found.now) == [("front", False, said)] and found.now_fixed == 0
    assert sorted(named(found.past)) == [("back", False, said), ("front", False, said)]


def test_the_past_is_what_began_to_fail_and_was_not_resolved_before_it_was_due(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged(house, 25, monkeypatch, front=False, back=False)
    judged(house, 20, monkeypatch, front=True)
    judged(house, 18, monkeypatch, back=True)
    judged(house, 17, monkeypatch, back=False)
    found = seen(house, days=3)
    assert named(found.past) == [("front", True, ""), ("back", False, "Resolved before it was due.")]
    assert [round((timezone.now() - each.due_at).total_seconds() / 86_400) for each in found.past] == [17, 15]
    assert found.past[0].alert.account == house.account
    assert found.past_fixed == 1


def test_what_lies_further_back_than_thirty_days_is_left_out(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    judged(house, 60, monkeypatch, front=False, back=False)
    judged(house, 31, monkeypatch, front=True)
    assert [each.resource for each in seen(house, days=3).past] == []


def test_resources_whose_names_are_not_kept_are_counted(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    judged(house, 25, monkeypatch, front=False, back=False)
    judged(house, 20, monkeypatch, **{f"door-{number:02}": True for number in range(23)})
    found = seen(house)
    assert [each.count for each in found.past if not each.resource] == [3]
    assert found.past_fixed >= 23


def test_a_transition_of_which_the_log_holds_nothing_is_counted(house: House, administrator: User) -> None:
    then = timezone.now() - timedelta(days=5)
    Transition.objects.create(
        alert=house.alert, what="reopened", was="resolved", now="open", severity="high", affected=4, suppressed=0,
        created_at=then,
    )  # fmt: skip
    assert not Entry.objects.filter(at=then).exists()
    past = seen(house, days=3).past
    assert [(each.resource, each.count) for each in past] == [("", 4)]


def test_the_limit_puts_off_and_a_second_approver_keeps_back(
    house: House, administrator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    with override_settings(NEPHOSCOPE_AUTOMATIC_FIXES_PER_HOUR=1):
        first, second = seen(house).now
        assert first.fixed_at == first.due_at and second.fixed_at
        assert second.fixed_at - first.fixed_at == timedelta(hours=1)
        assert second.why == "At most 1 resource of an account is fixed automatically within an hour; it waits."
    with override_settings(NEPHOSCOPE_AUTOMATIC_FIXES_PER_HOUR=0):
        assert seen(house).now_fixed == 0
    require_second_approver(Actor.of(administrator), severity="high")
    assert named(seen(house).now) == [(name, False, "It needs a second approver.") for name in ("back", "front")]
