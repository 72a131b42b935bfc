"""The fields of providers as options of the commands that connect."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from nephoscope.domain import Field

TEMPLATE_HELP = "which setup template to print, by its id; the first unless given"


def add_options(parser: ArgumentParser, fields: Iterable[Field]) -> None:
    """Add an option for each field; fields that providers call alike share one. One that is secret names a file."""
    found: dict[str, list[Field]] = {}
    for each in fields:
        found.setdefault(each.name, []).append(each)
    for name, alike in found.items():
        said = " ".join(each.help for each in alike).replace("%", "%%")
        if any(each.secret for each in alike):
            said = f"{said} The file that holds it, or - for standard input.".strip()
            parser.add_argument(f"--{name.replace('_', '-')}", help=said, type=_content, metavar="FILE")
        else:
            parser.add_argument(f"--{name.replace('_', '-')}", help=said)


def _content(file: str) -> str:
    """Read what may not stand on a command line, where every user of the machine sees it."""
    try:
        return (sys.stdin.read() if file == "-" else Path(file).read_text()).strip()
    except OSError as problem:
        raise ArgumentTypeError(f"{file}: {problem.strerror}") from None


def settings_of(options: Mapping[str, Any], fields: Iterable[Field]) -> dict[str, str]:
    """Return what was given for the fields."""
    return {each.name: options[each.name] for each in fields if options.get(each.name)}
