"""The thresholds of a rule that a person may set: a number of days, a count, a set of ports."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

Value = int | tuple[int, ...]
"""What a parameter holds: whole days, a count, or ports in rising order."""

LAST_PORT = 65_535
MOST_PORTS = 200


@dataclass(frozen=True, slots=True)
class Parameter:
    """One threshold of a rule.

    ``stricter`` says which of two values finds more wrong: a *lower* or a *higher* number, *more* ports (those that are
    looked for) or *fewer* (those that are allowed).
    ``least`` and ``most`` bound a number, both included.
    """

    name: str
    label: str
    kind: Literal["days", "number", "ports"]
    default: Value
    stricter: Literal["lower", "higher", "more", "fewer"]
    least: int = 1
    most: int = 3650

    def __post_init__(self) -> None:
        if (self.kind == "ports") != (self.stricter in ("more", "fewer")):
            raise ValueError(f"parameter {self.name}: ports are more or fewer, numbers lower or higher")
        if self.checked(self.default) != self.default:
            raise ValueError(f"parameter {self.name}: its default is not written as it would be stored")

    def checked(self, given: Any) -> Value:
        """Return a value that came from outside, as the rule gets it.

        :raises ValueError: it is of another kind or out of bounds; the message says what would do.
        """
        if self.kind == "ports":
            return self._ports(given)
        if not isinstance(given, int) or isinstance(given, bool) or not self.least <= given <= self.most:
            raise ValueError(f"Enter a whole number from {self.least} to {self.most}.")
        return given

    def _ports(self, given: Any) -> tuple[int, ...]:
        wanted = "Enter ports from 0 to 65535, for example 22, 3389."
        if not isinstance(given, list | tuple) or not given:
            raise ValueError(wanted)
        if any(not isinstance(each, int) or isinstance(each, bool) or not 0 <= each <= LAST_PORT for each in given):
            raise ValueError(wanted)
        ports = tuple(sorted(set(given)))
        if len(ports) > MOST_PORTS:
            raise ValueError(f"Enter at most {MOST_PORTS} ports.")
        return ports

    def read(self, text: str) -> Value:
        """Return the value that a person typed.

        :raises ValueError: as :meth:`checked`.
        """
        parts = [part for part in text.replace(",", " ").split() if part]
        numbers = [int(part) if part.isdecimal() and len(part) < 10 else None for part in parts]
        if self.kind == "ports":
            return self.checked(numbers)
        return self.checked(numbers[0] if len(numbers) == 1 else None)

    def strictest(self, values: Iterable[Value]) -> Value:
        """Return what finds everything that any of the values finds."""
        given = list(values)
        if self.kind == "ports":
            sets = [set(each) for each in given if isinstance(each, tuple)]
            return tuple(sorted(set.union(*sets) if self.stricter == "more" else set.intersection(*sets)))
        numbers = [each for each in given if isinstance(each, int)]
        return min(numbers) if self.stricter == "lower" else max(numbers)


def in_words(value: Value) -> str:
    """Return a value as a person types it."""
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
