"""What tests of automatic fixes share: switching one on, a minute, days that pass."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.house import House

from nephoscope import testing as toy
from nephoscope.audit.services import Actor
from nephoscope.changes import automatic_work
from nephoscope.changes.automatic import switch_on
from nephoscope.changes.automatic_models import AutomaticFix, FixNotice
from nephoscope.changes.models import Change
from nephoscope.inventory import store
from nephoscope.judging.services import judge_resources


def on(boss: Actor, house: House, days: int = 0, **more: Any) -> AutomaticFix:
    asked = {"rule": "toy.closed", "remediation": toy.CloseDoor.id, "accounts": [house.account]} | more
    return switch_on(boss, notice_days=days, **asked)


def minute(house: House) -> list[Change]:
    """Do what is done every minute, then what the queue was asked for; return the changes that are queued."""
    automatic_work.wake_due()
    automatic_work.work(house.account.pk)
    return list(Change.objects.filter(state="approved"))


def days_pass(days: float) -> None:
    """Let time pass, by moving what is stored of it."""
    for row in FixNotice.objects.all():
        row.due_at -= timedelta(days=days)
        row.retry_at = row.retry_at and row.retry_at - timedelta(days=days)
        row.save()
    for change in Change.objects.all():
        for name in ("planned_at", "approved_at", "finished_at"):
            setattr(change, name, (was := getattr(change, name)) and was - timedelta(days=days))
        change.save()


def notice(name: str = "front") -> Any:
    return FixNotice.objects.with_state().get(resource_name=name)


def judged(house: House, **doors: bool) -> None:
    """Have the doors moved by somebody, and read and judged again."""
    house.cloud.doors |= doors
    read = store.save(house.account, "doors", toy.Doors(house.cloud.doors).collect("doors", "north"))
    judge_resources(house.account, Actor.system(), read, ())
