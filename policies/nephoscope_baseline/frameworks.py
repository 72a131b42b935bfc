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

A control with ``manual`` can only be answered by a person. One with neither rules nor ``manual`` is not covered yet.
Titles are in our own words: the texts of published benchmarks are protected.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from nephoscope.domain import Control, Framework

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
    rules = _get(data, "rules", at, list, [])
    for index, rule in enumerate(rules):
        if not isinstance(rule, str):
            raise _Wrong(f"{at}.rules[{index}]: must be the id of a rule")
    manual = _get(data, "manual", at, bool, False)
    if manual and rules:
        raise _Wrong(f"{at}.manual: a control that rules answer is not manual")
    return Control(_get(data, "id", at, str), _get(data, "title", at, str), tuple(rules), manual)


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
