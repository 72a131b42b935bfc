"""Which log events a filter pattern of CloudWatch Logs matches.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html. Patterns are tried on events
instead of being compared as text: order, spelling, brackets, further conditions and further events do not matter.
A pattern that AWS would not take, or that is not understood here, matches nothing.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

Event = Mapping[str, Any]
Matcher = Callable[[Event], bool]

MAX_LENGTH = 1024
"""https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutMetricFilter.html"""

_MISSING = object()
_QUOTED = r'"(?:[^"\\]|\\.)*"'
_JSON_TOKEN = re.compile(
    rf"""\s*(?:(?P<sign>\(|\)|&&|\|\|)
    | (?P<selector>\$(?:\.[\w@\#/:*-]+|\[[^\]\s]*\])+)\s*
      (?: (?P<words>NOT\s+EXISTS|IS\s+NULL|IS\s+TRUE|IS\s+FALSE)\b
        | (?P<compare>!=|<=|>=|=|<|>)\s*(?P<value>{_QUOTED}|%[^%]+%|[^\s()&|"%{{}}=]+) ))""",
    re.VERBOSE | re.IGNORECASE,
)
_TERM = re.compile(rf"\s*(?P<sign>[?-]?)(?P<term>{_QUOTED}|[^\s\"]+)")
_NUMERIC = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
_BINDS = {"||": 1, "&&": 2}

_EXPRESSION = re.compile(r"[\w:#=@/;,^$?\[\]|\\*+.-]+")
"""What a regular expression may hold; repetition in braces, which AWS also takes, is left out."""

_MAX_REPETITIONS = 2
"""More of them could take very long, and patterns are other people's."""


@lru_cache(maxsize=1024)
def matcher(pattern: str) -> Matcher:
    """Return what tells whether an event matches."""
    text = pattern.strip()
    if len(text) > MAX_LENGTH:
        return _never
    try:
        if text.startswith("{") and text.endswith("}"):
            return _json(text[1:-1])
        return _terms(text)
    except ValueError:
        return _never


def _never(event: Event) -> bool:
    return False


# -- Terms: words anywhere in the text of an event ---------------------------------------------------------------


def _terms(text: str) -> Matcher:
    if text.startswith(("[", "{", "%")):
        raise ValueError("columns and regular expressions do not fit CloudTrail's events")
    words: dict[str, list[str]] = {"": [], "?": [], "-": []}
    for found in _scanned(_TERM, text):
        words[found["sign"]].append(_unquoted(found["term"]))
    # AWS ignores optional terms beside others.
    optional = [] if words[""] or words["-"] else words["?"]

    def matches(event: Event) -> bool:
        import json  # here, so that a list of rules does not wait for it

        line = json.dumps(event, separators=(",", ":"))
        return (
            all(word in line for word in words[""])
            and not any(word in line for word in words["-"])
            and (not optional or any(word in line for word in optional))
        )

    return matches


# -- JSON: conditions on an event's fields -----------------------------------------------------------------------


def _json(text: str) -> Matcher:
    postfix = _postfix(text)

    def matches(event: Event) -> bool:
        stack: list[bool] = []
        for item in postfix:
            if callable(item):
                stack.append(item(event))
            else:
                right, left = stack.pop(), stack.pop()
                stack.append(left and right if item == "&&" else left or right)
        return stack[0]

    return matches


def _postfix(text: str) -> list[Matcher | str]:
    """Return conditions and operators in the order of their evaluation; without recursion, for brackets may be many."""
    output: list[Matcher | str] = []
    waiting: list[str] = []
    operand_next = True
    for found in _scanned(_JSON_TOKEN, text):
        sign = found["sign"]
        if operand_next is (sign in (")", *_BINDS)):
            raise ValueError("an operator or a condition is missing")
        if not sign:
            output.append(_condition(found))
        elif sign == "(":
            waiting.append(sign)
        elif sign == ")":
            _move(waiting, output, 0)
            if not waiting:
                raise ValueError("a bracket was never opened")
            waiting.pop()
        else:
            _move(waiting, output, _BINDS[sign])
            waiting.append(sign)
        operand_next = sign in ("(", *_BINDS)
    _move(waiting, output, 0)
    if waiting or operand_next:
        raise ValueError("the pattern ends too early")
    return output


def _move(waiting: list[str], output: list[Matcher | str], binding: int) -> None:
    while waiting and waiting[-1] != "(" and _BINDS[waiting[-1]] >= binding:
        output.append(waiting.pop())


def _condition(found: re.Match[str]) -> Matcher:
    path = found["selector"][2:].split(".")
    test = _state(found["words"]) if found["words"] else _comparison(found["compare"], found["value"])
    return lambda event: test(_at(event, path))


def _at(event: Any, path: list[str]) -> Any:
    """Return the field at a path; members of lists are not looked for, no rule needs them."""
    for name in path:
        if not isinstance(event, Mapping) or name not in event:
            return _MISSING
        event = event[name]
    return event


def _state(words: str) -> Callable[[Any], bool]:
    wanted = {"EXISTS": _MISSING, "NULL": None, "TRUE": True, "FALSE": False}[words.upper().split()[1]]
    return lambda value: value is wanted


def _comparison(sign: str, given: str) -> Callable[[Any], bool]:
    if sign in _NUMERIC:
        compare, limit = _NUMERIC[sign], float(_unquoted(given))
        return lambda value: isinstance(value, int | float) and compare(value, limit)
    like = _expression(given[1:-1]) if given.startswith("%") else _like(_unquoted(given))
    if sign == "=":
        return lambda value: like(value)
    # A field that is not there is not equal to anything.
    return lambda value: not like(value)


def _text(value: Any) -> str | None:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int | float) else None


def _like(wanted: str) -> Callable[[Any], bool]:
    """Return what compares with a text in which ``*`` stands for anything."""
    first, *others = wanted.split("*")

    def matches(value: Any) -> bool:
        text = _text(value)
        if text is None or not others:
            return text == wanted
        *middle, last = others
        if len(text) < len(first) + len(last) or not (text.startswith(first) and text.endswith(last)):
            return False
        at, end = len(first), len(text) - len(last)
        for part in middle:
            found = text.find(part, at, end)
            if found < 0:
                return False
            at = found + len(part)
        return True

    return matches


def _expression(text: str) -> Callable[[Any], bool]:
    if not _EXPRESSION.fullmatch(text) or sum(text.count(sign) for sign in "*+?") > _MAX_REPETITIONS:
        raise ValueError("the regular expression is not understood here")
    try:
        expression = re.compile(text, re.ASCII)
    except re.error as error:
        raise ValueError(str(error)) from error
    return lambda value: isinstance(value, str) and bool(expression.search(value))


def _scanned(token: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
    """Yield a text's tokens. Raises ValueError at what is none."""
    text, at = text.rstrip(), 0
    while at < len(text):
        found = token.match(text, at)
        if not found:
            raise ValueError(f"{text[at : at + 20]!r} is not understood")
        yield found
        at = found.end()


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1]) if text.startswith('"') else text
