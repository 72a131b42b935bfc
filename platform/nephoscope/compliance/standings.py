"""How rules, controls and policies stand in an account, as it is told to people and programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.utils.translation import gettext as _t

from nephoscope import domain
from nephoscope.accounts.models import Account
from nephoscope.alerts.models import Finding
from nephoscope.compliance.states import MEANINGS, ControlState, Standing, percent, result
from nephoscope.connections.conditions import Condition
from nephoscope.inventory.models import Scan
from nephoscope.policies.demands import Deviation


@dataclass(slots=True)
class RuleStanding:
    """One rule for one control in one account.

    ``counts`` are its findings by standing, ``findings`` the first of those that need a look, ``unread`` what was not
    read for it; ``deviations`` are its parameters that are not as the control demands.
    """

    id: str
    rule: domain.Rule | None
    counts: dict[str, int]
    severity: domain.Severity | None = None
    """As it is set for the account; told of one account in detail only."""
    off: str = ""
    """Why somebody switched it off here; it is not judged then."""
    unread: tuple[str, ...] = ()
    findings: dict[str, list[Finding]] = field(default_factory=dict)
    deviations: tuple[Deviation, ...] = ()
    rejudging: bool = False
    """Whether what is stored was not judged by the newest policies and settings yet."""

    def count(self, standing: str) -> int:
        return self.counts.get(standing, 0)

    @property
    def failed(self) -> int:
        return self.count(Standing.FAILED)

    @property
    def accepted(self) -> int:
        return self.count(Standing.ACCEPTED)

    @property
    def unknown(self) -> int:
        return self.count(Standing.UNKNOWN)

    @property
    def passed(self) -> int:
        return self.count(Standing.PASSED)

    @property
    def thresholds(self) -> list[Deviation]:
        """The deviations that a reader must know of: every laxer one, and a stricter one that something fails by."""
        return [each for each in self.deviations if each.laxer or self.failed]

    @property
    def remarks(self) -> list[str]:
        """The thresholds that are not among the reasons."""
        return [str(each) for each in self.thresholds if not (each.laxer and self.passed)]

    @property
    def passes_too_easily(self) -> bool:
        """Whether something passes by a laxer value than the control demands, so that nobody knows how it stands."""
        return bool(self.passed) and any(each.laxer for each in self.deviations)

    @property
    def not_known(self) -> bool:
        """Whether anything keeps it from being known that nothing fails it."""
        return bool(self.unknown or self.unread or self.rejudging or self.passes_too_easily)

    @property
    def numbers(self) -> list[tuple[Standing, int]]:
        """How many findings there are of each standing, as a table has them."""
        order = (Standing.PASSED, Standing.FAILED, Standing.ACCEPTED, Standing.UNKNOWN)
        return [(standing, self.count(standing)) for standing in order]

    @property
    def reasons(self) -> list[str]:
        """Why the rule is not known throughout, every reason once; as far as the findings are named."""
        reasons = [] if self.rule else [_t("no enabled plugin provides the rule")]
        reasons += [_t("the rule is switched off: %(reason)s") % {"reason": self.off}] if self.off else []
        reasons += [_t("%(part)s was not read") % {"part": part} for part in self.unread]
        reasons += [_t("it is being re-evaluated after a change of policies or rules")] if self.rejudging else []
        reasons += [str(each) for each in self.deviations if each.laxer] if self.passes_too_easily else []
        named = self.findings.get(Standing.UNKNOWN, [])
        for row in named:
            missing = _t("missing permission: %(permission)s") % {"permission": row.permission}
            reasons.append((missing if row.permission else row.message) or _t("the rule could not be evaluated"))
        if named and (more := self.unknown - len(named)):
            reasons.append(_t("and %(n)s more resources are unknown") % {"n": more})
        return list(dict.fromkeys(reasons))

    @property
    def shown(self) -> list[tuple[str, list[Finding], int]]:
        """The named findings of each standing that needs a look, with how many more there are."""
        return [
            (standing, rows, self.count(standing) - len(rows))
            for standing in (Standing.FAILED, Standing.ACCEPTED, Standing.UNKNOWN)
            if (rows := self.findings.get(standing, []))
        ]


@dataclass(frozen=True, slots=True)
class ControlStanding:
    """One control in one account."""

    control: domain.Control
    state: ControlState
    rules: Sequence[RuleStanding]

    @property
    def meaning(self) -> str:
        """What the state means, in a sentence."""
        return str(MEANINGS[self.state])

    @property
    def result(self) -> str:
        """The state in words, with the failures that were accepted."""
        return result(self.state, self.accepted)

    @property
    def accepted(self) -> int:
        return sum(rule.accepted for rule in self.rules)

    @property
    def failed(self) -> int:
        return sum(rule.failed for rule in self.rules)


@dataclass(frozen=True, slots=True)
class Compliance:
    """One account by one policy."""

    account: Account
    policy: domain.Framework
    controls: Sequence[ControlStanding]
    chosen: bool
    """Whether it applies to the account: chosen for it, or brought by its tags."""
    judged_at: datetime | None
    """When the policy was judged; None when it is not chosen, or not judged since it was."""
    last_scan: Scan | None
    condition: Condition
    """How well the account is known, whatever its controls say."""
    unread: Sequence[str]
    """The parts of the account that could not be read, or never were."""

    @property
    def counts(self) -> dict[str, int]:
        """Controls by state, every state named."""
        found = Counter(control.state.value for control in self.controls)
        return {state: found[state] for state in ControlState.values}

    @property
    def score(self) -> int | None:
        """None also while stored resources are re-evaluated: what passes is not known then."""
        return (
            None
            if self.condition.rejudging
            else percent(self.counts[ControlState.PASS], self.counts[ControlState.FAIL])
        )

    @property
    def accepted(self) -> int:
        """Failures that were suppressed, each counted once however many controls its rule answers."""
        rules = {rule.id: rule.accepted for control in self.controls for rule in control.rules}
        return sum(rules.values())

    @property
    def why_not(self) -> str:
        """Why nothing of the policy is checked; empty when it is."""
        if not self.chosen:
            return _t("This policy is not selected for this account.")
        return (
            ""
            if self.judged_at
            else _t("The account has not been fully scanned or re-evaluated since this policy was applied.")
        )


def state_of(control: domain.Control, rules: Iterable[RuleStanding]) -> ControlState:
    """Return the state of a control that is checked; anything not known keeps it from passing."""
    if control.manual:
        return ControlState.MANUAL
    rules = list(rules)
    if not any(rule.rule for rule in rules):
        return ControlState.NOT_COVERED
    known = [rule for rule in rules if rule.rule and not rule.off]
    if not known:
        return ControlState.NOT_CHECKED
    if any(rule.failed for rule in known):
        return ControlState.FAIL
    # What is switched off, or of a plugin that is not enabled, is part of the control all the same.
    if any(rule.off or not rule.rule or rule.not_known for rule in rules):
        return ControlState.UNKNOWN
    return ControlState.PASS if any(rule.passed or rule.accepted for rule in known) else ControlState.NO_RESOURCES
