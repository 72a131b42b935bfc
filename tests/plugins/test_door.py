"""The door: a stranger's package, installed by pip, comes in when it is named in ``NEPHOSCOPE_PLUGINS``, not before."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SAMPLE = Path(__file__).with_name("sample")
LOOK = """
import json
from nephoscope import plugins
from nephoscope.testing import judge_example

registry = plugins.registry().load_all()
acme = registry.infos["acme"]
rule = registry.rules.get("acme.s3.naming")
print(json.dumps({
    "enabled": acme.enabled, "version": acme.version, "hooks": acme.hooks, "contributes": acme.contributes,
    "problem": acme.problem, "rule": rule and rule.title, "rules": len(registry.rules),
    "framework": "acme_house_rules" in registry.frameworks,
    "verdicts": [judge_example(rule, each).verdict for each in (*rule.good, *rule.bad)] if rule else [],
}))
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which pip has built and installed the package from its source, without a network."""
    scratch = tmp_path_factory.mktemp("door")
    shutil.copytree(SAMPLE, scratch / "source", ignore=shutil.ignore_patterns("__pycache__"))
    options = [
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
        "--no-compile",
        "--disable-pip-version-check",
        "--quiet",
    ]
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        *options,
        "--target",
        str(scratch / "site"),
        str(scratch / "source"),
    ]
    subprocess.run(command, check=True, timeout=60)
    return scratch / "site"


def run(environment: Path, plugins: str, *command: str) -> subprocess.CompletedProcess[str]:
    """Run Python with Django's settings, as the product does; no database is asked for anything."""
    given = os.environ | {
        "PYTHONPATH": str(environment),
        "NEPHOSCOPE_PLUGINS": plugins,
        "DJANGO_SETTINGS_MODULE": "nephoscope.settings",
        "NEPHOSCOPE_SECRET_KEY": "not used",
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
    }
    return subprocess.run(
        [sys.executable, *command], env=given, cwd=environment, capture_output=True, text=True, timeout=60, check=False
    )


def look(environment: Path, plugins: str) -> Any:
    done = run(environment, plugins, "-c", LOOK)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_an_installed_package_that_is_not_named_is_found_and_contributes_nothing(environment: Path) -> None:
    seen = look(environment, "aws,baseline")
    assert seen["version"] == "1.2.3"
    assert not seen["enabled"]
    assert seen["hooks"] == []
    assert seen["contributes"] == {}
    assert seen["rule"] is None
    assert not seen["framework"]


def test_its_code_does_not_even_run_before_it_is_named(environment: Path) -> None:
    loaded = LOOK + "\nimport sys; assert 'acme_nephoscope' not in sys.modules"
    done = run(environment, "aws,baseline", "-c", loaded)
    assert done.returncode == 0, done.stderr


def test_an_installed_package_that_is_named_brings_its_rule_and_framework(environment: Path) -> None:
    without, seen = look(environment, "aws,baseline"), look(environment, "aws,baseline,acme")
    assert seen["enabled"]
    assert seen["problem"] == ""
    assert seen["hooks"] == ["register_frameworks", "register_rules"]
    assert seen["contributes"] == {"rule": 1, "framework": 1}
    assert seen["rule"] == "Bucket names begin with the prefix of a team"
    assert seen["framework"]
    assert seen["rules"] == without["rules"] + 1
    assert seen["verdicts"] == ["pass", "pass", "fail", "fail"]


def test_a_package_that_is_named_and_not_installed_stops_the_start_up(tmp_path: Path) -> None:
    done = run(tmp_path, "aws,baseline,acme", "-c", LOOK)
    assert done.returncode != 0
    assert "NEPHOSCOPE_PLUGINS names acme, which is not installed" in done.stderr
