"""Before and after as lines of text with signs."""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass
from typing import Any

CONTEXT = 3
"""Unchanged lines shown around a change."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a diff; ``sign`` is +, -, a space, or @ for lines left out."""

    sign: str
    text: str

    @property
    def kind(self) -> str:
        return {"+": "added", "-": "removed", "@": "gap"}.get(self.sign, "same")


@dataclass(frozen=True, slots=True)
class Diff:
    """``reformatted``: JSON that is kept as text was indented to be readable; what is written keeps its bytes."""

    lines: tuple[Line, ...]
    reformatted: bool


def unfolded(value: Any) -> tuple[Any, bool]:
    """Return the value with JSON that stands in texts read into objects, and whether there was any."""
    if isinstance(value, dict):
        parts = {key: unfolded(part) for key, part in value.items()}
        return {key: part for key, (part, _found) in parts.items()}, any(found for _part, found in parts.values())
    if isinstance(value, list):
        items = [unfolded(part) for part in value]
        return [part for part, _found in items], any(found for _part, found in items)
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        try:
            return json.loads(value), True
        except ValueError:
            return value, False
    return value, False


def _text(value: Any) -> list[str]:
    if value is None:
        return []
    return (value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)).splitlines()


def diff(before: Any, after: Any) -> Diff:
    """Compare two JSON values or texts line by line; None is nothing at all."""
    old, found_old = unfolded(before)
    new, found_new = unfolded(after)
    if old == new and before != after:
        # They differ only in how the text is written, which is then what there is to see.
        old, new, found_old, found_new = before, after, False, False
    lines: list[Line] = []
    for line in list(difflib.unified_diff(_text(old), _text(new), lineterm="", n=CONTEXT))[2:]:
        if line.startswith("@@"):
            if lines:
                lines.append(Line("@", "⋯"))
            continue
        lines.append(Line(line[0], line[1:]))
    return Diff(tuple(lines), found_old or found_new)
