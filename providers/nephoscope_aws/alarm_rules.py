"""What the rule expression of a composite alarm says of the alarms that it names.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-combining.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

ALARM, OK = "ALARM", "OK"

States = Callable[[str], str]
"""Tells the state of an alarm, by its name."""
Expression = Callable[[States], bool]

_TOKEN = re.compile(r'\s*("(?:[^"\\]|\\.)*"|[(),]|[^\s"(),]+)')
_STATES = frozenset({ALARM, OK, "INSUFFICIENT_DATA"})


@dataclass(frozen=True, slots=True)
class AlarmRule:
    """A rule that was understood: whether it ``holds`` for given states, and the ``names`` of its alarms."""

    holds: Expression
    names: frozenset[str]


def understood(text: str) -> AlarmRule:
    """Return what a rule says. Raises ValueError for one that cannot be understood."""
    reader = _Reader(text)
    try:
        holds = reader.alternatives()
    except RecursionError as error:
        raise ValueError("the rule is nested too deeply") from error
    if reader.next:
        raise ValueError(f"{reader.next} is not expected in the rule")
    return AlarmRule(holds, frozenset(reader.names))


def _any(sides: Sequence[Expression]) -> Expression:
    return lambda states: any(side(states) for side in sides)


def _all(sides: Sequence[Expression]) -> Expression:
    return lambda states: all(side(states) for side in sides)


class _Reader:
    """Reads a rule from left to right; NOT binds more closely than AND, and AND than OR."""

    def __init__(self, text: str) -> None:
        self.tokens: list[str] = _TOKEN.findall(text)
        self.names: set[str] = set()
        if re.sub(_TOKEN, "", text).strip():
            raise ValueError("a quotation mark of the rule is not closed")

    @property
    def next(self) -> str:
        return self.tokens[0] if self.tokens else ""

    def take(self, *expected: str) -> str:
        """Return the next token and go on. Raises ValueError if another one was expected."""
        if not self.tokens or (expected and self.next not in expected):
            raise ValueError(f"{self.next or 'the end'} is not expected in the rule")
        return self.tokens.pop(0)

    def _between(self, word: str, side: Callable[[], Expression]) -> list[Expression]:
        sides = [side()]
        while self.next == word:
            self.take()
            sides.append(side())
        return sides

    def alternatives(self) -> Expression:
        return _any(self._between("OR", lambda: _all(self._between("AND", self._one))))

    def _one(self) -> Expression:
        word = self.take()
        if word == "NOT":
            negated = self._one()
            return lambda states: not negated(states)
        if word == "(":
            inner = self.alternatives()
            self.take(")")
            return inner
        if word in ("TRUE", "FALSE"):
            return lambda states: word == "TRUE"
        return self._at_least() if word == "AT_LEAST" else self._in_state(word)

    def _in_state(self, state: str) -> Expression:
        if state not in _STATES:
            raise ValueError(f"{state} is not expected in the rule")
        self.take("(")
        name = self._name()
        self.take(")")
        return lambda states: states(name) == state

    def _at_least(self) -> Expression:
        """Read ``(2, NOT OK, (one, two, three))``, where the number may be a percentage."""
        self.take("(")
        number = self.take()
        if not re.fullmatch(r"\d+%?", number):
            raise ValueError(f"{number} is not expected in the rule")
        self.take(",")
        negated = self.next == "NOT" and bool(self.take())
        state = self.take(*_STATES)
        self.take(",")
        self.take("(")
        names = [self._name()]
        while self.next == ",":
            self.take()
            names.append(self._name())
        self.take(")")
        self.take(")")
        wanted = float(number.removesuffix("%")) * (len(names) / 100 if number.endswith("%") else 1)
        return lambda states: sum((states(name) == state) is not negated for name in names) >= wanted

    def _name(self) -> str:
        """Read an alarm's name or ARN, which need not be in quotation marks, and return the name."""
        words = [self.take()]
        while self.next not in (")", ",", ""):
            words.append(self.take())
        name = named(" ".join(words))
        self.names.add(name)
        return name


def named(reference: str) -> str:
    """Return the name of an alarm that is referred to by its name or by its ARN."""
    name = reference
    if reference.startswith('"'):
        name = re.sub(r"\\(.)", r"\1", reference[1:-1])
    # arn:aws:cloudwatch:REGION:ACCOUNT:alarm:NAME
    parts = name.split(":", 6)
    return parts[6] if parts[0] == "arn" and len(parts) == 7 else name
