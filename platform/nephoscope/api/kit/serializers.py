"""What all bodies and answers share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers

from nephoscope.api.kit.filters import LARGEST_ID


class Body(serializers.Serializer[Any]):
    # A comment, because the schema would show a docstring with every body that has none of its own.
    # A request's body. A field that it does not know is refused by name, not silently left out.

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping) and (strange := sorted(set(data) - set(self.fields))):
            known = ", ".join(name for name, field in self.fields.items() if not field.read_only) or _("none")
            message = _("Unknown field. Known: %(known)s.") % {"known": known}
            raise serializers.ValidationError({name: [message] for name in strange})
        return super().to_internal_value(data)


class Nothing(Body):
    """The body of an act that needs no word more: empty, or ``{}``."""


class IdField(serializers.IntegerField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=1, max_value=LARGEST_ID, **kwargs)


class IdsField(serializers.ListField):
    """A list of ids; at most as many as a person could mean."""

    child = IdField()

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(allow_empty=False, max_length=10_000, **kwargs)


class Named(serializers.Serializer[Any]):
    """Something that a row belongs to, with its name, so that showing it needs no second request."""

    id = serializers.IntegerField(read_only=True)
    name = serializers.CharField(read_only=True)


class ReasonField(serializers.CharField):
    """Why something is done. A blank one is refused by the service, in the same words as in the console."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=2000, allow_blank=True, help_text="Kept in the audit log.", **kwargs)


class SetupTemplateSerializer(serializers.Serializer[Any]):
    """One ready thing to copy: a script or a template."""

    id = serializers.CharField()
    title = serializers.CharField()
    filename = serializers.CharField()
    language = serializers.CharField()
    text = serializers.CharField()
    howto = serializers.CharField()
