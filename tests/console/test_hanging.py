"""A cloud that takes the connection and never answers: every act that a person waits for ends in words, in time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from tests.serving import serving

from nephoscope.accounts.models import Account, User
from nephoscope.alerts import detections
from nephoscope.alerts.models import Alert
from nephoscope.audit.services import Actor
from nephoscope.organisations.models import Organisation
from nephoscope_aws.detections import SERVICE, detection

from .test_detections import FINDING

SignIn = Callable[..., Client]
Post = dict[str, str]

AT_MOST = 2.5
"""Seconds that a page may take when a person waits for one second."""

IDENTITY = b"""<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>arn:aws:iam::123456789012:user/nephoscope</Arn><UserId>AIDA</UserId><Account>123456789012</Account>
</GetCallerIdentityResult><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></GetCallerIdentityResponse>"""


class Hanging(ThreadingHTTPServer):
    """An AWS that sends a header byte by byte; with ``identifies`` it says who calls, and then nothing."""

    daemon_threads = True

    def __init__(self, *, identifies: bool) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.identifies, self.over = identifies, threading.Event()

    def handle_error(self, request: object, client_address: object) -> None:
        """Nobody waits for the answer any more."""


class Handler(BaseHTTPRequestHandler):
    server: Hanging

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if not self.server.identifies:
            self.drip()
            return
        if b"Action=GetCallerIdentity" not in body:
            self.server.over.wait(20)
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/xml")
        self.send_header("Content-Length", str(len(IDENTITY)))
        self.end_headers()
        self.wfile.write(IDENTITY)

    def drip(self) -> None:
        """Send bytes so often that no timeout between two of them passes."""
        self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        for _each in range(25):
            if self.server.over.wait(0.2):
                break
            self.wfile.write(b"x")

    def do_GET(self) -> None:
        self.do_POST()

    def do_HEAD(self) -> None:
        self.do_POST()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(params=[False, True], ids=["dripping", "after-the-identity"])
def hanging(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[Hanging]:
    settings.NEPHOSCOPE_INTERACTIVE_SECONDS = 1
    server = Hanging(identifies=request.param)
    with serving(server) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIA")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        yield server
        server.over.set()


@pytest.fixture
def admin(hanging: Hanging, account: Account, administrator: User, sign_in: SignIn) -> Client:
    """An administrator of a connected account, which has a fix role."""
    account.settings = account.settings | {"write_role_arn": "arn:aws:iam::123456789012:role/nephoscope-fix"}
    account.writing_verified_at = timezone.now()
    account.save()
    return sign_in(administrator)


def says(client: Client, address: str, posted: Post | None = None) -> str:
    """Return the page that an act ends on; it must come in time."""
    begun = time.monotonic()
    page = client.get(address) if posted is None else client.post(address, posted, follow=True)
    assert time.monotonic() - begun < AT_MOST
    assert page.status_code == 200
    return page.content.decode()


NO_ANSWER = "AWS did not answer within 1 second"


@pytest.mark.parametrize("posted", [{}, {"writing": "1"}], ids=["reading", "fixes"])
def test_verify_gives_up(posted: Post, admin: Client, account: Account) -> None:
    before = account.verification
    assert NO_ANSWER in says(admin, reverse("admin:accounts_account_verify", args=[account.pk]), posted)
    account.refresh_from_db()
    assert account.verification == before


@pytest.mark.parametrize("step", ["connect", "fixing"])
def test_the_steps_of_connecting_give_up(step: str, admin: Client, account: Account, hanging: Hanging) -> None:
    address = reverse(f"admin:accounts_account_{step}", args=[account.pk])
    role = {"connect": {"own": "1"}, "fixing": {"write_role_arn": account.settings["write_role_arn"]}}[step]
    assert NO_ANSWER in says(admin, address, role)
    if step == "connect" or not hanging.identifies:
        assert NO_ANSWER in says(admin, address)


@pytest.mark.parametrize("hanging", [False], indirect=True)
def test_an_organisation_gives_up_on_its_setup_templates(admin: Client, account: Account) -> None:
    organisation = Organisation.objects.create(name="Northwind", account=account)
    assert NO_ANSWER in says(admin, reverse("admin:organisations_organisation_change", args=[organisation.pk]))
    template = reverse("admin:organisations_organisation_setup_template", args=[organisation.pk, "cli"])
    assert admin.get(template).status_code == 302
    answer = admin.get(f"/api/v1/organisations/{organisation.pk}/setup-templates")
    assert answer.status_code == 409 and NO_ANSWER in answer.content.decode()


def test_the_settings_give_up_on_the_regions(admin: Client, account: Account) -> None:
    text = says(admin, reverse("admin:accounts_account_configure", args=[account.pk]))
    assert NO_ANSWER in text and 'value="eu-west-1" checked' in text


def test_recheck_gives_up_and_closes_nothing(admin: Client, account: Account, add_alert: Callable[..., Alert]) -> None:
    alert = add_alert("aws.s3.public_read", "logs-prod", "assets")
    assert NO_ANSWER in says(admin, reverse("admin:alerts_alert_recheck", args=[alert.pk]), {})
    assert alert.findings.filter(verdict="fail").count() == 2


def test_planning_a_fix_gives_up(admin: Client, add_alert: Callable[..., Alert]) -> None:
    alert = add_alert("aws.s3.public_read", "logs-prod")
    chosen = {"finding": str(alert.findings.get().pk), "remediation": "aws.s3.remove_public_access"}
    assert NO_ANSWER in says(admin, reverse("admin:alerts_alert_plan", args=[alert.pk]), chosen)
    assert not alert.changes.exists()


def test_the_page_that_asks_before_suppressing_gives_up_on_archiving(
    admin: Client, account: Account, system: Actor
) -> None:
    detections.save(account, SERVICE, [detection("eu-west-1", FINDING)], system)
    alert = Alert.objects.get(kind="threat")
    address = reverse("admin:alerts_alert_suppress", args=[alert.pk])
    chosen = {"finding": str(alert.findings.get().pk)}
    assert NO_ANSWER in says(admin, address, chosen)
    text = says(admin, address, chosen | {"confirm": "1", "reason": "known", "digest": "d"})
    assert NO_ANSWER in text and not alert.suppressions.exists()


CHAINS = {
    "process": "[default]\ncredential_process = sleep 4\n",
    "assumed": "[default]\nregion = us-east-1\nrole_arn = arn:aws:iam::123456789012:role/own\nsource_profile = base\n"
    "[profile base]\naws_access_key_id = AKIA\naws_secret_access_key = secret\n",
    "web identity": "",
}


@pytest.fixture(params=CHAINS)
def slow_credentials(
    request: pytest.FixtureRequest, hanging: Hanging, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nephoscope's own credentials come from a program that takes its time, or from the AWS that does not answer."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    config, token = tmp_path / "config", tmp_path / "token"
    config.write_text(CHAINS[request.param])
    token.write_text("token")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    if request.param == "web identity":
        monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(token))
        monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/own")


@pytest.mark.parametrize("hanging", [False], indirect=True)
@pytest.mark.usefixtures("slow_credentials")
def test_nephoscopes_own_credentials_are_not_waited_for_either(admin: Client, account: Account) -> None:
    assert NO_ANSWER in says(admin, reverse("admin:accounts_account_verify", args=[account.pk]), {})
    assert NO_ANSWER in says(admin, reverse("admin:accounts_account_add"))


def test_the_api_gives_up_in_the_same_words(admin: Client, account: Account) -> None:
    begun = time.monotonic()
    answer = admin.post(f"/api/v1/accounts/{account.pk}/verify", {}, content_type="application/json")
    assert time.monotonic() - begun < AT_MOST
    assert answer.status_code == 409 and NO_ANSWER in answer.content.decode()
