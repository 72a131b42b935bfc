"""Plan -> approve -> apply -> verify -> undo: the only door to a write in a cloud.

Here is what must hold for every write, whatever the cloud: it was planned as data, a person approved exactly that, the
state is still the one that the plan was made from, and each call is written down before and after it is made.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, Protocol

from nephoscope.domain import (
    Call,
    Connection,
    FixRequest,
    LiveSession,
    NotAllowed,
    Permission,
    Plan,
    PlanProblem,
    Provider,
    Remediation,
    Step,
    Wait,
    Writer,
    with_results,
)
from nephoscope.domain.reasons import in_short

LANES = 8
"""Resources that are read, or calls that are checked, at a time."""

Kept = Mapping[int, Mapping[str, Any]]
"""What is kept of the answers to calls: by the position of the step, and then by path."""


class Journal(Protocol):
    """Where surgery writes down how far it is, so that whoever finds a change that was cut off knows what happened.

    All raise :class:`Stopped` when the change is no longer this worker's: no further call is made then.
    """

    def note(self, position: int, state: str, error: str = "", kept: Mapping[str, Any] | None = None) -> None:
        """Write down a step's new state: applying, waiting, applied, failed, skipped, undoing, undone."""

    def beat(self) -> None:
        """Tell that the work goes on; called before each reading."""

    def require_held(self) -> None:
        """Make sure that the change is still this worker's; called right before each write."""


class Stopped(BaseException):
    """Somebody else has ended the change meanwhile. No Exception, so that nothing takes it for a call that failed."""


class StaleError(Exception):
    """The cloud is no longer as it was when the plan was made; nothing was written."""


def make_plan(
    remediation: Remediation,
    rule: str,
    account: str,
    requests: Sequence[FixRequest],
    session: LiveSession,
    provider: Provider,
) -> Plan:
    """Read the live state of some resources, many at a time, and plan their fix; the requests have the same inputs.

    The plan's warnings begin with what may stop working.

    :raises PlanProblem: none of them can be fixed; those that cannot while others can are named in ``warnings``.
    """
    with ThreadPoolExecutor(LANES) as lanes:
        planned = list(lanes.map(lambda request: _planned(remediation, request, session), requests))
    steps, uses, left_out = list[Step](), list[str](), list[str]()
    warnings: list[str] = [remediation.breaks] if remediation.breaks else []
    for request, one in zip(requests, planned, strict=True):
        resource = request.resource
        if isinstance(one, PlanProblem):
            left_out.append(f"{resource.name} is left out: {in_short(one)}")
            continue
        steps += one[0]
        uses += one[1]
        if provider.writing and (manager := provider.writing.managed_by(resource)):
            warnings.append(
                f"{resource.name} is managed by {manager}, which may undo this change; change it there too."
            )
    if not steps:
        raise PlanProblem(" ".join(left_out) or "There is nothing to do.")
    if any(step.inverse is None for step in steps):
        warnings.append("This change cannot be undone.")
    inputs = dict(requests[0].inputs)
    plan = Plan(remediation.id, rule, account, tuple(steps), (), inputs, tuple(uses))
    return replace(plan, warnings=(*warnings, *plan.losses, *left_out))


def _planned(
    remediation: Remediation, request: FixRequest, session: LiveSession
) -> tuple[list[Step], list[str]] | PlanProblem:
    """Return the steps for one resource and who uses it, or why there are none."""
    try:
        steps = remediation.plan(request, session)
    except PlanProblem as problem:
        return problem
    name = request.resource.name
    try:
        return steps, [f"{name}: {use}" for use in remediation.uses(request, session)]
    except Exception as problem:
        return steps, [f"{name}: who uses it could not be read ({in_short(problem)})."]


def rehearse(steps: Sequence[Step], writer: Writer) -> tuple[Permission, ...]:
    """Have the cloud check the calls that it can check without making them; return the permissions that it granted.

    Calls that use what an earlier one returns cannot be checked before that is made.

    :raises NotAllowed: the access for fixes does not allow one.
    :raises PlanProblem: the cloud would refuse one otherwise; says which and why.
    """
    with ThreadPoolExecutor(LANES) as lanes:
        granted = list(lanes.map(lambda step: _rehearsed(step, writer), steps))
    return tuple(dict.fromkeys(permission for each in granted for permission in each))


