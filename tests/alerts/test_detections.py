"""GuardDuty's findings as alerts: read with real boto3 over HTTP, updated, closed, reopened, archived."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.test import override_settings
from tests.changes.working import worked
from tests.conftest import use
from tests.scanning import connect

from nephoscope.accounts.models import Account, User
from nephoscope.accounts.queries import provider_of
from nephoscope.alerts.models import Alert, DetectionCursor
from nephoscope.alerts.suppressions import suppress
from nephoscope.audit.models import Entry
from nephoscope.audit.services import Actor
from nephoscope.changes import suppressing
from nephoscope.changes.models import Change
from nephoscope.connections.services import configure_account, permissions_for, setup_templates, verify_account
from nephoscope.domain import FixRequest, LiveSession, Severity
from nephoscope.inventory.models import Resource, Scan
from nephoscope.judging.rechecks import recheck
from nephoscope.scans.runner import work
from nephoscope.scans.services import start_scan
from nephoscope_aws.detections import detection, severity
from nephoscope_aws_fixes.guardduty import ArchiveFinding
from nephoscope_aws_simulator.testing import Cloud, Simulator

pytestmark = pytest.mark.django_db

NUMBER = "555555555555"
REGION = "eu-west-1"
SERVICE = "guardduty_findings"
NOW = datetime.now(UTC).replace(microsecond=0)


@dataclass
class World:
    """A connected account with a detector, and what happens in it."""

    account: Account
    actor: Actor
    aws: Cloud
    detector: str

    def raised(self, id: str, *, hours: float = 24, archived: bool = False, **members: Any) -> None:
        """Have GuardDuty raise or update a finding, so many hours ago."""
        then = (NOW - timedelta(hours=hours)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        service = {"eventFirstSeen": then, "eventLastSeen": then, "archived": archived, **members.pop("service", {})}
        finding = {
            "id": id,
            "type": "Recon:EC2/Portscan",
            "severity": 5.0,
            "title": f"Title of {id}",
            "createdAt": then,
            "updatedAt": then,
            "description": f"What {id} is.",
            "service": service,
            "resource": {"resourceType": "Instance", "instanceDetails": {"instanceId": "i-1"}},
            **members,
        }
        self.aws.control("patch", kind="guardduty_finding", account=NUMBER, region=REGION, finding=finding)

    def archived(self, *ids: str) -> set[str]:
        """Of these findings, those that are archived in AWS."""
        client = self.aws.client("guardduty", REGION)
        found = client.get_findings(DetectorId=self.detector, FindingIds=list(ids))["Findings"]
        return {each["Id"] for each in found if each["Service"]["Archived"]}

    def scan(self) -> Scan:
        scan = start_scan(self.actor, self.account, services=[SERVICE], enqueue=False)
        work(scan.pk)
        scan.refresh_from_db()
        return scan

    def alert(self, id: str) -> Alert:
        return Alert.objects.get(kind="threat", key=f"{REGION}/{id}")


@pytest.fixture(scope="module")
def simulator(company: Simulator) -> Cloud:
    """An account of its own, without the company's findings."""
    return company.other(NUMBER)


@pytest.fixture
def world(simulator: Cloud, system: Actor, monkeypatch: pytest.MonkeyPatch, db: None) -> Iterator[World]:
    use(monkeypatch, simulator)
    simulator.control("reset-denials")
    client = simulator.client("guardduty", REGION)
    account = connect(system, [REGION, "us-east-1"], NUMBER)
    detector = client.create_detector(Enable=True)["DetectorId"]
    yield World(account, system, simulator, detector)
    client.delete_detector(DetectorId=detector)


