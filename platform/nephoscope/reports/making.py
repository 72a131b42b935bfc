"""What a schedule's reports are, and the files of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from nephoscope import domain
from nephoscope.accounts.models import Account
from nephoscope.accounts.permissions import may
from nephoscope.compliance.queries import detail
from nephoscope.compliance.report import FORMS, file_name
from nephoscope.compliance.standings import Compliance
from nephoscope.compliance.states import ControlState, in_percent
from nephoscope.policies.queries import catalogue
from nephoscope.reports.models import ReportSchedule

MOST = 200
"""Reports that one run makes; one of many controls takes a second or two."""


class NotSent(Exception):
    """Why nothing can be sent, in words."""


@dataclass(frozen=True, slots=True)
class Report:
    """One account by one policy, as a file and in words."""

    path: Path
    told: str


def accounts_of(schedule: ReportSchedule) -> list[Account]:
    """Return the accounts that a schedule is about, of those that its owner sees now."""
    accounts = Account.objects.visible_to(schedule.owner)
    if not schedule.everything:
        groups = schedule.groups.values("accounts")
        accounts = accounts.filter(Q(pk__in=schedule.accounts.values("pk")) | Q(pk__in=groups))
    return list(accounts)


def wanted(schedule: ReportSchedule) -> list[tuple[Account, domain.Framework]]:
    """Return what is reported on: each account by each policy that applies to it and was chosen here.

    :raises NotSent: there is nothing, too much, or nobody whose rights it could be made with.
    """
    owner = schedule.owner
    if owner is None:
        raise NotSent(_("Its owner was removed. Create the schedule again."))
    if not owner.is_active:
        raise NotSent(_("Its owner %(name)s is not active.") % {"name": owner})
    if not may(owner, "schedule"):
        raise NotSent(_("Its owner %(name)s may no longer schedule reports.") % {"name": owner})
    accounts = accounts_of(schedule)
    if not accounts:
        raise NotSent(_("Its owner %(name)s has access to none of its accounts.") % {"name": owner})
    known = catalogue()
    found = [
        (account, policy)
        for account in accounts
        for policy in known.applied(account)
        if not schedule.policies or policy.id in schedule.policies
    ]
    if not found:
        raise NotSent(_("None of its accounts uses its policies."))
    if len(found) > MOST:
        message = _("%(n)s reports exceed the limit of %(most)s per schedule. Select fewer policies or accounts.")
        raise NotSent(message % {"n": len(found), "most": MOST})
    return found


def make(schedule: ReportSchedule, into: Path) -> Iterator[Report]:
    """Write a schedule's reports into a folder, one after the other.

    :raises NotSent: see :func:`wanted`.
    """
    names: set[str] = set()
    for account, policy in wanted(schedule):
        found = detail(account, policy)
        path = into / _free(file_name(found, schedule.form), names)
        path.write_bytes(FORMS[schedule.form][1](found))
        yield Report(path, _told(found))


def _free(name: str, taken: set[str]) -> str:
    """Return a name that no file has yet: names of accounts may differ in what a file's name cannot hold."""
    stem, dot, end = name.rpartition(".")
    found, n = name, 1
    while found in taken:
        n += 1
        found = f"{stem}-{n}{dot}{end}"
    taken.add(found)
    return found


def _told(found: Compliance) -> str:
    score = found.why_not or (_("no score") if found.score is None else in_percent(found.score))
    failed = found.counts[ControlState.FAIL]
    failing = ngettext("%(n)s control fails", "%(n)s controls fail", failed) % {"n": failed}
    told = _("%(policy)s in %(account)s: %(score)s") % {
        "account": found.account.name,
        "policy": found.policy.name,
        "score": score,
    }
    told = f"{told}, {failing}" if failed else told
    return f"{told} ({found.condition.said})" if found.condition.marks else told
