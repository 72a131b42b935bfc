"""All rules and policies, the plugins' and people's own, where each policy applies, and how each rule is set there.

Everything that asks for rules or policies asks here. A page or a run of judging reads once and asks the answer often: a
:class:`Catalogue` is two queries, and an :class:`EffectivePolicies` one more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.db.models import Q

from nephoscope import domain
from nephoscope.accounts.models import Account
from nephoscope.accounts.permissions import sees_everything
from nephoscope.domain import Control, Framework, Rule, Severity, Value
from nephoscope.plugins import registry
from nephoscope.policies.models import Policy, PolicyScope, RuleSetting

Answers = Mapping[str, list[tuple[Framework, Control]]]
"""Which controls of which policies each rule answers, by the rule's id."""

RANK = {severity: rank for rank, severity in enumerate(Severity)}


@dataclass(frozen=True)
class Catalogue:
    """The rules and the policies by id, plugins' first, and the tags that bring each policy to accounts."""

    rules: Mapping[str, Rule]
    policies: Mapping[str, Framework]
    scopes: Mapping[str, Mapping[str, str]]

    def rule(self, id: str) -> Rule | None:
        """Return the rule; None when no enabled plugin brings it, and for what stands for a detection's rule."""
        return self.rules.get(id)

    def title(self, id: str) -> str:
        """Return what people call the rule; its id when it is not known."""
        return self.rules[id].title if id in self.rules else id

    def offered(self, account: Account) -> list[Framework]:
        """Return the policies that can be chosen for the account."""
        return [each for each in self.policies.values() if each.provider == account.provider]

    def by_tag(self, account: Account) -> list[Framework]:
        """Return the policies that the account's tags bring to it, chosen or not."""
        return [each for each in self.offered(account) if matches(self.scopes.get(each.id, {}), account.tags)]

    def applied(self, account: Account) -> list[Framework]:
        """Return the policies that the account is judged by: those chosen for it, and those of its tags."""
        tagged = {each.id for each in self.by_tag(account)}
        return [each for each in self.offered(account) if each.id in account.policies or each.id in tagged]

    @cached_property
    def answers(self) -> Answers:
        found: dict[str, list[tuple[Framework, Control]]] = {}
        for policy in self.policies.values():
            for control in policy.controls:
                for rule in control.rules:
                    found.setdefault(rule, []).append((policy, control))
        return found


def scope_for(user: Any, policy: str, scopes: Mapping[str, Mapping[str, str]]) -> Mapping[str, str]:
    """Return the tags by which a policy applies, where an account that the user may see has them; else nothing.

    Tags name customers and projects.
    """
    wanted = scopes.get(policy, {})
    seen = sees_everything(user) or Account.objects.visible_to(user).filter(tags__contains=wanted).exists()
    return wanted if wanted and seen else {}


def matches(wanted: Mapping[str, str], tags: Mapping[str, str]) -> bool:
    """Whether all the wanted tags are there; wanting none matches nothing."""
    return bool(wanted) and all(tags.get(name) == value for name, value in wanted.items())


def catalogue() -> Catalogue:
    """Read which rules and policies there are, and where the policies apply."""
    plugins, own = registry(), (row.to_domain() for row in Policy.objects.all())
    scopes = dict(PolicyScope.objects.values_list("policy", "tags"))
    return Catalogue(plugins.rules, {**plugins.frameworks, **{each.id: each for each in own}}, scopes)


def policies_for(account: Account) -> list[Framework]:
    """Return the policies that can be chosen for the account."""
    return catalogue().offered(account)


# -- How rules are set ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class EffectiveRule:
    """A rule as it is judged in one account."""

    rule: Rule
    severity: Severity
    parameters: Mapping[str, Value]


