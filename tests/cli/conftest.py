"""The command line, in this process and in one of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from typing import NamedTuple

import pytest

from nephoscope.cli import main


class Said(NamedTuple):
    """What a command printed, and its exit status."""

    status: int
    out: str
    err: str


Run = Callable[..., Said]


@pytest.fixture
def nephoscope(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command here: ``nephoscope("rules", "--json")``."""

    def run(*arguments: str) -> Said:
        capsys.readouterr()
        status = main(arguments)
        return Said(status, *capsys.readouterr())

    return run


def alone(*arguments: str, **environment: str) -> Said:
    """Run ``python -m nephoscope`` in a process of its own, whose environment holds nothing of ours but this."""
    foreign = ("NEPHOSCOPE_", "DATABASE_URL", "REDIS_URL", "DJANGO_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    done = subprocess.run(
        [sys.executable, "-m", "nephoscope", *arguments],
        env=kept | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return Said(done.returncode, done.stdout, done.stderr)
