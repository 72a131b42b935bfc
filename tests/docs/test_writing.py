"""docs/writing-a-rule.md and CONTRIBUTING.md: what they show works, and every keyword is explained."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.docs.markdown import ROOT, blocks, section, write_files

from nephoscope.domain import rule
from nephoscope.plugins import registry
from nephoscope_baseline import frameworks

TEXT = (ROOT / "docs/writing-a-rule.md").read_text()


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("writing")
    assert write_files(TEXT, folder) == ["test_rules.py"]
    parts = [block.text for block in blocks(TEXT) if block.language == "python" and not block.file]
    (folder / "acme_rules.py").write_text("\n\n".join(parts))
    return folder


def test_the_rules_of_the_page_pass_the_tests_of_the_page(package: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", str(package)],
        cwd=package,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(package), *sys.path])},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 passed" in done.stdout


def test_every_keyword_of_a_rule_is_explained() -> None:
    explained = re.findall(r"^\| `(\w+)` \|", section(TEXT, "The whole rule"), re.MULTILINE)
    assert ["id", *explained] == list(inspect.signature(rule).parameters)


def test_the_framework_file_that_is_shown_can_be_read(tmp_path: Path) -> None:
    [block] = blocks(section((ROOT / "CONTRIBUTING.md").read_text(), "A framework"))
    file = tmp_path / "acme.toml"
    file.write_text(block.text)
    found = frameworks.read(file)
    assert found.rules <= set(registry().rules)
    assert [control.manual for control in found.controls] == [False, True, False]
