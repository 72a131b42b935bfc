"""How accounts stood by policies, a row for each day: what a trend is drawn of."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from django.utils import timezone

from nephoscope.accounts.models import Account
from nephoscope.alerts.models import ComplianceDay
from nephoscope.compliance import queries as compliance
from nephoscope.compliance.standings import Compliance
from nephoscope.compliance.states import ControlState, percent
from nephoscope.inventory.models import Scan
from nephoscope.policies.queries import EffectivePolicies

DAYS = 90
"""Days that a trend reaches back."""


def is_whole(scan: Scan) -> bool:
    """Whether the scan is one of every part of the account, as that is scoped now and not when the scan began."""
    return Scan.objects.filter(pk=scan.pk, whole=True).exists()


def record(scan: Scan) -> None:
    """Keep how the account stands after this scan, one row per policy and day; the day's last judging counts.

    A policy that was chosen since the last scan counts as judged only by a scan of the whole account.
    """
    record_day(scan.account, whole=is_whole(scan))


def record_day(account: Account, *, whole: bool) -> None:
    """Keep how the account stands; ``whole``: everything that is stored was judged by all policies that apply."""
    now, stored, effective = timezone.now(), compliance.stored_of([account]), EffectivePolicies.of(account)
    judged = [each for each in effective.applied if whole or stored.judged_at(account, each.id)]
    stored.judged[account.pk] = {policy.id: now for policy in judged}
    # It was judged by what holds now, which is noted when all of it is done.
    stored.conditions[account.pk] = replace(stored.conditions[account.pk], rejudging=False)
    rows = []
    for policy in judged:
        counts = compliance.stands(effective, policy, stored).counts
        rows.append(
            ComplianceDay(
                account=account,
                policy=policy.id,
                day=timezone.localdate(now, timezone.get_default_timezone()),
                judged_at=now,
                passed=counts[ControlState.PASS],
                failed=counts[ControlState.FAIL],
                unknown=counts[ControlState.UNKNOWN],
            )
        )
    ComplianceDay.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["account", "policy", "day"],
        update_fields=["judged_at", "passed", "failed", "unknown"],
    )


def trend(found: Compliance, days: int = DAYS) -> list[tuple[date, int | None]]:
    """Return the score of each of the last days that had a scan, oldest first; today's is the one that stands now."""
    today = timezone.localdate()
    since = today - timedelta(days=days)
    rows = ComplianceDay.objects.filter(account=found.account, policy=found.policy.id, day__gt=since).order_by("day")
    return [(row.day, found.score if row.day == today else percent(row.passed, row.failed)) for row in rows]
