"""What tests of report schedules share: a scanned account, a schedule, a real mail server and a real folder."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from django.test import override_settings
from django.utils import timezone

from nephoscope import mail
from nephoscope.accounts.models import Account, User
from nephoscope.accounts.queries import parts_of
from nephoscope.audit.services import Actor
from nephoscope.compliance.snapshots import record
from nephoscope.inventory.models import JUDGE, Scan, Shard
from nephoscope.reports import services
from nephoscope.reports.models import ReportRun, ReportSchedule

REFUSED = "nobody@example.org"
POLICY = "aws_fsbp"


class Post:
    """What a mail server took; it knows no :data:`REFUSED`."""

    def __init__(self) -> None:
        self.mails: list[tuple[str, EmailMessage]] = []

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        if address == REFUSED:
            return "550 no such user here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        found: Any = message_from_bytes(envelope.content, policy=default)
        self.mails.append((envelope.rcpt_tos[0], found))
        return "250 OK"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def server() -> Iterator[Controller]:
    controller = Controller(Post(), hostname="127.0.0.1", port=free_port())
    controller.start()
    yield controller
    controller.stop()


@pytest.fixture
def post(server: Controller) -> Iterator[Post]:
    """The mail server that is configured, with an empty box."""
    server.handler.mails.clear()
    with override_settings(**mail.configuration(f"smtp://127.0.0.1:{server.port}")):
        yield server.handler


@pytest.fixture
def shelf(tmp_path: Path, settings: Any) -> Path:
    """The operator's folder for reports."""
    settings.NEPHOSCOPE_REPORTS_DIR = str(tmp_path / "reports")
    return tmp_path / "reports"


@pytest.fixture
def scanned(account: Account) -> Account:
    """The account, judged by one policy."""
    account.policies = [POLICY]
    account.save()
    scan = Scan.objects.create(account=account, state="succeeded", finished_at=timezone.now(), whole=True)
    for service, region in parts_of(account):
        Shard.objects.create(scan=scan, service=service.id, region=region, state="done")
    Shard.objects.create(scan=scan, service=JUDGE, region="global", state="done")
    record(scan)
    return account


@pytest.fixture
def add(analyst: User, post: Post, shelf: Path) -> Callable[..., ReportSchedule]:
    """Add a schedule of the analyst, by mail unless told otherwise."""

    def make(owner: User = analyst, **values: Any) -> ReportSchedule:
        given = {"name": "Weekly", "form": "csv", "mail_to": ["auditor@example.org"], **values}
        return services.save_schedule(Actor.of(owner), ReportSchedule(), **given)

    return make


@pytest.fixture
def sent() -> Callable[[ReportSchedule], ReportRun]:
    """Send a schedule as the queue would, and return what became of it."""

    def send(schedule: ReportSchedule) -> ReportRun:
        run = ReportSchedule.objects.get(pk=schedule.pk).runs.create()
        services.deliver(run.pk)
        run.refresh_from_db()
        return run

    return send
