"""What pip installs: the command line alone needs one library, the platform is an extra, and pins are pinned."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tomllib
import venv
import zipfile
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from tests.docs.markdown import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check"]


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's wheel, built without a network."""
    folder = tmp_path_factory.mktemp("wheel")
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--quiet", "--wheel-dir", str(folder)]
    subprocess.run([*PIP, "wheel", *options, str(ROOT)], check=True, timeout=120)
    return next(folder.glob("nephoscope-*.whl"))


@pytest.fixture(scope="session")
def empty(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment that holds pluggy, and then what pip adds for the wheel: nothing can be fetched."""
    folder = tmp_path_factory.mktemp("empty") / "venv"
    venv.create(folder, with_pip=False)
    site = next((folder / "lib").glob("python*/site-packages"))
    pluggy = distribution("pluggy")
    for top in {path.parts[0] for path in pluggy.files or []}:
        shutil.copytree(str(pluggy.locate_file(top)), site / top)
    python = folder / "bin" / "python"
    subprocess.run(
        [*PIP, "--python", str(python), "install", "--no-index", "--quiet", str(wheel)], check=True, timeout=120
    )
    return python


def test_the_command_line_alone_brings_one_library(empty: Path) -> None:
    listed = subprocess.run(
        [*PIP, "--python", str(empty), "list", "--format", "json"], capture_output=True, check=True, timeout=60
    )
    assert {each["name"] for each in json.loads(listed.stdout)} == {"nephoscope", "pluggy"}
    subprocess.run([*PIP, "--python", str(empty), "check"], check=True, timeout=60, stdout=subprocess.DEVNULL)


@pytest.mark.parametrize("command", ["--version", "rules --json --controls", "rules aws.s3.public_read"])
def test_the_command_line_alone_says_what_it_says_beside_the_platform(
    empty: Path, command: str, tmp_path: Path
) -> None:
    """From another folder, so that nothing of the clone is found."""
    here, there = (
        subprocess.run([python, *command.split()], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60)
        for python in (Path(sys.executable).with_name("nephoscope"), empty.with_name("nephoscope"))
    )
    assert there.stdout == here.stdout
    assert there.stderr == ""


def test_the_wheel_holds_all_that_the_platform_needs_and_no_simulator(wheel: Path) -> None:
    held = set(zipfile.ZipFile(wheel).namelist())
    packages = [
        ROOT / each
        for each in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"][
            "packages"
        ]
    ]
    wanted = {
        path.relative_to(package.parent).as_posix()
        for package in packages
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {Path(each).suffix for each in wanted} >= {".py", ".html", ".css", ".toml"}
    metadata = {each for each in held if ".dist-info/" in each}
    assert held - metadata == wanted
    assert {each.split("/")[0] for each in wanted} == {
        "nephoscope",
        "nephoscope_aws",
        "nephoscope_aws_fixes",
        "nephoscope_baseline",
    }


# -- Pins ------------------------------------------------------------------------------------------


def pins(file: str) -> dict[str, str]:
    text = (ROOT / file).read_text()
    return {canonicalize_name(name): version for name, version in re.findall(r"^([\w.-]+)==([^\s\\]+)", text, re.M)}


def test_every_dependency_is_pinned_and_the_project_itself_comes_last() -> None:
    needed = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["platform"], "hatchling"]
    assert {canonicalize_name(Requirement(each).name) for each in needed} <= set(pins("requirements.txt"))
    assert (ROOT / "requirements.txt").read_text().splitlines()[-1] == "-e .[platform]"


def test_the_lock_has_the_same_pins_each_with_hashes() -> None:
    assert pins("requirements.lock") == pins("requirements.txt")
    blocks = re.split(r"\n(?=\S)", (ROOT / "requirements.lock").read_text().strip())
    assert all(re.search(r"--hash=sha256:[0-9a-f]{64}", block) for block in blocks)


@pytest.mark.parametrize("file", ["requirements.txt", "requirements-dev.txt", "requirements.lock", "pyproject.toml"])
def test_no_file_says_where_packages_are_fetched_from(file: str) -> None:
    text = (ROOT / file).read_text()
    assert not re.search(r"--(extra-)?index-url|--find-links|--trusted-host|[a-z]+://", text)
