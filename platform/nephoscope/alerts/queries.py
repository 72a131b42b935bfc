"""Reading alerts: the filters and the counts that the console and the API share.

A filter takes a queryset and the text of a request's parameter. Text that names nothing gives nothing, never all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import CharField, Count, Exists, Min, OuterRef, Q, QuerySet
from django.db.models.functions import Lower, TruncDate
from django.db.models.lookups import In
from django.utils import timezone

from nephoscope.accounts.models import Account
from nephoscope.alerts.models import Alert, AlertState, Finding, KindChoice, SeverityChoice, Suppression, VerdictChoice
from nephoscope.connections.conditions import Condition
from nephoscope.inventory.models import READ, Scan
from nephoscope.plugins import registry
from nephoscope.policies.queries import catalogue
from nephoscope.searching import having, in_any

Alerts = QuerySet[Alert]

ALL = "all"
"""The value of ``state`` that filters nothing."""


def _listed(value: str) -> list[str]:
    return [part.strip() for part in value.split(",") if part.strip()]


def ids(value: str) -> list[int]:
    """Return the numbers in the text that can be a row's id."""
    return [int(part) for part in _listed(value) if part.isdecimal() and len(part) < 18]


def _failing() -> QuerySet[Finding]:
    return Finding.objects.filter(alert=OuterRef("pk"), failing_since__isnull=False)


def with_state(alerts: Alerts, value: str) -> Alerts:
    """``open``, ``suppressed``, ``resolved``, several with commas, or ``all``.

    ``suppressed`` finds every alert that has a suppressed resource, also one that is open because of others.
    """
    wanted = _listed(value)
    if value == ALL:
        return alerts
    partly = Q(suppressed__gt=0) if AlertState.SUPPRESSED in wanted else Q(pk__in=[])
    return alerts.filter(Q(state__in=wanted) | partly)


def with_severity(alerts: Alerts, value: str) -> Alerts:
    return alerts.filter(severity__in=_listed(value))


def of_kind(alerts: Alerts, value: str) -> Alerts:
    """Kinds, or detectors by their names: ``threat`` does, and the name of a cloud's own detector."""
    return alerts.filter(kind__in=_listed(value)) | of_source(alerts, value)


def of_source(alerts: Alerts, value: str) -> Alerts:
    """Detectors by their names, whatever the case."""
    named = Lower("source", output_field=CharField())
    return alerts.filter(In(named, {each.lower() for each in _listed(value)}))


def kind_choices() -> list[tuple[str, str]]:
    """Return the kinds with their names; a cloud's own detectors go by what people call them."""
    providers = registry().providers.values()
    detectors = ", ".join(dict.fromkeys(each.detections.name for each in providers if each.detections))
    return [
        (value, detectors if value == KindChoice.THREAT and detectors else str(label))
        for value, label in KindChoice.choices
    ]


def watched_kinds() -> set[str]:
    """Return the kinds that something enabled looks for: of the others, that there is no alert says nothing."""
    detected = any(each.detections for each in registry().providers.values())
    return {KindChoice.SECURITY.value} | ({KindChoice.THREAT.value} if detected else set())


def in_account(alerts: Alerts, value: str) -> Alerts:
    """Accounts by their ids in Nephoscope."""
    return alerts.filter(account__in=ids(value))


def in_region(alerts: Alerts, value: str) -> Alerts:
    """Those with an affected resource in the region."""
    return alerts.filter(Exists(_failing().filter(resource__region__in=_listed(value))))


def of_policy(alerts: Alerts, value: str) -> Alerts:
    """Those whose rule answers a control of the framework with this id."""
    known = catalogue().policies
    rules = {rule for each in _listed(value) if each in known for rule in known[each].rules}
    return alerts.filter(key__in=rules)


def _since(value: str) -> Any:
    return timezone.now() - timedelta(days=min(int(value), 36_500)) if value.isdecimal() else None


def opened_within(alerts: Alerts, value: str) -> Alerts:
    """Opened in the last so many days."""
    return alerts.filter(opened_at__gte=since) if (since := _since(value)) else alerts.none()


def resolved_within(alerts: Alerts, value: str) -> Alerts:
    """Resolved in the last so many days."""
    return alerts.filter(resolved_at__gte=since) if (since := _since(value)) else alerts.none()


def matching(alerts: Alerts, value: str) -> Alerts:
    """Every word in the title, rule, account, number (A-000042), or an affected resource's name or id."""
    return having(alerts, value, _holds)


def _holds(word: str) -> Q:
    resource = _failing().filter(in_any("resource__name", "resource__resource_id")(word))
    number = Q(pk__in=ids(word.upper().removeprefix("A-")))
    return in_any("title", "key", "account__name")(word) | Q(Exists(resource)) | number


