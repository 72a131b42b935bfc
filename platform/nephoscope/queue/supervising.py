"""A worker that stays: its processes are replaced when they end or get stuck, and end with it."""

from __future__ import annotations

import ctypes
import logging
import multiprocessing
import os
import signal
import time
from contextlib import suppress
from multiprocessing.sharedctypes import RawValue
from types import FrameType
from typing import Any

from django.db import DatabaseError, connections

from nephoscope.queue.dispatch import dispatch
from nephoscope.queue.pool import Flag, Pool

log = logging.getLogger(__name__)

GRACE = 20.0
"""Seconds in which work that is under way may finish when the worker is told to stop; then its leases run out."""

STUCK = 20.0
"""Seconds without a sign of life after which the processes are taken to be stuck."""

LASTED = 60.0
"""Seconds after which processes that end are not said to end again and again."""

LOOK_EVERY = 0.2
LONGEST_PAUSE = 15.0
"""Seconds before processes that end again and again are started anew, at most; it begins with one."""


class Supervisor:
    """Runs one pool of processes after another until it is told to stop by SIGTERM or SIGINT."""

    def __init__(self) -> None:
        self.stopping = False

    def run(self) -> None:
        """Return when told to stop and everything has ended."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        pause = 1.0
        while not self.stopping:
            begun = time.monotonic()
            self._run_pool()
            if self.stopping:
                return
            pause = 1.0 if time.monotonic() - begun > LASTED else pause
            log.error("the worker's processes ended and are started anew in %s s", pause)
            self._rest(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
            _take_over()

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self.stopping = True

    def _rest(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self.stopping and time.monotonic() < until:
            time.sleep(LOOK_EVERY)

    def _run_pool(self) -> None:
        """Return when the pool has ended, by itself, because it was stuck, or because the worker stops."""
        stop, beat = Flag(), RawValue(ctypes.c_double, time.monotonic())
        connections.close_all()  # a connection cannot be shared with a fork
        pool = multiprocessing.get_context("fork").Process(target=_be_pool, args=(stop, beat), name="pool")
        pool.start()
        with suppress(ProcessLookupError, PermissionError):
            os.setpgid(pool.pid or 0, pool.pid or 0)  # it does so as well: whoever of the two is first
        told = 0.0
        while pool.is_alive():
            now = time.monotonic()
            if self.stopping and not told:
                told = now
                stop.set()
            if now - beat.value > STUCK or (told and now - told > GRACE):
                log.warning("the worker's processes %s", "are stuck" if not told else "did not finish in time")
                break
            time.sleep(LOOK_EVERY)
        _kill_group(pool.pid)
        pool.join()


def _be_pool(stop: Flag, beat: Any) -> None:
    """Be the process that guards the others."""
    os.setpgid(0, 0)
    Pool(stop, beat)


def _kill_group(leader: int | None) -> None:
    """End what is left of a pool: those that it started outlive it when it is killed."""
    if leader:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(leader, signal.SIGKILL)


def _take_over() -> None:
    """Have what the processes were at taken over as soon as its leases allow."""
    try:
        dispatch("housekeeping", name="housekeeping")
    except DatabaseError:
        log.warning("the database is not available; housekeeping follows by its schedule", exc_info=True)
