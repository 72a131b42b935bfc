"""``manage.py demo``: everything at once on this machine, with a simulated AWS account to work on."""

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
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import boto3
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from nephoscope import postgres
from nephoscope.accounts.models import Account, User
from nephoscope.audit.services import Actor
from nephoscope.connections.services import configure_account, create_account, setup_templates, verify_account
from nephoscope.inventory.models import Scan
from nephoscope.operations.management.commands.scan import open_alerts

ACCOUNT = "northwind"
ADMIN = "admin"
REGIONS = ("us-east-1", "eu-west-1", "ap-southeast-2")
"""Where the simulated company has its things."""
SHELVES = ("platform", "providers", "policies", "remediations")
PATIENCE = 60
"""Seconds in which the simulator, and then the web server, must answer."""


class Command(BaseCommand):
    help = "Start PostgreSQL, a simulated AWS account, a worker and the console; connect the account and scan it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="connect, scan, print the summary and end")
        parser.add_argument("--port", type=int, default=8000, help="where the console listens on 127.0.0.1")

    def handle(self, *args: Any, **options: Any) -> None:
        self.children: list[tuple[str, subprocess.Popen[bytes]]] = []
        self.data: Path = settings.DATA_DIR / "demo"
        self.data.mkdir(parents=True, exist_ok=True)
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
        endpoint = self._simulator()
        call_command("migrate", verbosity=0)
        password = self._administrator()
        self._wait("the simulated AWS account", f"{endpoint}/simulator/health", self.children[0][1])
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

    def _simulator(self) -> str:
        port = _any_port()
        self._start(
            "simulator",
            [
                "-m",
                "nephoscope_aws_simulator",
                "--port",
                str(port),
                "--company",
                "--state",
                str(self.data / "account.state"),
            ],
        )
        endpoint = f"http://127.0.0.1:{port}"
        # What a person sets who runs Nephoscope outside AWS: its own credentials, and here where AWS is.
        os.environ.update(
            AWS_ENDPOINT_URL=endpoint,
            AWS_ACCESS_KEY_ID="AKIASIMULATORBASE000",
            AWS_SECRET_ACCESS_KEY="simulator",
            AWS_DEFAULT_REGION="us-east-1",
            AWS_EC2_METADATA_DISABLED="true",
            AWS_DISABLE_HOST_PREFIX_INJECTION="true",
        )
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
            os.environ.pop(name, None)
        return endpoint

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
        """Connect the account as a person would: create the roles from the ready templates, then verify them."""
        actor = Actor.system("make demo")
        account = Account.objects.filter(name=ACCOUNT).first() or create_account(actor, name=ACCOUNT)
        for writing, setting in ((False, "role_arn"), (True, "write_role_arn")):
            if not (account.writing_verified_at if writing else account.verified_at):
                template = next(
                    each.text for each in setup_templates(account, writing=writing) if each.id == "cloudformation"
                )
                arn = _deploy(f"nephoscope-{'fix' if writing else 'read'}", template)
                verify_account(actor, account, {setting: arn}, writing=writing)
                configure_account(actor, account, regions=REGIONS)
        if not Scan.objects.filter(account=account, state__in=["succeeded", "partial"]).exists():
            call_command("scan", ACCOUNT, stdout=self.stdout)
        else:
            self.stdout.write(f"{ACCOUNT} was scanned before; scan it again in the console.")
            self.stdout.write(open_alerts(account))

    # -- processes ---------------------------------------------------------------------------------

    def _start(self, name: str, arguments: list[str]) -> subprocess.Popen[bytes]:
        paths = [str(settings.BASE_DIR / shelf) for shelf in SHELVES]
        environment = {
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


def _deploy(stack: str, template: str) -> str:
    client = boto3.client("cloudformation")
    client.create_stack(StackName=stack, TemplateBody=template, Capabilities=["CAPABILITY_NAMED_IAM"])
    client.get_waiter("stack_create_complete").wait(StackName=stack, WaiterConfig={"Delay": 1})
    outputs = client.describe_stacks(StackName=stack)["Stacks"][0]["Outputs"]
    return str(next(output["OutputValue"] for output in outputs if output["OutputKey"] == "RoleArn"))


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
