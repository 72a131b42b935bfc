"""Reads frameworks from TOML files: which rules answer which control.

One file is one framework::

    id = "acme"
    name = "ACME cloud standard"
    provider = "aws"
    family = "ACME"
    link = "https://acme.example/standard"

    [[controls]]
    id = "1.1"
    title = "Root user has no access keys"
    rules = ["aws.iam.root_no_access_keys"]

    [[controls]]
    id = "1.2"
    title = "Contact details are current"
    manual = true

    [[controls]]
    id = "1.3"
    title = "Passwords have at least 14 characters"
    rules = [{id = "aws.iam.password_length", length = 14}, "aws.iam.password_strength"]

Where a control's text names a figure, it stands beside the rule's id by the name of the rule's parameter; a pass by a
laxer value is no pass of the control. That the rule has this parameter is checked where the rule is known
(:mod:`nephoscope.plugins`): it may be of a plugin that is not enabled.

A control with ``manual`` can only be answered by a person. One with neither rules nor ``manual`` is not covered yet.
Titles are in our own words: the texts of published benchmarks are protected.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from nephoscope.domain import Control, Framework, Value

T = TypeVar("T")


class FrameworkError(Exception):
    """A framework file is not right; the message names the file and the key."""


def load(folder: Path) -> list[Framework]:
    """Read every ``*.toml`` of a folder, in order of their names. Raises FrameworkError."""
    return [read(file) for file in sorted(folder.glob("*.toml"))]


def read(file: Path) -> Framework:
    """Read one framework. Raises FrameworkError."""
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise FrameworkError(f"{file.name}: {error}") from error
    try:
        return _framework(data)
    except _Wrong as error:
        raise FrameworkError(f"{file.name}: {error}") from error


class _Wrong(Exception):
    """What is wrong, and at which key."""


def _framework(data: Mapping[str, Any]) -> Framework:
    _only(data, "", "id", "name", "provider", "family", "link", "default", "controls")
    id_, name, provider, link = (_get(data, key, "", str) for key in ("id", "name", "provider", "link"))
    controls = [_control(each, f"controls[{index}]") for index, each in enumerate(_get(data, "controls", "", list))]
    seen: set[str] = set()
    for index, control in enumerate(controls):
        if control.id in seen:
            raise _Wrong(f"controls[{index}].id: {control.id!r} is used twice")
        seen.add(control.id)
    default = _get(data, "default", "", bool) if "default" in data else False
    return Framework(id_, name, provider, link, tuple(controls), default, _get(data, "family", "", str, ""))


def _control(data: Any, at: str) -> Control:
    if not isinstance(data, dict):
        raise _Wrong(f"{at}: must be a table")
    _only(data, at, "id", "title", "rules", "manual")
    answers = [_answer(each, f"{at}.rules[{index}]") for index, each in enumerate(_get(data, "rules", at, list, []))]
    rules = tuple(rule for rule, _demanded in answers)
    manual = _get(data, "manual", at, bool, False)
    if manual and rules:
        raise _Wrong(f"{at}.manual: a control that rules answer is not manual")
    demands = {rule: demanded for rule, demanded in answers if demanded}
    return Control(_get(data, "id", at, str), _get(data, "title", at, str), rules, manual, demands)


def _answer(data: Any, at: str) -> tuple[str, dict[str, Value]]:
    """Return a rule's id and what the control demands of its parameters."""
    if isinstance(data, str):
        return data, {}
    if not isinstance(data, dict):
        raise _Wrong(f"{at}: must be the id of a rule, or a table with id and demanded values")
    given = {name: value for name, value in data.items() if name != "id"}
    return _get(data, "id", at, str), {name: _demanded(value, f"{at}.{name}") for name, value in given.items()}


def _demanded(value: Any, at: str) -> Value:
    if isinstance(value, list) and value and all(isinstance(each, int) for each in value):
        return tuple(sorted(set(value)))
    if not isinstance(value, int) or isinstance(value, bool):
        raise _Wrong(f"{at}: must be a whole number or a list of ports, not {value!r}")
    return value


def _get(data: Mapping[str, Any], key: str, at: str, kind: type[T], default: T | None = None) -> T:
    """Return the value of a key; one without a default must be there and not be empty."""
    path = f"{at}.{key}" if at else key
    value = data.get(key, default)
    if value is None:
        raise _Wrong(f"{path}: is missing")
    if not isinstance(value, kind):
        raise _Wrong(f"{path}: must be {_WORDS[kind]}, not {value!r}")
    if default is None and not value:
        raise _Wrong(f"{path}: is empty")
    return value


def _only(data: Mapping[str, Any], at: str, *known: str) -> None:
    for key in data:
        if key not in known:
            raise _Wrong(f"{at + '.' if at else ''}{key}: is not known here; known are {', '.join(known)}")


_WORDS: dict[type, str] = {str: "text", list: "a list", bool: "true or false"}
