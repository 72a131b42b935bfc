"""Bulk changes with real threads: many at a time, and two persons who press at the same moment."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone

from nephoscope import testing as toy
from nephoscope.accounts.models import Account, User
from nephoscope.alerts.models import Finding
from nephoscope.audit.models import Entry
from nephoscope.audit.services import Actor
from nephoscope.changes import set_work
from nephoscope.changes.models import ChangeSet
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


def test_many_are_applied_at_a_time_and_two_approvals_at_once_are_one(doors: toy.ToyCloud, tmp_path: Path) -> None:
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
    actor = Actor.of(User.objects.create_user("ada", role="administrator"))
    found = plan_set(actor, Finding.objects.filter(rule_id="toy.closed"), toy.CloseDoor.id)
    set_work.work(found.pk)
    found = ChangeSet.objects.get(pk=found.pk)
    problems = list[str]()

    def press() -> None:
        try:
            approve_set(actor, found, digest=found.digest, reason="rain")
        except Exception as problem:
            problems.append(str(problem))
        finally:
            connection.close()

    pressed = [threading.Thread(target=press) for _ in range(2)]
    for each in pressed:
        each.start()
    for each in pressed:
        each.join()
    assert len(problems) == 1 and "does not wait for approval" in problems[0]
    assert Entry.objects.filter(action="change.approved").count() == 25
    set_work.work(found.pk)
    assert set(found.changes.values_list("state", flat=True)) == {"verified"}
    assert not any(doors.doors.values())
