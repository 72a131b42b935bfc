"""The README's rule, followed to the letter: its files are written, installed, tested, and enabled."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.docs.markdown import ROOT, commands, section, write_files

TEXT = section((ROOT / "README.md").read_text(), "Write your first rule in five minutes")
LOOK = """
import json
from nephoscope import plugins
from nephoscope.testing import judge_example

registry = plugins.registry()
rule = registry.rules["acme.s3.classified"]
print(json.dumps({
    "problem": registry.infos["acme"].problem, "title": rule.title, "why": rule.why,
    "answers": [control.id for control in registry.frameworks["acme"].controls if rule.id in control.rules],
    "good": [judge_example(rule, each).verdict for each in rule.good],
    "bad": [judge_example(rule, each).verdict for each in rule.bad],
}))
"""


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the text tells to make."""
    folder = tmp_path_factory.mktemp("readme") / "acme-rules"
    assert write_files(TEXT, folder) == ["pyproject.toml", "acme_rules.py", "test_acme_rules.py"]
    return folder


@pytest.fixture(scope="module")
def site(package: Path) -> Path:
    """Where it is installed, built by pip from its source without a network."""
    source = shutil.copytree(package, package.with_name("source"))
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--no-compile", "--disable-pip-version-check", "-q"]
    target = package.with_name("site")
    command = [sys.executable, "-m", "pip", "install", *options, "--target", str(target), str(source)]
    subprocess.run(command, check=True, timeout=60)
    return target


def run(site: Path, plugins: str, *command: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    given = os.environ | {
        "PYTHONPATH": str(site),
        "NEPHOSCOPE_PLUGINS": plugins,
        "NEPHOSCOPE_SECRET_KEY": "not used",
        "DJANGO_SETTINGS_MODULE": "nephoscope.settings",
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
    }
    return subprocess.run(
        [sys.executable, *command], env=given, cwd=cwd or site, capture_output=True, text=True, timeout=60, check=False
    )


def enabled() -> str:
    """What the text sets NEPHOSCOPE_PLUGINS to."""
    [line] = [command for command in commands(TEXT) if command.startswith("NEPHOSCOPE_PLUGINS=")]
    return line.split()[0].partition("=")[2]


def test_the_rule_shows_up_and_its_examples_judge_as_written(site: Path) -> None:
    done = run(site, enabled(), "-c", LOOK)
    assert done.returncode == 0, done.stderr
    seen: dict[str, Any] = json.loads(done.stdout)
    assert seen["problem"] == ""
    assert seen["title"] == "S3 bucket does not say how confidential its data is"
    assert seen["why"] == "When it leaks, nobody knows whether that is an emergency."
    assert seen["answers"] == ["1"]
    assert seen["good"] == ["pass"]
    assert seen["bad"] == ["fail", "fail"]


def test_the_rule_is_not_there_before_it_is_named(site: Path) -> None:
    done = run(site, "aws,baseline,aws_fixes", "-c", LOOK)
    assert done.returncode != 0
    assert "KeyError: 'acme.s3.classified'" in done.stderr


def test_the_packages_own_test_passes(site: Path, package: Path) -> None:
    done = run(site, enabled(), "-m", "pytest", "-p", "no:cacheprovider", str(package))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout


def test_the_commands_are_those_that_this_file_follows() -> None:
    assert commands(TEXT) == [
        ".venv/bin/python -m pip install -e ../acme-rules",
        ".venv/bin/python -m pytest ../acme-rules",
        "NEPHOSCOPE_PLUGINS=aws,baseline,aws_fixes,acme make demo",
    ]
