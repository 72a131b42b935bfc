"""Reading the ledger of changes: the filters that the console and the API share, and the ledger as CSV.

A filter takes a queryset of changes and the text of a request's parameter. Text that names nothing gives nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from nephoscope.accounts.models import User
from nephoscope.alerts.exports import line, moment
from nephoscope.alerts.models import DETECTED
from nephoscope.alerts.queries import ids
from nephoscope.changes.models import Change, ChangeStep
from nephoscope.inventory.models import Resource
from nephoscope.searching import having, in_any

Changes = QuerySet[Any]

ACTORS = ("planned_by", "first_by", "approved_by", "undo_by")
"""Who has a part in a change."""


def in_state(rows: Changes, value: str) -> Changes:
    """One state, or several with commas."""
    return rows.filter(state__in=value.split(","))


def of_account(rows: Changes, value: str) -> Changes:
    """Accounts by their ids in Nephoscope."""
    return rows.filter(account__in=ids(value))


def of_fix(rows: Changes, value: str) -> Changes:
    """The id of the fix."""
    return rows.filter(remediation=value)


def of_rule(rows: Changes, value: str) -> Changes:
    """The id of the rule that the fix is for."""
    return rows.filter(alert__key=value)


def by_user(rows: Changes, value: str) -> Changes:
    """Who planned it, approved it or asked for its undo, by user name."""
    return rows.filter(reduce(or_, (Q((f"{part}__username", value)) for part in ACTORS)))


def since(rows: Changes, value: str) -> Changes:
    """Planned, finished or undone in the last so many days."""
    days = ids(value)
    if not days:
        return rows.none()
    start = timezone.now() - timedelta(days=min(days[0], 36_500))
    return rows.filter(Q(planned_at__gte=start) | Q(finished_at__gte=start) | Q(undone_at__gte=start))


def of_resource(rows: Changes, value: str) -> Changes:
    """Resources by their ids in Nephoscope."""
    same = Resource.objects.filter(account=OuterRef("change__account"), resource_id=OuterRef("resource_id"))
    steps = ChangeStep.objects.filter(Exists(same.filter(pk__in=ids(value))))
    return rows.filter(pk__in=steps.values("change"))


def matching(rows: Changes, value: str) -> Changes:
    """Every word in the title, the alert's title, the reasons, or the name or id of a resource."""
    steps = ChangeStep.objects.filter(change=OuterRef("pk"))
    texts = in_any("title", "alert__title", "reason", "undo_reason")
    named = in_any("resource_name", "resource_id")
    return having(rows, value, lambda word: texts(word) | Q(Exists(steps.filter(named(word)))))


FILTERS: Mapping[str, Callable[[Changes, str], Changes]] = {
    "state": in_state,
    "account": of_account,
    "fix": of_fix,
    "rule": of_rule,
    "user": by_user,
    "since": since,
    "resource": of_resource,
    "q": matching,
}
"""Every filter by the name of its parameter."""


def names(changes: Iterable[Change]) -> dict[int, list[str]]:
    """Return the names of the resources of each change, by its primary key; of one without a name its id."""
    found: dict[int, dict[str, str]] = {}
    steps = ChangeStep.objects.filter(change__in=[each.pk for each in changes]).order_by("change_id", "position")
    for pk, id, name in steps.values_list("change_id", "resource_id", "resource_name"):
        found.setdefault(pk, {})[id] = name or id
    return {pk: list(each.values()) for pk, each in found.items()}


def users(user: Any) -> list[str]:
    """Return the names of those who have a part in the changes that the user may see."""
    seen = Change.objects.visible_to(user)
    taking_part = reduce(or_, (Q(pk__in=seen.values(part)) for part in ACTORS))
    return list(User.objects.filter(taking_part).order_by("username").values_list("username", flat=True))


def fixes(user: Any) -> list[tuple[str, str]]:
    """Return the fixes, ids and titles, of the changes that the user may see."""
    rows = Change.objects.visible_to(user).order_by("remediation", "-pk").distinct("remediation")
    return sorted(rows.values_list("remediation", "title"), key=lambda row: row[1])


def rules(user: Any) -> list[tuple[str, str]]:
    """Return the rules, ids and titles, of the changes that the user may see."""
    rows = Change.objects.visible_to(user).exclude(alert__kind__in=DETECTED).order_by("alert__key", "-pk")
    return sorted(rows.distinct("alert__key").values_list("alert__key", "alert__title"), key=lambda row: row[1])


# -- The ledger as CSV -----------------------------------------------------------------------------

_UNTOLD = ("warnings", "permissions", "uses", "closes", "proven", "parameters", "inputs")
"""What of a change no column tells."""

COLUMNS: Mapping[str, Callable[[ChangeStep], Any]] = {
    "change": lambda step: str(step.change),
    "title": lambda step: step.change.title,
    "fix": lambda step: step.change.remediation,
    "state": lambda step: step.change.state,
    "account": lambda step: step.change.account.name,
    "number": lambda step: step.change.account.number,
    "alert": lambda step: str(step.change.alert),
    "rule": lambda step: step.change.alert.key,
    "planned by": lambda step: _name(step.change.planned_by),
    "planned": lambda step: _time(step.change.planned_at),
    "first approved by": lambda step: _name(step.change.first_by),
    "first approved": lambda step: _time(step.change.first_at),
    "first reason": lambda step: step.change.first_reason,
    "approved by": lambda step: _name(step.change.approved_by),
    "approved": lambda step: _time(step.change.approved_at),
    "reason": lambda step: step.change.reason,
    "finished": lambda step: _time(step.change.finished_at),
    "outcome": lambda step: step.change.outcome,
    "undo requested by": lambda step: _name(step.change.undo_by),
    "undo requested": lambda step: _time(step.change.undo_requested_at),
    "undo reason": lambda step: step.change.undo_reason,
    "undone": lambda step: _time(step.change.undone_at),
    "step": lambda step: step.position + 1,
    "resource": lambda step: step.resource_name,
    "resource id": lambda step: step.resource_id,
    "call": lambda step: step.call["label"],
    "request": lambda step: _json(step.call["body"]),
    "before": lambda step: _json(step.before),
    "after": lambda step: _json(step.after),
    "undo call": lambda step: step.inverse["label"] if step.inverse else "",
    "undo request": lambda step: _json(step.inverse["body"]) if step.inverse else "",
    "result": lambda step: step.state,
    "error": lambda step: step.error,
}
"""What each column of the CSV says of a step."""


def as_csv(changes: Changes) -> Iterator[str]:
    """Yield the steps of changes as lines of CSV, a heading first, the newest change first; read as they are sent."""
    yield line(COLUMNS)
    related = [f"change__{name}" for name in ("account", "alert", *ACTORS)]
    steps = ChangeStep.objects.filter(change__in=changes.order_by().values("pk")).select_related(*related)
    steps = steps.defer(*(f"change__{name}" for name in _UNTOLD)).order_by("-change_id", "position")
    for step in steps.iterator(chunk_size=500):
        yield line(tell(step) for tell in COLUMNS.values())


def _name(user: User | None) -> str:
    return user.username if user else ""


def _time(at: datetime | None) -> str:
    return moment(at) if at else ""


def _json(value: Any) -> str:
    """Return a state or a request as text; what is text already, a policy for example, byte for byte."""
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, ensure_ascii=False)
