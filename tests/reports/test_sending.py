"""Sending reports: by a real SMTP server and into a real folder, as much as the owner may see, and nothing besides."""

from __future__ import annotations

import datetime as dt
import logging
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.test import override_settings

from nephoscope import mail
from nephoscope.accounts.models import Account, AccountGroup, User
from nephoscope.audit.models import Entry
from nephoscope.configuration import ConfigurationError
from nephoscope.reports import making, sending, services
from nephoscope.reports.models import ReportRun, ReportSchedule

from .conftest import POLICY, REFUSED, Post, free_port

pytestmark = pytest.mark.django_db
Add = Callable[..., ReportSchedule]
Sent = Callable[[ReportSchedule], ReportRun]


def attachments(post: Post) -> list[str]:
    return [str(part.get_filename()) for _to, message in post.mails for part in message.iter_attachments()]


def text(post: Post) -> str:
    body: Any = post.mails[0][1].get_body()
    return str(body.get_content())


# -- Mail ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("form", "begins"), [("pdf", b"%PDF-"), ("csv", b"account,"), ("json", b"{")])
def test_a_report_is_mailed_as_a_file(
    form: str, begins: bytes, scanned: Account, add: Add, sent: Sent, post: Post
) -> None:
    run = sent(add(form=form))
    assert (run.state, run.reports, run.outcome) == ("sent", 1, "1 report mailed to auditor@example.org.")
    [(to, message)] = post.mails
    assert to == "auditor@example.org" and message["To"] == to
    assert str(message["Subject"]).startswith("Compliance: Weekly, ")
    [part] = message.iter_attachments()
    content: Any = part.get_content()
    assert (content.encode() if isinstance(content, str) else content).startswith(begins)
    assert str(part.get_filename()).startswith("prod-") and str(part.get_filename()).endswith(f".{form}")
    assert "AWS Foundational Security Best Practices in prod" in text(post) and "what anna can see" in text(post)


def test_each_address_gets_a_mail_of_its_own_and_a_refused_one_is_named(
    scanned: Account, add: Add, sent: Sent, post: Post
) -> None:
    run = sent(add(mail_to=["a@example.org", REFUSED, "b@example.org"]))
    assert [to for to, _message in post.mails] == ["a@example.org", "b@example.org"]
    assert run.state == "failed"
    assert run.outcome == (
        "1 report mailed to a@example.org, b@example.org; not mailed: nobody@example.org: 550 no such user here."
    )
    assert Entry.objects.get(action="schedule.failed").sentence.endswith(run.outcome)


