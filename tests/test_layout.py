"""The house: shelves, files and boundaries."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SHELVES = ("platform", "providers", "policies", "remediations")
PURE = ("engine.py", "hookspecs.py", "surgery.py", "testing.py", "domain/*.py")
PACKAGES = ("providers/nephoscope_aws", "policies/nephoscope_baseline", "remediations/nephoscope_aws_fixes")
OURS = [
    path
    for folder in (*SHELVES, "tests", "benchmarks", "docs")
    for path in (ROOT / folder).rglob("*.py")
    if "migrations" not in path.parts
]


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


@pytest.mark.parametrize("shelf", SHELVES)
def test_a_shelf_holds_packages_and_no_python_of_its_own(shelf: str) -> None:
    assert list((ROOT / shelf).glob("*.py")) == []
    assert any((ROOT / shelf).iterdir())


def test_the_standard_librarys_platform_is_not_shadowed() -> None:
    for directory in (ROOT, ROOT / "tests"):
        done = subprocess.run([sys.executable, "-c", "import platform; platform.system()"], cwd=directory)
        assert done.returncode == 0


def test_no_file_is_longer_than_400_lines() -> None:
    long = {str(path): n for path in OURS if (n := len(path.read_text().splitlines())) > 400}
    assert long == {}


@pytest.mark.parametrize("name", PURE)
def test_nouns_verbs_and_engine_know_no_django(name: str) -> None:
    for path in (ROOT / "platform/nephoscope").glob(name):
        assert not {module for module in imports(path) if module.split(".")[0] == "django"}, path


@pytest.mark.parametrize("package", PACKAGES)
def test_plugins_import_nothing_of_the_platform_but_its_nouns_and_verbs(package: str) -> None:
    allowed = {
        f"nephoscope.{name}"
        for name in ("configuration", "domain", "domain.examples", "domain.view", "hookspecs", "testing")
    }
    for path in (ROOT / package).rglob("*.py"):
        of_platform = {module for module in imports(path) if module.split(".")[0] == "nephoscope"}
        assert of_platform <= allowed, path
        assert "django" not in {module.split(".")[0] for module in imports(path)}, path


def test_the_product_does_not_import_the_simulator_it_is_demonstrated_with() -> None:
    for path in OURS:
        if path.parts[len(ROOT.parts)] in SHELVES and "nephoscope_aws_simulator" not in path.parts:
            assert not {module for module in imports(path) if module.startswith("nephoscope_aws_simulator")}, path
