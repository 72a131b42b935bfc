"""What a comparison must come to."""

from __future__ import annotations

from dataclasses import dataclass, field

from aws.measure import Row
from aws.nephoscope import Denial

LARGE = 3000
"""Resources from which on the ratios to other tools count: below, start-up decides."""

TIMES = {"prowler": 30.0, "scout": 8.0}
"""How many times as fast as the other tools."""

MEMORY = 250.0
"""Megabytes that no process may pass."""

CALLS = 1.3
"""Times the fewest calls that the rules need."""

AGAIN = 0.25
"""Of the first scan's CPU outside the calls, what a second one of an unchanged account may take."""


@dataclass
class Result:
    """All measured on one account."""

    first: Row
    second: Row = field(default_factory=lambda: Row(""))
    alone: Row = field(default_factory=lambda: Row(""))
    everything: Row = field(default_factory=lambda: Row(""))
    throttled: Row = field(default_factory=lambda: Row(""))
    refused: Row = field(default_factory=lambda: Row(""))
    others: dict[str, Row] = field(default_factory=dict)
    fewest: dict[str, int] = field(default_factory=dict)
    """Calls that the rules need, by operation."""
    written: int = 0
    """Resource rows that the second scan wrote."""
    load: float = 0.0
    """The machine's load average before: figures of a busy machine say little."""
    differing: int = 0
    """Findings in which the throttled scan differs."""
    denial: Denial | None = None

    @property
    def rows(self) -> list[Row]:
        """Nephoscope's own."""
        return [self.first, self.second, self.alone, self.everything, self.throttled, self.refused]


@dataclass(frozen=True)
class Mark:
    """One point of the reach."""

    what: str
    value: str
    held: bool

    def __str__(self) -> str:
        return f"{'✔' if self.held else '✘'} {self.what}: {self.value}"


def marks(size: int, result: Result) -> list[Mark]:
    """Return every point that can be told from what was measured."""
    first, again = (each.outside + each.database for each in (result.first, result.second))
    largest = max(row.largest for row in result.rows)
    fewest = sum(result.fewest.values())
    ratio = result.everything.calls / fewest
    found = [
        Mark(f"no process over {MEMORY:.0f} MB", f"{largest:.0f} MB", largest < MEMORY),
        Mark(
            f"calls at most {CALLS} times the fewest",
            f"{result.everything.calls} / {fewest} = {ratio:.2f}",
            ratio <= CALLS,
        ),
        Mark("a second scan writes no resource row", f"{result.written} written", not result.written),
        Mark(
            f"and takes under {AGAIN} of the first one's CPU outside the calls",
            f"{again:.1f} / {first:.1f} s = {again / first:.2f}",
            again < AGAIN * first,
        ),
        Mark(
            "throttled calls change no finding",
            f"{result.throttled.throttled} throttled, {result.differing} findings differ",
            not result.differing,
        ),
    ]
    if denial := result.denial:
        found.append(
            Mark(
                "a denied service makes its own rules unknown and no others",
                f"{result.refused.denied} refused, {len(denial.unknown)} rules unknown of "
                f"{len(denial.expected)} expected, {len(denial.changed - denial.unknown)} others changed",
                denial.held,
            )
        )
    for name, times in TIMES.items():
        if other := result.others.get(name):
            faster = other.wall / result.first.wall
            wanted = f"at least {times:.0f} times" if size >= LARGE else "compared with"
            found.append(
                Mark(
                    f"{wanted} {other.name}'s speed",
                    f"{other.wall:.1f} / {result.first.wall:.1f} s = {faster:.1f}; CPU "
                    f"{other.cpu / result.first.cpu:.1f}, memory {other.whole / result.first.whole:.1f}, "
                    f"calls {other.calls / result.first.calls:.1f} times ours",
                    size < LARGE or faster >= times,
                )
            )
    return found
