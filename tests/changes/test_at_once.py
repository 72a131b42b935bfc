"""Bulk and automatic changes with real threads: many at a time, and two who do the same at the same moment."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from nephoscope import testing as toy
from nephoscope.accounts.models import Account, User
from nephoscope.alerts.models import Finding
from nephoscope.audit.models import Entry
from nephoscope.audit.services import Actor
from nephoscope.changes import applying, automatic_work, set_work
from nephoscope.changes.automatic import switch_on
from nephoscope.changes.automatic_models import AutomaticFix
from nephoscope.changes.models import Change, ChangeSet
from nephoscope.changes.sets import approve_set, plan_set
from nephoscope.inventory import store
from nephoscope.judging.services import judge_resources
from nephoscope.plugins import registry


@pytest.fixture
def doors(committed: str, monkeypatch: pytest.MonkeyPatch) -> toy.ToyCloud:
    cloud, plugins = toy.ToyCloud(), registry()
    cloud.doors |= {f"door-{number:02}": True for number in range(25)}
    monkeypatch.setitem(plugins.providers, "toy", cloud)
    monkeypatch.setitem(plugins.rules, toy.closed.id, toy.closed)
    monkeypatch.setitem(plugins.frameworks, toy.POLICY.id, toy.POLICY)
    monkeypatch.setitem(plugins.remediations, toy.CloseDoor.id, toy.CloseDoor())
    return cloud


@pytest.fixture
def house(doors: toy.ToyCloud) -> Account:
    """An account in which all doors are open."""
    now = timezone.now()
    account = Account.objects.create(
        name="house",
        provider="toy",
        number="1" * 12,
        regions=["north"],
        services=["doors"],
        policies=["toy-policy"],
        verified_at=now,
        writing_verified_at=now,
        settings={"role": "reader", "write_role": "mover"},
    )
    read = store.save(account, "doors", toy.Doors(doors.doors).collect("doors", "north"))
    judge_resources(account, Actor.system(), read, ())
    return account


def at_once(*acts: Callable[[], object]) -> list[str]:
    """Do all of these at the same moment; return what went wrong."""
    problems = list[str]()

    def done(act: Callable[[], object]) -> None:
        try:
            act()
        except Exception as problem:
            problems.append(str(problem))
        finally:
            connection.close()

    threads = [threading.Thread(target=done, args=(act,)) for act in acts]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return problems


def test_many_are_applied_at_a_time_and_two_approvals_at_once_are_one(doors: toy.ToyCloud, house: Account) -> None:
    actor = Actor.of(User.objects.create_user("ada", role="administrator"))
    found = plan_set(actor, Finding.objects.filter(rule_id="toy.closed"), toy.CloseDoor.id)
    set_work.work(found.pk)
    found = ChangeSet.objects.get(pk=found.pk)
    problems = at_once(*[lambda: approve_set(actor, found, digest=found.digest, reason="rain")] * 2)
    assert len(problems) == 1 and "does not wait for approval" in problems[0]
    assert Entry.objects.filter(action="change.approved").count() == 25
    set_work.work(found.pk)
    assert set(found.changes.values_list("state", flat=True)) == {"verified"}
    assert not any(doors.doors.values())


def test_two_housekeepings_and_two_workers_at_once_fix_once_and_within_the_limit(
    doors: toy.ToyCloud, house: Account, settings: Any
) -> None:
    settings.NEPHOSCOPE_AUTOMATIC_FIXES_PER_HOUR = 10
    boss = Actor.of(User.objects.create_user("ada", role="administrator"))
    asked: dict[str, Any] = {"rule": "toy.closed", "remediation": toy.CloseDoor.id, "notice_days": 0}
    assert sorted(at_once(*[lambda: switch_on(boss, accounts=[house], **asked)] * 2)) != []
    automatic = AutomaticFix.objects.get()
    for _again in range(2):
        assert at_once(*[automatic_work.wake_due] * 2) == []
        assert automatic.notices.count() == 25
        assert at_once(*[lambda: automatic_work.work(house.pk)] * 3) == []
    changes = Change.objects.all()
    assert [change.state for change in changes] == ["approved"] * 10
    assert len({change.steps.get().resource_id for change in changes}) == 10
    at_once(*[lambda pk=change.pk: applying.work(pk) for change in changes] * 2)
    assert sorted(doors.doors.values()) == [False] * 10 + [True] * 15
