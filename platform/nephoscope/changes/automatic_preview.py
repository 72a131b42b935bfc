"""What an automatic fix would have done in the last days, and would do now; nothing of it asks a cloud.

The past is made of what is stored: transitions say when an alert opened, and the audit log which resources began to
fail then, or later, and which were resolved.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from nephoscope import domain
from nephoscope.accounts.models import Account
from nephoscope.alerts.models import Alert, Transition, TransitionKind
from nephoscope.audit.actions import Action
from nephoscope.audit.actions.alerts import ALERT_ADDED, ALERT_LEFT, ALERT_OPENED, ALERT_REOPENED
from nephoscope.audit.models import Entry
from nephoscope.changes.approvals import would_need_second
from nephoscope.changes.automatic_queries import HOUR, limited, managed, most_an_hour, to_fix
from nephoscope.inventory.models import Resource

DAYS = 30
"""How far back a preview looks."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """One resource that began to fail, or ``count`` of them whose names are not kept (``resource`` is empty then).

    ``fixed_at`` is when it is, or would have been, fixed, None where it would not; ``why`` says why not, or why later.
    """

    alert: Alert
    resource: str
    failing_since: datetime
    due_at: datetime
    fixed_at: datetime | None
    why: str = ""
    count: int = 1


@dataclass(frozen=True, slots=True)
class Preview:
    past: list[Forecast]
    now: list[Forecast]

    @property
    def past_fixed(self) -> int:
        """How many resources would have been fixed."""
        return sum(each.count for each in self.past if each.fixed_at)

    @property
    def now_fixed(self) -> int:
        """How many resources will be fixed."""
        return sum(each.count for each in self.now if each.fixed_at)


def preview(rule: domain.Rule, remediation: domain.Remediation, accounts: Sequence[Account], days: int) -> Preview:
    """Say what fixing a rule automatically in these accounts, with so many days of notice, would do."""
    now, notice = timezone.now(), timedelta(days=days)
    alerts = {
        each.pk: each for each in Alert.objects.filter(account__in=accounts, key=rule.id).select_related("account")
    }
    second = {pk: would_need_second(remediation.id, each.account, each.severity) for pk, each in alerts.items()}
    past = list(_past(rule, alerts, now, notice))
    return Preview(
        list(_within_limit(_waits(each, second) for each in past)),
        list(_within_limit(_waits(each, second) for each in _now(rule, accounts, alerts, now, notice))),
    )


def _now(
    rule: domain.Rule, accounts: Sequence[Account], alerts: dict[int, Alert], now: datetime, notice: timedelta
) -> Iterator[Forecast]:
    for finding in to_fix(rule.id, accounts).select_related("resource__account").order_by("account", "resource__name"):
        why, due_at, since = managed(finding.resource), now + notice, finding.failing_since or now
        alert = alerts[finding.alert_id or 0]
        yield Forecast(alert, finding.resource.name, since, due_at, None if why else due_at, why)


def _past(rule: domain.Rule, alerts: dict[int, Alert], now: datetime, notice: timedelta) -> Iterator[Forecast]:
    """Yield what began to fail and was due since, oldest first."""
    since = now - timedelta(days=DAYS)
    began, left = _began(alerts, since), _left(alerts, since)
    managers = _managers(rule, alerts, {name for _alert, _at, name, _count in began})
    for pk, at, name, count in sorted(began, key=lambda each: each[1]):
        due_at = at + notice
        if due_at > now:
            continue
        why = managers.get((alerts[pk].account_id, name), "")
        if any(at < resolved <= due_at for resolved in left[pk, name]):
            why = _("Resolved before it was due.")
        yield Forecast(alerts[pk], name, at, due_at, None if why else due_at, why, count)


def _began(alerts: dict[int, Alert], since: datetime) -> list[tuple[int, datetime, str, int]]:
    """Return which alert gained which resource when: its name, and 1; or no name, and how many are not named."""
    found = dict[tuple[int, datetime], tuple[list[str], int]]()
    opened = (TransitionKind.OPENED, TransitionKind.REOPENED, TransitionKind.UNSUPPRESSED)
    rows = Transition.objects.filter(alert__in=alerts, what__in=opened, created_at__gte=since)
    for alert, at, count in rows.values_list("alert", "created_at", "affected"):
        found[alert, at] = [], count
    for entry in _entries(alerts, since, ALERT_OPENED, ALERT_REOPENED, ALERT_ADDED):
        found[int(entry.target_id), entry.at] = entry.data["resources"], entry.data["count"]
    return [
        (alert, at, name, count)
        for (alert, at), (names, total) in found.items()
        for name, count in [*((name, 1) for name in names), ("", total - len(names))]
        if count
    ]


def _left(alerts: dict[int, Alert], since: datetime) -> dict[tuple[int, str], list[datetime]]:
    """Return when which resource left which alert."""
    found = defaultdict[tuple[int, str], list[datetime]](list)
    for entry in _entries(alerts, since, ALERT_LEFT):
        for name in entry.data["resources"]:
            found[int(entry.target_id), name].append(entry.at)
    return found


def _entries(alerts: dict[int, Alert], since: datetime, *actions: Action) -> Iterator[Any]:
    """Yield what the audit log holds of alerts; entries of before have no data."""
    about = {"target_type": "alert", "target_id__in": [str(pk) for pk in alerts]}
    codes = [each.code for each in actions]
    yield from Entry.objects.filter(**about, action__in=codes, at__gte=since, data__isnull=False).order_by("pk")


def _managers(rule: domain.Rule, alerts: dict[int, Alert], names: set[str]) -> dict[tuple[int, str], str]:
    """Return why resources are not fixed that a stack or a tool manages, by account and name."""
    accounts = {each.account_id for each in alerts.values()}
    rows = Resource.objects.filter(account__in=accounts, type__in=rule.on, name__in=names).select_related("account")
    return {(row.account_id, row.name): why for row in rows if (why := managed(row))}


def _waits(forecast: Forecast, second: dict[int, bool]) -> Forecast:
    """Say so of what would wait for a person."""
    if forecast.fixed_at is None or not second[forecast.alert.pk]:
        return forecast
    return replace(forecast, fixed_at=None, why=_("It needs a second approver."))


def _within_limit(forecasts: Iterable[Forecast]) -> Iterator[Forecast]:
    """Put off what the limit of an account's hour keeps back; they come in the order in which they are due."""
    most, fixed = most_an_hour(), defaultdict[int, list[datetime]](list)
    for each in forecasts:
        times = fixed[each.alert.account_id]
        if each.fixed_at is None or not most:
            yield replace(each, fixed_at=None, why=each.why or limited())
            continue
        at = max(each.fixed_at, times[-most] + HOUR) if len(times) >= most else each.fixed_at
        times += [at] * each.count
        yield replace(each, fixed_at=at, why=limited() if at > each.due_at else "")
