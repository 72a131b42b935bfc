"""A GuardDuty finding as an alert: its page, its acts and its API, for one who may, one who looks, and a stranger."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from nephoscope.accounts.models import Account, User
from nephoscope.alerts import detections
from nephoscope.alerts.models import Alert
from nephoscope.audit.services import Actor
from nephoscope.inventory.models import Resource
from nephoscope.plugins import registry
from nephoscope_aws.detections import SERVICE, detection

from .conftest import HOSTILE

pytestmark = pytest.mark.django_db
SignIn = Callable[..., Client]

FINDING: dict[str, Any] = {
    "Id": "abc123",
    "Arn": "arn:aws:guardduty:eu-west-1:123456789012:detector/d1/finding/abc123",
    "Type": "Recon:EC2/Portscan",
    "Severity": 8.0,
    "Title": f"A scan {HOSTILE}",
    "Description": f"It scans {HOSTILE}",
    "CreatedAt": "2026-11-20T10:00:00Z",
    "UpdatedAt": "2026-11-21T10:00:00Z",
    "Region": "eu-west-1",
    "AccountId": "123456789012",
    "Service": {"DetectorId": "d1", "Count": 4},
    "Resource": {"ResourceType": "Instance", "InstanceDetails": {"InstanceId": "i-1"}},
}


@pytest.fixture
def alert(account: Account, system: Actor) -> Alert:
    detections.save(account, SERVICE, [detection("eu-west-1", FINDING)], system)
    return Alert.objects.get(kind="threat")


def page(alert: Alert) -> str:
    return reverse("admin:alerts_alert_change", args=[alert.pk])


def test_the_page_says_what_happened_and_where_to_look(alert: Alert, viewer: User, sign_in: SignIn) -> None:
    text = sign_in(viewer).get(page(alert)).content.decode()
    assert HOSTILE not in text
    for part in (
        "It scans &lt;script&gt;",
        "Recon:EC2/Portscan",
        "4 times",
        "i-1",
        "no fix role",
        "https://eu-west-1.console.aws.amazon.com/guardduty/home?region=eu-west-1#/findings",
        "https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_finding-types-active.html",
    ):
        assert part in text, part
    assert "No enabled plugin provides the rule" not in text


def test_who_may_suppress_it_and_who_sees_it(alert: Alert, everyone: dict[str, User], sign_in: SignIn) -> None:
    address = reverse("admin:alerts_alert_suppress", args=[alert.pk])
    body = {"finding": [alert.findings.get().pk], "reason": "ours"}
    assert sign_in(everyone["stranger"]).get(page(alert)).status_code == 404
    assert sign_in(everyone["stranger"]).post(address, body).status_code == 404
    assert sign_in(everyone["viewer"]).post(address, body).status_code == 403
    assert sign_in(everyone["analyst"]).post(address, body).status_code == 302
    alert.refresh_from_db()
    assert alert.state == "suppressed"


@pytest.fixture
def fix_role(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """The account has a fix role, in a cloud that nobody can reach."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    account.writing_verified_at = timezone.now()
    account.save()


def test_what_cannot_be_archived_is_said_and_suppressed_here(
    alert: Alert, fix_role: None, remediator: User, sign_in: SignIn
) -> None:
    client, body = sign_in(remediator), {"finding": [alert.findings.get().pk]}
    address = reverse("admin:alerts_alert_suppress", args=[alert.pk])
    shown = client.get(address, body).content.decode()
    assert "Suppressing does not archive the finding in GuardDuty." in shown and "Suppress and archive" not in shown
    text = client.post(address, {**body, "reason": "ours"}, follow=True).content.decode()
    assert "Suppressed 1 resource." in text and "It is not archived in GuardDuty." in text
    alert.refresh_from_db()
    assert alert.state == "suppressed"


def test_an_analyst_is_told_that_archiving_needs_a_remediator(
    alert: Alert, fix_role: None, analyst: User, sign_in: SignIn
) -> None:
    client, body = sign_in(analyst), {"finding": [alert.findings.get().pk], "reason": "ours"}
    assert "Archiving this in GuardDuty requires the Remediator role." in client.get(page(alert)).content.decode()
    address = reverse("admin:alerts_alert_suppress", args=[alert.pk])
    assert client.post(address, {**body, "digest": "d" * 64}).status_code == 403
    assert "It is not archived in GuardDuty." in client.post(address, body, follow=True).content.decode()


def test_a_remediator_is_told_that_suppressing_archives(
    alert: Alert, fix_role: None, remediator: User, sign_in: SignIn
) -> None:
    assert "Suppressing also archives the finding in GuardDuty" in sign_in(remediator).get(page(alert)).content.decode()


def test_a_finding_cannot_be_fixed_and_says_why(alert: Alert, remediator: User, sign_in: SignIn) -> None:
    assert "no setting undoes what happened" in sign_in(remediator).get(page(alert)).content.decode()


@pytest.fixture
def of_role(alert: Alert) -> Alert:
    """The finding names the role whose credentials were used."""
    resource = alert.findings.get().resource
    about = {"AccessKeyDetails": {"UserName": "ghost", "UserType": "AssumedRole"}}
    resource.properties = {**resource.properties, "Resource": about}
    resource.save()
    return alert


