"""The filters above a list: one form, whose address can be shared."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib.admin.utils import get_fields_from_path
from django.contrib.admin.views.main import ORDER_VAR
from django.db.models import DateField, FloatField, IntegerField, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.views import ChangeList

from nephoscope.accounts.models import Account
from nephoscope.alerts.queries import ids
from nephoscope.console.kit.catalogue import catalogue_of

Choices = Iterable[tuple[str, Any]]

ANY = _("Any")
"""What a filter says that is not set."""


@dataclass(frozen=True, slots=True)
class Filter:
    """One choice above a list. ``apply`` narrows the list by the text of the parameter ``name``."""

    name: str
    label: Any
    choices: Callable[[HttpRequest], Choices]
    apply: Callable[[QuerySet[Any], str], QuerySet[Any]]
    any: Any = ANY

    def narrow(self, rows: QuerySet[Any], request: HttpRequest) -> QuerySet[Any]:
        value = _text(request, self.name)
        return self.apply(rows, value) if value else rows

    def bound(self, request: HttpRequest) -> dict[str, Any]:
        """Return what the form shows; a chosen value that is not offered is shown as it came."""
        value = _text(request, self.name)
        choices = [(str(key), text) for key, text in self.choices(request)]
        if value and value not in [key for key, _shown in choices]:
            choices.append((value, value))
        return {"name": self.name, "label": self.label, "value": value, "choices": choices, "any": self.any}


def _text(request: HttpRequest, name: str) -> str:
    return request.GET.get(name, "").replace("\x00", "")


def fixed(*choices: tuple[str, Any]) -> Callable[[HttpRequest], Choices]:
    """Return choices that are the same for everyone."""
    return lambda request: choices


LAST_DAYS = fixed(
    ("1", _("Last 24 hours")), ("7", _("Last 7 days")), ("30", _("Last 30 days")), ("90", _("Last 90 days"))
)
"""Times that end now, in days."""


def accounts(request: HttpRequest) -> Choices:
    """Return the accounts that the user may see."""
    return [(str(pk), name) for pk, name in Account.objects.visible_to(request.user).values_list("pk", "name")]


def policies(request: HttpRequest) -> Choices:
    """Return all policies."""
    return [(each.id, each.name) for each in catalogue_of(request).policies.values()]


def by_account(rows: QuerySet[Any], value: str) -> QuerySet[Any]:
    """Narrow to the account with this id."""
    return rows.filter(account__in=ids(value))


def by_field(field: str) -> Callable[[QuerySet[Any], str], QuerySet[Any]]:
    """Narrow to the rows whose field holds exactly the value."""
    return lambda rows, value: rows.filter(**{field: value})


class FilteredChangeList(ChangeList):  # django-unfold has no types
    """Django's list, narrowed by the page's own :class:`Filter` objects instead of the sheet at the side.

    A column of numbers or times that is not sorted by yet is sorted by the largest or newest first when clicked.
    """

    root_queryset: QuerySet[Any]

    def get_query_string(self, new_params: Any = None, remove: Any = None) -> str:
        first, *others = str((new_params or {}).get(ORDER_VAR, "")).split(".")
        if first.isdecimal() and int(first) not in self.get_ordering_field_columns() and self._descends(int(first)):
            new_params = {**new_params, ORDER_VAR: ".".join([f"-{first}", *others])}
        query: str = super().get_query_string(new_params, remove)
        return query

    def _descends(self, column: int) -> bool:
        name = self.list_display[column]
        order = self.get_ordering_field(name)
        if name in self.model_admin.smallest_first or not isinstance(order, str):
            return False
        annotation = self.root_queryset.query.annotations.get(order)
        if order == "pk" or annotation is not None:
            field = annotation.output_field if annotation is not None else self.model._meta.pk
        else:
            field = get_fields_from_path(self.model, order)[-1]
        return isinstance(field, DateField | IntegerField | FloatField)  # a time's field is a date's as well

    def get_filters(self, request: HttpRequest) -> Any:
        self.root_queryset = self.model_admin.narrow(request, self.root_queryset)
        return [], False, {}, False, False

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.model_admin.complete(request, self.result_list)
        # The filters say what is left out; the frame's own "show all" would take a list's default away.
        self.full_result_count = self.result_count
