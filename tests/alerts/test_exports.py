"""Findings and alerts for other tools."""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from nephoscope.accounts.models import Account, User
from nephoscope.alerts.exports import as_csv, as_json, exported, line
from nephoscope.alerts.models import Alert, Finding
from nephoscope.connections.conditions import conditions
from nephoscope.domain import ExportedStatus, Severity
from nephoscope.inventory import store
from nephoscope.inventory.models import Resource
from nephoscope.plugins import registry
from nephoscope.testing import DOOR, EXPORT, POLICY, ToyCloud, closed, door

pytestmark = pytest.mark.django_db
AddAlert = Callable[..., Alert]


def ocsf() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads("".join(as_json(Finding.objects.all(), registry().exports["ocsf"])))
    return found


@pytest.fixture
def house(account: Account, monkeypatch: pytest.MonkeyPatch) -> Account:
    """An account of the toy cloud with one door that is open, and the toy's own export."""
    plugins, now = registry(), timezone.now()
    for contributed, each in (
        (plugins.providers, ToyCloud()),
        (plugins.rules, closed),
        (plugins.frameworks, POLICY),
        (plugins.exports, EXPORT),
    ):
        monkeypatch.setitem(contributed, each.id, each)  # type: ignore[arg-type, union-attr]
    made = Account.objects.create(name="house", provider="toy", number="1" * 12, verified_at=now, policies=[POLICY.id])
    made.groups.set(account.groups.all())
    [pk] = store.save(made, "doors", [door("front", True)])
    Finding.objects.create(
        account=made,
        rule_id=closed.id,
        resource=Resource.objects.get(pk=pk),
        verdict="fail",
        message="It is open.",
        changed_at=now,
        failing_since=now - timedelta(days=1),
    )
    return made


def test_a_finding_is_exported_with_all_that_is_known_of_it(house: Account) -> None:
    [found] = exported(Finding.objects.all())
    assert (found.uid, found.rule, found.title) == (
        f"nephoscope/{house.number}/toy.closed/door/front",
        closed,
        closed.title,
    )
    assert (found.severity, found.status, found.message) == (Severity.HIGH, ExportedStatus.NEW, "It is open.")
    assert (found.resource.type, found.resource.partition, found.account.provider) == (DOOR, "toyland", "toy")
    assert found.controls == (("Toy policy", "1.1"),) and found.detection is None
    assert found.failing_since and found.failing_since < found.changed_at


def test_ocsf_says_what_is_wrong_where_and_which_controls_it_is_about(house: Account) -> None:
    [found] = ocsf()
    assert (found["class_uid"], found["type_uid"], found["severity"]) == (2003, 200301, "High")
    assert found["compliance"]["status"] == "Fail"
    assert found["compliance"]["requirements"] == ["Toy policy 1.1"]
    assert (found["resources"][0]["uid"], found["resources"][0]["cloud_partition"]) == ("door/front", "toyland")
    assert found["cloud"] == {
        "provider": "TOY",
        "region": "north",
        "account": {"uid": "1" * 12, "name": "house", "type_id": 99, "type": "Other"},
    }


def test_ocsf_names_no_partition_where_the_provider_knows_none(house: Account) -> None:
    Resource.objects.update(resource_id="window/front")
    assert "cloud_partition" not in ocsf()[0]["resources"][0]


def test_ocsf_has_the_evidence_and_what_a_cloud_wrote_as_it_is(add_alert: AddAlert) -> None:
    add_alert("aws.s3.public_read", "logs-<b>")
    [found] = ocsf()
    assert found["severity"] == "Critical"
    assert "AWS Foundational Security Best Practices S3.2" in found["compliance"]["requirements"]
    assert (found["resources"][0]["uid"], found["resources"][0]["cloud_partition"]) == ("arn:aws:s3:::logs-<b>", "aws")
    assert found["unmapped"]["evidence"][0]["value"] == "*"


@pytest.mark.parametrize(("verdict", "shown"), [("pass", "Pass"), ("unknown", "Unknown"), ("error", "Unknown")])
def test_unknown_is_never_exported_as_a_pass(house: Account, verdict: str, shown: str) -> None:
    Finding.objects.update(verdict=verdict, permission="toy:GetDoor")
    [found] = ocsf()
    assert found["compliance"]["status"] == shown
    assert found["compliance"]["status_detail"] == "missing permission: toy:GetDoor"


