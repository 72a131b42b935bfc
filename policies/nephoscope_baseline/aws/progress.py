"""What is being changed right now: neither as it was nor yet as it will be."""

from __future__ import annotations

from nephoscope.domain import NotKnown, Unknown, View


def in_progress(view: View, name: str, reason: str) -> NotKnown:
    """Return what a rule raises where a setting below ``view`` is not settled yet: its verdict is unknown."""
    return NotKnown(f"{view.path}.{name}" if view.path else name, Unknown(reason))