@pytest.fixture
def fixable(world: World, administrator: User) -> Iterator[World]:
    """The account with the fix role that its kit makes, and somebody who may fix."""
    world.actor = Actor.of(administrator)
    template = next(kit.text for kit in setup_templates(world.account, writing=True) if kit.id == "cloudformation")
    cloudformation = world.aws.client("cloudformation")
    cloudformation.create_stack(StackName="fix", TemplateBody=template, Capabilities=["CAPABILITY_NAMED_IAM"])
    [stack] = cloudformation.describe_stacks(StackName="fix")["Stacks"]
    verify_account(world.actor, world.account, {"write_role_arn": stack["Outputs"][0]["OutputValue"]}, writing=True)
    yield world
    cloudformation.delete_stack(StackName="fix")


@pytest.mark.parametrize(
    ("number", "word"),
    [
        (10.0, "critical"),
        (9.0, "critical"),
        (8.9, "high"),
        (7.0, "high"),
        (6.9, "medium"),
        (4.0, "medium"),
        (3.9, "low"),
        (1.0, "low"),
        (0, "low"),
        (None, "medium"),
        ("high", "medium"),
    ],
)
def test_severities_are_those_of_guardduty(number: Any, word: str) -> None:
    assert severity(number) is Severity(word)


def test_a_finding_becomes_an_alert_with_all_that_it_says(world: World) -> None:
    action = {
        "actionType": "NETWORK_CONNECTION",
        "networkConnectionAction": {
            "remoteIpDetails": {"ipAddressV4": "198.51.100.7", "country": {"countryName": "Norway"}}
        },
    }
    world.raised("a1", severity=8.0, service={"count": 7, "action": action})
    assert world.scan().state == "succeeded"
    alert = world.alert("a1")
    assert (alert.title, alert.severity, alert.state, alert.affected) == ("Title of a1", "high", "open", 1)
    assert (alert.source, alert.kind_name) == ("GuardDuty", "GuardDuty")
    assert alert.last_seen == NOW - timedelta(hours=24)
    assert alert.details["description"] == "What a1 is."
    assert alert.details["count"] == 7
    assert alert.details["resource_id"] == f"arn:aws:ec2:{REGION}:{world.account.number}:instance/i-1"
    assert alert.details["facts"]["Remote address"] == "198.51.100.7"
    assert alert.details["link"] == (
        f"https://{REGION}.console.aws.amazon.com/guardduty/home?region={REGION}#/findings?macros=current&fId=a1"
    )
    finding = alert.findings.get()
    assert (finding.rule_id, finding.resource.type) == ("threat", "AWS::GuardDuty::Finding")
    assert finding.resource.properties["Service"]["DetectorId"] == world.detector
    assert [each.action for each in Entry.objects.filter(target_type="alert")] == ["alert.opened"]


def test_an_unknown_type_about_an_unknown_resource_is_imported_with_its_own_title(world: World) -> None:
    world.raised("u1", type="Weather:Moon/Eclipse", title="It got dark", resource={"resourceType": "Moon"}, service={})
    world.scan()
    assert world.alert("u1").title == "It got dark"
    assert world.alert("u1").findings.get().resource.name == "Moon"


def test_a_second_scan_asks_only_for_newer_ones_and_updates_what_changed(world: World) -> None:
    for number in range(60):
        world.raised(f"f{number:02}", hours=100)
    world.raised("new", hours=5)
    world.scan()
    assert Alert.objects.filter(kind="threat").count() == 61
    assert DetectionCursor.objects.get(region=REGION).since == NOW - timedelta(hours=5)
    before = dict(Alert.objects.values_list("pk", "title"))
    world.raised("f07", hours=1, title="Worse", severity=9.0, service={"count": 12})
    world.aws.control("calls/reset")
    world.scan()
    calls = world.aws.control("calls")["operations"]
    assert calls["guardduty:GetFindings"] == 1
    assert calls["guardduty:ListFindings"] == 3
    alert = world.alert("f07")
    assert (alert.title, alert.severity, alert.details["count"]) == ("Worse", "critical", 12)
    assert alert.last_seen == NOW - timedelta(hours=1)
    assert DetectionCursor.objects.get(region=REGION).since == NOW - timedelta(hours=1)
    assert {pk for pk, title in Alert.objects.values_list("pk", "title") if before[pk] != title} == {alert.pk}
    assert "from medium to critical" in Entry.objects.get(action="alert.updated").sentence


