"""What becomes of the work when a process is killed, idle and in the middle of it: ``make bench-killed``.

Everything is made anew in a temporary folder: the simulated account, the embedded database, a worker under a supervisor
that starts it again as an init system does. Each process is killed by SIGKILL, once while nothing is to be done and
once while the account is scanned; one is stopped by SIGSTOP. Measured is when the next task is done; and of the scan,
whether it ended, with the findings that it has to have, and once.

Ends with 1 when work does not go on within ``LIMIT`` seconds, or a scan is not done whole and once.
"""

from __future__ import annotations

import argparse
import itertools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil  # type: ignore[import-untyped]
from scan import PATIENCE, ROOT, prepare, stop_database

from nephoscope_aws_simulator.testing import Simulator

LIMIT = 30.0
"""Seconds after which work must go on."""

LEASE = 5
"""Seconds that a dead worker's part of a scan stays its own; 60 where nothing else is set."""

_names = (f"after {number}" for number in itertools.count())


class Worker:
    """A worker that is started again when it ends."""

    def __init__(self) -> None:
        self.process = self._start()
        self._over = False
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "manage.py", "worker"], cwd=ROOT, start_new_session=True, stderr=subprocess.DEVNULL
        )

    def _watch(self) -> None:
        while not self._over:
            if self.process.poll() is not None:
                self.process = self._start()
            time.sleep(0.1)

    def children(self) -> list[psutil.Process]:
        return list(psutil.Process(self.process.pid).children(recursive=True))

    def end(self) -> float:
        """Tell it to stop; return how many seconds that took."""
        self._over, begun = True, time.monotonic()
        self._thread.join()
        self.process.terminate()
        self.process.wait(timeout=60)
        return time.monotonic() - begun


def postmaster() -> int:
    from django.conf import settings

    return int((settings.POSTGRES_DIR / "postmaster.pid").read_text().split()[0])


def backend() -> int:
    """Return one of the database's processes that serves a worker."""
    found = [each for each in psutil.Process(postmaster()).children() if "nephoscope" in " ".join(each.cmdline())]
    return int((found or psutil.Process(postmaster()).children())[-1].pid)


def victims(worker: Worker, redis: Callable[[], int] | None) -> dict[str, tuple[Callable[[], int], signal.Signals]]:
    """Return what is killed: how its process is found, and by which signal."""
    # In the order in which they are started: the guard, two that work, one that stores results, one that fetches tasks.
    found: dict[str, tuple[Callable[[], int], signal.Signals]] = {
        "a process that works": (lambda: worker.children()[1].pid, signal.SIGKILL),
        "the other one": (lambda: worker.children()[2].pid, signal.SIGKILL),
        "the one that stores results": (lambda: worker.children()[3].pid, signal.SIGKILL),
        "the one that fetches tasks": (lambda: worker.children()[4].pid, signal.SIGKILL),
        "their guard": (lambda: worker.children()[0].pid, signal.SIGKILL),
        "their guard, stopped": (lambda: worker.children()[0].pid, signal.SIGSTOP),
        "the worker": (lambda: worker.process.pid, signal.SIGKILL),
        "PostgreSQL": (postmaster, signal.SIGKILL),
        "a process of PostgreSQL": (backend, signal.SIGKILL),
    }
    return found | ({"Redis": (redis, signal.SIGKILL)} if redis else {})


@contextmanager
def redis_server(folder: Path) -> Iterator[Callable[[], int] | None]:
    """Start Redis, where there is one, and start it again when it ends; yield what finds its process."""
    if not shutil.which("redis-server"):
        yield None
        return
    socket = folder / "redis.sock"
    command = ["redis-server", "--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", str(folder)]

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen(command, stdout=subprocess.DEVNULL)  # noqa: S603 - our own command

    over, running = threading.Event(), [start()]

    def watch() -> None:
        while not over.wait(0.5):
            if running[0].poll() is not None:
                running[0] = start()

    threading.Thread(target=watch, daemon=True).start()
    os.environ["REDIS_URL"] = f"unix://{socket}"
    try:
        yield lambda: running[0].pid
    finally:
        over.set()
        running[0].terminate()
        running[0].wait()


