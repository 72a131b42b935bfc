"""How accounts stand by policies: states, scores, days, and the files made of them."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from reportlab.platypus import Paragraph

from nephoscope import domain
from nephoscope.accounts.models import Account
from nephoscope.alerts import compliance, pdf, report
from nephoscope.alerts.compliance import ControlState, Standing
from nephoscope.alerts.judging import judge_scan
from nephoscope.alerts.models import Alert, ComplianceDay, Finding, Suppression
from nephoscope.inventory.models import JUDGE, Resource, Scan, Shard
from nephoscope.plugins import registry

pytestmark = pytest.mark.django_db

READ, LOGGED, SAFE = "aws.s3.public_read", "aws.s3.versioning", "aws.kms.rotation"
POLICY = domain.Framework(
    "made-up", "Made-up <b>policy</b> & co", "aws", "https://example.com/policy",
    (
        domain.Control("1", "Nobody reads", (READ,)),
        domain.Control("2", "Versions are kept", (LOGGED,)),
        domain.Control("3", "Both", (READ, LOGGED)),
        domain.Control("4", "A person looks", manual=True),
        domain.Control("5", "No rule of ours"),
        domain.Control("6", "A rule of a plugin that is gone", ("acme.gone",)),
        domain.Control("7", "One of ours and one that is gone", (LOGGED, "acme.gone")),
    ),
)  # fmt: skip
HOSTILE = "<para><b>x</b></i> & 日本語 한글 Ελλάδα עברית 🔒 \x00\x1b ]]>"

Find = Callable[..., Finding]


@pytest.fixture
def policy(account: Account, monkeypatch: pytest.MonkeyPatch) -> domain.Framework:
    monkeypatch.setitem(registry().frameworks, POLICY.id, POLICY)
    account.policies = [POLICY.id]
    account.save()
    return POLICY


@pytest.fixture
def scanned(account: Account, policy: domain.Framework) -> Callable[..., Scan]:
    """Write down a scan that read every part, or left some (``failed``), or was of some services only."""

    def scan(*failed: str, services: tuple[str, ...] = ()) -> Scan:
        row = Scan.objects.create(account=account, state="succeeded", finished_at=timezone.now())
        parts = [part for part in compliance.parts_of(account) if not services or part[0].id in services]
        for service, region in parts:
            state = "failed" if service.id in failed else "done"
            Shard.objects.create(scan=row, service=service.id, region=region, state=state)
        Shard.objects.create(scan=row, service=JUDGE, region="global", state="done")
        compliance.write_down(row)
        return row

    return scan


@pytest.fixture
def find(account: Account, add_resource: Callable[..., Resource]) -> Find:
    """Store a verdict; suppressed when a reason is given."""

    def add(rule: str, verdict: str, name: str = "logs", *, reason: str = "", **more: Any) -> Finding:
        now, alert, suppression = timezone.now(), None, None
        if verdict == "fail":
            times = dict.fromkeys(("first_seen", "last_seen", "opened_at"), now)
            alert, _made = Alert.objects.get_or_create(
                account=account, key=rule, defaults={"rank": 0, "severity": "critical", "title": rule, **times}
            )
            more.setdefault("failing_since", now)
        resource = add_resource("AWS::S3::Bucket", name, {"BucketName": name})
        if reason:
            suppression = Suppression.objects.create(
                alert=alert, resource_id=resource.resource_id, resource_name=name, reason=reason
            )
        return Finding.objects.create(
            account=account, rule_id=rule, resource=resource, verdict=verdict, changed_at=now, alert=alert,
            suppression=suppression, **more,
        )  # fmt: skip

    return add


def states(account: Account) -> dict[str, str]:
    account.refresh_from_db()
    return {each.control.id: each.state.value for each in compliance.detail(account, POLICY).controls}


def test_each_control_has_the_state_that_its_findings_give_it(
    account: Account, find: Find, scanned: Callable[..., Scan]
) -> None:
    scanned()
    find(READ, "fail")
    find(LOGGED, "pass")
    assert states(account) == {"1": "fail", "2": "pass", "3": "fail", "4": "manual", "5": "not_covered",
                               "6": "not_covered", "7": "unknown"}  # fmt: skip
    found = compliance.detail(account, POLICY)
    assert found.score == 33
    assert found.counts == {"fail": 2, "unknown": 1, "pass": 1, "no_resources": 0, "manual": 1, "not_covered": 2,
                            "not_checked": 0}  # fmt: skip


@pytest.mark.parametrize("verdict", ["unknown", "error"])
def test_what_is_not_known_never_passes(
    verdict: str, account: Account, find: Find, scanned: Callable[..., Scan]
) -> None:
    scanned()
    find(READ, "pass", "one")
    find(READ, verdict, "two", permission="s3:GetBucketPolicy")
    find(LOGGED, "pass", "one")
    assert states(account) | {"4": "", "5": "", "6": ""} == {
        "1": "unknown", "2": "pass", "3": "unknown", "4": "", "5": "", "6": "", "7": "unknown",
    }  # fmt: skip
    assert compliance.detail(account, POLICY).score == 100
    find(READ, "fail", "three")
    assert states(account)["1"] == "fail"


def test_a_failure_that_became_unknown_still_fails(account: Account, find: Find, scanned: Callable[..., Scan]) -> None:
    scanned()
    find(READ, "unknown", failing_since=timezone.now())
    assert states(account)["1"] == "fail"


def test_a_suppressed_failure_is_accepted_and_fails_nothing(
    account: Account, find: Find, scanned: Callable[..., Scan]
) -> None:
    scanned()
    find(READ, "fail", reason="a public download")
    found = compliance.detail(account, POLICY)
    assert states(account)["1"] == "pass"
    assert (found.controls[0].accepted, found.accepted, found.score) == (1, 1, 100)
    [row] = found.controls[0].rules[0].findings[Standing.ACCEPTED]
    assert row.suppression.reason == "a public download"


def test_rules_that_ran_on_nothing_say_so_and_neither_pass_nor_count(
    account: Account, scanned: Callable[..., Scan]
) -> None:
    scanned()
    assert states(account)["1"] == "no_resources"
    assert compliance.detail(account, POLICY).score is None


def test_a_part_that_was_not_read_keeps_its_controls_from_passing(
    account: Account, find: Find, scanned: Callable[..., Scan]
) -> None:
    scanned("s3")
    find(READ, "pass")
    found = compliance.detail(account, POLICY)
    assert states(account)["1"] == states(account)["2"] == "unknown"
    assert found.unread and "S3" in found.unread[0]
    find(LOGGED, "fail")
    assert states(account)["2"] == "fail"
    scanned(services=("s3",))
    assert states(account)["1"] == "pass"


def test_a_part_that_no_scan_ever_read_is_not_known(account: Account, find: Find, scanned: Callable[..., Scan]) -> None:
    scanned()
    Shard.objects.filter(service="s3").delete()
    find(READ, "pass")
    assert states(account)["1"] == "unknown"


def test_a_scan_that_was_not_judged_changes_nothing(account: Account, find: Find, scanned: Callable[..., Scan]) -> None:
    scanned()
    find(READ, "pass")
    lost = Scan.objects.create(account=account, state="failed")
    for service in ("s3", JUDGE):
        Shard.objects.create(scan=lost, service=service, region="global", state="failed")
    assert states(account)["1"] == "pass"
    assert compliance.detail(account, POLICY).last_scan == lost


def test_an_account_without_a_scan_or_without_the_policy_is_not_checked(
    account: Account, find: Find, scanned: Callable[..., Scan]
) -> None:
    find(READ, "pass")
    assert states(account) == {"1": "not_checked", "2": "not_checked", "3": "not_checked", "4": "manual",
                               "5": "not_covered", "6": "not_covered", "7": "not_checked"}  # fmt: skip
    scanned()
    Account.objects.update(policies=[])
    assert states(account)["1"] == "not_checked"
    assert "not chosen" in compliance.detail(account, POLICY).why_not


def test_a_policy_chosen_since_is_judged_by_a_scan_of_everything_only(
    account: Account, find: Find, scanned: Callable[..., Scan]
) -> None:
    find(READ, "pass")
    Account.objects.update(policies=[])
    account.refresh_from_db()
    scanned()
    Account.objects.update(policies=[POLICY.id])
    account.refresh_from_db()
    assert states(account)["1"] == "not_checked"
    scanned(services=("s3",))
    assert states(account)["1"] == "not_checked"
    scanned()
    assert states(account)["1"] == "pass"


def test_a_policy_that_was_put_down_and_taken_up_again_is_not_checked_until_it_is_judged(
    account: Account, find: Find, scanned: Callable[..., Scan]
) -> None:
    other = next(iter(registry().frameworks))
    account.policies = [POLICY.id, other]
    account.save()
    scanned()
    account.policies = [other]
    account.save()
    scanned()
    account.policies = [POLICY.id, other]
    account.save()
    assert states(account)["2"] == "not_checked"


# -- Days ----------------------------------------------------------------------------------------------------------


def test_the_end_of_judging_writes_the_day_once(account: Account, add_resource: Any, policy: domain.Framework) -> None:
    add_resource("AWS::S3::Bucket", "logs", {"VersioningConfiguration": None})
    for status in (None, {"Status": "Enabled"}):
        add_resource("AWS::S3::Bucket", "logs", {"VersioningConfiguration": status})
        scan = Scan.objects.create(account=account, state="running")
        for service, region in compliance.parts_of(account):
            Shard.objects.create(scan=scan, service=service.id, region=region, state="done")
        Shard.objects.create(scan=scan, service=JUDGE, region="global", state="running")
        judge_scan(scan, still_wanted=lambda: True)
        Scan.objects.filter(pk=scan.pk).update(state="succeeded")
        [day] = ComplianceDay.objects.all()
        assert (day.policy, day.day) == (POLICY.id, timezone.now().date())
        assert (day.failed > 0) is (status is None)
    assert states(account)["2"] == "pass"


def test_the_trend_is_the_score_of_each_day(account: Account, policy: domain.Framework) -> None:
    for ago, passed, failed in ((100, 0, 9), (2, 1, 1), (1, 0, 0), (0, 3, 1)):
        now = timezone.now() - timedelta(days=ago)
        ComplianceDay.objects.create(account=account, policy=POLICY.id, day=now.date(), judged_at=now, passed=passed,
                                     failed=failed, unknown=0)  # fmt: skip
    assert [score for _day, score in compliance.trend(account, POLICY)] == [50, None, 75]


def test_the_number_of_queries_does_not_grow(
    account: Account, find: Find, scanned: Callable[..., Scan], django_assert_num_queries: Any
) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as seen:
            compliance.matrix(Account.objects.all(), registry().frameworks.values())
        return len(seen)

    scanned()
    find(READ, "fail")
    before = asked()
    Account.objects.bulk_create(
        Account(name=f"a{n}", provider="aws", number=f"{n:012}", regions=["eu-west-1"], policies=[POLICY.id])
        for n in range(5)
    )
    for n in range(30):
        find(READ, "fail", f"b{n}")
    assert asked() == before <= 8
    with django_assert_num_queries(8):
        found = compliance.detail(account, POLICY)
    rule = found.controls[0].rules[0]
    assert [(len(rows), more) for _standing, rows, more in rule.shown] == [(compliance.SHOWN, 31 - compliance.SHOWN)]


# -- Files ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def odd(account: Account, find: Find, scanned: Callable[..., Scan]) -> compliance.Compliance:
    """A standing with everything in it, under names that try to be markup."""
    scanned("ec2")
    for n in range(compliance.SHOWN + 3):
        find(READ, "fail", f"{HOSTILE.replace(chr(0), '')}{n}", message="=1+1 <img src=x>")
    find(LOGGED, "fail", "accepted", reason="because <i>of</b> &c.")
    find(LOGGED, "unknown", "hidden", permission="s3:GetBucketVersioning", message="x" * 5000)
    account.name = HOSTILE.replace("\x00", "")
    account.save()
    return compliance.detail(account, POLICY)


def test_csv_has_a_line_per_control_and_rule(odd: compliance.Compliance) -> None:
    rows = list(csv.DictReader(io.StringIO(report.as_csv(odd).decode())))
    assert [(row["control"], row["state"]) for row in rows] == [
        ("1", "fail"), ("2", "unknown"), ("3", "fail"), ("3", "fail"), ("4", "manual"), ("5", "not_covered"),
        ("6", "not_covered"), ("7", "unknown"), ("7", "unknown"),
    ]  # fmt: skip
    assert rows[0]["failing"] == "13" and rows[0]["failing resources"].endswith("and 3 more")
    assert (rows[1]["accepted"], rows[1]["unknown"]) == ("1", "1")
    assert "s3:GetBucketVersioning" in rows[1]["not known because"]


def test_json_has_everything(odd: compliance.Compliance) -> None:
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
        found += [texts(row) for row in getattr(each, "_cellvalues", ())]
    return "\n".join(found)


def test_the_document_says_all_of_it_in_the_words_that_it_was_given(odd: compliance.Compliance) -> None:
    assert set(pdf.MEANINGS) == set(ControlState)
    text = texts(pdf.story(odd))
    for said in (
        "Made-up <b>policy</b> & co", "<para><b>x</b></i> & 日本語 한글 Ελλάδα", "us-east-1, eu-west-1", "Succeeded",
        "and 3 more", "Accepted because: because <i>of</b> &c.", "s3:GetBucketVersioning", "A person looks",
        "No rule of ours", "[U+1F512]", "It is not a pass", "0 %",
    ):  # fmt: skip
        assert said in text, said


def test_the_document_is_a_pdf_with_numbered_pages(odd: compliance.Compliance, tmp_path: Path) -> None:
    made = report.FORMS["pdf"][1](odd)
    assert made.startswith(b"%PDF-") and made.rstrip().endswith(b"%%EOF")
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext (poppler-utils) is not installed")
    (tmp_path / "report.pdf").write_bytes(made)
    done = subprocess.run(["pdftotext", "-layout", str(tmp_path / "report.pdf"), "-"], capture_output=True, check=True)
    text = done.stdout.decode()
    assert "Page 1 of " in text and "What could not be judged, and why" in text and "Ελλάδα" in text


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
    [(("nobody", "made-up", "x.pdf"), "no account"), (("prod", "nothing", "x.pdf"), "no policy"),
     (("prod", "made-up", "x.doc"), "end the name"), (("prod", "made-up", "/no/such/x.pdf"), "No such file")],
)  # fmt: skip
def test_the_command_says_what_is_wrong(
    arguments: tuple[str, str, str], said: str, account: Account, policy: domain.Framework
) -> None:
    account_name, policy_id, path = arguments
    with pytest.raises(CommandError, match=said):
        call_command("report", account_name, policy_id, "--output", path)