def test_what_is_not_known_is_not_exported_as_resolved(house: Account) -> None:
    Finding.objects.update(verdict="unknown", failing_since=None)
    assert ocsf()[0]["status"] == "New"
    Finding.objects.update(verdict="pass")
    assert ocsf()[0]["status"] == "Resolved"


def test_a_finding_of_a_rule_whose_plugin_is_gone_is_still_exported(add_alert: AddAlert) -> None:
    add_alert("acme.gone.rule")
    assert ocsf()[0]["severity"] == "Critical", "as its alert has it"
    assert ocsf()[0]["finding_info"]["title"] == "acme.gone.rule"


def test_an_export_of_one_provider_holds_its_findings_alone(house: Account, add_alert: AddAlert) -> None:
    add_alert("aws.s3.public_read", "logs")
    assert len(ocsf()) == 2
    rows = json.loads("".join(as_json(Finding.objects.all(), EXPORT)))
    assert rows == [{"door": "front", "verdict": "fail", "controls": [["Toy policy", "1.1"]]}]


def test_an_export_takes_as_many_queries_for_many_findings_as_for_one(house: Account, add_alert: AddAlert) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert ocsf()
        return len(asked)

    for_one = queries()
    add_alert("aws.s3.public_read", *(f"b{number}" for number in range(20)))
    assert queries() == for_one <= 9


def test_a_spreadsheet_runs_no_formula_out_of_a_name(account: Account, add_alert: AddAlert) -> None:
    alert = add_alert()
    Alert.objects.update(title="=cmd|' /C calc'!A0")
    rows = list(
        csv.DictReader("".join(as_csv(Alert.objects.select_related("account"), conditions([account]))).splitlines())
    )
    assert rows[0]["condition"].startswith("Not scanned yet") and not rows[0]["id"], "nobody would know that it is one"
    assert rows[1]["id"] == str(alert)
    assert rows[1]["title"].startswith("'=")


# -- Where they are offered ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["findings/export/ocsf", "findings/export/doors", "alerts/export/csv"])
def test_an_export_holds_what_the_user_may_see(house: Account, viewer: User, stranger: User, address: str) -> None:
    now = timezone.now()
    alert = Alert.objects.create(
        account=house,
        key=closed.id,
        title="front",
        severity="high",
        rank=1,
        state="open",
        first_seen=now,
        last_seen=now,
        opened_at=now,
    )
    Finding.objects.update(alert=alert)
    contents = {}
    for user in (viewer, stranger):
        client = APIClient()
        client.force_authenticate(user)
        answer = client.get(f"/api/v1/{address}")
        assert answer.status_code == 200
        contents[user] = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
    assert "front" in contents[viewer]
    assert "front" not in contents[stranger]
    assert APIClient().get(f"/api/v1/{address}").status_code == 401


def test_an_export_that_there_is_not_is_named_with_those_that_there_are(viewer: User) -> None:
    client = APIClient()
    client.force_authenticate(viewer)
    answer = client.get("/api/v1/findings/export/sarif")
    assert answer.status_code == 404
    assert answer.json()["detail"] == "There is no export sarif. Known: ocsf, asff."


def test_the_api_exports_the_findings_that_its_list_would_show(
    house: Account, add_alert: AddAlert, viewer: User
) -> None:
    add_alert("aws.s3.public_read", "logs")
    client = APIClient()
    client.force_authenticate(viewer)
    answer = client.get("/api/v1/findings/export/ocsf?rule=toy.closed")
    assert answer["Content-Disposition"] == 'attachment; filename="findings.ocsf.json"'
    assert [each["resources"][0]["name"] for each in json.loads(answer.getvalue())] == ["front"]


