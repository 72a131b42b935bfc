"""The processes of a worker: django-q2's, over channels that a process cannot take along when it is killed.

A process that is killed while it waits in a queue of ``multiprocessing`` leaves the queue's lock held for ever, and all
others stand still. A datagram socket needs no lock: the kernel gives each message, as a whole, to one reader.
https://docs.python.org/3/library/multiprocessing.html#pipes-and-queues (the warning about killed processes)
"""

from __future__ import annotations

import ctypes
import errno
import os
import pickle
import select
import signal
import socket
import time
import uuid
from datetime import datetime
from multiprocessing.sharedctypes import RawArray, RawValue
from typing import Any

from django.conf import settings
from django.utils import timezone
from django_q.brokers.orm import ORM
from django_q.cluster import Sentinel
from django_q.models import OrmQ

LARGEST = 100_000
"""Bytes of a message: Linux gives a socket's buffer 200 KiB."""

LOOK_EVERY = 0.05
"""Seconds between two looks at a flag by who waits for it."""


class Flag:
    """Something that is set once, in one process, for others to see; has no lock."""

    def __init__(self) -> None:
        self._value = RawValue(ctypes.c_bool, False)

    def set(self) -> None:
        self._value.value = True

    def is_set(self) -> bool:
        return bool(self._value.value)

    def wait(self, timeout: float) -> bool:
        """Wait up to so many seconds; return whether it is set."""
        until = time.monotonic() + timeout
        while not self.is_set() and (left := until - time.monotonic()) > 0:
            time.sleep(min(LOOK_EVERY, left))
        return self.is_set()


class Channel:
    """A queue between processes that are forked from the one that made it."""

    def __init__(self) -> None:
        self._in, self._out = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)

    def put(self, item: Any) -> None:
        """Send an item, once there is room. A task's result that is too large is cut: nobody reads it."""
        data = pickle.dumps(item)
        if len(data) > LARGEST:
            data = pickle.dumps({**item, "result": str(item.get("result"))[:1000]})
        while True:
            try:
                self._in.send(data)
                return
            except OSError as problem:
                if problem.errno != errno.ENOBUFS:  # macOS says so where Linux waits
                    raise
                time.sleep(LOOK_EVERY)

    def get(self) -> Any:
        """Wait for an item and take it."""
        return pickle.loads(self._out.recv(2 * LARGEST))  # noqa: S301 - from a process of our own

    def empty(self) -> bool:
        return not select.select([self._out], [], [], 0)[0]

    def qsize(self) -> int:
        """Return 1 where something waits, else 0: the kernel does not count."""
        return int(not self.empty())

    def close(self) -> None:
        """What was put is in the kernel already."""

    join_thread = close


class MarkedQueue(ORM):
    """The database's queue, in which a worker sees what it has taken: by the microsecond until when that is locked."""

    def __init__(self, mark: int) -> None:
        super().__init__(list_key=settings.Q_CLUSTER["name"])
        self.mark = mark

    def timeout(self, task: Any) -> datetime:
        """Return until when a task is locked that is taken now."""
        until: datetime = super().timeout(task)
        return until.replace(microsecond=self.mark)

    def put_back(self) -> int:
        """Put back what was taken and not done, once who took it has ended; return how many.

        A task more does no harm: it only wakes, and what it wakes for is claimed in tables of our own.
        """
        now = timezone.now()
        locked = OrmQ.objects.filter(key=self.list_key, lock__gt=now).values_list("pk", "lock")
        taken = [pk for pk, lock in locked if lock.microsecond == self.mark]
        return int(OrmQ.objects.filter(pk__in=taken).update(lock=now))


class Shared:
    """What a pool tells who started it."""

    MOST = 1024

    def __init__(self) -> None:
        self.beat = RawValue(ctypes.c_ulong, 0)
        """Grows while the pool is not stuck."""
        self.pids = RawArray(ctypes.c_int, self.MOST)
        """The processes that it started, and zeros."""


class Pool(Sentinel):
    """What guards the processes that work, in a process of its own; ends with them when who started it is gone."""

    def __init__(self, stop: Flag, shared: Shared, queue: MarkedQueue | None) -> None:
        super().__init__(stop, Flag(), uuid.uuid4(), queue, start=False)
        # An init system tells every process to stop. These end in order, when the one that it started says so.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        self.task_queue, self.result_queue, self.event_out = Channel(), Channel(), Flag()
        self.shared, self.started_by = shared, os.getppid()
        self.start()

    def spawn_process(self, target: Any, *args: Any) -> Any:
        started = super().spawn_process(target, *args)
        self._tell(started)
        return started

    def status(self) -> str:
        """Say how it is; django-q2 asks in every round of its watch."""
        if os.getppid() != self.started_by:
            for each in self._processes():
                each.kill()
            os._exit(1)
        self.shared.beat.value += 1
        self._tell()
        return str(super().status())

    def _processes(self, *more: Any) -> list[Any]:
        return [each for each in (*self.pool, self.monitor, self.pusher, *more) if each is not None]

    def _tell(self, *more: Any) -> None:
        pids = [each.pid for each in self._processes(*more)][: Shared.MOST]
        self.shared.pids[:] = pids + [0] * (Shared.MOST - len(pids))
