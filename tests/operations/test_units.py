"""The systemd units and the container file: what they start exists, and they give no more rights than needed."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from django.core.management import get_commands
from django.test import Client
from tests.docs.markdown import ROOT

UNITS = sorted((ROOT / "docs/systemd").glob("*.service"))
CONTAINER = (ROOT / "docs/container/Containerfile").read_text()
needs_systemd = pytest.mark.skipif(
    not shutil.which("systemd-analyze"), reason="needs systemd-analyze (Debian: systemd)"
)


def started(text: str) -> list[list[str]]:
    return [shlex.split(line) for line in re.findall(r"^Exec\w+=(.+)$", text, re.MULTILINE)]


def check(command: list[str]) -> None:
    program = command[0].rpartition("/")[2]
    assert program in ("python", "gunicorn")
    if command[1:2] == ["manage.py"]:
        assert command[2] in get_commands()
    if program == "gunicorn":
        assert command[1] == "nephoscope.wsgi"


@pytest.mark.parametrize("unit", UNITS, ids=lambda each: each.stem)
def test_what_a_unit_starts_exists(unit: Path) -> None:
    commands = started(unit.read_text())
    assert commands
    for command in commands:
        check(command)


@needs_systemd
def test_systemd_accepts_the_units_and_finds_them_well_guarded(tmp_path: Path) -> None:
    for unit in UNITS:
        text = unit.read_text().replace("/srv/nephoscope/.venv/bin", str(Path(sys.executable).parent))
        (tmp_path / unit.name).write_text(text.replace("/srv/nephoscope", str(ROOT)))
    files = [str(tmp_path / unit.name) for unit in UNITS]
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", *files], capture_output=True, text=True, timeout=60)
    assert [line for line in done.stderr.splitlines() if "nephoscope-" in line] == []
    secure = ["systemd-analyze", "security", "--offline=true", "--threshold=35", "--no-pager", *files]
    done = subprocess.run(secure, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr


def instructions() -> list[tuple[str, str]]:
    lines = [line for line in CONTAINER.splitlines() if line and line[0] != "#"]
    return [(line.partition(" ")[0], line.partition(" ")[2]) for line in lines]


def test_the_container_file_copies_what_is_there_and_what_is_not_ignored() -> None:
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] == "!"}
    copied = {
        source
        for name, rest in instructions()
        if name == "COPY" and "--from" not in rest
        for source in rest.split()[:-1]
    }
    assert all((ROOT / source).exists() for source in copied)
    assert copied == kept


def test_the_image_is_pinned_installs_by_hashes_and_does_not_run_as_root() -> None:
    found = instructions()
    assert all(re.search(r":\d+\.\d+", rest) for name, rest in found if name == "FROM")
    installs = [rest for name, rest in found if name == "RUN" and "pip install" in rest]
    assert all("--require-hashes" in each or "--no-deps --no-build-isolation -e ." in each for each in installs)
    assert [rest for name, rest in found if name == "USER"] == ["10001"]
    [command] = [rest for name, rest in found if name == "CMD"]
    check(yaml.safe_load(command))


def test_the_services_of_the_compose_file_run_what_exists() -> None:
    services = yaml.safe_load((ROOT / "docs/container/compose.yaml").read_text())["services"]
    assert set(services) == {"database", "migrate", "web", "worker"}
    for each in services.values():
        if "command" in each:
            check(each["command"])


def test_healthz_answers_anybody_and_says_nothing(db: None) -> None:
    answer = Client().get("/healthz")
    assert (answer.status_code, answer.content) == (200, b"ok\n")
    assert Client().get("/healthz", HTTP_X_FORWARDED_PROTO="http").status_code == 200
