"""Frameworks: which rules answer which control."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Control:
    """One numbered demand of a framework; ``rules`` answer it, a manual one has none."""

    id: str
    title: str
    rules: tuple[str, ...] = ()
    manual: bool = False


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
