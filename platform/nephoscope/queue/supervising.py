"""A worker that stays: its processes are replaced when they end or get stuck, and end with it."""

from __future__ import annotations

import logging
import multiprocessing
import secrets
import signal
import time
from collections.abc import Iterable
from contextlib import suppress
from types import FrameType

import psutil  # type: ignore[import-untyped]
from django.conf import settings
from django.db import Error, connections

from nephoscope.queue.dispatch import dispatch
from nephoscope.queue.pool import Flag, MarkedQueue, Pool, Shared

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
        # Redis hands over what it has and forgets it; housekeeping knows it all the same.
        self.queue = MarkedQueue(secrets.randbelow(1_000_000)) if "orm" in settings.Q_CLUSTER else None

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
        stop, shared = Flag(), Shared()
        connections.close_all()  # a connection cannot be shared with a fork
        fork = multiprocessing.get_context("fork")
        pool = fork.Process(target=_be_pool, args=(stop, shared, self.queue), name="pool")
        pool.start()
        # Looks are counted, not seconds: when all was stopped for a while, nobody is stuck.
        seen, silent, told = 0, 0, 0
        while pool.is_alive() and silent < STUCK / LOOK_EVERY and told < GRACE / LOOK_EVERY:
            silent, seen = (silent + 1 if shared.beat.value == seen else 0), shared.beat.value
            if self.stopping:
                stop.set()
                told += 1
            time.sleep(LOOK_EVERY)
        if pool.is_alive():
            log.warning("the worker's processes %s", "did not finish in time" if told else "are stuck")
        pool.kill()
        pool.join()
        _end(filter(None, shared.pids))


def _be_pool(stop: Flag, shared: Shared, queue: MarkedQueue | None) -> None:
    """Be the process that guards the others."""
    try:
        if queue:
            queue.put_back()  # what the pool before this one had taken
        Pool(stop, shared, queue)
    except Exception:
        # In one line where the database or Redis is away.
        log.exception("the worker's processes cannot go on")
        raise SystemExit(1) from None


def _end(pids: Iterable[int]) -> None:
    """End processes that a pool started: they outlive it when it is killed."""
    for pid in pids:
        # What has the same command line is a fork of this process, and no other that got its number.
        with suppress(psutil.Error):
            if (found := psutil.Process(pid)).cmdline() == psutil.Process().cmdline():
                found.kill()


def _take_over() -> None:
    """Have what the processes were at taken over as soon as its leases allow."""
    try:
        dispatch("housekeeping", name="housekeeping")
    except Error:
        log.warning("the database is not available; housekeeping follows by its schedule", exc_info=True)
