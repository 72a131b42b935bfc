"""Frameworks: which rules answer which control."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from nephoscope.domain.rules import Rule, Value


@dataclass(frozen=True, slots=True)
class Control:
    """One numbered demand of a framework; ``rules`` answer it, a manual one has none."""

    id: str
    title: str
    rules: tuple[str, ...] = ()
    manual: bool = False
    demands: Mapping[str, Mapping[str, Value]] = field(default_factory=dict, hash=False)
    """The figures that its text names, by rule and parameter. Where it names none, the rule's default counts."""


@dataclass(frozen=True, slots=True)
class Framework:
    """A published set of controls; becomes a policy that can be chosen for an account."""

    id: str
    name: str
    provider: str
    link: str
    controls: tuple[Control, ...]
    default: bool = False
    """Whether a newly connected account is checked by it, unless its owner chooses otherwise."""
    family: str = ""
    """Under which heading it is offered, beside others of its publisher."""

    @property
    def rules(self) -> frozenset[str]:
        return frozenset(rule for control in self.controls for rule in control.rules)

    def problems(self, rules: Mapping[str, Rule]) -> Iterator[str]:
        """Say which demanded figures a rule does not take; a rule that is not among these is passed over."""
        for control in self.controls:
            for id in sorted(control.demands.keys() & rules.keys()):
                for problem in _problems(rules[id], control.demands[id]):
                    yield f"framework {self.id!r}, control {control.id!r}, rule {id}, {problem}"


def _problems(rule: Rule, demanded: Mapping[str, Value]) -> Iterator[str]:
    takes = {each.name: each for each in rule.parameters}
    for name, value in demanded.items():
        if name not in takes:
            yield f"parameter {name!r}: there is no such; the rule has {', '.join(takes) or 'none'}"
            continue
        try:
            takes[name].checked(value)
        except ValueError as error:
            yield f"parameter {name!r}: {value!r} does not do. {error}"
