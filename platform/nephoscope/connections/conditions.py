"""What is known of an account, and how well: whatever shows a number of an account shows its marks beside it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import models
from django.db.models import OuterRef, Subquery
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from nephoscope.accounts.models import Account
from nephoscope.accounts.queries import has_provider
from nephoscope.inventory.models import ACTIVE, READ, Scan, ScanState
from nephoscope.policies import rejudging
from nephoscope.policies.models import Rejudging

STALE_AFTER = timedelta(days=3)
"""How old the last scan that read an account may be; longer for an account that is scanned more rarely."""


class ConditionState(models.TextChoices):
    """From what says least about an account to what says all."""

    UNAVAILABLE = "unavailable", gettext_lazy("Provider not enabled")
    NOT_SCANNED = "not_scanned", gettext_lazy("Not scanned yet")
    UNREACHABLE = "unreachable", gettext_lazy("Not reachable")
    FAILED = "failed", gettext_lazy("Last scan failed")
    STALE = "stale", gettext_lazy("Stale")
    PARTIAL = "partial", gettext_lazy("Partly read")
    REJUDGING = "rejudging", gettext_lazy("Re-evaluating")
    CURRENT = "current", gettext_lazy("Current")


@dataclass(frozen=True, slots=True)
class Mark:
    """One reason why an account's numbers say less than they seem to."""

    state: ConditionState
    text: str

    @property
    def label(self) -> str:
        return str(self.state.label)


@dataclass(frozen=True, slots=True)
class Condition:
    """What is known of one account."""

    account: Account
    read: Scan | None
    """The last scan that read something of it: what is stored is as of then."""
    whole: Scan | None
    """The last scan of all that is in scope that read something."""
    ended: tuple[Scan, ...]
    """The last scan that ended, however it did, and the last one of all that is in scope."""
    active: Scan | None
    rejudging: bool
    """Whether something was changed that what is stored was not judged by yet."""

    @property
    def known(self) -> bool:
        """Whether there is any number to show."""
        return self.read is not None

    @property
    def as_of(self) -> datetime | None:
        """When what is stored was read."""
        return self.read.finished_at or self.read.created_at if self.read else None

    @property
    def stale(self) -> bool:
        """Whether some of it was not read for long: a scan of a part does not make the rest any newer."""
        longest = max(STALE_AFTER, timedelta(hours=self.account.scan_every * 1.25))
        return self.oldest is not None and timezone.now() - self.oldest > longest

    @property
    def oldest(self) -> datetime | None:
        """When the last scan of everything ended; where there was none, when something was read."""
        return (self.whole.finished_at or self.whole.created_at) if self.whole else self.as_of

    @property
    def partly(self) -> bool:
        """Whether the last scan of everything, or one of a part since, left something out; or there was none."""
        return {each.state for each in (self.read, self.whole) if each} != {ScanState.SUCCEEDED} or not self.whole

    @property
    def state(self) -> ConditionState:
        marks = self.marks
        return marks[0].state if marks else ConditionState.CURRENT

    @property
    def marks(self) -> list[Mark]:
        """Everything that keeps the account from being current, the worst first."""
        found = [] if has_provider(self.account) else [Mark(ConditionState.UNAVAILABLE, self._unavailable())]
        if not self.read:
            found.append(Mark(ConditionState.NOT_SCANNED, self._not_scanned()))
        if self.account.unreachable:
            found.append(Mark(ConditionState.UNREACHABLE, self._unreachable()))
        elif any(each.state == ScanState.FAILED for each in self.ended):
            found.append(Mark(ConditionState.FAILED, self._failed()))
        if self.stale:
            found.append(Mark(ConditionState.STALE, self._stale()))
        if self.read and self.partly:
            text = _("The last scans did not read everything. What they did not read is unknown.")
            found.append(Mark(ConditionState.PARTIAL, text))
        if self.rejudging:
            changed = _("Policies or rules changed. Stored resources are re-evaluated without a new scan.")
            found.append(Mark(ConditionState.REJUDGING, changed))
        return found

    @property
    def said(self) -> str:
        """All of it in one line, for files."""
        told = [f"{mark.label}: {mark.text}" for mark in self.marks]
        return " ".join(told) or str(ConditionState.CURRENT.label)

    def _unavailable(self) -> str:
        return _("The plugin of its provider is not enabled.") + self._last()

    def _not_scanned(self) -> str:
        if not self.account.verified_at:
            return _("Its connection is not verified yet; nothing is known of it.")
        if self.active:
            return _("The first scan is running; nothing is known yet.")
        return _("No scan has read this account yet; nothing is known of it.")

    def _unreachable(self) -> str:
        failure = self.account.failures["reading"]
        message = _("Since %(since)s: %(reason)s")
        return message % {"since": _day(parse_datetime(failure["since"])), "reason": failure["reason"]} + self._last()

    def _failed(self) -> str:
        return _("What is shown is from before.") + self._last()

    def _stale(self) -> str:
        off = "" if self.account.scan_every else " " + _("Scheduled scans are off.")
        return _("Last fully scanned on %(date)s.") % {"date": _day(self.oldest)} + off

    def _last(self) -> str:
        return " " + _("Last good scan: %(date)s.") % {"date": _day(self.as_of)} if self.read else ""


def _day(moment: datetime | None) -> str:
    local = timezone.localtime(moment) if moment else None
    return f"{date_format(local, 'j M Y, H:i')} {local.tzname()}" if local else _("never")


def conditions(accounts: Iterable[Account]) -> list[Condition]:
    """Return what is known of each of the accounts, in their order; three queries, however many there are."""
    rows = list(accounts)
    scans = Scan.objects.filter(account=OuterRef("pk")).order_by("-pk")
    over = scans.exclude(state__in=[*ACTIVE, ScanState.CANCELLED])
    newest = {
        "read": scans.filter(state__in=READ),
        "whole": scans.filter(state__in=READ, whole=True),
        "ended": over,
        "ended_whole": over.filter(whole=True),
        "active": scans.filter(state__in=ACTIVE),
    }
    ids = {f"{name}_id": Subquery(each.values("pk")[:1]) for name, each in newest.items()}
    stored = Account.objects.filter(pk__in=[each.pk for each in rows]).annotate(**ids)
    told = {each.pop("pk"): each for each in stored.values("pk", *ids)}
    found = Scan.objects.in_bulk({pk for each in told.values() for pk in each.values() if pk})
    waiting = set(rejudging.waiting(Rejudging.objects.filter(account__in=rows)).values_list("account", flat=True))
    scanned = {pk: {name: found.get(each[f"{name}_id"]) for name in newest} for pk, each in told.items()}
    none = dict.fromkeys(newest)
    return [_condition(each, each.pk in waiting, **scanned.get(each.pk, none)) for each in rows]


def _condition(account: Account, waits: bool, **scans: Scan | None) -> Condition:
    ended = tuple(scan for name in ("ended", "ended_whole") if (scan := scans[name]))
    return Condition(account, scans["read"], scans["whole"], ended, scans["active"], waits)


def condition(account: Account) -> Condition:
    """Return what is known of one account."""
    return conditions([account])[0]
