"""The fields of providers as options of the commands that connect."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterable, Mapping
from typing import Any

from nephoscope.domain import Field

TEMPLATE_HELP = "which setup template to print, by its id; the first unless given"


def add_options(parser: ArgumentParser, fields: Iterable[Field]) -> None:
    """Add an option for each field; fields that providers call alike share one."""
    found: dict[str, list[str]] = {}
    for each in fields:
        found.setdefault(each.name, []).append(each.help)
    for name, said in found.items():
        parser.add_argument(f"--{name.replace('_', '-')}", help=" ".join(said).replace("%", "%%"))


def settings_of(options: Mapping[str, Any], fields: Iterable[Field]) -> dict[str, str]:
    """Return what was given for the fields."""
    return {each.name: options[each.name] for each in fields if options.get(each.name)}
