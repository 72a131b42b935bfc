"""Texts and JSON from elsewhere, in a form that can be stored and shown: any character, number, depth or size comes."""

from __future__ import annotations

import math
from typing import Any

from nephoscope.domain.reasons import text_of
from nephoscope.domain.unknown import unknown

__all__ = ["DEEPEST", "kept", "text_of"]

DEEPEST = 100
"""Levels of nesting that are kept; a policy document has fewer than ten."""

LARGEST = 10**300
"""Integers from here on are not kept: no cloud has such a number, and Python refuses to read ones of 4,300 digits."""


def kept(value: Any, depth: int = 0) -> Any:
    """Return JSON that PostgreSQL keeps; what it does not keep as it is becomes unknown, with the reason."""
    if isinstance(value, str):
        return text_of(value)
    if isinstance(value, dict | list | tuple) and depth >= DEEPEST:
        return unknown(f"it is nested more than {DEEPEST} levels deep")
    if isinstance(value, dict):
        return {text_of(name): kept(member, depth + 1) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [kept(member, depth + 1) for member in value]
    if isinstance(value, float) and not math.isfinite(value):
        return unknown("it is a number that is not finite")
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= LARGEST:
        return unknown("it is a number that is too large")
    return value if value is None or isinstance(value, bool | int | float) else text_of(value)
