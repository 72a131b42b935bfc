"""Switching automatic fixes on and off; workers that die, meet, or are overtaken by an objection."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import override_settings
from django.utils import timezone
from tests.changes.automatic import days_pass, minute, notice, on
from tests.changes.working import worked
from tests.house import House

from nephoscope import testing as toy
from nephoscope.accounts.models import Account
from nephoscope.audit.services import Actor
from nephoscope.changes import automatic_work
from nephoscope.changes.automatic import object_to, switch_off
from nephoscope.changes.automatic_models import AutomaticFix, FixNotice
from nephoscope.changes.models import Change
from nephoscope.scans.removing import delete_account, remove_account, restore_account

pytestmark = pytest.mark.django_db


# -- On and off ------------------------------------------------------------------------------------


def test_switched_off_it_gives_no_notice_and_withdraws_what_is_queued(house: House, boss: Actor) -> None:
    automatic = on(boss, house)
    with override_settings(NEPHOSCOPE_AUTOMATIC_FIXES_PER_HOUR=1):
        [change] = minute(house)
    assert switch_off(boss, automatic) == 1
    assert worked(change).state == "undone" and not FixNotice.objects.filter(change=None).exists()
    assert minute(house) == []
    with pytest.raises(ValidationError, match="is off already"):
        switch_off(boss, automatic)
    on(boss, house)
    assert len(minute(house)) == 2, "nobody objected"


def test_a_change_that_was_queued_when_it_was_switched_off_elsewhere_is_not_applied(house: House, boss: Actor) -> None:
    automatic = on(boss, house)
    [change, _other] = minute(house)
    AutomaticFix.objects.filter(pk=automatic.pk).update(off_at=timezone.now())
    change = worked(change)
    assert change.state == "refused" and "was switched off on" in change.outcome


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"rule": "toy.none"}, "rule"),
        ({"remediation": "toy.none"}, "remediation"),
        ({"accounts": []}, "accounts"),
        ({"notice_days": 91}, "notice_days"),
        ({"remediation": toy.FitLock.id}, "maker"),
        ({"inputs": {"maker": "Yale"}}, "maker"),
    ],
)
def test_what_it_is_switched_on_with_is_checked(house: House, boss: Actor, asked: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        on(boss, house, asked.pop("notice_days", 0), **asked)
    assert list(refused.value.message_dict) == [field]


def test_an_account_without_a_fix_role_or_with_another_fix_of_the_rule_is_refused(house: House, boss: Actor) -> None:
    on(boss, house)
    with pytest.raises(ValidationError, match="fixes this rule in prod already"):
        on(boss, house)
    Account.objects.update(writing_verified_at=None)
    with pytest.raises(ValidationError, match="prod has no fix role"):
        on(boss, house)


def test_a_fix_that_asks_for_something_gets_what_was_entered_once(house: House, boss: Actor) -> None:
    on(boss, house, remediation=toy.FitLock.id, inputs={"maker": "Yale"})
    for change in minute(house):
        assert worked(change).state == "verified"
    assert {lock["Maker"] for lock in house.cloud.locks.values()} == {"Yale"}


def test_in_a_removed_account_nothing_is_fixed_and_once_it_is_restored_notice_is_given_anew(
    house: House, boss: Actor
) -> None:
    on(boss, house, days=3)
    minute(house)
    days_pass(3)
    remove_account(boss, house.account)
    assert minute(house) == [] and not FixNotice.objects.exists()
    restore_account(boss, house.account)
    Account.objects.update(writing_verified_at=timezone.now())
    assert minute(house) == []
    assert notice().due_at > timezone.now() + timedelta(days=2.9)


def test_an_account_is_deleted_for_good_with_its_notices_and_the_fix_goes_on_elsewhere(
    house: House, boss: Actor
) -> None:
    automatic = on(boss, house, days=3)
    minute(house)
    object_to(boss, notice(), reason="no")
    remove_account(boss, house.account)
    delete_account(boss, house.account, name=house.account.name)
    assert not FixNotice.objects.exists()
    assert AutomaticFix.objects.in_force().get() == automatic and not automatic.accounts.exists()
    assert automatic_work.wake_due() == 0


# -- Workers ---------------------------------------------------------------------------------------


def test_a_worker_that_died_between_notice_and_plan_is_followed_by_another_that_plans_once(
    house: House, boss: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    on(boss, house)
    automatic_work.wake_due()

    class Killed(BaseException):
        """What ends a process."""

    def killed(*_: Any, **__: Any) -> None:
        raise Killed

    for dies_in in ("rehearse", "approve_change"):
        with monkeypatch.context() as patch:
            patch.setattr(automatic_work, dies_in, killed)
            patch.setattr(automatic_work.lease, "give_back", lambda *_, **__: 0)
            with pytest.raises(Killed):
                automatic_work.work(house.account.pk)
        assert not Change.objects.exists()
        held = FixNotice.objects.exclude(owner=None)
        assert held.count() == 1
        held.update(lease_until=timezone.now())
    assert len(minute(house)) == 2
    assert len(minute(house)) == Change.objects.count() == 2


def test_what_another_worker_holds_is_left_to_it(house: House, boss: Actor) -> None:
    on(boss, house)
    automatic_work.wake_due()
    FixNotice.objects.filter(resource_name="front").update(lease_until=timezone.now() + timedelta(minutes=1))
    assert [change.steps.get().resource_name for change in minute(house)] == ["back"]


def test_an_objection_while_the_worker_reads_is_heard(
    house: House, boss: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    on(boss, house)
    rehearse: Callable[..., Any] = automatic_work.rehearse

    def objecting(*asked: Any) -> Any:
        for each in FixNotice.objects.filter(objected_at=None):
            object_to(boss, each, reason="wait")
        return rehearse(*asked)

    monkeypatch.setattr(automatic_work, "rehearse", objecting)
    assert minute(house) == [] and not Change.objects.exists()


def test_a_change_that_was_planned_already_cannot_be_objected_to(house: House, boss: Actor) -> None:
    on(boss, house)
    minute(house)
    with pytest.raises(ValidationError, match="undo or discard it"):
        object_to(boss, notice(), reason="late")
