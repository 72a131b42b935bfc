"""The fields of bodies: each takes what its description says, in JSON's own types, and nothing else.

DRF's own take a number for a text, a text for a number, and any word for a switch, which no description could say.
"""

from __future__ import annotations

import re
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.fields import empty

from nephoscope.api.kit.patterns import LARGEST_ID, MOMENT, SHOWN, WRITTEN


class Text(serializers.CharField):
    """A text without null characters; its length is counted as it was sent, spaces around it included."""

    def run_validation(self, data: Any = empty) -> Any:
        if isinstance(data, str) and self.max_length is not None and len(data) > self.max_length:
            self.fail("max_length", max_length=self.max_length)
        return super().run_validation(data)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        if not self.allow_blank and self.trim_whitespace and "\0" not in data and not re.search(SHOWN, data):
            self.fail("blank")
        return super().to_internal_value(data)

    @property
    def pattern(self) -> str:
        return SHOWN if self.trim_whitespace and not self.allow_blank else WRITTEN


class TextSchema(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]  # it registers its subclasses
    target_class = Text
    match_subclasses = True

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        return {"type": "string", "pattern": self.target.pattern}


class Address(serializers.EmailField):
    """An e-mail address."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(trim_whitespace=False, max_length=254, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class AddressSchema(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]  # as above
    target_class = Address
    match_subclasses = True

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        return {"type": "string", "format": "email", "minLength": 1}


class Whole(serializers.IntegerField):
    """A whole number."""

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, (int, float)):
            self.fail("invalid")
        return super().to_internal_value(data)


class IdField(Whole):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=1, max_value=LARGEST_ID, **kwargs)


class IdsField(serializers.ListField):
    """A list of ids; at most as many as a person could mean."""

    child = IdField()

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_length=1, max_length=10_000, **kwargs)

    default_error_messages = {"min_length": _("This list may not be empty.")}


@extend_schema_field({"type": "integer", "format": "int64", "minimum": 1, "maximum": LARGEST_ID})
class RowField(serializers.PrimaryKeyRelatedField[Any]):
    """The id of a row, which is looked up; that there is none is no fault of form."""

    def to_internal_value(self, data: Any) -> Any:
        return super().to_internal_value(IdField().run_validation(data))


def rows(queryset: QuerySet[Any], **kwargs: Any) -> serializers.ListField:
    """Return a field for the ids of rows, which are looked up."""
    return serializers.ListField(child=RowField(queryset=queryset), **kwargs)


class Switch(serializers.BooleanField):
    """True or false, and no other words for them."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class Moment(serializers.DateTimeField):
    """A time with its zone, as RFC 3339 has it."""

    def to_internal_value(self, value: Any) -> Any:
        if not isinstance(value, str) or not MOMENT.fullmatch(value):
            self.fail("invalid", format="YYYY-MM-DDThh:mm:ss[.uuuuuu](Z|+HH:MM|-HH:MM)")
        return super().to_internal_value(value)


class Choice(serializers.ChoiceField):
    """One of some words or numbers, of its own type."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, bool) or not isinstance(data, (str, int)):
            self.fail("invalid_choice", input=data)
        found = super().to_internal_value(data)
        if found != data:
            self.fail("invalid_choice", input=data)
        return found