def test_the_console_offers_every_export_of_the_findings_that_it_lists(
    house: Account, add_alert: AddAlert, viewer: User, stranger: User, client: Client
) -> None:
    add_alert("aws.s3.public_read", "logs")
    client.force_login(viewer)
    page = client.get(reverse("admin:alerts_finding_changelist"), {"rule": "toy.closed", "q": "fro"})
    exports = dict(page.context["exports"])
    assert list(exports) == ["OCSF", "ASFF (AWS Security Hub)", "Door list"]
    for address in exports.values():
        assert address.replace("&", "&amp;") in page.content.decode()
    found = json.loads(client.get(exports["OCSF"]).getvalue())
    assert [each["resources"][0]["name"] for each in found] == ["front"]
    assert json.loads(client.get(exports["ASFF (AWS Security Hub)"]).getvalue()) == []
    assert client.get(reverse("admin:alerts_finding_export", args=["none"])).status_code == 404
    client.force_login(stranger)
    assert json.loads(client.get(exports["OCSF"]).getvalue()) == []
    client.logout()
    assert client.get(exports["OCSF"]).status_code == 302


def test_an_output_that_cannot_be_written_is_refused_before_the_scan(house: Account, tmp_path: Path) -> None:
    for name, why in (
        ("x.pdf", "end the name with .csv or .ocsf.json or .asff.json or .doors.json"),
        ("x.asff.json", "does not fit accounts of Toy cloud"),
        ("no/x.csv", "no folder"),
    ):
        with pytest.raises(CommandError, match=why):
            call_command("scan", "house", "--output", str(tmp_path / name))


def test_a_scan_writes_what_was_asked_for(house: Account, tmp_path: Path) -> None:
    house.regions, house.policies, house.settings = ["north"], [POLICY.id], {"role": "", "secret": "", "write_role": ""}
    house.save()
    cloud: Any = registry().providers["toy"]
    cloud.doors = {"front": True, "back": False}
    names = ("alerts.csv", "all.ocsf.json", "all.doors.json")
    call_command("scan", "house", "--output", *(str(tmp_path / name) for name in names))
    assert "Doors are closed" in (tmp_path / "alerts.csv").read_text()
    assert {each["resources"][0]["name"] for each in json.loads((tmp_path / "all.ocsf.json").read_text())} == {
        "front",
        "back",
    }
    assert {each["door"]: each["verdict"] for each in json.loads((tmp_path / "all.doors.json").read_text())} == {
        "front": "fail",
        "back": "pass",
    }


def test_the_list_in_the_console_leads_to_the_export_of_what_it_shows(add_alert: AddAlert, viewer: User) -> None:
    add_alert("aws.s3.public_read", "a")
    add_alert("aws.s3.versioning", "b", severity="low")
    client = Client()
    client.force_login(viewer)
    page = client.get("/alerts/alert/?severity=low&suppressed=1&o=2&p=0")
    [(name, link)] = page.context["exports"]
    assert name == "CSV" and link in page.content.decode().replace("&amp;", "&")
    answer = client.get(link)
    assert answer.status_code == 200
    exported_rows = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
    assert "versioning" in exported_rows
    assert "public_read" not in exported_rows


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(1)",
        "\t=1",
        "\r=1",
        "\n=1",
        "a\n=1",
        "a\r\n  =1",
        "a\t=1",
        "a;=1",
        "a; =1",
        "  =1",
        "\u00a0=1",
        "\u3000=1",
        "\ufeff=1",
        "\u200b=1",
        "\x00=1",
        "\x0b=1",
        "＝1+1",
        "＋1",
        "－1",
        "＠SUM(1)",
        "a\u2028=1",
        "\n\n\t =1",
    ],
)
def test_no_program_takes_any_part_of_a_cell_for_a_formula(text: str) -> None:
    [[cell, after]] = csv.reader(io.StringIO(line([text, "b"])))
    for part in re.split("[\n\t;\u2028\u2029]", cell):
        assert unicodedata.normalize("NFKC", part.strip("\ufeff\u200b")).strip()[:1] not in {*"=+-@"}, repr(cell)
    assert after == "b"
    assert re.sub(r"['\s\x00-\x1f]", "", cell) == re.sub(r"[\s\x00-\x1f]", "", text), "it can still be read"


def test_ordinary_cells_stay_as_they_are() -> None:
    for cell in ("logs-prod", "arn:aws:s3:::a=b", "a + b - c", "two\nlines", "a, b; c", "Zürich", ""):
        [[read, _after]] = csv.reader(io.StringIO(line([cell, "b"])))
        assert read == cell
    assert line([-1, 2.5]) == "-1,2.5\r\n"