def test_archived_upstream_resolves_with_the_reason_and_unarchived_reopens(world: World) -> None:
    world.raised("a1")
    world.raised("other")
    world.scan()
    client = world.aws.client("guardduty", REGION)
    client.archive_findings(DetectorId=world.detector, FindingIds=["a1"])
    world.scan()
    assert world.alert("a1").state == "resolved"
    assert world.alert("other").state == "open"
    assert "archived or removed in GuardDuty" in Entry.objects.get(action="alert.left").sentence
    client.unarchive_findings(DetectorId=world.detector, FindingIds=["a1"])
    world.scan()
    alert = world.alert("a1")
    assert (alert.state, alert.affected) == ("open", 1)
    assert Entry.objects.filter(action="alert.reopened", target_id=str(alert.pk)).exists()


def test_what_was_archived_before_the_first_scan_raises_nothing(world: World) -> None:
    world.raised("old", archived=True)
    world.scan()
    assert not Alert.objects.exists()


def test_without_a_detector_nothing_stands_any_more(world: World) -> None:
    world.raised("a1")
    world.scan()
    world.aws.client("guardduty", REGION).delete_detector(DetectorId=world.detector)
    world.scan()
    assert world.alert("a1").state == "resolved"


def test_samples_are_ignored_unless_wanted(world: World) -> None:
    world.raised("s1", title="[SAMPLE] Something")
    world.raised("s2", service={"additionalInfo": {"type": "default", "value": json.dumps({"sample": True})}})
    world.scan()
    assert not Alert.objects.exists()
    with override_settings(NEPHOSCOPE_SAMPLE_FINDINGS=True):
        world.scan()
    assert Alert.objects.filter(state="open").count() == 2


@pytest.mark.parametrize("action", ["ListDetectors", "ListFindings", "GetFindings"])
def test_a_denied_call_is_a_gap_and_closes_nothing(world: World, action: str) -> None:
    world.raised("a1", hours=30)
    world.scan()
    cursor = DetectionCursor.objects.get(region=REGION)
    world.raised("a2", hours=1)
    world.aws.control("deny", actions=[f"guardduty:{action}"], regions=[REGION])
    scan = world.scan()
    assert scan.state == "partial"
    [gap] = scan.shards.get(service=SERVICE, region=REGION).gaps
    assert gap["permission"] == f"guardduty:{action}"
    assert world.alert("a1").state == "open"
    assert DetectionCursor.objects.get(region=REGION).since == cursor.since
    world.aws.control("reset-denials")
    world.scan()
    assert world.alert("a2").state == "open"


def test_a_scan_of_other_services_leaves_them_alone(world: World) -> None:
    world.raised("a1")
    world.scan()
    work(start_scan(world.actor, world.account, services=["kms", "guardduty"], enqueue=False).pk)
    assert world.alert("a1").state == "open"


def test_a_region_that_is_no_longer_chosen_closes_them_and_a_chosen_one_brings_them_back(world: World) -> None:
    world.raised("a1")
    world.scan()
    configure_account(world.actor, world.account, regions=["us-east-1"])
    world.scan()
    assert world.alert("a1").state == "resolved"
    configure_account(world.actor, world.account, regions=[REGION])
    world.scan()
    assert world.alert("a1").state == "open"


def test_a_recheck_sees_what_was_archived(world: World) -> None:
    world.raised("a1")
    world.scan()
    alert = world.alert("a1")
    assert recheck(world.actor, alert).still == 1
    world.aws.client("guardduty", REGION).archive_findings(DetectorId=world.detector, FindingIds=["a1"])
    assert recheck(world.actor, alert).gone == 1
    assert alert.state == "resolved"


