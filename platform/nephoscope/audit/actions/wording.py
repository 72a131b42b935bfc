"""What sentences are made of: names in a row, and words for codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

NAMED = 20
"""Resources that an entry names; the rest are counted."""

SEVERITIES: dict[str, StrPromise] = {
    "critical": _("critical"),
    "high": _("high"),
    "medium": _("medium"),
    "low": _("low"),
}


def resources(names: Sequence[str]) -> dict[str, Any]:
    """Return resources as an entry keeps them: the first names, and how many there are."""
    return {"resources": list(names[:NAMED]), "count": len(names)}


def readable(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return data with their lists written out."""
    listed = {key: named(value) for key, value in data.items() if isinstance(value, list)}
    if "resources" in data:
        listed["resources"] = named(data["resources"], data["count"])
    return {**data, **listed}


def named(names: Sequence[Any], count: int = 0) -> str:
    """Write names in a row, ``a, b and 3 more``, where ``count`` is how many there are in all."""
    rest = max(count, len(names)) - NAMED
    shown = ", ".join(map(str, names[:NAMED]))
    if rest <= 0:
        return shown
    return ngettext("%(names)s and %(rest)s more", "%(names)s and %(rest)s more", rest) % {"names": shown, "rest": rest}
