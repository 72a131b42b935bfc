"""Writes the table of docs/api-calls.md from what ``make bench-aws`` counted: ``python -m aws.document``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from scan import ROOT

from aws.calls import NEEDS
from aws.run import FOLDER, SIZES

PAGE = ROOT / "docs" / "api-calls.md"
BEGIN, END = "<!-- written by benchmarks/aws/document.py -->\n", "<!-- to here -->\n"
HEAD = (
    "| call | one for each | fewest, {} | made | fewest, {} | made | why one by one, or why at all |\n"
    "|---|---|---|---|---|---|---|\n"
)


def counted(size: int) -> tuple[Mapping[str, int], Mapping[str, int]]:
    """Return the fewest calls and those made, by operation, as the last run at this size left them."""
    kept: dict[str, Any] = json.loads((FOLDER / "aws" / f"{size}.json").read_text())
    made = next(row["by_operation"] for row in kept["rows"] if row["name"] == "Nephoscope, all services")
    return kept["fewest"], made


def table() -> Iterator[str]:
    """Yield the lines of the table.

    :raises SystemExit: a call was counted that :data:`NEEDS` does not name.
    """
    sizes = [counted(size) for size in SIZES]
    if strange := {name for _, made in sizes for name in made} - set(NEEDS):
        raise SystemExit(f"benchmarks/aws/calls.py does not know {', '.join(sorted(strange))}.")
    yield HEAD.format(*(f"{size:,}" for size in SIZES))
    for name, need in NEEDS.items():
        figures = " | ".join(f"{few.get(name, 0):,} | {made.get(name, 0):,}" for few, made in sizes)
        yield f"| `{name}` | {need.asked} | {figures} | {need.why} |\n"
    sums = [(sum(few.values()), sum(made.values())) for few, made in sizes]
    figures = " | ".join(f"**{few:,}** | **{made:,}** ({made / few:.2f})" for few, made in sums)
    yield f"| **all** | | {figures} | |\n"


def main() -> None:
    """Replace the table in the page."""
    before, _, rest = PAGE.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(before + BEGIN + "".join(table()) + END + after)


if __name__ == "__main__":
    main()
