"""How well the accounts behind a page are known, read once for all its parts."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from nephoscope.connections.conditions import Condition, ConditionState

NAMED = 5
"""Accounts that a banner names; the rest are counted."""

SENTENCES = {
    ConditionState.UNAVAILABLE: _("The plugin of the provider is not enabled, so the data is from before:"),
    ConditionState.NOT_SCANNED: _("Not scanned yet, and counted nowhere:"),
    ConditionState.STALE: _("Not read for days:"),
    ConditionState.PARTIAL: _("Partly read; what was not read is unknown:"),
    ConditionState.REJUDGING: _("Being re-evaluated after a change of policies or rules:"),
}
"""What is said of several accounts before they are named; in the other states each has its own since when and why."""


@dataclass(frozen=True, slots=True)
class Group:
    """The accounts of a page that are in the same state, but for the current ones."""

    state: ConditionState
    named: list[Condition]
    more: int

    @property
    def sentence(self) -> str:
        return str(SENTENCES.get(self.state, ""))


def grouped(found: list[Condition]) -> list[Group]:
    """Return the accounts that are not current by their worst mark."""
    groups = []
    for state in ConditionState:
        rows = [each for each in found if each.marks and each.state == state]
        if rows:
            groups.append(Group(state, rows[:NAMED], max(0, len(rows) - NAMED)))
    return groups
