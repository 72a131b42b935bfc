"""Choosing an organisation, or where accounts stand, above a list of the console."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from nephoscope.alerts.queries import ids
from nephoscope.connections.conditions import ConditionState, conditions
from nephoscope.console.kit.filters import Choices, Filter, fixed
from nephoscope.organisations.models import Organisation
from nephoscope.organisations.queries import resting_accounts


def organisations(request: HttpRequest) -> Choices:
    """Return the organisations that the user may see."""
    return [(str(pk), name) for pk, name in Organisation.objects.visible_to(request.user).values_list("pk", "name")]


def by_organisation(field: str) -> Callable[[QuerySet[Any], str], QuerySet[Any]]:
    """Narrow to what belongs to the organisation with this id."""
    return lambda rows, value: rows.filter(**{f"{field}__in": ids(value)})


def _of_members(rows: QuerySet[Any], value: str) -> QuerySet[Any]:
    return rows.filter(pk__in=rows.model._default_manager.filter(memberships__organisation__in=ids(value)).values("pk"))


def _by_state(rows: QuerySet[Any], value: str) -> QuerySet[Any]:
    if value == "pending":
        return rows.filter(verified_at=None)
    resting = resting_accounts()
    if value == "resting":
        return rows.filter(pk__in=resting)
    if value == "unreachable":
        return rows.filter(failures__has_key="reading")
    connected = rows.filter(verified_at__isnull=False).exclude(pk__in=resting).exclude(failures__has_key="reading")
    return connected if value == "connected" else rows.none()


def _in_condition(rows: QuerySet[Any], value: str) -> QuerySet[Any]:
    return rows.filter(pk__in=[each.account.pk for each in conditions(rows) if each.state == value])


ACCOUNT_FILTERS = (
    Filter("organisation", _("Organisation"), organisations, _of_members),
    Filter(
        "state",
        _("State"),
        fixed(
            ("connected", _("Connected")),
            ("pending", _("Pending")),
            ("unreachable", _("Not reachable")),
            ("resting", _("Suspended or left")),
        ),
        _by_state,
    ),
    Filter("condition", _("Condition"), fixed(*ConditionState.choices), _in_condition),
)
"""Above the list of accounts."""
