"""Values that exist and could not be read: the JSON that stands for them, and what reading one raises."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nephoscope.domain.reasons import in_short

UNKNOWN_KEY = "$unknown"


@dataclass(frozen=True, slots=True)
class Unknown:
    """Why a value is not known, and the permission that would have let it be read."""

    reason: str
    permission: str = ""


def unknown(reason: str, permission: str = "") -> dict[str, Any]:
    """Return the JSON that stands in ``properties`` for a value that exists but could not be read."""
    return {UNKNOWN_KEY: {"reason": in_short(reason), "permission": permission}}


def as_unknown(value: Any) -> Unknown | None:
    """Return the Unknown that this JSON stands for, if it does."""
    if isinstance(value, Mapping) and len(value) == 1 and isinstance(value.get(UNKNOWN_KEY), Mapping):
        why = value[UNKNOWN_KEY]
        return Unknown(in_short(why.get("reason", "")), in_short(why.get("permission", "")))
    return None


class NotKnown(Exception):
    """A rule read a value that could not be collected."""

    def __init__(self, path: str, why: Unknown) -> None:
        super().__init__(f"{path or 'the resource'} could not be read: {why.reason}")
        self.path = path
        self.why = why