def _rehearsed(step: Step, writer: Writer) -> tuple[Permission, ...]:
    try:
        call = _resolved(step.call, {})
    except LookupError:
        return ()
    try:
        return call.permissions if writer.rehearse(call) else ()
    except NotAllowed:
        raise
    except Exception as problem:
        raise PlanProblem(f"{step.title}: {call.label} would fail: {in_short(problem)}") from problem


def open_writer(provider: Provider, connection: Connection, permissions: Sequence[Permission]) -> Writer:
    """Open an account for writing what was approved, and no more.

    :raises ConnectionProblem: it cannot be reached as described.
    :raises PlanProblem: the provider changes nothing, or cannot be held to so many permissions.
    """
    if provider.writing is None:
        raise PlanProblem(f"Nephoscope cannot change anything in {provider.name}.")
    return provider.writing.open(connection, permissions)


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


def require_unchanged(remediation: Remediation, steps: Iterable[Step], session: LiveSession, journal: Journal) -> None:
    """Read again what the steps change.

    :raises StaleError: one of them is no longer as it was before.
    """
    for step in steps:
        journal.beat()
        if not same_state(remediation.state(step, session), step.before):
            raise StaleError(f"{step.resource} has changed since this was planned; plan again.")


def holds(remediation: Remediation, steps: Sequence[Step], kept: Kept, session: LiveSession, journal: Journal) -> bool:
    """Read again what the steps changed, and tell whether it is as they left it."""
    for position, step in enumerate(steps):
        journal.beat()
        results = _results(steps, position, kept, itself=True)
        step = replace(step, call=_resolved(step.call, results))
        if not same_state(remediation.state(step, session), step.after):
            return False
    return True


def apply(
    remediation: Remediation,
    steps: Sequence[Step],
    session: LiveSession,
    writer: Writer,
    journal: Journal,
    *,
    confirm: Callable[[], object] = lambda: None,
    sleep: Callable[[float], object] = time.sleep,
) -> bool:
    """Do the steps in order; return whether all were done.

    A step that fails ends its resource's part, the other resources go on.

    :param confirm: called right before the first write; raises StaleError when it must not be made any more.
    :param sleep: called between two reads of a state that is waited for.
    :raises StaleError: before the first write, if anything has changed since the plan was made.
    :raises Stopped: the change was ended meanwhile.
    """
    require_unchanged(remediation, steps, session, journal)
    confirm()
    broken: set[str] = set()
    kept: dict[int, dict[str, Any]] = {}
    for position, step in enumerate(steps):
        if step.resource in broken:
            journal.note(position, "skipped", "An earlier step of this resource failed.")
            continue
        journal.note(position, "applying")
        results = _results(steps, position, kept)
        try:
            call = _resolved(step.call, results)
            journal.require_held()
            answer = writer.write(call)
        except Exception as problem:
            broken.add(step.resource)
            # An answer may be lost on its way back: what was made all the same has to be undoable.
            made = not is_as_before(remediation, step, results, session)
            journal.note(position, "applied" if made else "failed", in_short(problem))
            continue
        error = ""
        try:
            kept[position] = {path: _at(answer, path) for path in step.keep}
            if step.wait:
                journal.note(position, "waiting", kept=kept[position])
                _await(_resolved_wait(step.wait, _results(steps, position, kept, itself=True)), session, journal, sleep)
        except Exception as problem:
            # The call was made: it counts as applied, so that it can be undone.
            broken.add(step.resource)
            error = in_short(problem)
        journal.note(position, "applied", error, kept.get(position))
    return not broken


def not_as_before(
    remediation: Remediation, steps: Sequence[Step], positions: Iterable[int], kept: Kept, session: LiveSession
) -> list[int]:
    """Read what some steps change; return the positions of those that are not seen to be as before the plan."""
    return [
        position
        for position in positions
        if not is_as_before(remediation, steps[position], _results(steps, position, kept, itself=True), session)
    ]


def is_as_before(remediation: Remediation, step: Step, results: Kept, session: LiveSession) -> bool:
    """Whether what a step changes is seen to be as it was before; no, where that cannot be read."""
    try:
        return _is_back(step, remediation.state(replace(step, call=_resolved(step.call, results)), session))
    except Exception:
        return False


def _is_back(step: Step, now: Any) -> bool:
    """Whether a state is the one before a step, or what undoing it leads to."""
    return same_state(now, step.before) or same_state(now, step.undone)


