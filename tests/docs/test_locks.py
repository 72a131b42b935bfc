"""The locks hold the pins of their requirements, each with hashes, and are what is installed."""

from __future__ import annotations

import re
from importlib.metadata import distributions

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
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


@pytest.mark.parametrize("python", ["3.11.0", "3.11.9", "3.12.0", "3.13.0", "3.14.0"])
@pytest.mark.parametrize("system", ["linux", "darwin"])
def test_what_a_pinned_package_needs_is_pinned_for_every_python(python: str, system: str) -> None:
    """pip installs the lock without looking for dependencies: one of another Python than ours would be missing."""
    locked = pins("requirements.lock")
    where = {"python_full_version": python, "python_version": python.rpartition(".")[0], "sys_platform": system}
    installed = [each for each in distributions() if canonicalize_name(each.name) in locked]
    needed = [each for package in installed for each in map(Requirement, package.requires or [])]
    assert {canonicalize_name(each.name) for each in needed if _applies(each, where)} - locked.keys() == set()


def _applies(requirement: Requirement, where: dict[str, str]) -> bool:
    return not requirement.marker or requirement.marker.evaluate({**where, "extra": ""})


def test_make_installs_by_the_locks_alone() -> None:
    installs = re.findall(r"\$\(PIP\) (.+)", (ROOT / "Makefile").read_text())
    assert installs == [
        "--require-hashes --no-deps -r requirements.lock",
        "--no-deps --no-build-isolation -e .",
        "--require-hashes --no-deps -r requirements-dev.lock",
    ]
