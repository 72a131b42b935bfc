"""What ``manage.py demo`` adds to what its scans find: a history, and what people did.

The history is made up, and only of what the scans found: the demo's accounts are as old as the demo.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from nephoscope.accounts.models import Account
from nephoscope.alerts.models import Alert, AlertState, ComplianceDay, Finding, VerdictChoice
from nephoscope.alerts.suppressions import suppress
from nephoscope.audit.services import Actor
from nephoscope.changes.applying import work
from nephoscope.changes.approvals import approve_change
from nephoscope.changes.offers import responses_to
from nephoscope.changes.planning import plan_change
from nephoscope.changes.services import request_undo
from nephoscope.domain import Severity
from nephoscope.inventory.models import Resource, Scan, ScanState, Shard
from nephoscope.policies.queries import catalogue

DAYS = 90
"""Days that the history reaches back."""
WEEK = 7

RECENT = 4
"""Alerts that are left as new as they are."""
RESOLVED = 30
"""Alerts that are made up as resolved: rules that every resource passes now."""


def begin_history(accounts: Iterable[Account]) -> None:
    """Have accounts that were never scanned been scanned every week for ninety days.

    Before the first real scan, because the newest scan is the one with the highest number.
    """
    new = [each for each in accounts if not each.scans.exists()]
    for weeks in range(DAYS // WEEK, 0, -1):
        for account in new:
            scan = Scan.objects.create(account=account, state=ScanState.SUCCEEDED, whole=True)
            begun = timezone.now() - timedelta(weeks=weeks)
            Scan.objects.filter(pk=scan.pk).update(created_at=begun, started_at=begun)


def complete_history(account: Account) -> None:
    """Give the scans that were made up what the first real one found, and let its alerts have opened over their time.

    Once for an account.
    """
    past = account.scans.filter(finished_at=None, state=ScanState.SUCCEEDED)
    if not past:
        return
    now = timezone.now()
    _spread_alerts(account, now)
    _resolve_some(account, now)
    _complete_scans(list(past), account.scans.exclude(pk__in=past).latest("pk"))
    _score_daily(account)


def practise(account: Account, actor: Actor) -> None:
    """Do what people do: suppress two resources, and apply a fix and undo it. Once for an account."""
    if account.changes.exists():
        return
    _suppress(account, actor)
    _fix_and_undo(account, actor)


def _age(position: int) -> timedelta:
    """Return how long ago an alert opened: over twice the time, so that many were open when the history begins."""
    return timedelta(days=2 + position * 37 % (2 * DAYS - 4), minutes=position * 89 % 1440)


def _spread_alerts(account: Account, now: datetime) -> None:
    for position, alert in enumerate(account.alerts.filter(kind="security").order_by("-pk")[RECENT:]):
        opened = now - _age(position)
        findings = alert.findings.filter(failing_since__isnull=False)
        findings.update(failing_since=opened, changed_at=opened)
        Alert.objects.filter(pk=alert.pk).update(first_seen=opened, opened_at=opened)
    old = now - timedelta(days=DAYS)
    Account.objects.filter(pk=account.pk).update(created_at=old)
    Resource.objects.filter(account=account).update(first_seen=old, changed_at=old)


def _resolve_some(account: Account, now: datetime) -> None:
    """Make alerts of rules that nothing fails, each resolved some days after it was opened."""
    judged = Finding.objects.filter(account=account)
    wrong = judged.exclude(verdict=VerdictChoice.PASS).values("rule_id")
    right = judged.exclude(rule_id__in=wrong).order_by("rule_id").values_list("rule_id", flat=True).distinct()
    known, ranks = catalogue(), list(Severity)
    rules = [rule for each in right if (rule := known.rule(each))]
    for position, rule in enumerate(rules[:RESOLVED]):
        opened = now - _age(position * 3 + 1)
        resolved = min(now - timedelta(hours=position + 1), opened + timedelta(days=20 + position * 23 % DAYS))
        account.alerts.create(
            key=rule.id,
            severity=rule.severity,
            rank=ranks.index(rule.severity),
            title=rule.title,
            state=AlertState.RESOLVED,
            first_seen=opened,
            opened_at=opened,
            last_seen=resolved,
            resolved_at=resolved,
        )


def _complete_scans(past: list[Scan], real: Scan) -> None:
    shards, took = list(real.shards.all()), (real.finished_at or timezone.now()) - real.created_at
    for scan in past:
        ended = scan.created_at + took
        for shard in shards:
            shard.pk, shard.scan, shard.started_at, shard.finished_at = None, scan, scan.created_at, ended
            shard._state.adding = True
        Shard.objects.bulk_create(shards)
        Scan.objects.filter(pk=scan.pk).update(state=real.state, finished_at=ended)


def _score_daily(account: Account) -> None:
    """Let every policy have begun a quarter lower than it stands."""
    rows = []
    for today in ComplianceDay.objects.filter(account=account):
        for days in range(1, DAYS):
            passed = round(today.passed * (1 - 0.25 * days / DAYS))
            rows.append(
                ComplianceDay(
                    account=account,
                    policy=today.policy,
                    day=today.day - timedelta(days=days),
                    judged_at=today.judged_at - timedelta(days=days),
                    passed=passed,
                    failed=today.passed + today.failed - passed,
                    unknown=today.unknown,
                )
            )
    ComplianceDay.objects.bulk_create(rows, ignore_conflicts=True)


def _suppress(account: Account, actor: Actor) -> None:
    """Accept one resource of an alert that has more, and all of another alert."""
    alerts = account.alerts.filter(state=AlertState.OPEN, kind="security")
    if several := alerts.filter(affected__gt=1).order_by("-rank", "pk").first():
        until = timezone.now() + timedelta(days=30)
        first = several.findings.filter(failing_since__isnull=False).order_by("pk")[:1]
        suppress(actor, several, first, "The lab moves to a new account next month.", until)
    if single := alerts.filter(affected=1, suppressed=0).order_by("-rank", "pk").first():
        suppress(actor, single, single.findings.filter(~Q(failing_since=None)), "No customer data is kept in the lab.")


def _fix_and_undo(account: Account, actor: Actor) -> None:
    for alert in account.alerts.filter(state=AlertState.OPEN).order_by("rank", "pk"):
        for fix in responses_to(alert):
            findings = alert.findings.filter(failing_since__isnull=False, suppression=None)[:1]
            change = plan_change(actor, alert, findings, fix)
            work(approve_change(actor, change, digest=change.digest, reason="Nobody uses the downloads any more.").pk)
            change.refresh_from_db()
            work(request_undo(actor, change, reason="The partner still fetches files from there.").pk)
            return
