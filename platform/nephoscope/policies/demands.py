"""What controls demand of rules' parameters, and where those are set otherwise.

A rule is judged once per account, by the values in force there. A control passes only by its own: where a laxer value
is in force, a pass of the rule says nothing about it, while a failure fails it all the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _

from nephoscope.accounts.models import Account
from nephoscope.domain import Control, Framework, Parameter, Rule, Value, in_words
from nephoscope.policies.queries import Catalogue, EffectivePolicies, stored


@dataclass(frozen=True, slots=True)
class Demand:
    """What a control demands of one parameter of a rule; ``named`` by the policy, or else it is the rule's default."""

    parameter: Parameter
    value: Value
    named: bool


@dataclass(frozen=True, slots=True)
class Deviation:
    """A parameter that is not as a control demands it."""

    demand: Demand
    in_force: Value

    @property
    def laxer(self) -> bool:
        """Whether the value in force misses something that the demanded one finds."""
        return self.demand.parameter.is_laxer(self.in_force, self.demand.value)

    def __str__(self) -> str:
        values = {
            "parameter": self.demand.parameter.label,
            "in_force": in_words(self.in_force),
            "demanded": in_words(self.demand.value),
        }
        if self.laxer and self.demand.named:
            message = _(
                "“%(parameter)s” is %(in_force)s. This control requires %(demanded)s, so a pass does not count."
            )
        elif self.laxer:
            message = _("“%(parameter)s” is %(in_force)s. The default is %(demanded)s, so a pass does not count.")
        elif self.demand.named:
            message = _("“%(parameter)s” is %(in_force)s. This control requires only %(demanded)s.")
        else:
            message = _("“%(parameter)s” is %(in_force)s. The default is %(demanded)s.")
        return message % values


def demands(effective: EffectivePolicies, policy: Framework, control: Control, rule: Rule) -> list[Demand]:
    """Return what the control demands of each parameter of the rule.

    The figure that its text names counts, and of a custom policy the stricter of that and its own setting; where there
    is neither, the rule's default.
    """
    return [_demand(effective, policy, control.demands.get(rule.id, {}), rule, each) for each in rule.parameters]


def _demand(
    effective: EffectivePolicies, policy: Framework, named: Mapping[str, Value], rule: Rule, parameter: Parameter
) -> Demand:
    values = [_taken(parameter, named[parameter.name])] if parameter.name in named else []
    if row := effective.own_setting(policy.id, rule.id):
        values.append(stored(row, parameter))
    if known := [each for each in values if each is not None]:
        return Demand(parameter, parameter.strictest(known), named=True)
    return Demand(parameter, parameter.default, named=False)


def _taken(parameter: Parameter, value: Value) -> Value | None:
    """Return a figure as the rule gets it; None for one that a newer version of the rule no longer takes."""
    try:
        return parameter.checked(value)
    except ValueError:
        return None


def deviations(effective: EffectivePolicies, policy: Framework, control: Control, rule: Rule) -> list[Deviation]:
    """Return the parameters of the rule that are not as the control demands in this account."""
    if not rule.parameters:
        return []
    in_force = effective.rule(rule).parameters
    found = [Deviation(each, in_force[each.parameter.name]) for each in demands(effective, policy, control, rule)]
    return [each for each in found if each.in_force != each.demand.value]


@dataclass(frozen=True, slots=True)
class Unmet:
    """A control that a rule cannot pass, since a laxer value is in force than it demands."""

    policy: Framework
    control: Control
    deviation: Deviation


def unmet(rule: Rule, accounts: Iterable[Account], known: Catalogue | None = None) -> list[Unmet]:
    """Return the controls that the rule cannot pass in one of the accounts, each once: one query, or three."""
    if not rule.parameters:
        return []
    found = {
        (policy.id, control.id, str(deviation)): Unmet(policy, control, deviation)
        for effective in EffectivePolicies.of_all(accounts, known)
        if not effective.off(rule.id)
        for policy in effective.applied
        for control in policy.controls
        if rule.id in control.rules
        for deviation in deviations(effective, policy, control, rule)
        if deviation.laxer
    }
    return list(found.values())


def by_message(found: Iterable[Unmet]) -> dict[str, list[Unmet]]:
    """Gather the controls of which the same is said."""
    said: dict[str, list[Unmet]] = {}
    for each in found:
        said.setdefault(str(each.deviation), []).append(each)
    return said
