"""Filtering and ordering of lists."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django_filters.rest_framework import BaseInFilter, CharFilter, ChoiceFilter, DjangoFilterBackend, NumberFilter
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework.exceptions import ValidationError
from rest_framework.filters import OrderingFilter
from rest_framework.request import Request

OF_EVERY_LIST = {"page", "page_size", "ordering"}

LARGEST_ID = 2**63 - 1


class StrictFilters(DjangoFilterBackend):
    """Refuses a parameter that it does not know: a misspelt filter must not answer with everything."""

    def get_filterset(self, request: Request, queryset: QuerySet[Any], view: Any) -> Any:
        filterset = super().get_filterset(request, queryset, view)
        known = OF_EVERY_LIST | set(filterset.filters if filterset else ())
        if strange := sorted(set(request.query_params) - known):
            message = _("Unknown parameter. Known: %(known)s.") % {"known": ", ".join(sorted(known))}
            raise ValidationError({name: [message] for name in strange})
        return filterset


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


@extend_schema_field(OpenApiTypes.INT)
class IdFilter(NumberFilter):
    """The id of something that a row belongs to."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, min_value=1, max_value=LARGEST_ID, decimal_places=0, **kwargs)


@extend_schema_field({"type": "integer", "minimum": 0, "description": "In the last so many days."})
class DaysFilter(NumberFilter):
    """A number of days until now."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, min_value=0, max_value=36_500, decimal_places=0, **kwargs)


class Choices(BaseInFilter, ChoiceFilter):
    """Several of a field's values, separated by commas."""


@extend_schema_field({"type": "integer", "description": "Ids, separated by commas."})
class Ids(BaseInFilter, IdFilter):
    """Several ids, separated by commas."""


class Texts(BaseInFilter, CharFilter):
    """Several texts, separated by commas."""
