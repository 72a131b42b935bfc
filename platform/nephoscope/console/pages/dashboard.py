"""The dashboard: am I all right, and what is new?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from nephoscope.alerts import queries
from nephoscope.alerts.models import Alert, AlertState, SeverityChoice
from nephoscope.api.kit.conditions import conditions_of
from nephoscope.compliance.scores import scores
from nephoscope.console.kit.admin import rights
from nephoscope.inventory.models import Scan
from nephoscope.scans import services as scans
from nephoscope.scans.health import health

DAYS = 90
HEIGHT = 100
"""Units of the trend's drawing; one unit of its width is a tenth of a day."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One day of the trend; without a count before anything was known."""

    day: date
    count: int | None
    x: int
    y: float
    height: float


def bars(line: list[tuple[date, int]], since: date | None) -> list[Bar]:
    """Return the trend as bars; a day with any open alert is at least visible."""
    most = max((count for _day, count in line), default=0) or 1
    drawn = []
    for position, (day, count) in enumerate(line):
        known = since is not None and day >= since
        height = max(2.0, round(HEIGHT * count / most, 1)) if known and count else 0.0
        drawn.append(Bar(day, count if known else None, position * 10, HEIGHT - height, height))
    return drawn


def context(request: HttpRequest, frame: dict[str, Any]) -> dict[str, Any]:
    """Add to the index page what the dashboard shows."""
    user = request.user
    accounts = conditions_of(request)
    summary = queries.summary(user, accounts.values())
    alerts = Alert.objects.visible_to(user).filter(state=AlertState.OPEN, severity__in=["critical", "high"])
    since = timezone.localdate(summary.since) if summary.since else None
    line = bars(queries.trend(user, DAYS), since)
    known = [bar for bar in line if bar.count is not None]
    recent = Scan.objects.visible_to(user).select_related("account")[:5]
    return {
        **frame,
        "title": _("Dashboard"),
        "may": rights(user),
        "summary": summary,
        "known": any(each.known for each in accounts.values()),
        "all_known": all(each.known for each in accounts.values()),
        "severities": [(value, label, summary.severities[value]) for value, label in SeverityChoice.choices],
        "kinds": [
            (value, label, summary.kinds[value])
            for value, label in queries.kind_choices()
            if summary.kinds[value] or value in queries.watched_kinds()
        ],
        "bars": line,
        "trend": known,
        "trend_most": max((bar.count or 0 for bar in known), default=0),
        "width": DAYS * 10,
        "height": HEIGHT,
        "newest": queries.newest(alerts.select_related("account"))[:5],
        "scans": [(scan, scans.progress(scan) if scan.active else None) for scan in recent],
        "health": health(),
        "policies": list(scores(summary.accounts).values()),
    }
