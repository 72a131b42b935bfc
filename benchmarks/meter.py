"""What a process and its descendants take, as Linux counts it under /proc."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

MB = 1_000_000
EVERY = 0.1
"""Seconds between two looks at the memory of the whole tree."""

_TICKS = os.sysconf("SC_CLK_TCK")


def tree(pid: int) -> list[int]:
    """Return a process and its descendants, as far as they live."""
    found, todo = [], [pid]
    while todo:
        each = todo.pop()
        found.append(each)
        for task in Path(f"/proc/{each}/task").glob("*"):
            with suppress(OSError):
                todo += [int(child) for child in (task / "children").read_text().split()]
    return found


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of a tree so far, of children that ended and were waited for too."""
    total = 0
    for each in tree(pid):
        with suppress(OSError):
            # The command's name may hold blanks; the numbers begin after its closing bracket.
            numbers = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
            total += sum(map(int, numbers[11:15]))
    return total / _TICKS


def main_thread_seconds(pid: int) -> float:
    """Return the CPU time that the main threads of a tree's living processes took so far."""
    total = 0
    for each in tree(pid):
        with suppress(OSError):
            numbers = Path(f"/proc/{each}/task/{each}/stat").read_text().rpartition(")")[2].split()
            total += sum(map(int, numbers[11:13]))
    return total / _TICKS


def _kilobytes(pid: int, file: str, name: str) -> int:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/{file}").read_text().splitlines():
            if line.startswith(name):
                return int(line.split()[1])
    return 0


@dataclass(slots=True)
class Peak:
    """Megabytes: the most that one process of the tree had resident, and the most of all with shared pages once."""

    process: float = 0.0
    whole: float = 0.0


class Memory:
    """Follows the memory of a tree for the length of a ``with``."""

    def __init__(self, pid: int, every: float = EVERY) -> None:
        self.peak = Peak()
        self._pid = pid
        self._every = every
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def __enter__(self) -> Self:
        for each in tree(self._pid):
            with suppress(OSError):
                Path(f"/proc/{each}/clear_refs").write_text("5")  # begin the kernel's high-water mark anew
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._look()
        self._over.set()
        self._thread.join()

    def _follow(self) -> None:
        while not self._over.wait(self._every):
            self._look()

    def _look(self) -> None:
        alive = tree(self._pid)
        process = max(_kilobytes(each, "status", "VmHWM:") for each in alive)
        whole = sum(_kilobytes(each, "smaps_rollup", "Pss:") for each in alive)
        self.peak.process = max(self.peak.process, process * 1024 / MB)
        self.peak.whole = max(self.peak.whole, whole * 1024 / MB)
