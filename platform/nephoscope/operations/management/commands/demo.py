"""``manage.py demo``: everything at once on this machine, with a simulated cloud to work on."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from argparse import ArgumentParser
from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import Any, Protocol

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from nephoscope import postgres
from nephoscope.accounts.models import Account, User
from nephoscope.audit.services import Actor
from nephoscope.connections.services import configure_account, create_account, setup_templates, verify_account
from nephoscope.domain import SetupTemplate
from nephoscope.inventory.models import Scan
from nephoscope.operations.management.commands.scan import open_alerts

CLOUD = "nephoscope_aws_simulator.demo"
"""The module whose ``CLOUD`` is worked on. It belongs to the sources and not to the product, so nothing imports it."""
ADMIN = "admin"
SHELVES = ("platform", "providers", "policies", "remediations")
PATIENCE = 60
"""Seconds in which the simulator, and then the web server, must answer."""


class DemoCloud(Protocol):
    """A simulated cloud: a process that listens on a port, with one account to connect."""

    title: str
    provider: str
    account: str
    regions: tuple[str, ...]
    """Those that something is in."""

    def command(self, port: int, folder: Path) -> list[str]:
        """Return the arguments of Python that start it; it keeps its state in the folder."""

    def health(self, port: int) -> str:
        """Return the address that answers once it is ready."""

    def environment(self, port: int) -> dict[str, str | None]:
        """Return the environment in which its provider finds it; None for what must not be set."""

    def grant(self, templates: Iterable[SetupTemplate], *, writing: bool) -> dict[str, str]:
        """Use a setup template as a person would, and return the settings that it leads to."""


class Command(BaseCommand):
    help = "Start PostgreSQL, a simulated cloud, a worker and the console; connect its account and scan it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="connect, scan, print the summary and end")
        parser.add_argument("--port", type=int, default=8000, help="where the console listens on 127.0.0.1")

    def handle(self, *args: Any, **options: Any) -> None:
        self.children: list[tuple[str, subprocess.Popen[bytes]]] = []
        self.data: Path = settings.DATA_DIR / "demo"
        self.data.mkdir(parents=True, exist_ok=True)
        self.cloud: DemoCloud = import_module(CLOUD).CLOUD
        # Also where the shell that started us told us to ignore Ctrl-C, as for a job in the background.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _interrupt)
        try:
            self._run(options)
        except KeyboardInterrupt:
            self.stdout.write("\nStopping …")
        finally:
            self._stop()
        self.stdout.write("Stopped. Your data is kept; run it again to go on.")

    def _run(self, options: dict[str, Any]) -> None:
        if not options["once"] and not _free(options["port"]):
            raise CommandError(f"Port {options['port']} is taken; choose another: make demo ARGS='--port 8001'.")
        port = self._simulator()
        call_command("migrate", verbosity=0)
        password = self._administrator()
        self._wait(self.cloud.title, self.cloud.health(port), self.children[0][1])
        self._connect()
        if options["once"]:
            return
        self._start("worker", ["manage.py", "worker"])
        web = self._start(
            "web",
            [
                "-m",
                "gunicorn",
                "nephoscope.wsgi",
                "--bind",
                f"127.0.0.1:{options['port']}",
                "--worker-class",
                "gthread",
                "--threads",
                "8",
                "--log-level",
                "warning",
            ],
        )
        url = f"http://127.0.0.1:{options['port']}/"
        self._wait("the console", f"{url}login/", web)
        self.stdout.write(
            f"\n  Console   {url}\n  User      {ADMIN}\n  Password  {password}\n\nCtrl-C stops everything."
        )
        self.stdout.flush()
        while all(child.poll() is None for _name, child in self.children):
            time.sleep(0.5)
        dead = ", ".join(name for name, child in self.children if child.poll() is not None)
        raise CommandError(f"{dead} ended; see {self.data}.")

    # -- parts -------------------------------------------------------------------------------------

    def _simulator(self) -> int:
        port = _any_port()
        self._start("simulator", self.cloud.command(port, self.data))
        for name, value in self.cloud.environment(port).items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        return port

    def _administrator(self) -> str:
        path = self.data / "admin_password"
        if not path.exists():
            with os.fdopen(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600), "w") as file:
                file.write(secrets.token_urlsafe(12))
        password = path.read_text()
        if not User.objects.filter(username=ADMIN).exists():
            User.objects.create_superuser(ADMIN, password=password)
        return password

    def _connect(self) -> None:
        """Connect the account as a person would: use the setup templates, then verify."""
        actor, name = Actor.system("make demo"), self.cloud.account
        account = Account.objects.filter(name=name).first()
        account = account or create_account(actor, name=name, provider=self.cloud.provider)
        if account.removed_at:
            self.stdout.write(f"{name} was removed; restore it in the console, under Accounts, Removed.")
            return
        for writing in (False, True):
            if not (account.writing_verified_at if writing else account.verified_at):
                settings = self.cloud.grant(setup_templates(account, writing=writing), writing=writing)
                verify_account(actor, account, settings, writing=writing)
                configure_account(actor, account, regions=self.cloud.regions)
        if not Scan.objects.filter(account=account, state__in=["succeeded", "partial"]).exists():
            call_command("scan", name, stdout=self.stdout)
        else:
            self.stdout.write(f"{name} was scanned before; scan it again in the console.")
            self.stdout.write(open_alerts(account))

    # -- processes ---------------------------------------------------------------------------------

    def _start(self, name: str, arguments: list[str]) -> subprocess.Popen[bytes]:
        paths = [str(settings.BASE_DIR / shelf) for shelf in SHELVES]
        environment = {
            # A simulated cloud on a busy machine is slower than a real one.
            "NEPHOSCOPE_INTERACTIVE_SECONDS": "60",
            **os.environ,
            "PYTHONPATH": os.pathsep.join(paths),
            "DJANGO_SETTINGS_MODULE": "nephoscope.settings",
        }
        with (self.data / f"{name}.log").open("ab") as log:
            # A session of its own: Ctrl-C reaches only us, and we stop the children in order.
            child = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=settings.BASE_DIR,
                env=environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.children.append((name, child))
        return child

    def _wait(self, what: str, url: str, child: subprocess.Popen[bytes]) -> None:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until and child.poll() is None:
            if _answers(url):
                return
            time.sleep(0.1)
        raise CommandError(f"{what} did not start; see the logs in {self.data}.")

    def _stop(self) -> None:
        # A second Ctrl-C must not leave half of it running.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        # The cloud last: a scan under way must not find it gone.
        cloud, users = self.children[:1], self.children[1:]
        for together in (users, cloud):
            for _name, child in together:
                child.terminate()
            for _name, child in together:
                try:
                    child.wait(timeout=20)
                except subprocess.TimeoutExpired:
                    os.killpg(child.pid, signal.SIGKILL)
        connections.close_all()
        postgres.stop(settings.POSTGRES_DIR)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _answers(url: str) -> bool:
    no_proxy: Callable[..., Any] = urllib.request.build_opener(urllib.request.ProxyHandler({})).open
    try:
        with no_proxy(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return probe.connect_ex(("127.0.0.1", port)) != 0


def _any_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
