"""How several accounts stand by policies together: the score of each, and of each control the state and its exceptions.

The one score of a policy, on every page: its controls in all the accounts that were judged by it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from django.db.models import Count

from nephoscope.accounts.models import Account
from nephoscope.alerts.models import Finding
from nephoscope.compliance.queries import stands, stored_of
from nephoscope.compliance.standings import Compliance
from nephoscope.compliance.states import STANDING, ControlState, percent, result
from nephoscope.domain import Control, Framework
from nephoscope.policies.queries import Catalogue, EffectivePolicies, catalogue

WORST_FIRST = list(ControlState)


@dataclass(slots=True)
class ControlScore:
    """A control in all accounts together: the worst state that it has in one, and how many failures were accepted.

    ``thresholds`` says in words which values are not as it demands.
    """

    control: Control
    state: ControlState = ControlState.NOT_CHECKED
    accepted: int = 0
    thresholds: set[str] = field(default_factory=set)

    @property
    def result(self) -> str:
        return result(self.state, self.accepted)


@dataclass(slots=True)
class PolicyScore:
    """A policy in the accounts that it applies to: its controls in all of those together."""

    policy: Framework
    controls: dict[str, ControlScore]
    passed: int = 0
    failed: int = 0
    unknown: int = 0
    accepted: int = 0
    judged: list[Account] = field(default_factory=list)
    """The accounts that count."""

    @property
    def score(self) -> int | None:
        return percent(self.passed, self.failed)

    def add(self, found: Compliance) -> None:
        """Count an account, unless it was not judged by the policy as it is now."""
        if not found.judged_at or found.condition.rejudging:
            return
        counts = found.counts
        self.passed += counts[ControlState.PASS]
        self.failed += counts[ControlState.FAIL]
        self.unknown += counts[ControlState.UNKNOWN]
        self.accepted += found.accepted
        self.judged.append(found.account)
        for each in found.controls:
            total = self.controls[each.control.id]
            total.state = min(total.state, each.state, key=WORST_FIRST.index)
            total.accepted += each.accepted
            total.thresholds.update(str(row) for rule in each.rules for row in rule.thresholds)


def scores(
    accounts: Iterable[Account], known: Catalogue | None = None, *, rule: str = "", policy: str = ""
) -> Mapping[str, PolicyScore]:
    """Return the policies that apply to some of the accounts, by id.

    :param rule: only policies that hold this rule.
    :param policy: only this one.
    """
    known, accounts = known or catalogue(), list(accounts)
    applied = {each.id for account in accounts for each in known.applied(account)}
    found = {
        each.id: PolicyScore(each, {control.id: ControlScore(control) for control in each.controls})
        for each in known.policies.values()
        if each.id in applied and policy in ("", each.id) and (not rule or rule in each.rules)
    }
    if not found:
        return found
    stored = stored_of(accounts)
    for effective in EffectivePolicies.of_all(accounts, known):
        for each in effective.applied:
            if each.id in found:
                found[each.id].add(stands(effective, each, stored))
    return found


def answered(
    accounts: Iterable[Account], rule: str, known: Catalogue | None = None
) -> list[tuple[Framework, ControlScore]]:
    """Return the controls that the rule answers, of the policies that apply to the accounts, and how they stand."""
    return [
        (score.policy, score.controls[control.id])
        for score in scores(accounts, known, rule=rule).values()
        for control in score.policy.controls
        if rule in control.rules
    ]


def by_rule(accounts: Iterable[Account]) -> dict[str, Counter[str]]:
    """Count the findings of all the accounts together, by rule and standing."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    findings = Finding.objects.filter(account__in=accounts).order_by().annotate(standing=STANDING)
    for rule, standing, n in findings.values_list("rule_id", "standing").annotate(Count("pk")):
        found[rule][standing] = n
    return found
