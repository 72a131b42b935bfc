"""``manage.py start``: the console and a worker on this machine, for accounts of one's own."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand

from nephoscope.operations.processes import ADMIN, Processes, make_administrator, new_password, require_free
from nephoscope.operations.schema import refuse_newer


class Command(BaseCommand):
    help = "Start the database, a worker and the console, to connect accounts of your own."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8000, help="where the console listens on 127.0.0.1")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with Processes(settings.DATA_DIR / "logs") as processes:
                self._run(processes, options["port"])
        except KeyboardInterrupt:
            self.stdout.write("\nStopped. Your data is kept; run it again to go on.")

    def _run(self, processes: Processes, port: int) -> None:
        require_free(port, "make start ARGS='--port 8001'")
        self.stdout.write("Starting the database, a worker and the console …")
        self.stdout.flush()
        refuse_newer()
        call_command("migrate", verbosity=0)
        password = new_password()
        made = make_administrator(password, "start")
        url = processes.serve(port)
        self.stdout.write(f"\n  Console   {url}\n  User      {ADMIN}")
        if made:
            self.stdout.write(f"  Password  {password}\n\nIt is shown this once. Change it in the console.")
        self.stdout.write("\nCtrl-C stops everything.")
        self.stdout.flush()
        processes.watch()