def newest(alerts: Alerts) -> Alerts:
    """Order by the day of opening, newest first, then worst and widest first.

    By the day, since a scan opens its alerts within seconds of each other, in the order in which it read the resources.
    """
    return alerts.order_by(TruncDate("opened_at").desc(), "rank", "-affected", "pk")


def findings_matching(findings: QuerySet[Finding], value: str) -> QuerySet[Finding]:
    """Every word in the resource's name or id, or in the rule's id or title."""
    rules = catalogue().rules.values()

    def holds(word: str) -> Q:
        titled = [each.id for each in rules if word.lower() in each.title.lower()]
        return in_any("resource__name", "resource__resource_id", "rule_id")(word) | Q(rule_id__in=titled)

    return having(findings, value, holds)


FILTERS: Mapping[str, Callable[[Alerts, str], Alerts]] = {
    "state": with_state,
    "severity": with_severity,
    "kind": of_kind,
    "source": of_source,
    "account": in_account,
    "region": in_region,
    "policy": of_policy,
    "opened": opened_within,
    "resolved": resolved_within,
    "q": matching,
}
"""Every filter by the name of its parameter."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What the dashboard counts: open alerts by severity, kind and account; the rest beside them.

    ``suppressed`` counts suppressions in force, which are of single resources.
    ``accounts`` has None for an account that no scan has read yet; ``since`` is when anything was first known.
    """

    open: int
    severities: dict[str, int]
    kinds: dict[str, int]
    accounts: dict[Account, int | None]
    since: datetime | None
    suppressed: int
    unknown: int
    opened: int
    resolved: int


WEEK = 7
"""Days that count as new."""


def summary(user: Any, accounts: Iterable[Condition]) -> Summary:
    """Count the alerts that the user may see.

    :param accounts: what is known of each account that the user sees.
    """
    alerts = Alert.objects.visible_to(user)
    severities = dict.fromkeys(SeverityChoice.values, 0)
    kinds = dict.fromkeys(KindChoice.values, 0)
    by_account: dict[int, int] = {}
    rows = alerts.order_by().values("severity", "kind", "account").annotate(count=Count("pk"))
    for row in rows.filter(state=AlertState.OPEN):
        severities[row["severity"]] += row["count"]
        kinds[row["kind"]] += row["count"]
        by_account[row["account"]] = by_account.get(row["account"], 0) + row["count"]
    suppressed = Suppression.objects.visible_to(user).standing().count()
    counted = {each.account: by_account.get(each.account.pk, 0 if each.known else None) for each in accounts}
    unknown = Finding.objects.visible_to(user).filter(verdict=VerdictChoice.UNKNOWN).count()
    new = opened_within(alerts.filter(state=AlertState.OPEN), str(WEEK)).count()
    gone = resolved_within(alerts.filter(state=AlertState.RESOLVED), str(WEEK)).count()
    since = known_since(user)
    return Summary(sum(severities.values()), severities, kinds, counted, since, suppressed, unknown, new, gone)


def known_since(user: Any) -> datetime | None:
    """Return when anything was first known of the accounts that the user sees: before it, no alert means nothing."""
    read = Scan.objects.visible_to(user).filter(state__in=READ).aggregate(Min("created_at"))["created_at__min"]
    seen = Alert.objects.visible_to(user).aggregate(Min("opened_at"))["opened_at__min"]
    return min((moment for moment in (read, seen) if moment), default=None)


def trend(user: Any, days: int = 90) -> list[tuple[date, int]]:
    """How many alerts were open at the end of each of the last days, in the active time zone, oldest first.

    Told from the alerts as they are: one that was resolved and reopened counts from its last opening, and one that is
    suppressed now counts on no day. So the last day is the number of alerts that are open now.
    """
    alerts = Alert.objects.visible_to(user).exclude(state=AlertState.SUPPRESSED).order_by()
    today = timezone.localdate()
    first = today - timedelta(days=days - 1)

    def per_day(rows: Alerts, moment: str) -> dict[date, int]:
        counted = rows.annotate(day=TruncDate(moment)).values_list("day").annotate(Count("pk"))
        return dict(counted)

    opened = per_day(alerts, "opened_at")
    resolved = per_day(alerts.filter(state=AlertState.RESOLVED), "resolved_at")
    count = sum(n for day, n in opened.items() if day < first) - sum(n for day, n in resolved.items() if day < first)
    line = []
    for day in (first + timedelta(days=offset) for offset in range(days)):
        count += opened.get(day, 0) - resolved.get(day, 0)
        line.append((day, count))
    return line
