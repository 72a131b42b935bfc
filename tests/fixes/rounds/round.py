"""One fix taken round in a simulated account: plan, apply, verify, undo.

A module of this package has the rounds of one service, each a function marked with :func:`goes_round`. It makes by the
cloud's own API what is wrong, and beside it something that must survive untouched, and returns both (see ``s3.py``).
``test_rounds.py`` takes every round of every fix.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from nephoscope.domain import Resource
from nephoscope_aws_simulator.testing import Cloud

ACCOUNT = "444444444444"


@dataclass(frozen=True)
class Made:
    """What a round is about.

    :param state: reads by the API all that the fix may change of the resource: it must be the same after the undo.
    :param beside: reads what must be the same all the time.
    :param properties: those by which it is read, where its id is not enough.
    :param id_now: reads its id as it is now, where an undo gives it a new one.
    """

    type: str
    id: str
    name: str
    state: Callable[[], Any]
    beside: Callable[[], Any]
    region: str = "us-east-1"
    properties: Mapping[str, Any] = field(default_factory=dict)
    id_now: Callable[[], str] | None = None

    @property
    def resource(self) -> Resource:
        id = self.id_now() if self.id_now else self.id
        return Resource(self.type, id, self.name, self.region, ACCOUNT, self.properties)


@dataclass(frozen=True)
class Round:
    """``rule`` has to fail before, pass once the fix is applied, and fail again after its undo.

    :param dependent: actions that AWS asks for beside the operation's own, such as iam:PassRole, which the simulator
        does not ask for.
    :param restored: what ``state`` is after an undo that does not bring back everything.
    """

    fix: str
    rule: str
    make: Callable[[Cloud], Made]
    inputs: Mapping[str, str] = field(default_factory=dict)
    dependent: tuple[str, ...] = ()
    restored: Any = None

    def __str__(self) -> str:
        return f"{self.fix}-{self.make.__name__}"


ROUNDS: list[Round] = []


def goes_round(
    fix: str,
    rule: str,
    *,
    inputs: Mapping[str, str] | None = None,
    dependent: tuple[str, ...] = (),
    restored: Any = None,
) -> Callable[[Callable[[Cloud], Made]], Callable[[Cloud], Made]]:
    """Mark what makes the resource of a round."""

    def mark(make: Callable[[Cloud], Made]) -> Callable[[Cloud], Made]:
        ROUNDS.append(Round(fix, rule, make, inputs or {}, dependent, restored))
        return make

    return mark


def every_round() -> list[Round]:
    for file in sorted(Path(__file__).parent.glob("*.py")):
        if file.stem not in ("__init__", "round"):
            import_module(f"{__package__}.{file.stem}")
    return ROUNDS
