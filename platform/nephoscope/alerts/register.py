"""Reading the register of suppressions: the filters that the console and the API share.

A filter takes a queryset with its states and the text of a request's parameter. Text that names nothing gives nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from nephoscope.alerts.models import Suppression, SuppressionState
from nephoscope.alerts.queries import ids
from nephoscope.searching import having, in_any

Suppressions = QuerySet[Any]

ALL = "all"
"""The value of ``state`` that filters nothing."""

NO_END = "none"
"""The value of ``until`` for those without an end."""

SOON = timedelta(days=7)
"""A suppression that ends within this time is marked."""


def in_state(rows: Suppressions, value: str) -> Suppressions:
    """``in_force``, ``lifted``, ``expired``, several with commas, or ``all``."""
    return rows if value == ALL else rows.filter(state__in=value.split(","))


def of_account(rows: Suppressions, value: str) -> Suppressions:
    """Accounts by their ids in Nephoscope."""
    return rows.filter(alert__account__in=ids(value))


def of_author(rows: Suppressions, value: str) -> Suppressions:
    """Who suppressed, by user name."""
    return rows.filter(author__username=value)


def until(rows: Suppressions, value: str) -> Suppressions:
    """In force and ending in the next so many days, or without an end: ``none``."""
    rows = rows.filter(state=SuppressionState.IN_FORCE)
    if value == NO_END:
        return rows.filter(expires_at=None)
    days = ids(value)
    return rows.filter(expires_at__lte=timezone.now() + timedelta(days=min(days[0], 36_500))) if days else rows.none()


def matching(rows: Suppressions, value: str) -> Suppressions:
    """Every word in the resource's name or id, or in the reason."""
    return having(rows, value, in_any("resource_name", "resource_id", "reason"))


FILTERS: Mapping[str, Callable[[Suppressions, str], Suppressions]] = {
    "state": in_state,
    "account": of_account,
    "author": of_author,
    "until": until,
    "q": matching,
}
"""Every filter by the name of its parameter."""


def authors(user: Any) -> list[str]:
    """Return the user names of those who suppressed what the user may see."""
    rows = Suppression.objects.visible_to(user).exclude(author=None).order_by("author__username")
    return list(rows.values_list("author__username", flat=True).distinct())
