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
from multiprocessing.sharedctypes import RawValue
from typing import Any

from django_q.cluster import Sentinel

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


class Pool(Sentinel):
    """What guards the processes that work, in a process and a process group of its own.

    It tells with ``beat`` that it is not stuck, and ends with everything that it started when who started it is gone.
    """

    def __init__(self, stop: Flag, beat: Any) -> None:
        super().__init__(stop, Flag(), uuid.uuid4(), start=False)
        # An init system tells every process to stop. These end in order, when the one that it started says so.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        self.task_queue, self.result_queue, self.event_out = Channel(), Channel(), Flag()
        self.beat, self.started_by = beat, os.getppid()
        self.start()

    def status(self) -> str:
        """Say how it is; django-q2 asks in every round of its watch."""
        if os.getppid() != self.started_by:
            os.killpg(0, signal.SIGKILL)
        self.beat.value = time.monotonic()
        return str(super().status())
