"""Bulk changes in a house with many open doors, in the thread of the test."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from tests.house import House

from nephoscope import testing as toy
from nephoscope.alerts.models import Finding
from nephoscope.audit.services import Actor
from nephoscope.changes import set_work
from nephoscope.changes.models import Change, ChangeSet, SetItem
from nephoscope.changes.sets import approve_set, plan_set
from nephoscope.inventory import store
from nephoscope.judging.services import judge_resources

NAMES = [f"door-{number:02}" for number in range(30)]


class OneLane:
    """Threads do not see a test's transaction, so that what they would do is done by the test itself."""

    def __init__(self, *_: object) -> None: ...

    def __enter__(self) -> OneLane:
        return self

    def __exit__(self, *_: object) -> None: ...

    def map(self, ask: Callable[[Any], Any], things: Iterable[Any]) -> Iterator[Any]:
        return map(ask, things)


def with_many_doors(house: House, monkeypatch: pytest.MonkeyPatch, names: list[str] = NAMES) -> House:
    monkeypatch.setattr(set_work, "ThreadPoolExecutor", OneLane)
    monkeypatch.setattr(set_work, "_close", lambda: None)
    house.cloud.doors |= dict.fromkeys(names, True)
    read = store.save(house.account, "doors", toy.Doors(house.cloud.doors).collect("doors", "north"))
    judge_resources(house.account, Actor.system(), read, ())
    house.alert.refresh_from_db()
    house.cloud.calls.clear()
    return house


def planned(house: House, count: int = 20, actor: Actor | None = None, fix: str = toy.CloseDoor.id) -> ChangeSet:
    rows = Finding.objects.filter(rule_id="toy.closed", resource__name__in=NAMES[:count])
    inputs = {"maker": "Yale"} if fix == toy.FitLock.id else None
    found = plan_set(actor or house.actor, rows, fix, inputs)
    set_work.work(found.pk)
    return ChangeSet.objects.get(pk=found.pk)


def approve(actor: Actor, found: ChangeSet, **more: Any) -> ChangeSet:
    return approve_set(actor, found, digest=found.digest, reason="rain", **more)


def states(found: ChangeSet) -> set[str]:
    return set(found.changes.values_list("state", flat=True))


def set_of(change: Change, state: str = "planned", problem: str = "It is gone.") -> ChangeSet:
    """Put a change into a bulk change of its own, beside a resource that is left out."""
    found = ChangeSet.objects.create(
        rule=change.alert.key, remediation=change.remediation, title=change.title, state=state
    )
    Change.objects.filter(pk=change.pk).update(change_set=found)
    step = change.steps.all()[0]
    SetItem.objects.create(change_set=found, account=change.account, resource_name=step.resource_name, change=change)
    SetItem.objects.create(change_set=found, account=change.account, resource_name="gone", problem=problem)
    found.digest = found.digest_now()
    found.save()
    return found
