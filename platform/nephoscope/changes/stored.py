"""Plans as rows: a plan is stored step by step, and read back as exactly what was approved."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from nephoscope import domain
from nephoscope.changes.models import MADE, Change, ChangeStep


def save_steps(change: Change, plan: domain.Plan, names: Mapping[str, str]) -> None:
    """Store a plan's steps; ``names`` are those of its resources, by id."""
    ChangeStep.objects.bulk_create(
        ChangeStep(
            change=change,
            position=position,
            resource_id=step.resource,
            resource_name=names.get(step.resource, ""),
            title=step.title,
            call=asdict(step.call),
            inverse=asdict(step.inverse) if step.inverse else None,
            before=step.before,
            after=step.after,
            wait=asdict(step.wait) if step.wait else None,
            keep=list(step.keep),
            loses=step.loses,
            restored=step.restored,
        )
        for position, step in enumerate(plan.steps)
    )


def to_steps(rows: Iterable[ChangeStep]) -> list[domain.Step]:
    """Return stored steps as they were planned."""
    return [_to_step(row) for row in rows]


def to_plan(change: Change, steps: Sequence[domain.Step]) -> domain.Plan:
    """Return a stored plan as it was made; its digest is that of what is stored now."""
    rule, number, warnings = change.alert.key, change.account.number, tuple(change.warnings)
    return domain.Plan(change.remediation, rule, number, tuple(steps), warnings, change.inputs, tuple(change.uses))


def undo_digest(rows: Iterable[ChangeStep]) -> str:
    """Return the digest of what undoing would do: the inverses of the steps that were made, last first."""
    made = [row for row in rows if row.state in MADE and row.inverse]
    calls = [[row.position, row.resource_id, row.inverse, row.before, row.restored, row.kept] for row in reversed(made)]
    return hashlib.sha256(json.dumps(calls, sort_keys=True).encode()).hexdigest()


def _to_step(row: ChangeStep) -> domain.Step:
    inverse = _to_call(row.inverse) if row.inverse else None
    wait = domain.Wait(**{**row.wait, "read": _to_call(row.wait["read"])}) if row.wait else None
    states, keep = (row.before, row.after), tuple(row.keep)
    call = _to_call(row.call)
    return domain.Step(row.resource_id, row.title, call, inverse, *states, wait, keep, row.loses, row.restored)


def _to_call(row: Mapping[str, Any]) -> domain.Call:
    permissions = tuple(domain.Permission(**each) for each in row["permissions"])
    return domain.Call(row["label"], row["body"], permissions)
