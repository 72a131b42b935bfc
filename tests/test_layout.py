"""The house: shelves, files and boundaries."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from nephoscope.plugins import Registry

FLOORS = (
    "domain",
    "hookspecs",
    "configuration",
    "plugins",
    "engine",
    "surgery",
    "testing",
    "mail",
    "postgres",
    "vault",
    "outbound",
    "searching",
    "waiting",
    "logs",
    "cli",
    "__main__",
    "queue",
    "accounts",
    "audit",
    "inventory",
    "people",
    "policies",
    "connections",
    "organisations",
    "alerts",
    "compliance",
    "judging",
    "changes",
    "events",
    "reports",
    "scans",
    "api",
    "operations",
    "console",
    "settings",
    "urls",
    "asgi",
    "wsgi",
)
"""The folders and modules of the platform from the lowest up: each imports only from those before it."""

ROOT = Path(__file__).parents[1]
PLATFORM = ROOT / "platform/nephoscope"
SHELVES = ("platform", "providers", "policies", "remediations")
PURE = ("engine.py", "hookspecs.py", "surgery.py", "testing.py", "domain/*.py")
PACKAGES = ("providers/nephoscope_aws", "policies/nephoscope_baseline", "remediations/nephoscope_aws_fixes")
OURS = [
    path
    for folder in (*SHELVES, "tests", "benchmarks", "docs")
    for path in (ROOT / folder).rglob("*.py")
    if "migrations" not in path.parts
]


@cache
def imports(path: Path) -> frozenset[str]:
    """The modules that a file names in imports, those inside functions and for type checkers among them."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module == "nephoscope":
            found.update(f"nephoscope.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return frozenset(found)


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


def test_nothing_imports_from_a_higher_floor() -> None:
    height = {name: number for number, name in enumerate(FLOORS)}
    for path in PLATFORM.rglob("*.py"):
        own = path.relative_to(PLATFORM).parts[0].removesuffix(".py")
        if own == "__init__":
            continue
        used = {name.split(".")[1] for name in imports(path) if name.startswith("nephoscope.")} - {"__version__"}
        assert {own, *used} <= set(height), f"{path}: not among the floors"
        assert [name for name in used if height[name] > height[own]] == [], path


@pytest.mark.parametrize("name", PURE)
def test_nouns_verbs_and_engine_know_no_django(name: str) -> None:
    for path in (ROOT / "platform/nephoscope").glob(name):
        assert not {module for module in imports(path) if module.split(".")[0] == "django"}, path


WITHOUT_DJANGO = """
import sys

class NoDjango:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "django":
            raise ImportError("Django is blocked")

sys.meta_path.insert(0, NoDjango())
import nephoscope.cli, nephoscope.configuration, nephoscope.domain, nephoscope.engine, nephoscope.hookspecs
import nephoscope.plugins, nephoscope.surgery, nephoscope.testing
from nephoscope_baseline.plugin import register_rules
print(len(list(register_rules())))
"""


def test_the_pure_parts_and_every_rule_are_imported_where_django_is_blocked() -> None:
    path = os.pathsep.join(str(ROOT / shelf) for shelf in SHELVES)
    command = [sys.executable, "-c", WITHOUT_DJANGO]
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) == len(Registry(["baseline"]).load_all().rules)


# -- The only door to a write in a cloud ---------------------------------------------------------------------------

NO_CLOUDS = ("file", "self.stdout", "self.stderr", "sys.stdout", "sys.stderr")
"""Where else the platform writes, by the names of the variables."""


def writes(code: str) -> list[str]:
    """What in this code may write in a cloud: a writer's ``write``, and opening an account for writing.

    Reading opens by a connection alone: whoever opens by two things opens for writing, under whatever name.
    """
    found = []
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Attribute) and node.attr == "write" and ast.unparse(node.value) not in NO_CLOUDS:
            found.append(ast.unparse(node))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "open":
            of_two = len(node.args) > 1 or any(each.arg == "permissions" for each in node.keywords)
            on = ast.unparse(node.func.value)
            if on.endswith("writing") or (of_two and on != "os"):
                found.append(ast.unparse(node.func))
    return found


def test_only_surgery_writes_in_a_cloud() -> None:
    found = {path.relative_to(PLATFORM).as_posix(): writes(path.read_text()) for path in PLATFORM.rglob("*.py")}
    assert {name: lines for name, lines in found.items() if lines} == {
        "surgery.py": ["provider.writing.open", "writer.write", "writer.write"]
    }


@pytest.mark.parametrize(
    "planted",
    [
        "provider.writing.open(connection, permissions).write(call)",
        "with closing(open_writer(provider, connection, permissions)) as it:\n    it.write(call)",
        "send = change.writer.write\nsend(call)",
        "facet = provider.writing\nfacet.open(connection, permissions=needed)",
    ],
)
def test_a_write_past_surgery_is_found(planted: str) -> None:
    assert writes(planted)
    assert writes("session = provider.open(connection)\nsession.read(call)\nself.stdout.write('done')") == []


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
