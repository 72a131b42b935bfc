"""What judges: rules, the thresholds that a person may set of them, and what they find."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import ModuleType
from typing import Any, Literal

from nephoscope.domain.commands import Commands
from nephoscope.domain.resource import Resource
from nephoscope.domain.view import Evidence, Fail


class Severity(StrEnum):
    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Verdict(StrEnum):
    PASS = "pass"
    FAIL = "fail"
    NOT_APPLICABLE = "not_applicable"
    UNKNOWN = "unknown"
    ERROR = "error"


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

    def is_laxer(self, value: Value, than: Value) -> bool:
        """Whether a value misses something that the other one finds."""
        return self.strictest([value, than]) != value


def in_words(value: Value) -> str:
    """Return a value as a person types it."""
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


Judgement = bool | None | Fail


@dataclass(frozen=True, slots=True)
class Rule:
    """One check. Made with :func:`rule`; ``check`` gets a View, and an Inventory if it ``needs`` neighbours."""

    id: str
    on: tuple[str, ...]
    severity: Severity
    title: str
    why: str
    fix: str
    link: str
    check: Callable[..., Judgement]
    good: tuple[Mapping[str, Any], ...]
    bad: tuple[Mapping[str, Any], ...]
    needs: tuple[str, ...] = ()
    remediations: tuple[str, ...] = ()
    live_only: bool = False
    parameters: tuple[Parameter, ...] = ()
    commands: Commands | None = None

    @property
    def defaults(self) -> dict[str, Value]:
        """Its parameters as they are unless somebody sets them."""
        return {each.name: each.default for each in self.parameters}


def rule(
    id: str,
    *,
    on: str | tuple[str, ...],
    severity: Severity,
    fix: str,
    commands: str | Mapping[str, str] = "",
    inputs: Mapping[str, str] | None = None,
    link: str,
    good: Iterable[Mapping[str, Any]],
    bad: Iterable[Mapping[str, Any]],
    needs: Iterable[str] = (),
    remediations: Iterable[str] = (),
    live_only: bool = False,
    parameters: Iterable[Parameter] = (),
) -> Callable[[Callable[..., Judgement]], Rule]:
    """Make a :class:`Rule` of a function; its docstring's first line is the title, the rest says why it matters.

    The function returns True (pass), False or :class:`Fail` (fail), or None (not applicable).

    :param on: the type or types of resources that it judges; examples are of the first.
    :param fix: how a person fixes it by hand, numbered steps on lines of their own.
    :param commands: the same fix as commands: a template (:mod:`nephoscope.domain.commands`), or one for each type.
    :param inputs: what only a person knows of those commands, by the name of its variable (``LOG_BUCKET``).
    :param link: the vendor's documentation of that fix, https.
    :param good: examples (properties) that pass or do not apply; with neighbours or other attributes, see
        :func:`nephoscope.testing.example`.
    :param bad: examples that fail.
    :param needs: types of the neighbours that it reads from ``inventory``.
    :param live_only: it reads facts that no template has.
    :param parameters: the thresholds that a person may set; the function gets each as a keyword-only argument.
        Examples are judged by their defaults.
    """
    declared, types = tuple(parameters), (on,) if isinstance(on, str) else on
    try:
        filled_in = Commands.of(types, commands, inputs or {}, [each.name for each in declared])
    except ValueError as error:
        raise ValueError(f"rule {id}: {error}") from error

    def make(check: Callable[..., Judgement]) -> Rule:
        if _keyword_only(check) != sorted(each.name for each in declared):
            raise ValueError(f"rule {id}: its keyword-only arguments are not the parameters that it declares")
        title, _, why = inspect.cleandoc(check.__doc__ or "").partition("\n")
        if not title or not why.strip():
            raise ValueError(f"rule {id}: its docstring must hold a title, and after a blank line why it matters")
        return Rule(
            id=id,
            on=types,
            severity=severity,
            title=title.rstrip("."),
            why=" ".join(why.split()),
            fix=inspect.cleandoc(fix),
            link=link,
            check=check,
            good=tuple(good),
            bad=tuple(bad),
            needs=tuple(needs),
            remediations=tuple(remediations),
            live_only=live_only,
            parameters=declared,
            commands=filled_in,
        )

    return make


def _keyword_only(function: Callable[..., Any]) -> list[str]:
    # Read from its code: inspect.signature, asked for every rule, takes as long as importing a dozen of them.
    code = function.__code__
    return sorted(code.co_varnames[code.co_argcount :][: code.co_kwonlyargcount])


def rules_in(*modules: ModuleType) -> list[Rule]:
    """Return the rules that are attributes of these modules, in order of definition."""
    return [value for module in modules for value in vars(module).values() if isinstance(value, Rule)]


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule's verdict on one resource, with what was read to reach it."""

    rule: Rule
    resource: Resource
    verdict: Verdict
    message: str = ""
    evidence: tuple[Evidence, ...] = ()
    permission: str = ""