def patiently(ask: Callable[[], bool], seconds: float = PATIENCE) -> float:
    """Ask until the answer is yes, however often the database is away meanwhile; return how many seconds that took."""
    from django.db import DatabaseError, connection

    begun = time.monotonic()
    while time.monotonic() - begun < seconds:
        try:
            if ask():
                break
        except DatabaseError:
            connection.close()
        time.sleep(0.05)
    return time.monotonic() - begun


def does() -> float:
    """Have a task done; return how many seconds that took."""
    from django_q.models import Task

    from nephoscope.queue.dispatch import dispatch

    names: list[str] = []

    def ask() -> bool:
        # What a broker has lost is asked for again, as housekeeping does.
        if not names or time.monotonic() - asked[0] > 3:
            names.append(next(_names))
            asked[0] = time.monotonic()
            dispatch("housekeeping", name=names[-1])
        return bool(Task.objects.filter(name__in=names).exists())

    asked = [0.0]
    return patiently(ask)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the result."""

    victim: str
    when: str
    again: float
    scan: str

    @property
    def wrong(self) -> bool:
        return self.again > LIMIT or self.scan not in ("", "done once")

    def __str__(self) -> str:
        return f"{self.victim:<28} {self.when:<5} {self.again:7.1f} {self.scan}"


def verdicts() -> set[tuple[str, str, str]]:
    from nephoscope.alerts.models import Finding

    return set(Finding.objects.values_list("rule_id", "resource__resource_id", "verdict"))


class Busy:
    """A scan under way."""

    def __init__(self, simulator: Simulator) -> None:
        from nephoscope.accounts.models import Account
        from nephoscope.audit.services import Actor
        from nephoscope.scans.services import start_scan

        self.simulator = simulator
        simulator.control("latency", ms=100)
        self.scan = start_scan(Actor.system("bench"), Account.objects.get())
        patiently(lambda: bool(self.scan.shards.filter(state="done").count() >= 5))

    def end(self, expected: set[tuple[str, str, str]]) -> str:
        """Wait for its end; say what is wrong, or that it was done once."""
        from nephoscope.audit.models import Entry
        from nephoscope.inventory.models import Scan

        self.simulator.control("latency", ms=0)
        patiently(lambda: not Scan.objects.get(pk=self.scan.pk).active)
        scan = Scan.objects.get(pk=self.scan.pk)
        if scan.state != "succeeded":
            return f"{scan.state} {scan.error}"
        if verdicts() != expected:
            return f"{len(verdicts() ^ expected)} findings differ"
        ended = Entry.objects.filter(action="scan.finished", target_id=str(scan.pk)).count()
        return "done once" if ended == 1 else f"ended {ended} times"


def one(victim: str, find: Callable[[], int], number: signal.Signals, busy: Busy | None, expected: object) -> Row:
    os.kill(find(), number)
    again = does()
    scan = busy.end(expected) if busy else ""  # type: ignore[arg-type]
    return Row(victim, "busy" if busy else "idle", again, scan)


def main() -> int:
    """Kill, measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="part of the name of what is killed")
    wanted = parser.parse_args().only
    rows = []
    with (
        tempfile.TemporaryDirectory(prefix="neph-", ignore_cleanup_errors=True) as folder,
        Simulator(company=True) as simulator,
        redis_server(Path(folder)) as redis,
    ):
        kept = os.environ.get("REDIS_URL")
        prepare(Path(folder), simulator.endpoint, NEPHOSCOPE_LEASE_SECONDS=str(LEASE), REDIS_URL=kept or "")
        worker = Worker()
        try:
            does()
            Busy(simulator).end(set())
            expected = verdicts()
            for victim, (find, number) in victims(worker, redis).items():
                for busy in (False, True):
                    if wanted in victim:
                        patiently(lambda: len(worker.children()) >= 5)
                        rows.append(one(victim, find, number, Busy(simulator) if busy else None, expected))
                        print(rows[-1], flush=True)
            stopped = worker.end()
        finally:
            worker.process.kill()
            stop_database()
    print(f"told to stop, the worker ended in {stopped:.1f} s")
    wrong = [row for row in rows if row.wrong] or stopped > LIMIT
    print("WRONG" if wrong else "Within the limits." + ("" if redis else " Without Redis: redis-server is not here."))
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
