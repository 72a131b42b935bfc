"""``manage.py demo``: everything at once on this machine, with a simulated cloud to work on."""

from __future__ import annotations

import os
from argparse import ArgumentParser
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand

from nephoscope.accounts.models import Account, User
from nephoscope.audit.services import Actor
from nephoscope.connections.services import configure_account, create_account, setup_templates, verify_account
from nephoscope.domain import SetupTemplate
from nephoscope.inventory.models import READ
from nephoscope.operations import demonstration
from nephoscope.operations.management.commands.scan import open_alerts
from nephoscope.operations.processes import (
    ADMIN,
    Processes,
    free_port,
    make_administrator,
    new_password,
    require_free,
)
from nephoscope.operations.schema import refuse_newer

CLOUD = "nephoscope_aws_simulator.demo"
"""The module whose ``CLOUD`` is worked on. It belongs to the sources and not to the product, so nothing imports it."""


class DemoAccount(Protocol):
    """One account of a simulated cloud."""

    name: str
    regions: tuple[str, ...]
    """Those that something is in."""


class DemoCloud(Protocol):
    """A simulated cloud: a process that listens on a port, with accounts to connect."""

    title: str
    provider: str
    accounts: tuple[DemoAccount, ...]
    practised: str
    """The name of the account in which people did something already."""

    def command(self, port: int, folder: Path) -> list[str]:
        """Return the arguments of Python that start it; it keeps its state in the folder."""

    def health(self, port: int) -> str:
        """Return the address that answers once it is ready."""

    def environment(self, port: int) -> dict[str, str | None]:
        """Return the environment in which its provider finds it; None for what must not be set."""

    def grant(self, account: DemoAccount, templates: Iterable[SetupTemplate], *, writing: bool) -> dict[str, str]:
        """Use a setup template as a person would, and return the settings that it leads to."""


class Command(BaseCommand):
    help = "Start PostgreSQL, a simulated cloud, a worker and the console; connect its accounts and scan them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="connect, scan, print the summary and end")
        parser.add_argument("--port", type=int, default=8000, help="where the console listens on 127.0.0.1")

    def handle(self, *args: Any, **options: Any) -> None:
        self.data: Path = settings.DATA_DIR / "demo"
        self.cloud: DemoCloud = import_module(CLOUD).CLOUD
        try:
            # A simulated cloud on a busy machine is slower than a real one, so pages wait longer for it.
            with Processes(self.data, NEPHOSCOPE_DEMO="1") as processes:
                self._run(processes, options)
        except KeyboardInterrupt:
            self._say("\nStopping …")
        self._say("Stopped. Your data is kept; run it again to go on.")

    def _run(self, processes: Processes, options: dict[str, Any]) -> None:
        if not options["once"]:
            require_free(options["port"], "make demo ARGS='--port 8001'")
        self._say(f"Starting the database and {self.cloud.title} …")
        port = self._simulator(processes)
        refuse_newer()
        call_command("migrate", verbosity=0)
        password = self._administrator()
        processes.wait(self.cloud.title, self.cloud.health(port))
        connected = [self._connected(each) for each in self.cloud.accounts]
        accounts = [each for each in connected if not each.removed_at]
        demonstration.begin_history(accounts)
        for account in accounts:
            self._scan(account)
        if options["once"]:
            return
        self._say("Starting the worker and the console …")
        url = processes.serve(options["port"])
        self._say(f"\n  Console   {url}\n  User      {ADMIN}\n  Password  {password}\n\nCtrl-C stops everything.")
        processes.watch()

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()

    def _simulator(self, processes: Processes) -> int:
        port = free_port()
        processes.start("simulator", self.cloud.command(port, self.data))
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
                file.write(new_password())
        password = path.read_text()
        make_administrator(password, "demo")
        return password

    def _connected(self, demonstrated: DemoAccount) -> Account:
        """Connect an account as a person would: use the setup templates, then verify."""
        actor, name = Actor.system("make demo"), demonstrated.name
        self._say(f"Connecting {name} …")
        account = Account.objects.filter(name=name).first()
        account = account or create_account(actor, name=name, provider=self.cloud.provider)
        for writing in (False, True):
            if not (account.writing_verified_at if writing else account.verified_at):
                templates = setup_templates(account, writing=writing)
                verify_account(
                    actor, account, self.cloud.grant(demonstrated, templates, writing=writing), writing=writing
                )
                configure_account(actor, account, regions=demonstrated.regions)
        return account

    def _scan(self, account: Account) -> None:
        """Scan an account, unless that was done before, and have done in it what people do."""
        if account.scans.filter(state__in=READ, finished_at__isnull=False).exists():
            self._say(f"{account.name} was scanned before; scan it again in the console.")
            self._say(open_alerts(account))
            return
        call_command("scan", account.name, stdout=self.stdout)
        demonstration.complete_history(account)
        if account.name == self.cloud.practised:
            demonstration.practise(account, Actor.of(User.objects.get(username=ADMIN)))
