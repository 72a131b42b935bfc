"""Plan -> approve -> apply -> verify -> undo: the only door to a write in a cloud.

Here is what must hold for every write, whatever the cloud: it was planned as data, a person approved exactly that, the
state is still the one that the plan was made from, and each call is written down before and after it is made.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from nephoscope.domain import Plan, PlanProblem, Provider, Remediation, Resource, Session, Step, Writer

Note = Callable[[int, str, str], None]
"""Writes down a step's position, its new state (applying, applied, failed, skipped, undone), and an error."""


class StaleError(Exception):
    """The cloud is no longer as it was when the plan was made; nothing was written."""


def make_plan(
    remediation: Remediation,
    rule: str,
    account: str,
    resources: Sequence[Resource],
    session: Session,
    provider: Provider,
) -> Plan:
    """Read the live state of some resources and plan their fix.

    :raises PlanProblem: none of them can be fixed; those that cannot while others can are named in ``warnings``.
    """
    steps: list[Step] = []
    warnings: list[str] = []
    for resource in resources:
        try:
            steps += remediation.plan(resource, session)
        except PlanProblem as problem:
            warnings.append(f"{resource.name} is left out: {problem}")
            continue
        if manager := provider.managed_by(resource):
            warnings.append(
                f"{resource.name} is managed by {manager}, which may undo this change; change it there too."
            )
    if not steps:
        raise PlanProblem(" ".join(warnings) or "There is nothing to do.")
    if any(step.inverse is None for step in steps):
        warnings.append("This change cannot be undone.")
    return Plan(remediation.id, rule, account, tuple(steps), tuple(warnings))


def same_state(one: Any, other: Any) -> bool:
    """Whether two states are the same; texts that are JSON are compared by what they mean."""
    return bool(one == other) or _meaning(one) == _meaning(other)


def _meaning(state: Any) -> Any:
    if not isinstance(state, str):
        return state
    try:
        return json.loads(state)
    except ValueError:
        return state


def demand_unchanged(remediation: Remediation, steps: Iterable[Step], session: Session) -> None:
    """Read again what the steps change.

    :raises StaleError: one of them is no longer as it was before.
    """
    for step in steps:
        if not same_state(remediation.state(step, session), step.before):
            raise StaleError(f"{step.resource} has changed since this was planned; plan again.")


def apply(remediation: Remediation, steps: Sequence[Step], session: Session, writer: Writer, note: Note) -> bool:
    """Do the steps in order; return whether all were done.

    A step that fails ends its resource's part, the other resources go on.

    :raises StaleError: before the first write, if anything has changed since the plan was made.
    """
    demand_unchanged(remediation, steps, session)
    broken: set[str] = set()
    for position, step in enumerate(steps):
        if step.resource in broken:
            note(position, "skipped", "An earlier step of this resource failed.")
            continue
        note(position, "applying", "")
        try:
            writer.write(step.call)
        except Exception as problem:
            broken.add(step.resource)
            note(position, "failed", str(problem))
            continue
        note(position, "applied", "")
    return not broken


def undo(
    remediation: Remediation, steps: Sequence[tuple[int, Step]], session: Session, writer: Writer, note: Note
) -> bool:
    """Put back what was before, last step first; return whether all of it is back.

    :param steps: the steps that were applied, or may have been, with their positions.
    :raises StaleError: before the first write, if one was changed by somebody else since, or has no inverse.
    """
    to_do: list[tuple[int, Step]] = []
    for position, step in reversed(steps):
        now = remediation.state(step, session)
        if same_state(now, step.after) and step.inverse is not None:
            to_do.append((position, step))
        elif not same_state(now, step.before):
            what = "has no way back" if step.inverse is None else "was changed by somebody else since"
            raise StaleError(f"{step.resource} {what}; nothing was undone.")
        else:
            note(position, "undone", "")
    whole = True
    for position, step in to_do:
        assert step.inverse is not None
        try:
            writer.write(step.inverse)
        except Exception as problem:
            note(position, "applied", f"Undo failed: {problem}")
            whole = False
            continue
        note(position, "undone", "")
    return whole
