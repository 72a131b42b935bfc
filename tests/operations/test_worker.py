"""Whatever process of a worker is killed, work goes on within seconds; and told to stop, all of it ends."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from django.conf import settings
from django_q.models import Task

from nephoscope.queue.dispatch import dispatch

ROOT = Path(__file__).parents[2]
names = (f"task {number}" for number in itertools.count())


class Worker:
    """A worker with two processes that work, one that fetches and one that stores results, and one that guards them."""

    def __init__(self, database: str, folder: Path) -> None:
        environment = {
            **os.environ,
            "DATABASE_URL": database,
            "NEPHOSCOPE_DATA_DIR": str(folder),
            "NEPHOSCOPE_SECRET_KEY": settings.SECRET_KEY,
            "NEPHOSCOPE_WORKERS": "2",
        }
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "worker"], cwd=ROOT, env=environment, start_new_session=True
        )
        self.known: set[psutil.Process] = set()

    @property
    def pool(self) -> psutil.Process:
        return psutil.Process(self.process.pid).children()[0]

    def children(self) -> list[psutil.Process]:
        found = psutil.Process(self.process.pid).children(recursive=True)
        self.known |= set(found)
        return found

    def is_whole(self) -> bool:
        return len(self.children()) >= 5

    def left(self) -> list[psutil.Process]:
        return [each for each in self.known if each.is_running() and each.status() != psutil.STATUS_ZOMBIE]

    def does(self, within: float = 15) -> None:
        """Have it do a task, within so many seconds."""
        name = next(names)
        dispatch("housekeeping", name=name)
        wait(lambda: Task.objects.filter(name=name, success=True).exists(), within)


def wait(until: Callable[[], bool], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.05)


@pytest.fixture
def worker(committed: str, tmp_path: Path) -> Iterator[Worker]:
    started = Worker(committed, tmp_path)
    try:
        wait(started.is_whole, 30)
        started.does()
        yield started
    finally:
        with_children = started.children() if started.process.poll() is None else []
        started.process.kill()
        started.process.wait()
        for each in with_children:
            if each.is_running():
                each.kill()


def test_every_process_of_an_idle_worker_can_be_killed_and_work_goes_on(worker: Worker) -> None:
    for each in worker.children()[1:]:
        each.send_signal(signal.SIGKILL)
        worker.does()
    for each in worker.children()[1:]:
        each.send_signal(signal.SIGKILL)
    worker.does()
    worker.pool.send_signal(signal.SIGKILL)
    worker.does()
    assert not [each for each in worker.left() if each not in worker.children()], "nothing of the first pool is left"


def test_told_to_stop_it_ends_in_seconds_although_processes_of_it_were_killed(worker: Worker) -> None:
    worker.children()[1].send_signal(signal.SIGKILL)
    os.killpg(worker.process.pid, signal.SIGTERM)
    os.killpg(worker.process.pid, signal.SIGTERM)
    assert worker.process.wait(timeout=10) == 0
    assert worker.left() == []


def test_an_init_system_that_tells_every_process_to_stop_ends_it_in_order(worker: Worker) -> None:
    for each in [psutil.Process(worker.process.pid), *worker.children()]:
        each.send_signal(signal.SIGTERM)
    assert worker.process.wait(timeout=10) == 0
    assert worker.left() == []


def test_its_processes_end_with_it_when_it_is_killed(worker: Worker) -> None:
    assert worker.is_whole()
    worker.process.kill()
    worker.process.wait()
    wait(lambda: worker.left() == [])
