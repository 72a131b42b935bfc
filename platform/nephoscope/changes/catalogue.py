"""The catalogue of fixes: every registered one, the rules that offer it, and what became of it where it was used."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count

from nephoscope import domain
from nephoscope.changes.models import Change, ChangeState, SecondApproval
from nephoscope.plugins import registry
from nephoscope.policies.queries import catalogue
from nephoscope.searching import words

RESULTS = (
    ChangeState.WAITING,
    ChangeState.APPLIED,
    ChangeState.VERIFIED,
    ChangeState.FAILED,
    ChangeState.REFUSED,
    ChangeState.UNDONE,
)
"""States of a change that say what became of it once a worker took it."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One fix. ``changes`` and ``last`` are of the accounts that the user may see: how many, and the newest result.

    ``services`` are the provider's that have what it changes; ``second`` is set where it needs a second approver.
    """

    fix: domain.Remediation
    provider: str
    services: tuple[domain.Service, ...]
    rules: tuple[domain.Rule, ...]
    changes: int = 0
    last: Change | None = None
    second: SecondApproval | None = None

    @property
    def told(self) -> str:
        """What a search looks in."""
        names = (*(each.title for each in self.rules), *(each.name for each in self.services))
        fix = self.fix
        return " ".join((fix.id, fix.title, fix.summary, fix.group, *fix.writes, *names)).lower()


def listed(user: Any) -> list[Listed]:
    """Return all fixes, by provider, group and title."""
    rules, changes = list(catalogue().rules.values()), Change.objects.visible_to(user)
    counted = dict(changes.order_by().values_list("remediation").annotate(Count("pk")))
    newest = changes.filter(state__in=RESULTS).order_by("remediation", "-pk").distinct("remediation")
    last = {each.remediation: each for each in newest}
    second = {each.remediation: each for each in SecondApproval.objects.exclude(remediation="")}
    found = []
    for fix in registry().remediations.values():
        provider = registry().providers.get(fix.provider)
        services = tuple(each for each in provider.services if set(each.types) & set(fix.on)) if provider else ()
        offered = tuple(sorted((each for each in rules if fix.id in each.remediations), key=lambda rule: rule.title))
        used = counted.get(fix.id, 0), last.get(fix.id), second.get(fix.id)
        found.append(Listed(fix, provider.name if provider else fix.provider, services, offered, *used))
    return sorted(found, key=lambda each: (each.provider, each.fix.group, each.fix.title))


def narrowed(
    rows: Iterable[Listed], *, q: str = "", provider: str = "", group: str = "", service: str = ""
) -> list[Listed]:
    """Return the fixes with all words of a search, of one provider, one group, or one service, each by its id."""
    wanted = words(q.lower())
    return [
        each
        for each in rows
        if provider in ("", each.fix.provider)
        and group in ("", each.fix.group)
        and (not service or service in {one.id for one in each.services})
        and all(word in each.told for word in wanted)
    ]
