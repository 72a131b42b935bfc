"""What all bodies and answers share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils.translation import gettext as _
from drf_spectacular.extensions import OpenApiSerializerExtension
from rest_framework import serializers

from nephoscope.api.kit.fields import Text
from nephoscope.audit.services import NO_REASON


class Body(serializers.Serializer[Any]):
    # A comment, because the schema would show a docstring with every body that has none of its own.
    # A request's body. A field that it does not know is refused by name, not silently left out.

    together: ClassVar[dict[str, Any]] = {}
    # What JSON Schema says of fields that go, or do not go, together.

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping) and (strange := sorted(set(data) - set(self.fields))):
            known = ", ".join(name for name, field in self.fields.items() if not field.read_only) or _("none")
            message = _("Unknown field. Known: %(known)s.") % {"known": known}
            raise serializers.ValidationError({name: [message] for name in strange})
        return super().to_internal_value(data)


class BodySchema(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]  # it registers its subclasses
    """Says that there are no other fields, and what the class says of those that go together."""

    target_class = Body
    match_subclasses = True

    def map_serializer(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        described = auto_schema._map_basic_serializer(self.target, direction)
        return {**described, "additionalProperties": False, **self.target.together}


class Nothing(Body):
    """The body of an act that needs no word more: empty, or ``{}``."""


class Named(serializers.Serializer[Any]):
    """Something that a row belongs to, with its name, so that showing it needs no second request."""

    id = serializers.IntegerField(read_only=True)
    name = serializers.CharField(read_only=True)


class ReasonField(Text):
    """Why something is done. A blank one is refused in the same words as in the console."""

    default_error_messages = {"blank": NO_REASON}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=2000, help_text="Kept in the audit log.", **kwargs)


class SetupTemplateSerializer(serializers.Serializer[Any]):
    """One ready thing to copy: a script or a template."""

    id = serializers.CharField()
    title = serializers.CharField()
    filename = serializers.CharField()
    language = serializers.CharField()
    text = serializers.CharField()
    howto = serializers.CharField()