@dataclass(frozen=True)
class EffectivePolicies:
    """How every rule is set in one account.

    What was set for the account itself counts most, then what was set for own policies, then what was set everywhere,
    then what the rule brings. That is decided for the severity and for each parameter by itself.

    Where several policies that apply to the account hold the rule, each of them speaks: an own policy with what was set
    for it, any other with what holds everywhere. Of these the highest severity counts, and of each parameter the
    stricter value, so that adding a policy never makes another one's judgement milder. What was set for an own policy
    that does not apply to the account, or does not hold the rule, does not count.

    A rule is off where it was switched off for the account or everywhere.
    """

    account: Account
    catalogue: Catalogue
    applied: tuple[Framework, ...]
    own: Mapping[str, int]
    """The rows of the own policies, by the policies' ids."""
    settings: Mapping[tuple[str, int | None, int | None], RuleSetting]
    """By rule, own policy and account."""
    _holding: Mapping[str, list[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, account: Account, known: Catalogue | None = None) -> EffectivePolicies:
        """Read it: one query beside those of the catalogue."""
        return cls.of_all([account], known)[0]

    @classmethod
    def of_all(cls, accounts: Iterable[Account], known: Catalogue | None = None) -> list[EffectivePolicies]:
        """Read it for several accounts, in as many queries as for one."""
        known, accounts = known or catalogue(), list(accounts)
        rows = RuleSetting.objects.filter(Q(account=None) | Q(account__in=accounts)).select_related("policy")
        settings = {(row.rule_id, row.policy_id, row.account_id): row for row in rows}
        own = {row.policy.key: row.policy.pk for row in rows if row.policy}
        return [cls._of(account, known, own, settings) for account in accounts]

    @classmethod
    def _of(cls, account: Account, known: Catalogue, own: Mapping[str, int], settings: Any) -> EffectivePolicies:
        applied, holding = tuple(known.applied(account)), dict[str, list[str]]()
        for policy in applied:
            for rule in policy.rules:
                holding.setdefault(rule, []).append(policy.id)
        return cls(account, known, applied, own, settings, holding)

    def off(self, rule: str) -> RuleSetting | None:
        """Return what switched the rule off here, if something did."""
        for account in (self.account.pk, None):
            row = self.settings.get((rule, None, account))
            if row and row.off:
                return row
        return None

    def own_setting(self, policy: str, rule: str) -> RuleSetting | None:
        """Return what an own policy sets of the rule; None for nothing, and for a plugin's policy."""
        return self.settings.get((rule, self.own[policy], None)) if policy in self.own else None

    def holds(self, rule: str) -> bool:
        """Whether a policy that applies to the account holds the rule."""
        return rule in self._holding

    @property
    def rules(self) -> list[EffectiveRule]:
        """The rules that the account is judged by, in the catalogue's order."""
        known = self.catalogue.rules.values()
        return [self.rule(each) for each in known if self.holds(each.id) and not self.off(each.id)]

    def rule(self, rule: Rule) -> EffectiveRule:
        """Return how the rule is set here, whether it is judged or not."""
        usual = override(plain(rule), self.settings.get((rule.id, None, None)))
        spoken = [override(usual, row) for row in self._spoken(rule)] or [usual]
        together = EffectiveRule(
            rule,
            min((each.severity for each in spoken), key=RANK.__getitem__),
            {each.name: each.strictest(said.parameters[each.name] for said in spoken) for each in rule.parameters},
        )
        return override(together, self.settings.get((rule.id, None, self.account.pk)))

    def _spoken(self, rule: Rule) -> list[RuleSetting | None]:
        """Return what the policies that hold the rule set of it: the rows of own ones, one None for all others."""
        rows = [self.own_setting(policy, rule.id) for policy in self._holding.get(rule.id, ())]
        return [row for row in rows if row] + ([None] if None in rows else [])


def plain(rule: Rule) -> EffectiveRule:
    """Return a rule as its plugin brings it."""
    return EffectiveRule(rule, rule.severity, rule.defaults)


def override(base: EffectiveRule, row: RuleSetting | None) -> EffectiveRule:
    """Return a rule with what a row sets of it, if there is one."""
    if row is None:
        return base
    severity = Severity(row.severity) if row.severity else base.severity
    found = {each.name: stored(row, each) for each in base.rule.parameters}
    return EffectiveRule(
        base.rule, severity, {name: base.parameters[name] if value is None else value for name, value in found.items()}
    )


def effective_rules(policy: Framework, known: Catalogue) -> dict[str, tuple[EffectiveRule, RuleSetting | None]]:
    """Return how each rule of a policy is set by it, as far as the rule is known, and its own row if any."""
    rows = RuleSetting.objects.filter(account=None, rule_id__in=policy.rules).select_related("policy")
    everywhere = {row.rule_id: row for row in rows if row.policy is None}
    own = {row.rule_id: row for row in rows if row.policy and row.policy.key == policy.id}
    return {
        id: (override(override(plain(rule), everywhere.get(id)), own.get(id)), own.get(id))
        for id in policy.rules
        if (rule := known.rule(id))
    }


def stored(row: RuleSetting, parameter: domain.Parameter) -> Value | None:
    """Return what a row sets of a parameter; None for nothing, or what a newer version of the rule no longer takes."""
    if parameter.name not in row.parameters:
        return None
    try:
        return parameter.checked(row.parameters[parameter.name])
    except ValueError:
        return None
