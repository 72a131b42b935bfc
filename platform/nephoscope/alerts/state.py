"""An alert's state follows from its findings; every move of it is in the audit log."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Count, Q

from nephoscope.accounts.models import Account
from nephoscope.alerts.models import Alert, AlertState, Finding, Transition
from nephoscope.alerts.transitions import of_state
from nephoscope.audit.models import Entry
from nephoscope.audit.services import Actor, append, entry

MOVING = ["affected", "suppressed", "state", "opened_at", "resolved_at"]
"""What a refresh may change of an alert, besides when it was last seen."""

NAMED = 20
"""Resources that an audit entry names; the rest are counted."""


@dataclass(slots=True)
class Transitions:
    """What happened to which alert's resources since the last :func:`refresh`."""

    added: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))
    left: dict[int, dict[str, list[str]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))
    seen: set[int] = field(default_factory=set)

    def opened(self, alert: int, resource: str) -> None:
        self.added[alert].append(resource)

    def closed(self, alert: int | None, resource: str, why: str, *, suppressed: bool) -> None:
        """``why`` is one of: fixed, gone, no longer checked; of a detection, what became of it in the cloud."""
        if alert is not None:
            self.left[alert][f"{why}, was suppressed" if suppressed else why].append(resource)

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
        entries += _written_down(alert, was, transitions, actor, now, reopened=reopened)
        outgoing += of_state(alert, was, now, reopened=reopened, added=alert.pk in transitions.added)
    Alert.objects.bulk_update(changed, MOVING)
    Alert.objects.filter(pk__in=transitions.seen).update(last_seen=now)
    Transition.objects.bulk_create(outgoing)
    append(entries)


def _state(alert: Alert) -> AlertState:
    if alert.affected:
        return AlertState.OPEN
    return AlertState.SUPPRESSED if alert.suppressed else AlertState.RESOLVED


def _written_down(
    alert: Alert, was: str, transitions: Transitions, actor: Actor, now: datetime, *, reopened: bool
) -> Iterator[Entry]:
    if added := transitions.added.get(alert.pk):
        verb = "added resources to" if was != AlertState.RESOLVED else "reopened" if reopened else "opened"
        yield entry(
            actor,
            f"alert.{'added' if verb.startswith('added') else verb}",
            alert,
            f"{verb} {alert} “{alert.title}”: {_names(added)}",
            account=alert.account,
            at=now,
        )
    for why, names in transitions.left.get(alert.pk, {}).items():
        yield entry(
            actor, "alert.left", alert, f"found {_names(names)} of {alert} {why}", account=alert.account, at=now
        )
    if alert.state == AlertState.RESOLVED and was != AlertState.RESOLVED:
        yield entry(actor, "alert.resolved", alert, f"closed {alert} “{alert.title}”", account=alert.account, at=now)


def _names(names: list[str]) -> str:
    rest = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {rest} more" if rest > 0 else "")
