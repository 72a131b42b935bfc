"""Exports are what the tools at the other end take: of a whole account, and of odd findings."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.contracts import refused_by_ocsf, refused_by_security_hub
from tests.scanning import connect, scanned

from nephoscope.accounts.models import User
from nephoscope.alerts.exports import as_json
from nephoscope.alerts.models import Alert, Finding
from nephoscope.alerts.suppressions import suppress
from nephoscope.audit.services import Actor
from nephoscope.domain import (
    ExportedAccount,
    ExportedDetection,
    ExportedFinding,
    ExportedResource,
    ExportedStatus,
    Severity,
    Verdict,
)
from nephoscope.domain.ocsf import row as ocsf
from nephoscope.inventory.models import Resource
from nephoscope.plugins import registry
from nephoscope_aws.asff import row as asff
from nephoscope_aws_simulator.testing import Simulator


def exported(form: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads("".join(as_json(Finding.objects.all(), registry().exports[form])))
    return found


@pytest.mark.django_db
def test_every_finding_of_a_whole_account_is_taken_in_every_state(
    aws: Simulator, system: Actor, administrator: User
) -> None:
    scanned(connect(system, ["us-east-1"]), system, services=[])
    threat, failing = Alert.objects.filter(kind="threat").first(), Alert.objects.filter(kind="security").first()
    assert threat and failing
    for alert in (threat, failing):
        suppress(Actor.of(administrator), alert, alert.findings.filter(failing_since__isnull=False)[:1], "known")
    for verdict in ("error", "unknown"):
        Finding.objects.filter(pk__in=Finding.objects.filter(verdict="pass")[:5]).update(verdict=verdict)
    Resource.objects.filter(tags={}).update(tags={"team": "", "": "x", " ": " ", "a\nb": "<b>\x07"})
    in_asff, in_ocsf = exported("asff"), exported("ocsf")
    assert len(in_asff) == len(in_ocsf) == Finding.objects.count() > 500
    assert {each["class_uid"] for each in in_ocsf} == {2003, 2004}
    assert {each["Workflow"]["Status"] for each in in_asff} == {"NEW", "SUPPRESSED", "RESOLVED"}
    assert {each["Compliance"]["Status"] for each in in_asff if "Compliance" in each} == {
        *("PASSED", "FAILED", "NOT_AVAILABLE", "WARNING")
    }
    assert [(each["Id"], wrong) for each in in_asff if (wrong := refused_by_security_hub(each))] == []
    assert [(each["finding_info"], wrong) for each in in_ocsf if (wrong := refused_by_ocsf(each))] == []
    assert len({each["Id"] for each in in_asff}) == len(in_asff)


BUCKET = "arn:aws:s3:::logs"
PLAIN = ExportedFinding(
    uid=f"nephoscope/123456789012/aws.s3.public_read/{BUCKET}",
    rule_id="aws.s3.public_read",
    rule=None,
    title="Bucket is public",
    severity=Severity.HIGH,
    verdict=Verdict.FAIL,
    status=ExportedStatus.NEW,
    message="Anyone can read it.",
    account=ExportedAccount("prod", "123456789012", "aws", type=(10, "AWS Account")),
    resource=ExportedResource("AWS::S3::Bucket", BUCKET, "logs", "eu-west-1", "aws"),
    changed_at=datetime(2026, 1, 15, 12, 0, tzinfo=UTC),
)
LONG = "x" * 10_000
ODD = [
    "",
    "   ",
    "\n\t",
    "\u00a0\u2003",
    "\x07\x1b[0m\x00",
    "<script>alert(1)</script>",
    "a\nb\r\nc",
    LONG,
    "😀" * 3_000,
]


def odd() -> list[ExportedFinding]:
    """Findings of which one thing is as no healthy account has it."""
    about = PLAIN.resource
    found = [replace(PLAIN, message=each, title=each, resource=replace(about, name=each)) for each in ODD]
    found += [replace(PLAIN, uid=PLAIN.uid + each, resource=replace(about, id=BUCKET + each)) for each in ODD]
    found += [replace(PLAIN, resource=replace(about, tags={"team": each})) for each in ODD]
    found += [replace(PLAIN, resource=replace(about, tags={each: "core"})) for each in ODD]
    found += [replace(PLAIN, account=replace(PLAIN.account, name=each)) for each in ODD]
    found += [replace(PLAIN, controls=((each, each),)) for each in ODD]
    found += [replace(PLAIN, resource=replace(about, region=each)) for each in ("", "global", "ap-southeast-7")]
    found += [replace(PLAIN, resource=replace(about, type=each)) for each in ("", "AWS::New::Thing", LONG)]
    found += [replace(PLAIN, verdict=each) for each in Verdict]
    found += [replace(PLAIN, status=each) for each in ExportedStatus]
    found += [replace(PLAIN, severity=each) for each in (*Severity, None)]
    many = {f"tag-{number}": "😀" * 300 for number in range(120)}
    found.append(replace(PLAIN, resource=replace(about, tags=many), controls=(("CIS " * 40, "1.1"),) * 90))
    found.append(replace(PLAIN, failing_since=datetime(2026, 2, 1, tzinfo=UTC)))
    for cloud in ("aws-cn", "aws-us-gov", "aws-iso", "aws-iso-e", "aws-eusc", "elsewhere", ""):
        found.append(
            replace(PLAIN, resource=replace(about, id=f"arn:{cloud}:iam::123456789012:user/ann", region="global"))
        )
    detection = ExportedDetection("GuardDuty", "Recon:EC2/Portscan", "https://docs.example")
    return (
        found
        + [replace(each, detection=detection) for each in found]
        + [replace(PLAIN, detection=ExportedDetection("", each, each)) for each in ODD]
    )


def test_security_hub_takes_odd_findings() -> None:
    assert [(each, wrong) for each in odd() if (wrong := refused_by_security_hub(asff(each)))] == []


def test_ocsf_takes_odd_findings() -> None:
    assert [(each, wrong) for each in odd() if (wrong := refused_by_ocsf(ocsf(each)))] == []


def test_two_long_ids_stay_two_ids() -> None:
    first, second = (
        asff(replace(PLAIN, uid=LONG + end, resource=replace(PLAIN.resource, id=LONG + end))) for end in "ab"
    )
    assert first["Id"] != second["Id"] and first["Resources"][0]["Id"] != second["Resources"][0]["Id"]


def test_an_empty_tag_is_left_out_and_the_others_stay() -> None:
    tags = {"team": "", "env": "prod", " ": "x", "note": "two\nlines"}
    [about] = asff(replace(PLAIN, resource=replace(PLAIN.resource, tags=tags)))["Resources"]
    assert about["Tags"] == {"env": "prod", "note": "two lines"}


def test_a_partition_is_named_as_security_hub_does_and_a_finding_about_the_account_is_told_of_at_its_home() -> None:
    about = replace(PLAIN.resource, id="arn:aws-cn:iam::123456789012:user/ann", region="global")
    [found] = asff(replace(PLAIN, resource=about))["Resources"]
    assert (found["Partition"], found["Region"]) == ("aws-cn", "cn-north-1")
    about = replace(about, id="arn:aws-eusc:iam::123456789012:user/ann")
    [found] = asff(replace(PLAIN, resource=about))["Resources"]
    assert "Partition" not in found and found["Region"] == "eusc-de-east-1"


def test_the_checks_would_find_what_is_wrong() -> None:
    good, event = asff(PLAIN), ocsf(PLAIN)
    assert refused_by_security_hub(good | {"Title": " "}) and refused_by_security_hub(good | {"Title": "x" * 257})
    assert refused_by_security_hub(good | {"Resources": [good["Resources"][0] | {"Tags": {"team": ""}}]})
    assert refused_by_security_hub(good | {"RecordState": "GONE"})
    del event["cloud"]["account"]["type_id"]
    assert refused_by_ocsf(event) and refused_by_ocsf(ocsf(PLAIN) | {"type_uid": 200302})
