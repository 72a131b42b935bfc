"""Findings in AWS's Security Finding Format, as Security Hub takes them."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.session import Session
from botocore.validate import ParamValidator

from nephoscope.alerts.exports import as_json
from nephoscope.alerts.models import Alert, Finding
from nephoscope.alerts.suppressions import suppress
from nephoscope.audit.services import Actor
from nephoscope.domain import (
    VERSION,
    ExportedAccount,
    ExportedDetection,
    ExportedFinding,
    ExportedResource,
    ExportedStatus,
    Severity,
    Verdict,
)
from nephoscope.plugins import registry
from nephoscope_aws.asff import ASFF, RESOURCES, row

AddAlert = Callable[..., Alert]

INSTANCE = "arn:aws-cn:ec2:cn-north-1:123456789012:instance/i-1"
FINDING = ExportedFinding(
    uid=f"nephoscope/123456789012/aws.acme.rule/{INSTANCE}",
    rule_id="aws.acme.rule",
    rule=None,
    title="Instance is odd",
    severity=Severity.HIGH,
    verdict=Verdict.UNKNOWN,
    status=ExportedStatus.NEW,
    message="",
    account=ExportedAccount("prod", "123456789012", "aws"),
    resource=ExportedResource(
        "AWS::EC2::Instance",
        INSTANCE,
        "i-1",
        "cn-north-1",
        tags={"a": "b"},
    ),
    changed_at=datetime(2026, 1, 15, 12, 0, tzinfo=UTC),
    controls=(("CIS", "1.1"),),
)


def exported() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads("".join(as_json(Finding.objects.all(), registry().exports["asff"])))
    return found


def test_a_finding_is_written_like_this() -> None:
    assert row(FINDING) == {
        "SchemaVersion": "2018-10-08",
        "Id": FINDING.uid,
        "ProductArn": "arn:aws-cn:securityhub:cn-north-1:123456789012:product/123456789012/default",
        "GeneratorId": "aws.acme.rule",
        "AwsAccountId": "123456789012",
        "Types": ["Software and Configuration Checks/Industry and Regulatory Standards"],
        "CreatedAt": "2026-01-15T12:00:00.000Z",
        "UpdatedAt": "2026-01-15T12:00:00.000Z",
        "Severity": {"Label": "HIGH"},
        "Title": "Instance is odd",
        "Description": "aws.acme.rule",
        "Remediation": {"Recommendation": {"Text": "Instance is odd"}},
        "ProductFields": {
            "nephoscope/version": VERSION,
            "nephoscope/account": "prod",
            "nephoscope/account_condition": "current",
        },
        "Resources": [
            {
                "Type": "AwsEc2Instance",
                "Id": INSTANCE,
                "Partition": "aws-cn",
                "Region": "cn-north-1",
                "Tags": {"a": "b"},
            }
        ],
        "Compliance": {"Status": "NOT_AVAILABLE", "RelatedRequirements": ["CIS 1.1"]},
        "Workflow": {"Status": "NEW"},
        "RecordState": "ACTIVE",
    }


def test_a_detection_answers_no_control_and_a_finding_about_the_account_is_told_of_at_home() -> None:
    detection = ExportedDetection("GuardDuty", "Recon:EC2/Portscan", "https://docs.example")
    about = ExportedResource("AWS::IAM::User", "AIDA1", "ann", "global")
    values = {name: getattr(FINDING, name) for name in FINDING.__slots__}
    found = row(ExportedFinding(**{**values, "detection": detection, "resource": about, "severity": None}))
    assert found["Types"] == ["Unusual Behaviors"] and "Compliance" not in found
    assert found["Severity"] == {"Label": "INFORMATIONAL"}
    assert (found["Resources"][0]["Region"], found["Resources"][0]["Partition"]) == ("us-east-1", "aws")


@pytest.mark.django_db
def test_asff_is_what_security_hub_takes(add_alert: AddAlert, system: Actor) -> None:
    alert = add_alert("aws.s3.public_read", "a", "b")
    suppress(system, alert, alert.findings.filter(resource__name="b"), "why")
    Finding.objects.filter(resource__name="a").update(message="x" * 5000)
    found = exported()
    operation = Session().get_service_model("securityhub").operation_model("BatchImportFindings")
    report = ParamValidator().validate({"Findings": found}, operation.input_shape)
    assert not report.has_errors(), report.generate_report()
    assert [each["Workflow"]["Status"] for each in found] == ["NEW", "SUPPRESSED"]
    assert len(found[0]["Description"]) == 1024
    assert found[0]["Compliance"]["Status"] == "FAILED"


@pytest.mark.django_db
def test_a_resolved_finding_says_so_and_an_unknown_one_does_not(add_alert: AddAlert) -> None:
    add_alert()
    Finding.objects.update(verdict="unknown", failing_since=None)
    assert exported()[0]["Workflow"]["Status"] == "NEW"
    Finding.objects.update(verdict="pass")
    assert exported()[0]["Workflow"]["Status"] == "RESOLVED"
    assert exported()[0]["Compliance"]["Status"] == "PASSED"


def test_types_of_resources_are_named_as_security_hub_does() -> None:
    members = Session().get_service_model("securityhub").shape_for("ResourceDetails").members
    # Those have a type and no details of their own.
    bare = {"AwsEc2Eip", "AwsGuardDutyDetector"}
    assert set(RESOURCES.values()) - bare <= set(members)


@pytest.mark.django_db
def test_a_finding_of_a_rule_whose_plugin_is_gone_is_still_exported(add_alert: AddAlert) -> None:
    add_alert("acme.gone.rule")
    assert exported()[0]["Title"] == "acme.gone.rule"


def test_it_fits_findings_of_aws_alone() -> None:
    assert (ASFF.provider, ASFF.suffix) == ("aws", ".asff.json")
