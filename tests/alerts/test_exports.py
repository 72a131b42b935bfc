"""Findings and alerts for other tools."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.session import Session
from botocore.validate import ParamValidator
from django.core.management import CommandError, call_command
from django.test import Client
from rest_framework.test import APIClient

from nephoscope.accounts.models import User
from nephoscope.alerts.exports import ASFF_RESOURCES, as_csv, as_json
from nephoscope.alerts.models import Alert, Finding
from nephoscope.alerts.suppressions import suppress
from nephoscope.audit.services import Actor

pytestmark = pytest.mark.django_db
AddAlert = Callable[..., Alert]


def exported(form: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads("".join(as_json(Finding.objects.all(), form)))
    return found


def test_ocsf_says_what_is_wrong_where_and_what_it_answers(add_alert: AddAlert) -> None:
    add_alert("aws.s3.public_read", "logs-<b>")
    [found] = exported("ocsf")
    assert (found["class_uid"], found["type_uid"], found["severity"]) == (2003, 200301, "Critical")
    assert found["compliance"]["status"] == "Fail"
    assert "AWS Foundational Security Best Practices S3.2" in found["compliance"]["requirements"]
    assert found["resources"][0]["uid"] == "arn:aws:s3:::logs-<b>"
    assert found["cloud"]["account"] == {"uid": "123456789012", "name": "prod"}
    assert found["unmapped"]["evidence"][0]["value"] == "*"


def test_asff_is_what_security_hub_takes(add_alert: AddAlert, system: Actor) -> None:
    alert = add_alert("aws.s3.public_read", "a", "b")
    suppress(system, alert, alert.findings.filter(resource__name="b"), "why")
    Finding.objects.filter(resource__name="a").update(message="x" * 5000)
    found = exported("asff")
    operation = Session().get_service_model("securityhub").operation_model("BatchImportFindings")
    report = ParamValidator().validate({"Findings": found}, operation.input_shape)
    assert not report.has_errors(), report.generate_report()
    assert [each["Workflow"]["Status"] for each in found] == ["NEW", "SUPPRESSED"]
    assert len(found[0]["Description"]) == 1024
    assert found[0]["Compliance"]["Status"] == "FAILED"


@pytest.mark.parametrize(
    ("verdict", "ocsf", "asff"), [("pass", "Pass", "PASSED"), ("unknown", "Unknown", "NOT_AVAILABLE")]
)
def test_unknown_is_never_exported_as_a_pass(add_alert: AddAlert, verdict: str, ocsf: str, asff: str) -> None:
    add_alert()
    Finding.objects.update(verdict=verdict, permission="s3:GetBucketPolicy")
    assert exported("ocsf")[0]["compliance"]["status"] == ocsf
    assert exported("asff")[0]["Compliance"]["Status"] == asff


def test_what_is_not_known_is_not_exported_as_resolved(add_alert: AddAlert) -> None:
    add_alert()
    Finding.objects.update(verdict="unknown", failing_since=None)
    assert exported("ocsf")[0]["status"] == "New" and exported("asff")[0]["Workflow"]["Status"] == "NEW"
    Finding.objects.update(verdict="pass")
    assert exported("ocsf")[0]["status"] == "Resolved" and exported("asff")[0]["Workflow"]["Status"] == "RESOLVED"


def test_asff_names_types_of_resources_as_security_hub_does(add_alert: AddAlert, add_resource: Any) -> None:
    add_alert()
    assert exported("asff")[0]["Resources"][0]["Type"] == "AwsS3Bucket"
    members = Session().get_service_model("securityhub").shape_for("ResourceDetails").members
    # Those have a type and no details of their own.
    bare = {"AwsEc2Eip", "AwsGuardDutyDetector"}
    assert set(ASFF_RESOURCES.values()) - bare <= set(members)


def test_a_finding_of_a_rule_whose_plugin_is_gone_is_still_exported(add_alert: AddAlert) -> None:
    add_alert("acme.gone.rule")
    assert exported("ocsf")[0]["severity"] == "Critical", "as its alert has it"
    assert exported("asff")[0]["Title"] == "acme.gone.rule"


def test_a_spreadsheet_runs_no_formula_out_of_a_name(add_alert: AddAlert) -> None:
    alert = add_alert()
    Alert.objects.update(title="=cmd|' /C calc'!A0")
    rows = list(csv.DictReader("".join(as_csv(Alert.objects.select_related("account"))).splitlines()))
    assert rows[0]["id"] == str(alert)
    assert rows[0]["title"].startswith("'=")


@pytest.mark.parametrize("address", ["findings/export/ocsf", "findings/export/asff", "alerts/export/csv"])
def test_an_export_holds_what_the_user_may_see(add_alert: AddAlert, viewer: User, stranger: User, address: str) -> None:
    add_alert("aws.s3.public_read", "logs-prod")
    contents = {}
    for user in (viewer, stranger):
        client = APIClient()
        client.force_authenticate(user)
        answer = client.get(f"/api/v1/{address}")
        assert answer.status_code == 200
        contents[user] = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
    assert "public_read" in contents[viewer]
    assert "public_read" not in contents[stranger]
    assert APIClient().get(f"/api/v1/{address}").status_code == 401


def test_an_output_that_cannot_be_written_is_refused_before_the_scan(account: Any, tmp_path: Path) -> None:
    for name, why in (("x.pdf", "end the name"), ("no/x.csv", "no folder")):
        with pytest.raises(CommandError, match=why):
            call_command("scan", "prod", "--output", str(tmp_path / name))


def test_the_list_in_the_console_leads_to_the_export_of_what_it_shows(add_alert: AddAlert, viewer: User) -> None:
    add_alert("aws.s3.public_read", "a")
    add_alert("aws.s3.versioning", "b", severity="low")
    client = Client()
    client.force_login(viewer)
    page = client.get("/alerts/alert/?severity=low&suppressed=1&o=2&p=0")
    link = page.context["export"]
    assert link in page.content.decode().replace("&amp;", "&")
    answer = client.get(link)
    assert answer.status_code == 200
    exported_rows = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
    assert "versioning" in exported_rows
    assert "public_read" not in exported_rows
