"""What a command started beside it, and what becomes of it when one of them ends."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import pytest
from django.core.management.base import CommandError

from nephoscope.operations import processes
from nephoscope.operations.processes import Processes

SLEEP = ["-c", "import time; time.sleep(60)"]


@pytest.fixture
def started(tmp_path: Path) -> Processes:
    return Processes(tmp_path)


def end(started: Processes) -> None:
    for _name, child in started.running:
        child.kill()
        child.wait()


def test_what_serves_is_started_again_until_it_has_ended_too_often(
    started: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "STARTS", 3)
    started._serving = {"web": ["-c", "pass"]}
    started.start("simulator", SLEEP)
    started.start("web", ["-c", "pass"])
    try:
        with pytest.raises(CommandError, match="web ended"):
            started.watch()
        assert started._starts["web"] == 3
    finally:
        end(started)


def test_the_end_of_anything_else_is_the_end(started: Processes) -> None:
    started.start("simulator", SLEEP)
    threading.Timer(0.2, os.kill, (started.running[0][1].pid, signal.SIGKILL)).start()
    try:
        with pytest.raises(CommandError, match="simulator ended"):
            started.watch()
    finally:
        end(started)
