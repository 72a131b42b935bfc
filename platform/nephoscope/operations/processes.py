"""Nephoscope on this machine: the processes that a command starts, waits for, and stops together."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.db import connections

from nephoscope import postgres
from nephoscope.accounts.models import User
from nephoscope.operations.commands import command_actor
from nephoscope.people import services as people

SHELVES = ("platform", "providers", "policies", "remediations")
ADMIN = "admin"
PATIENCE = 60
"""Seconds in which a process must answer."""

STARTS = 5
"""Times in a row that one of the processes that serve is started; one that still ends then ends the rest as well."""

LASTED = 60.0
"""Seconds after which a process that ends does not count as one that ends at once."""


def new_password() -> str:
    """Return a password that nobody guesses."""
    return secrets.token_urlsafe(12)


def make_administrator(password: str, command: str) -> bool:
    """Have a command make the first administrator, unless it is there; return whether it was made."""
    if User.objects.filter(username=ADMIN).exists():
        return False
    people.create_superuser_by(command_actor(command), partial(User.objects.create_superuser, ADMIN, password=password))
    return True


class Processes:
    """What runs beside a command, each with a log of its own in a folder.

    ``environment`` is theirs, beside this process's own. Ctrl-C reaches only the command.

    Used as a context manager: leaving it stops everything, the one that was started first at last.
    """

    def __init__(self, logs: Path, **environment: str) -> None:
        self.logs, self.environment = logs, environment
        self.logs.mkdir(parents=True, exist_ok=True)
        self.running: list[tuple[str, subprocess.Popen[bytes]]] = []
        self._serving: dict[str, list[str]] = {}
        self._starts: Counter[str] = Counter()
        self._started: dict[str, float] = {}

    def __enter__(self) -> Processes:
        # Also where the shell that started us told us to ignore Ctrl-C, as for a job in the background.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _interrupt)
        return self

    def __exit__(self, *_error: object) -> None:
        # A second Ctrl-C must not leave half of it running.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        # What was started first is used by the rest: a scan under way must not find the demo's cloud gone.
        for together in (self.running[1:], self.running[:1]):
            for _name, child in together:
                child.terminate()
            for _name, child in together:
                try:
                    child.wait(timeout=20)
                except subprocess.TimeoutExpired:
                    os.killpg(child.pid, signal.SIGKILL)
        connections.close_all()
        postgres.stop(settings.POSTGRES_DIR)

    def start(self, name: str, arguments: list[str]) -> None:
        """Start Python with these arguments in the clone."""
        paths = [str(settings.BASE_DIR / shelf) for shelf in SHELVES]
        environment = (
            os.environ
            | self.environment
            | {
                "PYTHONPATH": os.pathsep.join(paths),
                "DJANGO_SETTINGS_MODULE": "nephoscope.settings",
            }
        )
        with (self.logs / f"{name}.log").open("ab") as log:
            child = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=settings.BASE_DIR,
                env=environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.running.append((name, child))
        now = time.monotonic()
        lasted = now - self._started.get(name, now) > LASTED
        self._starts[name], self._started[name] = 1 if lasted else self._starts[name] + 1, now

    def serve(self, port: int) -> str:
        """Start a worker and the console, and return the console's address once it answers."""
        server = ["-m", "gunicorn", "nephoscope.wsgi", "--bind", f"127.0.0.1:{port}"]
        self._serving = {
            "worker": ["manage.py", "worker"],
            "web": [*server, "--worker-class", "gthread", "--threads", "8", "--log-level", "warning"],
        }
        for name, arguments in self._serving.items():
            self.start(name, arguments)
        url = f"http://127.0.0.1:{port}/"
        self.wait("The console", f"{url}login/")
        return url

    def wait(self, what: str, url: str) -> None:
        """Wait until what was started last answers.

        :raises CommandError: it ended, or did not answer within PATIENCE.
        """
        child, until = self.running[-1][1], time.monotonic() + PATIENCE
        while time.monotonic() < until and child.poll() is None:
            if _answers(url):
                return
            time.sleep(0.1)
        raise CommandError(f"{what} did not start; see the logs in {self.logs}.")

    def watch(self) -> None:
        """Start what serves again when it ends; return never.

        :raises KeyboardInterrupt: told to stop.
        :raises CommandError: something else ended, or what serves did so too often.
        """
        while True:
            for name, child in self.running:
                if child.poll() is None:
                    continue
                if name not in self._serving or self._starts[name] >= STARTS:
                    raise CommandError(f"{name} ended; see {self.logs}.")
                self.running.remove((name, child))
                self.start(name, self._serving[name])
                break
            time.sleep(0.5)


def require_free(port: int, instead: str) -> None:
    """Raise CommandError if the port is taken; ``instead`` is how to ask for another."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            raise CommandError(f"Port {port} is taken; choose another: {instead}.")


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _answers(url: str) -> bool:
    no_proxy: Callable[..., Any] = urllib.request.build_opener(urllib.request.ProxyHandler({})).open
    try:
        with no_proxy(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
