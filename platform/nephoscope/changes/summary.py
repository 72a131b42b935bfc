"""What a plan comes to: what it needs, what else it closes, and what its undo does not bring back."""

from __future__ import annotations

from typing import Any

from nephoscope.changes.models import Change


def losses(change: Change) -> list[str]:
    """Return what an undo does not bring back, each once."""
    return list(dict.fromkeys(step.loses for step in change.steps.all() if step.loses))


def closes(change: Change) -> list[dict[str, Any]]:
    """Return what else the change resolves: each rule once, with its alert and the names of the resources."""
    found: dict[tuple[str, int | None], dict[str, Any]] = {}
    for each in change.closes:
        row = {"title": each["title"], "alert": each["alert"], "names": []}
        found.setdefault((each["rule"], each["alert"]), row)["names"].append(each["resource"])
    return list(found.values())


def needed(change: Change) -> dict[str, list[str]]:
    """Return the actions that a change needs, each once, with what it needs them on."""
    found: dict[str, list[str]] = {}
    for each in change.permissions:
        resources = found.setdefault(each["action"], [])
        if each["resource"] not in resources:
            resources.append(each["resource"])
    return found
