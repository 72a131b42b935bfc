"""Bulk changes: one plan per resource, one approval of the digest over all of theirs, undone alone or all at once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from tests.changes.bulk import NAMES, approve, planned, states, with_many_doors
from tests.house import House

from nephoscope import testing as toy
from nephoscope.accounts.models import Account, User
from nephoscope.alerts.models import Finding
from nephoscope.audit.chain import check
from nephoscope.audit.models import Entry
from nephoscope.audit.services import Actor
from nephoscope.changes import set_work
from nephoscope.changes.approvals import approve_change, require_second_approver
from nephoscope.changes.giving_up import discard_plan
from nephoscope.changes.models import Change, ChangeSet, ChangeStep
from nephoscope.changes.sets import approve_set, discard_set, plan_set, stop_set, undo_set

pytestmark = pytest.mark.django_db


@pytest.fixture
def many(house: House, monkeypatch: pytest.MonkeyPatch) -> House:
    """A house with thirty-two open doors."""
    return with_many_doors(house, monkeypatch)


def test_each_resource_gets_a_plan_of_its_own_and_nothing_is_changed(many: House) -> None:
    found = planned(many)
    assert (found.state, found.changes.count(), states(found)) == ("planned", 20, {"planned"})
    assert all(len(set(change.steps.values_list("resource_id"))) == 1 for change in found.changes.all())
    assert all(many.cloud.doors.values())
    assert many.cloud.calls.count("open") == 1, "the account is opened for reading once"


def test_one_approval_applies_all_of_them_and_the_alert_shrinks(many: House) -> None:
    found = planned(many)
    approve(many.actor, found)
    set_work.work(found.pk)
    assert states(found) == {"verified"}
    assert not any(many.cloud.doors[name] for name in NAMES[:20])
    assert many.cloud.doors[NAMES[20]] is True
    assert Entry.objects.filter(action="change.approved").count() == 20
    assert Entry.objects.filter(action="changeset.approved").count() == 1


def test_the_approval_binds_what_was_shown(many: House) -> None:
    found = planned(many)
    with pytest.raises(ValidationError, match="have changed"):
        approve_set(many.actor, found, digest="0" * 64, reason="rain")
    shown = found.digest
    discard_plan(many.actor, found.changes.all()[0])
    with pytest.raises(ValidationError, match="have changed"):
        approve_set(many.actor, found, digest=shown, reason="rain")
    found.refresh_from_db()
    approve(many.actor, found)
    assert found.changes.filter(state="approved").count() == 19


def test_a_change_of_it_is_not_approved_alone(many: House) -> None:
    change = planned(many).changes.all()[0]
    with pytest.raises(ValidationError, match="with its bulk change"):
        approve_change(many.actor, change, digest=change.digest, reason="rain")


def test_more_than_the_limit_takes_an_administrator_who_confirms_the_number(many: House, administrator: User) -> None:
    found, boss = planned(many, 30), Actor.of(administrator)
    with pytest.raises(PermissionDenied):
        approve(many.actor, found, confirmed=30)
    for wrong in (None, 29):
        with pytest.raises(ValidationError, match="Enter the number of resources, 30"):
            approve(boss, found, confirmed=wrong)
    approve(boss, found, confirmed=30)
    assert states(found) == {"approved"}


def test_one_that_cannot_be_planned_for_is_left_out_with_the_reason(many: House) -> None:
    many.cloud.doors[NAMES[3]] = False
    del many.cloud.doors[NAMES[4]]
    rows = Finding.objects.filter(rule_id="toy.closed", resource__name__in=NAMES[:6])
    found = plan_set(many.actor, rows, toy.FitLock.id, {"maker": "Yale"})
    Finding.objects.filter(resource__name=NAMES[4]).delete()
    set_work.work(found.pk)
    assert found.changes.count() == 5
    assert [item.problem for item in found.items.exclude(problem="")] == ["it is gone."]


def test_a_failure_costs_no_other(many: House, monkeypatch: pytest.MonkeyPatch) -> None:
    found, write = planned(many, 10), toy.Doors.write

    def refusing(doors: toy.Doors, call: Any) -> Any:
        if call.body["door"] == NAMES[2]:
            raise PermissionError("denied")
        return write(doors, call)

    monkeypatch.setattr(toy.Doors, "write", refusing)
    approve(many.actor, found)
    set_work.work(found.pk)
    assert found.changes.filter(state="failed").get().steps.get().resource_name == NAMES[2]
    assert found.changes.filter(state="verified").count() == 9


def test_stopping_withdraws_what_no_worker_has_begun(many: House) -> None:
    found = planned(many, 10)
    approve(many.actor, found)
    set_work._worked(found.changes.all()[9].pk)
    assert stop_set(many.actor, found) == 9
    set_work.work(found.pk)
    assert sorted(found.changes.values_list("state", flat=True)) == ["undone"] * 9 + ["verified"]
    assert sum(many.cloud.doors[name] for name in NAMES[:10]) == 9
    with pytest.raises(ValidationError, match="not in progress"):
        stop_set(many.actor, found)


def test_stopping_ends_the_planning(many: House) -> None:
    rows = Finding.objects.filter(rule_id="toy.closed", resource__name__in=NAMES)
    found = plan_set(many.actor, rows, toy.CloseDoor.id)
    stop_set(many.actor, found)
    set_work.work(found.pk)
    assert not found.changes.exists()


def test_all_of_it_is_undone_at_once_or_one_alone(many: House) -> None:
    found = planned(many, 10)
    approve(many.actor, found)
    set_work.work(found.pk)
    assert undo_set(many.actor, found, reason="too warm") == (10, [])
    set_work.work(found.pk)
    assert states(found) == {"undone"}
    assert all(many.cloud.doors.values())


def test_it_is_discarded_and_expires_as_a_whole(many: House) -> None:
    first, second = planned(many, 3), planned(many, 4)
    discard_set(many.actor, first)
    assert states(first) == {"discarded"}
    ChangeSet.objects.filter(pk=second.pk).update(planned_at=timezone.now() - timedelta(days=7))
    second.refresh_from_db()
    with pytest.raises(ValidationError, match="has expired"):
        approve(many.actor, second)
    assert set_work.wake_waiting() == 1
    assert states(second) == {"expired"}


def test_a_second_approver_is_asked_for_as_for_one_change(many: House, administrator: User) -> None:
    boss = Actor.of(administrator)
    require_second_approver(boss, account=many.account)
    found = approve(many.actor, planned(many, 3))
    assert (found.state, states(found)) == ("half_approved", {"planned"})
    with pytest.raises(ValidationError, match="You planned"):
        approve(many.actor, found)
    assert approve(boss, found).state == "approved"


def test_planning_that_was_cut_off_goes_on_where_it_was(many: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(set_work, "BATCH", 4)
    rows = Finding.objects.filter(rule_id="toy.closed", resource__name__in=NAMES[:10])
    found, save, left = plan_set(many.actor, rows, toy.CloseDoor.id), set_work.save_draft, [5]

    def dying(*given: Any, **more: Any) -> Change:
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        return save(*given, **more)

    monkeypatch.setattr(set_work, "save_draft", dying)
    with pytest.raises(KeyboardInterrupt):
        set_work.work(found.pk)
    monkeypatch.setattr(set_work, "save_draft", save)
    set_work.work(found.pk)
    assert (found.changes.count(), ChangeSet.objects.get(pk=found.pk).state) == (10, "planned")


def test_who_may_not_change_plans_approves_stops_and_undoes_nothing(many: House, analyst: User) -> None:
    found, anna = planned(many, 3), Actor.of(analyst)
    rows = Finding.objects.filter(rule_id="toy.closed")
    for act in (
        lambda: plan_set(anna, rows, toy.CloseDoor.id),
        lambda: approve(anna, found),
        lambda: stop_set(anna, found),
        lambda: discard_set(anna, found),
        lambda: undo_set(anna, found, reason="why"),
    ):
        with pytest.raises(PermissionDenied):
            act()
    assert states(found) == {"planned"}


def test_it_is_visible_to_those_who_see_all_of_its_accounts(many: House, viewer: User, stranger: User) -> None:
    found = planned(many, 3)
    assert found in ChangeSet.objects.visible_to(viewer)
    assert found not in ChangeSet.objects.visible_to(stranger)


@pytest.mark.parametrize(("fix", "rows", "said"), [("toy.paint", NAMES, "not a fix"), ("toy.close", [], "Nothing")])
def test_what_cannot_be_a_bulk_change_is_refused(many: House, fix: str, rows: list[str], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        plan_set(many.actor, Finding.objects.filter(resource__name__in=rows), fix)


def test_a_plan_that_was_under_way_when_it_was_stopped_is_not_stored(
    many: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = plan_set(many.actor, Finding.objects.filter(rule_id="toy.closed"), toy.CloseDoor.id)
    rehearse = set_work.rehearse

    def stopped(*given: Any) -> Any:
        ChangeSet.objects.filter(pk=found.pk, state="planning").update(state="stopped")
        return rehearse(*given)

    monkeypatch.setattr(set_work, "rehearse", stopped)
    set_work.work(found.pk)
    assert not found.changes.exists()


def test_what_is_in_an_account_without_a_fix_role_is_left_out(many: House) -> None:
    many.account.writing_verified_at = None
    many.account.save()
    rows = Finding.objects.filter(rule_id="toy.closed")
    with pytest.raises(ValidationError, match="has no fix role"):
        plan_set(many.actor, rows, toy.CloseDoor.id)
    other = Account.objects.create(name="cabin", provider="toy", number="2" * 12, writing_verified_at=timezone.now())
    Finding.objects.filter(resource__name=NAMES[0]).update(account=other)
    found = plan_set(many.actor, rows, toy.CloseDoor.id)
    assert {item.resource_name for item in found.items.filter(problem="")} == {NAMES[0]}
    assert found.items.filter(problem__contains="has no fix role").count() == 31


def test_the_audit_log_says_of_each_change_what_was_done_with_all(many: House) -> None:
    found = planned(many, 5)
    approve(many.actor, found)
    stop_set(many.actor, found)
    told = Entry.objects.filter(target_type="change").order_by("id").values_list("action", flat=True)
    assert list(told) == ["change.planned"] * 5 + ["change.approved"] * 5 + ["change.undone"] * 5
    assert list(check()) == []


def test_acts_on_a_set_ask_the_database_as_often_for_many_as_for_few(many: House, administrator: User) -> None:
    counted = []
    for count in (10, 25):
        found = planned(many, count)
        with CaptureQueriesContext(connection) as approved:
            approve(many.actor, found)
        set_work.work(found.pk)
        counted.append(len(approved))
    assert counted[0] == counted[1]


def test_workers_are_woken_again_only_when_none_is_at_it(many: House, monkeypatch: pytest.MonkeyPatch) -> None:
    found, woken = planned(many, 3), list[ChangeSet]()
    monkeypatch.setattr(set_work, "wake_set", woken.append)
    approve(many.actor, found)
    found.changes.update(queued_at=timezone.now() - timedelta(hours=1))
    at_it = found.changes.filter(pk=found.changes.all()[0].pk)
    at_it.update(state="applying", lease_until=timezone.now() + timedelta(minutes=1))
    set_work.wake_waiting()
    assert woken == []
    at_it.update(lease_until=timezone.now() - timedelta(minutes=1))
    set_work.wake_waiting()
    assert woken == [found]


def test_what_an_undo_does_not_bring_back_is_confirmed_whoever_asks(many: House) -> None:
    found = planned(many, 3)
    ChangeStep.objects.filter(change__in=found.changes.all()[:1]).update(loses="The paint comes off.")
    with pytest.raises(ValidationError, match="Confirm that you understand this"):
        approve(many.actor, found)
    assert approve(many.actor, found, irreversible=True).state == "approved"
