"""An alert's state follows from its findings; every move of it is in the audit log."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Count, Q

from nephoscope.accounts.models import Account
from nephoscope.alerts.models import Alert, AlertState, Finding, Transition
from nephoscope.alerts.transitions import of_state
from nephoscope.audit.actions.alerts import (
    ALERT_ADDED,
    ALERT_LEFT,
    ALERT_OPENED,
    ALERT_REOPENED,
    ALERT_RESOLVED,
    Resolution,
)
from nephoscope.audit.actions.wording import resources
from nephoscope.audit.models import Entry
from nephoscope.audit.services import Actor, append, entry

MOVING = ["affected", "suppressed", "state", "opened_at", "resolved_at"]
"""What a refresh may change of an alert, besides when it was last seen."""


class Departure(NamedTuple):
    """How a resource left an alert; ``source`` is the detector that cleared it."""

    why: Resolution
    source: str
    suppressed: bool


@dataclass(slots=True)
class Transitions:
    """What happened to which alert's resources since the last :func:`refresh`."""

    added: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))
    left: dict[int, dict[Departure, list[str]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))
    seen: set[int] = field(default_factory=set)

    def opened(self, alert: int, resource: str) -> None:
        self.added[alert].append(resource)

    def closed(self, alert: int | None, resource: str, why: Resolution, *, suppressed: bool, source: str = "") -> None:
        if alert is not None:
            self.left[alert][Departure(why, source, suppressed)].append(resource)

    @property
    def alerts(self) -> set[int]:
        return {*self.added, *self.left, *self.seen}


def refresh(account: Account, transitions: Transitions, actor: Actor, now: datetime) -> None:
    """Count the findings of the alerts that moved, give each its state, and write down what changed."""
    alerts = {
        alert.pk: alert for alert in Alert.objects.select_for_update().filter(pk__in=transitions.alerts).order_by("pk")
    }
    counts = {
        row["alert"]: row
        for row in Finding.objects.filter(alert__in=alerts, failing_since__isnull=False)
        .values("alert")
        .annotate(affected=Count("pk", Q(suppression=None)), suppressed=Count("pk", ~Q(suppression=None)))
        .order_by()
    }
    changed: list[Alert] = []
    entries: list[Entry] = []
    outgoing: list[Transition] = []
    for alert in alerts.values():
        stood, was = {name: getattr(alert, name) for name in MOVING}, alert.state
        count = counts.get(alert.pk, {"affected": 0, "suppressed": 0})
        alert.affected, alert.suppressed = count["affected"], count["suppressed"]
        alert.state, reopened = _state(alert), alert.resolved_at is not None
        if alert.state == AlertState.OPEN and was != AlertState.OPEN:
            alert.opened_at = now if was == AlertState.RESOLVED else alert.opened_at
            alert.resolved_at = None
        if alert.state == AlertState.RESOLVED and was != AlertState.RESOLVED:
            alert.resolved_at = now
        if any(getattr(alert, name) != value for name, value in stood.items()):
            changed.append(alert)
        entries += _entries(alert, was, transitions, actor, now, reopened=reopened)
        outgoing += of_state(alert, was, now, reopened=reopened, added=alert.pk in transitions.added)
    Alert.objects.bulk_update(changed, MOVING)
    Alert.objects.filter(pk__in=transitions.seen).update(last_seen=now)
    Transition.objects.bulk_create(outgoing)
    append(entries)


def _state(alert: Alert) -> AlertState:
    if alert.affected:
        return AlertState.OPEN
    return AlertState.SUPPRESSED if alert.suppressed else AlertState.RESOLVED


def _entries(
    alert: Alert, was: str, transitions: Transitions, actor: Actor, now: datetime, *, reopened: bool
) -> Iterator[Entry]:
    about: dict[str, Any] = {"account": alert.account, "at": now}
    title = {"title": alert.title}
    if added := transitions.added.get(alert.pk):
        opening = ALERT_REOPENED if reopened else ALERT_OPENED
        action = opening if was == AlertState.RESOLVED else ALERT_ADDED
        yield entry(actor, action, alert, {**title, **resources(added)}, **about)
    for departure, names in transitions.left.get(alert.pk, {}).items():
        yield entry(actor, ALERT_LEFT, alert, {**departure._asdict(), **resources(names)}, **about)
    if alert.state == AlertState.RESOLVED and was != AlertState.RESOLVED:
        yield entry(actor, ALERT_RESOLVED, alert, title, **about)
