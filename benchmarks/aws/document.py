"""Writes what ``make bench-aws`` found into docs/api-calls.md and docs/benchmarks.md: ``python -m aws.document``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scan import ROOT

from aws.calls import NEEDS
from aws.run import FOLDER, SIZES

BEGIN, END = "<!-- written by benchmarks/aws/document.py -->\n", "<!-- to here -->\n"
CALLS = (
    "| call | one for each | fewest, {0} | made | fewest, {1} | made | why one by one, or why at all |\n"
    "|---|---|---|---|---|---|---|\n"
)
FIGURES = (
    "| | wall s | CPU s | of it outside the calls | PostgreSQL's CPU s | largest process MB | all MB | calls |\n"
    "|---|---|---|---|---|---|---|---|\n"
)
EVERYTHING = "Nephoscope, all services"

Kept = dict[str, Any]


def calls(runs: list[Kept]) -> Iterator[str]:
    """Yield the table of calls.

    :raises SystemExit: a call was counted that :data:`NEEDS` does not name.
    """
    counted = [
        (run["fewest"], next(row["by_operation"] for row in run["rows"] if row["name"] == EVERYTHING)) for run in runs
    ]
    if strange := {name for _, made in counted for name in made} - set(NEEDS):
        raise SystemExit(f"benchmarks/aws/calls.py does not know {', '.join(sorted(strange))}.")
    yield CALLS.format(*(f"{run['size']:,}" for run in runs))
    for name, need in NEEDS.items():
        numbers = " | ".join(f"{few.get(name, 0):,} | {made.get(name, 0):,}" for few, made in counted)
        yield f"| `{name}` | {need.asked} | {numbers} | {need.why} |\n"
    sums = [(sum(few.values()), sum(made.values())) for few, made in counted]
    numbers = " | ".join(f"**{few:,}** | **{made:,}** ({made / few:.2f})" for few, made in sums)
    yield f"| **all** | | {numbers} | |\n"


def figures(runs: list[Kept]) -> Iterator[str]:
    """Yield what was measured at each size, and what was reached."""
    for run in runs:
        yield f"At {run['size']:,} resources, {run['when']}, load average {run['load']:.1f}:\n\n{FIGURES}"
        for row in run["rows"]:
            outside, database = (f"{row[name]:.1f}" if row["outside"] else "" for name in ("outside", "database"))
            yield (
                f"| {row['name'].strip()} | {row['wall']:.1f} | {row['cpu']:.1f} | {outside} | {database} | "
                f"{row['largest']:.0f} | {row['whole']:.0f} | {row['calls']:,} |\n"
            )
        yield "\n"
        yield from (f"- {'✔' if each['held'] else '✘'} {each['what']}: {each['value']}\n" for each in run["reach"])
        yield "\n"


def replace(page: Path, text: str) -> None:
    """Put a text between the two marks of a page."""
    before, _, rest = page.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(before + BEGIN + text + END + after)


def main() -> None:
    """Bring both pages up to date with the last run of each size."""
    runs = [json.loads((FOLDER / "aws" / f"{size}.json").read_text()) for size in SIZES]
    replace(ROOT / "docs" / "api-calls.md", "".join(calls(runs)))
    replace(ROOT / "docs" / "benchmarks.md", "".join(figures(runs)).rstrip("\n") + "\n")


if __name__ == "__main__":
    main()