def test_files_that_are_too_large_are_named_and_not_attached(
    scanned: Account, add: Add, sent: Sent, post: Post, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    monkeypatch.setattr(sending, "MOST_ATTACHED", 10)
    settings.CSRF_TRUSTED_ORIGINS = ["https://*.example", "https://nephoscope.example"]
    assert sent(add(folder="auditor")).state == "sent"
    assert attachments(post) == []
    assert "https://nephoscope.example/compliance/ or from the folder auditor" in text(post)


def test_a_server_that_is_not_there_is_said_and_the_folder_is_written_all_the_same(
    scanned: Account, add: Add, sent: Sent, shelf: Path
) -> None:
    schedule = add(folder="auditor")
    with override_settings(**mail.configuration(f"smtp://ada:hush-hush@127.0.0.1:{free_port()}")):
        run = sent(schedule)
    assert run.state == "failed" and "not mailed: auditor@example.org: Connection refused" in run.outcome
    assert "1 report written to auditor/" in run.outcome and "hush" not in run.outcome
    assert len(list(shelf.glob("auditor/*/*.csv"))) == 1


# -- TLS -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate and key for 127.0.0.1 that only those trust who are told to."""
    import ipaddress

    key, now = ec.generate_private_key(ec.SECP256R1()), dt.datetime.now(dt.UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "post")])
    alternative = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(alternative, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "post.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture(params=["smtps", "smtp+tls"])
def tls_server(request: pytest.FixtureRequest, certificate: Path) -> Iterator[Controller]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    how: dict[str, Any] = {"ssl_context": context}
    if request.param == "smtp+tls":
        how = {"tls_context": context, "require_starttls": True}
    controller = Controller(Post(), hostname="127.0.0.1", port=free_port(), **how)
    controller.start()
    with override_settings(**mail.configuration(f"{request.param}://127.0.0.1:{controller.port}")):
        yield controller
    controller.stop()


def test_only_a_server_whose_certificate_is_trusted_gets_mail(
    scanned: Account, add: Add, sent: Sent, tls_server: Controller, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule = add()
    run = sent(schedule)
    assert run.state == "failed" and "certificate verify failed" in run.outcome.lower()
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert sent(schedule).state == "sent"
    assert len(tls_server.handler.mails) == 1


def test_the_address_of_a_mail_server_is_read_as_documented() -> None:
    assert mail.configuration("") == {}
    found = mail.configuration("smtp+tls://ada%40example.org:p%2Fw%25%20d@mail.example.org")
    assert (found["EMAIL_HOST_USER"], found["EMAIL_HOST_PASSWORD"]) == ("ada@example.org", "p/w% d")
    assert (found["EMAIL_PORT"], found["EMAIL_USE_TLS"], found["EMAIL_USE_SSL"]) == (587, True, False)
    found = mail.configuration("smtps://mail.example.org")
    assert (found["EMAIL_PORT"], found["EMAIL_USE_TLS"], found["EMAIL_USE_SSL"]) == (465, False, True)
    assert mail.configuration("smtp://relay:2525")["EMAIL_PORT"] == 2525


@pytest.mark.parametrize(
    "url",
    [
        "http://ada:hush@x",
        "smtp://",
        "ada:hush@mail.example.org",
        "smtp+tls://ada:hush@mail:port",
        "smtps://[hush",
        "smtp://ada:hush@mail.example.org",
        "filemail:///hush",
    ],
)
def test_a_wrong_address_of_a_mail_server_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ConfigurationError, match="NEPHOSCOPE_EMAIL_URL") as refused:
        mail.configuration(url)
    assert "hush" not in str(refused.value)


# -- Folders -------------------------------------------------------------------------------------------------------


def test_a_run_is_a_dated_folder_of_its_own_and_only_the_last_stay(
    scanned: Account, add: Add, sent: Sent, shelf: Path
) -> None:
    schedule = add(mail_to=[], folder="auditor", keep=2)
    other = add(mail_to=[], folder="auditor", name="Other")
    (shelf / "auditor").mkdir(parents=True)
    (shelf / "auditor" / "notes").mkdir()
    (shelf / "auditor" / f".making-2020-01-01-0600-schedule-{schedule.pk}-run-1").mkdir()
    runs = [sent(other), *(sent(schedule) for _time in range(3))]
    assert {run.state for run in runs} == {"sent"}
    found = sorted(path.name for path in (shelf / "auditor").iterdir())
    kept = {name.rpartition("-run-")[2] for name in found if "schedule" in name}
    assert kept == {str(runs[n].pk) for n in (0, 2, 3)}
    assert "notes" in found and not any(name.startswith(".making") for name in found)
    [file] = (shelf / "auditor").glob(f"*-run-{runs[-1].pk}/*")
    assert file.name.startswith("prod-") and file.stat().st_mode & 0o777 == 0o640
    assert runs[-1].outcome == f"1 report written to auditor/{file.parent.name}."


@pytest.mark.parametrize("name", ["auditor", "reports"])
def test_a_link_out_of_the_folder_is_not_followed(
    name: str, scanned: Account, add: Add, sent: Sent, shelf: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    shelf.mkdir()
    (shelf / name).symlink_to(outside)
    run = sent(add(mail_to=[], folder=name))
    assert run.state == "failed" and f"not written to the folder {name}" in run.outcome.lower()
    assert list(outside.iterdir()) == []


def test_a_folder_that_was_switched_off_since_is_said(scanned: Account, add: Add, sent: Sent, settings: Any) -> None:
    schedule = add(mail_to=[], folder="auditor")
    settings.NEPHOSCOPE_REPORTS_DIR = ""
    assert "folders are off" in sent(schedule).outcome


# -- What the owner may see ----------------------------------------------------------------------------------------


@pytest.fixture
def second(scanned: Account) -> Account:
    """An account of another group, whose name makes the same file name."""
    account = Account.objects.create(
        name="prod!",
        provider="aws",
        number="2" * 12,
        regions=["us-east-1"],
        policies=[POLICY],
        verified_at=scanned.verified_at,
    )
    account.groups.add(AccountGroup.objects.create(name="Second"))
    return account


def test_what_is_sent_is_what_the_owner_sees_when_it_is_sent(
    second: Account, add: Add, sent: Sent, post: Post, analyst: User
) -> None:
    schedule = add()
    assert sent(schedule).reports == 1
    analyst.account_groups.add(second.groups.get())
    assert sent(schedule).reports == 2
    names = attachments(post)[1:]
    assert len(set(names)) == 2
    analyst.account_groups.clear()
    run = sent(schedule)
    assert (run.state, run.outcome) == ("failed", "Its owner anna has access to none of its accounts.")
    assert len(post.mails) == 2


def test_chosen_accounts_and_groups_narrow_it_and_removing_them_widens_nothing(
    second: Account, scanned: Account, add: Add, sent: Sent, administrator: User, group: AccountGroup
) -> None:
    by_account = add(administrator, accounts=[second.pk])
    by_group = add(administrator, groups=[group.pk])
    assert sent(by_account).reports == sent(by_group).reports == 1
    assert sent(add(administrator)).reports == 2
    second.delete()
    group.delete()
    assert "has access to none of its accounts" in sent(by_account).outcome
    assert "has access to none of its accounts" in sent(by_group).outcome


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"is_active": False}, "is not active"),
        ({"role": "viewer"}, "may no longer schedule"),
        (None, "was removed"),
    ],
)
def test_an_owner_who_may_no_longer_sends_nothing(
    change: dict[str, Any] | None, said: str, scanned: Account, add: Add, sent: Sent, post: Post, analyst: User
) -> None:
    schedule = add()
    if change is None:
        analyst.delete()
    else:
        User.objects.filter(pk=analyst.pk).update(**change)
    run = sent(schedule)
    assert run.state == "failed" and said in run.outcome and post.mails == []


def test_policies_narrow_it_and_one_that_no_account_is_checked_by_sends_nothing(
    scanned: Account, add: Add, sent: Sent
) -> None:
    assert sent(add(policies=[POLICY])).reports == 1
    assert "None of its accounts uses its policies" in sent(add(policies=["aws_cis_5.0"])).outcome


def test_more_reports_than_one_run_makes_are_refused_in_words(
    second: Account, add: Add, sent: Sent, administrator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(making, "MOST", 1)
    assert "2 reports exceed the limit of 1 per schedule" in sent(add(administrator)).outcome


def test_an_error_is_written_down_and_hurts_nobody_else(
    scanned: Account, add: Add, sent: Sent, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    schedule, other = add(folder="a"), add(name="Other", form="json")
    monkeypatch.setattr(services.folder, "store", lambda *_args, **_more: 1 / 0)
    caplog.set_level(logging.ERROR)
    assert sent(schedule).outcome == "Internal error. See the log."
    assert sent(other).state == "sent"
