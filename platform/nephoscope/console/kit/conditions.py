"""How well the accounts behind a page are known, read once for all its parts."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from nephoscope.alerts.queries import ids
from nephoscope.api.kit.conditions import conditions_of
from nephoscope.connections.conditions import Condition, ConditionState

NAMED = 5
"""Accounts that a banner names; the rest are counted."""

TOLD = (ConditionState.UNREACHABLE, ConditionState.FAILED)
"""States of which since when and why is said for each account."""

SENTENCES = {
    ConditionState.UNAVAILABLE: _("The plugin of the provider is not enabled, so the data is from before:"),
    ConditionState.NOT_SCANNED: _("Not scanned yet, and counted nowhere:"),
    ConditionState.UNREACHABLE: _("Not reachable, so the data is from before:"),
    ConditionState.FAILED: _("The last scan failed, so the data is from before:"),
    ConditionState.STALE: _("Not read for days:"),
    ConditionState.PARTIAL: _("Partly read; what was not read is unknown:"),
    ConditionState.REJUDGING: _("Being re-evaluated after a change of policies or rules:"),
}
"""What is said of several accounts before they are named."""


@dataclass(frozen=True, slots=True)
class Group:
    """The accounts of a page that are in the same state, but for the current ones."""

    state: ConditionState
    named: list[Condition]
    more: int

    @property
    def told(self) -> bool:
        return self.state in TOLD

    @property
    def sentence(self) -> str:
        return str(SENTENCES[self.state])


def in_view(request: HttpRequest) -> list[Condition]:
    """Return what is known of the accounts that the page is narrowed to; of all where it is not."""
    known, wanted = conditions_of(request), ids(request.GET.get("account", ""))
    return [known[pk] for pk in wanted if pk in known] if wanted else list(known.values())


def grouped(found: list[Condition]) -> list[Group]:
    """Return the accounts that are not current by their worst mark."""
    groups = []
    for state in SENTENCES:
        rows = [each for each in found if each.state == state]
        if rows:
            groups.append(Group(state, rows[:NAMED], len(rows) - NAMED if len(rows) > NAMED else 0))
    return groups