# -- Archiving -------------------------------------------------------------------------------------


def archived(world: World, id: str, **until: Any) -> Change:
    """Raise a finding, suppress it and archive it, as a remediator and then a worker do."""
    world.raised(id)
    world.scan()
    alert = world.alert(id)
    suppressing.suppress(world.actor, alert, alert.findings.all(), "a test of ours", archive=True, **until)
    return worked(Change.objects.get())


def test_suppressing_archives_and_unsuppressing_takes_that_back(fixable: World) -> None:
    fixable.raised("other")
    change = archived(fixable, "a1")
    assert (change.state, change.outcome) == ("verified", "Applied and verified.")
    assert fixable.archived("a1", "other") == {"a1"}
    fixable.scan()
    alert = fixable.alert("a1")
    assert alert.state == "suppressed"
    suppressing.unsuppress(fixable.actor, alert, alert.findings.all())
    assert worked(change).state == "undone"
    assert fixable.archived("a1") == set()
    fixable.scan()
    assert fixable.alert("a1").state == "open"


def test_a_finding_archived_there_meanwhile_is_said_and_suppressed_here_only(fixable: World) -> None:
    fixable.raised("a1")
    fixable.scan()
    fixable.aws.client("guardduty", REGION).archive_findings(DetectorId=fixable.detector, FindingIds=["a1"])
    alert = fixable.alert("a1")
    shown = suppressing.preview_archiving(fixable.actor, alert, alert.findings.all())
    assert shown and "it is archived already" in shown.why


def test_a_refused_archive_fails_the_change_and_leaves_it_suppressed_here(fixable: World) -> None:
    fixable.aws.control("deny", actions=["guardduty:ArchiveFindings"])
    change = archived(fixable, "a1")
    assert change.state == "failed"
    assert "guardduty:ArchiveFindings" in change.steps.get().error
    assert (fixable.alert("a1").state, fixable.archived("a1")) == ("suppressed", set())


def test_without_a_fix_role_it_is_suppressed_here_and_stays_so(world: World) -> None:
    world.raised("a1")
    world.scan()
    alert = world.alert("a1")
    done = suppressing.suppress(world.actor, alert, alert.findings.all(), "a test of ours")
    assert done.notes == ("It is not archived in GuardDuty.",)
    world.scan()
    assert (world.alert("a1").state, world.archived("a1")) == ("suppressed", set())


def test_the_fix_role_may_archive_and_the_session_only_in_one_detector(world: World) -> None:
    assert {"guardduty:ArchiveFindings", "guardduty:UnarchiveFindings"} <= set(
        permissions_for(world.account, writing=True)
    )
    world.raised("a1")
    world.scan()
    finding = Resource.objects.get(type="AWS::GuardDuty::Finding").to_domain()
    with closing(provider_of(world.account).open(world.account.connection)) as session:
        assert isinstance(session, LiveSession)
        [step] = ArchiveFinding().plan(FixRequest(finding), session)
    [permission] = step.call.permissions
    assert permission.resource == f"arn:aws:guardduty:{REGION}:{world.account.number}:detector/{world.detector}"


def test_a_viewer_may_not_suppress_them(world: World, viewer: User) -> None:
    world.raised("a1")
    world.scan()
    alert = world.alert("a1")
    with pytest.raises(PermissionDenied):
        suppress(Actor.of(viewer), alert, alert.findings.all(), "why")


def test_a_finding_with_almost_nothing_in_it_is_still_one() -> None:
    least = {"Id": "x", "Type": "New:Type", "CreatedAt": "2026-01-01T00:00:00Z", "UpdatedAt": "2026-01-02T00:00:00Z"}
    found = detection(REGION, least)
    assert (found.title, found.severity, found.resource_name) == ("New:Type", Severity.MEDIUM, "New:Type")
    assert not found.sample
