"""What a scan takes: seconds, CPU, memory, calls. Of processes under test, never of simulator, proxy or this one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from meter import Memory, cpu_seconds, main_thread_seconds

EVERY = 0.5
"""Seconds between two looks at memory: each look takes from the CPU that is shared with what is looked at."""

TIMEOUT = 3600.0


@dataclass
class Row:
    """One run of one tool. Megabytes are millions of bytes."""

    name: str
    wall: float = 0.0
    cpu: float = 0.0
    """Seconds of all its processes, without a database."""
    outside: float = 0.0
    """Of these, what its main threads took: everything but the calls. Nephoscope makes all calls in other threads."""
    database: float = 0.0
    """CPU seconds of PostgreSQL."""
    largest: float = 0.0
    """Megabytes of the largest process at its peak."""
    whole: float = 0.0
    """Megabytes of all processes together at their peak, shared pages once."""
    calls: int = 0
    missed: int = 0
    most_in_flight: int = 0
    throttled: int = 0
    denied: int = 0
    resources: int = 0
    by_operation: dict[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        outside = f"{self.outside:.1f}" if self.outside else ""
        return (
            f"{self.name:<34} {self.wall:8.1f} {self.cpu:8.1f} {outside:>8} {self.largest:8.0f} {self.whole:8.0f} "
            f"{self.calls:8d} {self.most_in_flight:6d} {self.missed:6d}"
        )


HEAD = (
    f"{'':34} {'wall s':>8} {'CPU s':>8} {'outside':>8} {'peak MB':>8} {'tree MB':>8} {'calls':>8} {'most':>6} "
    f"{'missed':>6}"
)


class Proxied:
    """The proxy, from outside."""

    def __init__(self, endpoint: str, pid: int) -> None:
        self.endpoint, self.pid = endpoint, pid
        self._open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open

    def manner(self, **members: Any) -> None:
        """Set how calls are treated, see :class:`aws.proxy.Manner`, and begin to count anew."""
        self._ask(json.dumps(members).encode())

    def counts(self) -> dict[str, Any]:
        """See :class:`aws.proxy.Counts`."""
        return self._ask(None)

    def _ask(self, body: bytes | None) -> dict[str, Any]:
        request = urllib.request.Request(f"{self.endpoint}/__bench", data=body)  # noqa: S310 - our own address
        with self._open(request, timeout=30) as response:
            found: dict[str, Any] = json.load(response)
        return found


def told(row: Row, counts: Mapping[str, Any]) -> Row:
    """Fill in what the proxy counted, and print the row, which is then complete."""
    for name in ("calls", "missed", "most_in_flight", "throttled", "denied", "by_operation"):
        setattr(row, name, counts[name])
    print(row, flush=True)
    return row


@contextmanager
def watched(row: Row, pid: int, database: int = 0) -> Iterator[None]:
    """Fill in CPU and memory of a tree that lives on, for the length of a ``with``."""
    cpu, main = cpu_seconds(pid), main_thread_seconds(pid)
    kept = cpu_seconds(database) if database else 0.0
    with Memory(pid, EVERY) as memory:
        yield
    row.cpu, row.outside = cpu_seconds(pid) - cpu, main_thread_seconds(pid) - main
    row.database = cpu_seconds(database) - kept if database else 0.0
    row.largest, row.whole = memory.peak.process, memory.peak.whole


def command(name: str, words: list[str], environment: Mapping[str, str], folder: Path, log: Path) -> Row:
    """Run a command to its end, and measure it from start to exit. Its exit code is for the caller to read in the log.

    :raises SystemExit: it did not end within :data:`TIMEOUT` seconds.
    """
    row, begun = Row(name), time.monotonic()
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own
            words,
            cwd=folder,
            env=dict(environment),
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        with ended(process), Memory(process.pid, EVERY) as memory:
            # Not waited for yet: an ended process keeps its CPU time until it is.
            while running(process):
                if time.monotonic() - begun > TIMEOUT:
                    raise SystemExit(f"{name} did not end within {TIMEOUT:.0f} s; see {log}.")
                time.sleep(0.05)
            row.wall, row.cpu = time.monotonic() - begun, cpu_seconds(process.pid)
    row.largest, row.whole = memory.peak.process, memory.peak.whole
    return row


def running(process: subprocess.Popen[bytes]) -> bool:
    """Tell whether a process is not over; one that is stays to be waited for."""
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None


@contextmanager
def ended(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """See to it that a process is over at the end of a ``with``, with its whole group if it comes to that early."""
    try:
        yield
    finally:
        if (
            process.returncode is None
            and os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None
        ):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def as_json(rows: list[Row]) -> list[dict[str, Any]]:
    return [asdict(row) for row in rows]