def undo(
    remediation: Remediation,
    steps: Sequence[Step],
    done: Collection[int],
    kept: Kept,
    session: LiveSession,
    writer: Writer,
    journal: Journal,
) -> bool:
    """Put back what was before, last step first; return whether all of it is back.

    A step that fails ends its resource's part, the other resources go on.

    :param steps: all steps of the change.
    :param done: the positions of those that were applied, or may have been.
    :param kept: what was kept of their answers.
    :raises StaleError: before the first write, if one was changed by somebody else since, or has no inverse.
    :raises Stopped: the change was ended meanwhile.
    """
    broken: set[str] = set()
    for position, inverse in _inverses(remediation, steps, done, kept, session, journal):
        if steps[position].resource in broken:
            journal.note(position, "applied", "Not undone: a later step of this resource could not be undone.")
            continue
        journal.note(position, "undoing")
        try:
            journal.require_held()
            writer.write(inverse)
        except Exception as problem:
            broken.add(steps[position].resource)
            journal.note(position, "applied", f"Undo failed: {in_short(problem)}")
            continue
        journal.note(position, "undone")
    return not broken


def _inverses(
    remediation: Remediation,
    steps: Sequence[Step],
    done: Collection[int],
    kept: Kept,
    session: LiveSession,
    journal: Journal,
) -> list[tuple[int, Call]]:
    """Read what the steps changed, and return the calls that put it back, last step first.

    What is as it was before needs none: it was undone, or never done. Raises as :func:`undo` does.
    """
    found: list[tuple[int, Call]] = []
    as_before: list[int] = []
    for position in sorted(done, reverse=True):
        journal.beat()
        results, step = _results(steps, position, kept, itself=True), steps[position]
        now = remediation.state(replace(step, call=_resolved(step.call, results)), session)
        if _is_back(step, now):
            as_before.append(position)
        elif not same_state(now, step.after):
            raise StaleError(f"{step.resource} was changed by somebody else since; nothing was undone.")
        elif step.inverse is None:
            raise StaleError(f"{step.resource} cannot be put back; nothing was undone.")
        else:
            try:
                found.append((position, _resolved(step.inverse, results)))
            except LookupError as missing:
                raise StaleError(f"{step.resource} cannot be put back, {missing}; nothing was undone.") from missing
    for position in as_before:
        journal.note(position, "undone")
    return found


# -- What a step waits for, and what it uses of earlier ones ---------------------------------------


def _results(steps: Sequence[Step], position: int, kept: Kept, *, itself: bool = False) -> Kept:
    """Return what earlier steps of a step's resource returned, by their place among the steps of that resource."""
    own = [at for at, step in enumerate(steps) if step.resource == steps[position].resource]
    return {place: kept.get(at, {}) for place, at in enumerate(own) if at < position or (itself and at == position)}


def _resolved(call: Call, results: Kept) -> Call:
    return replace(call, body=with_results(call.body, results))


def _resolved_wait(wait: Wait, results: Kept) -> Wait:
    return replace(wait, read=_resolved(wait.read, results))


def _at(answer: Any, path: str) -> Any:
    """Return what a path of names leads to in an answer; raises LookupError, which names the path."""
    for name in path.split("."):
        try:
            answer = answer[int(name)] if isinstance(answer, list) else answer[name]
        except (KeyError, IndexError, TypeError, ValueError):
            raise LookupError(f"the answer has no {path}") from None
    return answer


def _await(wait: Wait, session: LiveSession, journal: Journal, sleep: Callable[[float], object]) -> None:
    """Read until the state is there.

    :raises TimeoutError: it was not in time; says what it was at last.
    :raises RuntimeError: it is a state in which that has failed; says which.
    """
    until, seen = time.monotonic() + wait.timeout, ""
    while True:
        journal.beat()
        try:
            seen = str(_at(session.read(wait.read) or {}, wait.path))
        except LookupError:
            seen = "nothing"
        if seen in wait.until:
            return
        if seen in wait.failed:
            raise RuntimeError(f"{wait.path} is {seen}, not {' or '.join(wait.until)}.")
        if time.monotonic() >= until:
            raise TimeoutError(f"{wait.path} is {seen} after {wait.timeout} seconds, not {' or '.join(wait.until)}.")
        sleep(wait.every)
