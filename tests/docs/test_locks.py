"""The locks hold the pins of their requirements, each with hashes, and are what is installed."""

from __future__ import annotations

import re

import pytest
from tests.docs.markdown import ROOT

_PIN = re.compile(r"^([\w.-]+)==(\S+)", re.MULTILINE)


def pins(name: str) -> dict[str, str]:
    """The versions by name, written as package indexes do: https://packaging.python.org/en/latest/specifications/name-normalization/"""
    found = _PIN.findall((ROOT / name).read_text())
    return {re.sub(r"[-_.]+", "-", package).lower(): version for package, version in found}


def test_the_lock_holds_the_pins_of_the_requirements_and_no_others() -> None:
    assert pins("requirements.lock") == pins("requirements.txt")


def test_the_lock_of_the_tests_holds_their_pins_and_none_that_disagrees() -> None:
    both = pins("requirements.txt") | pins("requirements-dev.txt")
    locked = pins("requirements-dev.lock")
    assert pins("requirements-dev.txt").items() <= locked.items() <= both.items()


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_every_pin_has_hashes_and_no_line_names_where_it_comes_from(name: str) -> None:
    lines = [line for line in (ROOT / name).read_text().splitlines() if line and line[0] != "#"]
    heads = [number for number, line in enumerate(lines) if "==" in line]
    assert all(lines[number + 1].startswith("    --hash=sha256:") for number in heads)
    assert [
        line for line in lines if not re.match(r"[\w.-]+==\S+ \\$|    --hash=sha256:[0-9a-f]{64}( \\)?$", line)
    ] == []


def test_make_installs_by_the_locks_alone() -> None:
    installs = re.findall(r"\$\(PIP\) (.+)", (ROOT / "Makefile").read_text())
    assert installs == [
        "--require-hashes --no-deps -r requirements.lock",
        "--no-deps --no-build-isolation -e .",
        "--require-hashes --no-deps -r requirements-dev.lock",
    ]
