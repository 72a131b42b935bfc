"""A plan and what became of it as text, for a terminal."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator

from django.utils import timezone

from nephoscope.changes.diff import diff
from nephoscope.changes.models import Change, ChangeStep
from nephoscope.changes.summary import closes, losses, needed

_ODD = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""What would steer a terminal, or turn text around: names and policies come from the cloud."""


def plan_text(change: Change) -> str:
    """Return all that a person has to know before approving a plan, under headings."""
    return "\n".join(_safe(line) for line in _plan(change))


def outcome_text(change: Change) -> str:
    """Return how a change ended, and what each step says that did not go well."""
    lines = [f"{change}  {change.get_state_display()}", f"  {change.outcome}"]
    lines += [f"  step {step.position + 1}: {step.error}" for step in change.steps.all() if step.error]
    return "\n".join(_safe(line) for line in lines if line.strip())


def _safe(line: str) -> str:
    return _ODD.sub("\N{REPLACEMENT CHARACTER}", line)


def _plan(change: Change) -> Iterator[str]:
    steps = list(change.steps.all())
    yield f"{change}  {change.title}"
    yield f"  alert    {change.alert}  {change.alert.title}"
    yield f"  account  {change.account.name} ({change.account.number})"
    yield f"  state    {change.get_state_display()}{_until(change)}"
    yield from (f"  {name}  {value}" for name, value in change.inputs.items())
    yield from _section("Warnings", change.warnings)
    for step in steps:
        yield from _step(step)
    yield from _section("Who uses it", change.uses)
    yield from _section("Also resolves", (f"{each['title']}: {', '.join(each['names'])}" for each in closes(change)))
    yield from _section("An undo does not bring back", losses(change))
    yield from _section("Permissions", _permissions(change))
    yield from ["", f"Digest  {change.digest}"]


def _until(change: Change) -> str:
    if change.expires_at is None:
        return ""
    return f", expires on {timezone.localtime(change.expires_at):%Y-%m-%d %H:%M %Z}"


def _section(heading: str, lines: Iterable[str]) -> Iterator[str]:
    if found := list(lines):
        yield from ["", heading, *(f"  {line}" for line in found)]


def _step(step: ChangeStep) -> Iterator[str]:
    yield from ["", f"{step.position + 1}. {step.title}", f"   {step.resource_id}"]
    yield f"   {step.call['label']}, {_undone_by(step)}"
    yield f"   {json.dumps(step.call['body'], ensure_ascii=False)}"
    yield from (f"     {line.sign} {line.text}" for line in diff(step.before, step.after).lines)


def _undone_by(step: ChangeStep) -> str:
    return f"undone by {step.inverse['label']}" if step.inverse else "cannot be undone"


def _permissions(change: Change) -> Iterator[str]:
    for action, resources in needed(change).items():
        proven = "  (allowed in a dry run)" if action in change.proven else ""
        yield f"{action}  {', '.join(resources)}{proven}"


def whole(change: Change) -> bool:
    """Whether an undo brings back everything."""
    return all(step.inverse and not step.loses for step in change.steps.all())
