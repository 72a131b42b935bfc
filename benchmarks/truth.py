"""Precision and recall over the accounts of ``tests/truth``: ``make bench-truth``.

Precision is the share of what was found wrong that is wrong, recall the share of what is wrong that was found. What was
judged otherwise in any way (also unknown where it is known, and the other way round) counts as differing.
Ends with 1 when anything differs.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
COUNTED = ("said", "found", "missed", "wrong", "differs")


class Tally:
    """A plugin of pytest that adds up what the tests record, by service."""

    def __init__(self) -> None:
        self.services: dict[str, Counter[str]] = {}

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Take a test's numbers once, when it has run."""
        for name, score in report.user_properties if report.when == "call" else ():
            if name == "truth":
                counts = self.services.setdefault(score["service"], Counter())
                counts.update({each: score[each] for each in COUNTED})


def line(name: str, counts: Counter[str]) -> str:
    """Return a line of the table; a share of nothing is 1."""
    found, missed, wrong = counts["found"], counts["missed"], counts["wrong"]
    precision = found / (found + wrong) if found + wrong else 1.0
    recall = found / (found + missed) if found + missed else 1.0
    numbers = " ".join(f"{counts[each]:8d}" for each in COUNTED)
    return f"{name:<16} {numbers} {precision:10.3f} {recall:7.3f}"


def main(arguments: list[str]) -> int:
    """Run the tests of the truth, and print how it was met; arguments go to pytest."""
    tally = Tally()
    code = pytest.main([str(ROOT / "tests" / "truth"), "-q", "-n", "0", "--tb=line", *arguments], plugins=[tally])
    print(f"{'service':<16} {' '.join(f'{each:>8}' for each in COUNTED)} {'precision':>10} {'recall':>7}")
    for service in sorted(tally.services):
        print(line(service, tally.services[service]))
    print(line("all", sum(tally.services.values(), Counter())))
    return int(code)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
