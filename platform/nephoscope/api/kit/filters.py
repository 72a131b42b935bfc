"""Filtering and ordering of lists."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from django import forms
from django.core.exceptions import ValidationError as FormError
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django_filters import rest_framework as filters
from django_filters.rest_framework import BaseInFilter, CharFilter, ChoiceFilter, DjangoFilterBackend
from drf_spectacular.utils import extend_schema_field
from rest_framework.exceptions import ValidationError
from rest_framework.filters import OrderingFilter
from rest_framework.request import Request

from nephoscope.api.kit.parameters import refuse_repeated, refuse_unknown
from nephoscope.api.kit.patterns import LARGEST_ID, MOMENT, SWITCHES, WHOLE


class StrictFilters(DjangoFilterBackend):
    """Refuses a parameter that it does not know: a misspelt filter must not answer with everything.

    It also refuses one that is given twice, and one without a value where only some values are possible.
    """

    def get_filterset(self, request: Request, queryset: QuerySet[Any], view: Any) -> Any:
        filterset = super().get_filterset(request, queryset, view)
        known = filterset.filters if filterset else {}
        refuse_unknown(request, {*known, *of_every_list(view)})
        refuse_repeated(request)
        empty = [name for name, each in known.items() if request.query_params.get(name) == "" and not takes_empty(each)]
        if empty:
            raise ValidationError({name: [_("Give a value, or leave the parameter out.")] for name in empty})
        return filterset


def of_every_list(view: Any) -> set[str]:
    """Return the parameters of a list that are no filters."""
    paged = {"page", "page_size"} if view.paginator else set()
    return paged | ({"ordering"} if view.ordering_fields else set())


def takes_empty(filter: filters.Filter) -> bool:
    """Whether an empty value is one: a text, or a list of none."""
    return isinstance(filter, BaseInFilter) or type(filter) is CharFilter


class StableOrdering(OrderingFilter):
    """Ends every order with the id, so that no row is on two pages or on none; refuses an order it does not know."""

    def get_ordering(self, request: Request, queryset: QuerySet[Any], view: Any) -> list[str]:
        asked = [part.strip() for part in request.query_params.get(self.ordering_param, "").split(",") if part.strip()]
        known = [name for name, _label in self.get_valid_fields(queryset, view, {"request": request})]
        if strange := [part for part in asked if part.removeprefix("-") not in known]:
            message = _("Cannot order by %(strange)s. Known: %(known)s.")
            values = {"strange": ", ".join(strange), "known": ", ".join(known)}
            raise ValidationError({self.ordering_param: [message % values]})
        order: Any = asked or queryset.query.order_by or queryset.model._meta.ordering
        return [*order, "pk"]

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        if view.detail or not view.ordering_fields:
            return []
        names = [f"{sign}{name}" for name in view.ordering_fields for sign in ("", "-")]
        said = "What to order by, separated by commas; with a minus sign, the other way round."
        schema = {"type": "array", "items": {"type": "string", "enum": names}}
        place = {"name": self.ordering_param, "in": "query", "required": False, "style": "form", "explode": False}
        return [{**place, "description": said, "schema": schema}]


class WholeField(forms.DecimalField):
    """Digits and nothing else: Django's takes spaces, signs, exponents and the digits of other scripts."""

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str) and value and not WHOLE.fullmatch(value):
            raise FormError(self.error_messages["invalid"], code="invalid")
        return super().to_python(value)


class WholeFilter(filters.NumberFilter):
    field_class = WholeField


@extend_schema_field({"type": "integer", "format": "int64", "minimum": 1, "maximum": LARGEST_ID})
class IdFilter(WholeFilter):
    """The id of something that a row belongs to."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, min_value=1, max_value=LARGEST_ID, decimal_places=0, **kwargs)


MOST_DAYS = 36_500


@extend_schema_field(
    {"type": "integer", "minimum": 0, "maximum": MOST_DAYS, "description": "In the last so many days."}
)
class DaysFilter(WholeFilter):
    """A number of days until now."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, min_value=0, max_value=MOST_DAYS, decimal_places=0, **kwargs)


class SwitchField(forms.Field):
    def to_python(self, value: Any) -> bool | None:
        if value in ("", None):
            return None
        if value.lower() not in SWITCHES:
            raise FormError(_("Give true or false."), code="invalid")
        return SWITCHES[value.lower()]


class SwitchFilter(filters.BooleanFilter):
    """True or false, in any case, or 1 or 0. DRF's takes any other word for neither, and answers with all."""

    field_class = SwitchField

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.extra["widget"] = forms.TextInput


class MomentField(filters.IsoDateTimeFilter.field_class):
    def to_python(self, value: Any) -> Any:
        if isinstance(value, str) and value and not MOMENT.fullmatch(value):
            raise FormError(self.error_messages["invalid"], code="invalid")
        found = super().to_python(value)
        try:  # PostgreSQL takes no offset of 16 hours or more
            return found and found.astimezone(UTC)
        except OverflowError:
            raise FormError(self.error_messages["invalid"], code="invalid") from None


class MomentFilter(filters.IsoDateTimeFilter):
    """A time with its zone, as RFC 3339 has it."""

    field_class = MomentField


class Choices(BaseInFilter, ChoiceFilter):
    """Several of a field's values, separated by commas."""


@extend_schema_field(
    {
        "type": "integer",
        "format": "int64",
        "minimum": 1,
        "maximum": LARGEST_ID,
        "description": "Ids, separated by commas.",
    }
)
class Ids(BaseInFilter, IdFilter):
    """Several ids, separated by commas."""


class Texts(BaseInFilter, CharFilter):
    """Several texts, separated by commas."""