def test_a_finding_that_names_a_role_offers_to_contain_it_to_those_who_may(
    of_role: Alert, fix_role: None, everyone: dict[str, User], sign_in: SignIn
) -> None:
    button = 'value="aws.iam.contain"'
    client = sign_in(everyone["remediator"])
    text = client.get(page(of_role)).content.decode()
    assert button in text
    assert "Contain the user or role</button>" in text
    asked = {"remediation": "aws.iam.contain", "finding": of_role.findings.get().pk}
    shown = client.get(reverse("admin:alerts_alert_plan", args=[of_role.pk]), asked).content.decode()
    assert "Puts an inline policy on the user or role that denies everything" in shown
    assert button not in sign_in(everyone["viewer"]).get(page(of_role)).content.decode()
    assert sign_in(everyone["stranger"]).get(page(of_role)).status_code in (302, 404)
    fix = sign_in(everyone["remediator"]).get(f"/api/v1/alerts/{of_role.pk}").json()["fixing"]
    assert [each["id"] for each in fix["remediations"]] == ["aws.iam.contain"]


def test_a_finding_about_an_instance_says_whose_credentials_were_used() -> None:
    about = {**FINDING["Resource"], "AccessKeyDetails": {"UserName": "ghost", "UserType": "AssumedRole"}}
    assert detection("eu-west-1", {**FINDING, "Resource": about}).facts["Credentials of"] == "ghost (AssumedRole)"
    assert "Credentials of" not in detection("eu-west-1", FINDING).facts


def test_the_api_has_it_with_its_details(alert: Alert, everyone: dict[str, User], sign_in: SignIn) -> None:
    address = f"/api/v1/alerts/{alert.pk}"
    assert sign_in(everyone["stranger"]).get(address).status_code == 404
    found = sign_in(everyone["viewer"]).get(address).json()
    assert found["source"] == "GuardDuty"
    assert (found["kind"], found["rule"], found["about"]) == ("threat", "eu-west-1/abc123", None)
    assert found["details"]["facts"]["Finding type"] == "Recon:EC2/Portscan"
    assert found["findings"][0]["resource"]["resource_id"] == "eu-west-1/abc123"
    listed = sign_in(everyone["viewer"]).get("/api/v1/alerts?kind=threat").json()
    assert listed["count"] == 1


@pytest.mark.parametrize(("form", "title"), [("ocsf", "A scan"), ("asff", "A scan")])
def test_exports_give_it_its_own_title(alert: Alert, viewer: User, sign_in: SignIn, form: str, title: str) -> None:
    answer = sign_in(viewer).get(f"/api/v1/findings/export/{form}")
    [row] = [each for each in answer.getvalue().decode().split("\n") if "Portscan" in each or title in each]
    assert title in row
    assert "HIGH" in row or "High" in row


def test_exports_call_it_a_detection_about_the_resource_that_it_names(
    alert: Alert, viewer: User, sign_in: SignIn
) -> None:
    client = sign_in(viewer)
    [ocsf] = json.loads(client.get("/api/v1/findings/export/ocsf").getvalue())
    assert (ocsf["class_uid"], ocsf["type_uid"]) == (2004, 200401) and "compliance" not in ocsf
    assert ocsf["finding_info"]["types"] == ["Recon:EC2/Portscan"] and ocsf["finding_info"]["desc"] == ocsf["message"]
    resource = "arn:aws:ec2:eu-west-1:123456789012:instance/i-1"
    assert (ocsf["resources"][0]["uid"], ocsf["resources"][0]["type"]) == (resource, "AWS::EC2::Instance")
    [asff] = json.loads(client.get("/api/v1/findings/export/asff").getvalue())
    assert asff["Types"] == ["Unusual Behaviors"] and "Compliance" not in asff
    assert (asff["Resources"][0]["Id"], asff["Resources"][0]["Type"]) == (resource, "AwsEc2Instance")


def test_its_page_leads_to_the_resource_and_has_nothing_to_choose(
    alert: Alert, analyst: User, sign_in: SignIn, add_resource: Callable[..., Resource]
) -> None:
    text = sign_in(analyst).get(page(alert)).content.decode()
    assert "What happened" in text and "The finding in GuardDuty" in text and "Why it matters" not in text
    assert re.search(r'name="finding" value="\d+" checked', text)
    row = add_resource(
        "AWS::EC2::Instance", "i-1", {}, service="ec2", id="arn:aws:ec2:eu-west-1:123456789012:instance/i-1"
    )
    assert (
        reverse("admin:inventory_resource_change", args=[row.pk]) in sign_in(analyst).get(page(alert)).content.decode()
    )


def test_every_other_page_of_it_opens(alert: Alert, viewer: User, sign_in: SignIn) -> None:
    finding = alert.findings.get()
    client = sign_in(viewer)
    assert client.get(reverse("admin:alerts_finding_change", args=[finding.pk])).status_code == 200
    assert client.get(reverse("admin:inventory_resource_change", args=[finding.resource_id])).status_code == 200
    assert client.get(reverse("admin:alerts_alert_changelist") + "?kind=threat").status_code == 200
    assert "threat" not in registry().rules
