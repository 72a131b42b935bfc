"""Compliance as a file: CSV, JSON and PDF, and the command that writes them."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from reportlab.platypus import Paragraph
from tests.standing import HOSTILE, LOGGED, POLICY, READ, Find

from nephoscope import domain
from nephoscope.accounts.models import Account
from nephoscope.compliance import pdf, report
from nephoscope.compliance import queries as compliance
from nephoscope.compliance.standings import Compliance
from nephoscope.compliance.states import ControlState
from nephoscope.inventory.models import Scan

pytestmark = pytest.mark.django_db


@pytest.fixture
def odd(account: Account, find: Find, scanned: Callable[..., Scan]) -> Compliance:
    """A standing with everything in it, under names that try to be markup."""
    scanned("ec2")
    for n in range(compliance.SHOWN + 3):
        find(READ, "fail", f"{HOSTILE.replace(chr(0), '')}{n}", message="=1+1 <img src=x>")
    find(LOGGED, "fail", "accepted", reason="because <i>of</b> &c.")
    find(LOGGED, "unknown", "hidden", permission="s3:GetBucketVersioning", message="x" * 5000)
    account.name = HOSTILE.replace("\x00", "")
    account.save()
    return compliance.detail(account, POLICY)


def lines(found: Compliance) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(report.as_csv(found).decode())))


def test_csv_has_a_line_per_control_rule_and_resource_that_needs_a_look(odd: Compliance) -> None:
    rows = lines(odd)
    counted = Counter((row["control"], row["state"], row["standing"]) for row in rows)
    assert counted == {
        ("1", "fail", "failed"): 13,
        ("2", "unknown", "accepted"): 1,
        ("2", "unknown", "unknown"): 1,
        ("3", "fail", "failed"): 13,
        ("3", "fail", "accepted"): 1,
        ("3", "fail", "unknown"): 1,
        ("4", "manual", ""): 1,
        ("5", "not_covered", ""): 1,
        ("6", "not_covered", ""): 1,
        ("7", "unknown", "accepted"): 1,
        ("7", "unknown", "unknown"): 1,
        ("7", "unknown", ""): 1,
    }
    first, (accepted, unknown) = rows[0], [row for row in rows if row["control"] == "2"]
    assert first["failing"] == "13" and first["resource"].startswith("arn:aws:s3:::")
    assert first["what was found"].startswith("'=1+1"), "no spreadsheet takes it for a formula"
    assert accepted["accepted because"] == "because <i>of</b> &c."
    assert unknown["missing permission"] == "s3:GetBucketVersioning"
    assert "s3:GetBucketVersioning" in unknown["not known because"]


def test_a_csv_is_bounded_and_says_how_much_it_leaves_out(odd: Compliance, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = lines(odd)
    monkeypatch.setattr(report, "MOST_LINES", 6)
    rows = lines(odd)
    assert {row["control"] for row in rows[:-1]} == {row["control"] for row in whole}
    left_out = sum(1 for row in whole if row["resource"]) - sum(1 for row in rows if row["resource"])
    assert rows[-1]["account"].startswith(f"{left_out} more lines are left out")


def test_json_has_everything(odd: Compliance) -> None:
    found = json.loads(report.as_json(odd))
    assert found["score"] == 0 and found["counts"]["fail"] == 2 and found["accepted"] == 1
    first = found["controls"][0]["rules"][0]
    assert first["counts"]["failed"] == 13 and len(first["failed"]) == compliance.SHOWN
    second = found["controls"][1]["rules"][0]
    assert second["accepted"][0]["reason"] == "because <i>of</b> &c."
    assert second["unknown"][0]["permission"] == "s3:GetBucketVersioning"
    assert found["scope"]["last_scan"]["state"] == "succeeded"


def texts(flowables: Any) -> str:
    found = []
    for each in flowables:
        if isinstance(each, Paragraph):
            found.append(each.getPlainText())
        if isinstance(each, list):
            found.append(texts(each))
        found += [texts(row) for row in getattr(each, "_cellvalues", ())]
    return "\n".join(found)


def test_the_document_says_all_of_it_in_the_words_that_it_was_given(odd: Compliance) -> None:
    assert set(pdf.MEANINGS) == set(ControlState)
    text = texts(pdf.story(odd))
    for said in (
        "Made-up <b>policy</b> & co",
        "<para><b>x</b></i> & 日本語 한글 Ελλάδα",
        "us-east-1, eu-west-1",
        "Succeeded",
        "3 more (Failing) are not listed here. The CSV export has them all.",
        "Accepted because: because <i>of</b> &c.",
        "s3:GetBucketVersioning",
        "A person looks",
        "No rule of ours",
        "[U+1F512]",
        "This is not a pass",
        "0%",
    ):
        assert said in text, said


def test_the_document_is_a_pdf_with_numbered_pages(odd: Compliance, tmp_path: Path) -> None:
    made = report.FORMS["pdf"][1](odd)
    assert made.startswith(b"%PDF-") and made.rstrip().endswith(b"%%EOF")
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext (poppler-utils) is not installed")
    (tmp_path / "report.pdf").write_bytes(made)
    done = subprocess.run(["pdftotext", "-layout", str(tmp_path / "report.pdf"), "-"], capture_output=True, check=True)
    text = done.stdout.decode()
    assert "Page 1 of " in text and "What could not be evaluated, and why" in text and "Ελλάδα" in text


@pytest.mark.parametrize("regular", ["/nowhere", None])
def test_a_document_is_made_with_the_shipped_font_and_of_an_account_that_was_never_scanned(
    regular: str | None, account: Account, policy: domain.Framework, monkeypatch: pytest.MonkeyPatch
) -> None:
    if regular:
        monkeypatch.setattr(pdf, "FOLDERS", (Path(regular),))
    pdf._fonts.cache_clear()
    account.name = HOSTILE.replace("\x00", "") + "Привет " + "x" * 60
    try:
        assert pdf.as_pdf(compliance.detail(account, POLICY)).startswith(b"%PDF-")
    finally:
        pdf._fonts.cache_clear()


def test_a_very_large_report_is_made(account: Account, scanned: Callable[..., Scan], find: Find) -> None:
    scanned()
    find(READ, "fail", "a" * 500, message="y" * 5000)
    controls = tuple(domain.Control(f"{n}", "Long title " * 60, (READ,)) for n in range(120))
    many = domain.Framework(POLICY.id, POLICY.name, "aws", POLICY.link, controls)
    assert len(pdf.as_pdf(compliance.detail(account, many))) > 10_000


@pytest.mark.parametrize("form", ["csv", "json", "pdf"])
def test_the_command_writes_each_form(
    form: str, account: Account, scanned: Callable[..., Scan], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scanned()
    path = tmp_path / f"report.{form}"
    call_command("report", "prod", POLICY.id, "--output", str(path))
    assert path.stat().st_size > 100
    assert f"Wrote {path}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nobody", "made-up", "x.pdf"), "no account"),
        (("prod", "nothing", "x.pdf"), "no policy"),
        (("prod", "made-up", "x.doc"), "end the name"),
        (("prod", "made-up", "/no/such/x.pdf"), "No such file"),
    ],
)
def test_the_command_says_what_is_wrong(
    arguments: tuple[str, str, str], said: str, account: Account, policy: domain.Framework
) -> None:
    account_name, policy_id, path = arguments
    with pytest.raises(CommandError, match=said):
        call_command("report", account_name, policy_id, "--output", path)
