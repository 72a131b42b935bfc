"""What became of alerts, as rows of the outbox: what is told of them later, and the history of their transitions."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from nephoscope.alerts.models import Alert, AlertState, Transition, TransitionKind


def of_state(alert: Alert, was: str, now: datetime, *, reopened: bool, added: bool) -> Iterator[Transition]:
    """Yield the row for an alert whose state was another before, if it was.

    :param reopened: it had been resolved before.
    :param added: a resource began to fail.
    """
    if alert.state != was:
        yield _row(alert, _kind(alert.state, was, reopened=reopened, added=added), was, alert.state, now)


def of_severity(alert: Alert, was: str, now: datetime) -> Transition:
    """Return the row for an alert whose severity was another before."""
    return _row(alert, TransitionKind.GRADED, was, alert.severity, now)


def _kind(state: str, was: str, *, reopened: bool, added: bool) -> TransitionKind:
    if state == AlertState.RESOLVED:
        return TransitionKind.RESOLVED
    if state == AlertState.SUPPRESSED:
        return TransitionKind.SUPPRESSED
    if was == AlertState.SUPPRESSED and not added:
        return TransitionKind.UNSUPPRESSED
    return TransitionKind.REOPENED if reopened or was == AlertState.SUPPRESSED else TransitionKind.OPENED


def _row(alert: Alert, what: TransitionKind, was: str, now: str, at: datetime) -> Transition:
    return Transition(
        alert=alert,
        what=what,
        was=was,
        now=now,
        severity=alert.severity,
        affected=alert.affected,
        suppressed=alert.suppressed,
        created_at=at,
    )
