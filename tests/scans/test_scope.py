"""Which services of an account are scanned, and how much is done at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from nephoscope.accounts.models import Account
from nephoscope.accounts.queries import in_scope, parts_of, provider_of
from nephoscope.alerts.models import Alert, Finding
from nephoscope.audit.models import Entry
from nephoscope.audit.services import Actor
from nephoscope.connections.services import configure_account
from nephoscope.inventory.models import JUDGE, Resource, Scan, Shard
from nephoscope.judging.services import judge_resources, judge_scan
from nephoscope.scans.runner import work
from nephoscope.scans.services import admit, cancel_scan, finish_if_over, progress, reap, start_scan
from nephoscope_aws import api
from nephoscope_aws_simulator.testing import Simulator

pytestmark = pytest.mark.django_db

# -- Scope ---------------------------------------------------------------------------------------------------------


def test_a_scan_reads_the_services_of_the_account_and_no_others(account: Account, system: Actor) -> None:
    configure_account(system, account, services=["s3", "ec2"])
    scan = start_scan(system, account, enqueue=False)
    parts = set(scan.shards.values_list("service", "region"))
    assert parts == {("s3", "global"), ("ec2", "us-east-1"), ("ec2", "eu-west-1"), ("judge", "global")}
    cancel_scan(system, scan)
    with pytest.raises(ValidationError, match="kms is not among the account's services: s3, ec2"):
        start_scan(system, account, services=["s3", "kms"], enqueue=False)


def test_services_are_checked_and_all_of_them_are_the_same_as_none(account: Account, system: Actor) -> None:
    with pytest.raises(ValidationError, match="nonsense is not available"):
        configure_account(system, account, services=["s3", "nonsense"])
    configure_account(system, account, services=["s3"])
    assert account.services == ["s3"]
    changed = Entry.objects.filter(action="account.configured").first()
    assert changed and (changed.before["services"], changed.after["services"]) == ([], ["s3"])
    configure_account(system, account, services=[each.id for each in provider_of(account).services])
    assert account.services == []


def test_what_is_in_scope_is_told_by_service_and_region(account: Account) -> None:
    account.services = ["s3", "ec2"]
    places = [("s3", "global"), ("s3", "us-east-1"), ("ec2", "eu-west-1"), ("ec2", "ap-south-1"), ("kms", "us-east-1")]
    assert [in_scope(account, *place) for place in places] == [True, False, True, False, False]


@pytest.fixture
def add_finding(add_resource: Callable[..., Resource], account: Account) -> Callable[..., Finding]:
    def add(service: str, type: str, region: str, rule: str) -> Finding:
        now = timezone.now()
        alert = Alert.objects.create(
            account=account,
            key=rule,
            severity="high",
            rank=1,
            title=rule,
            state="open",
            affected=1,
            first_seen=now,
            last_seen=now,
            opened_at=now,
        )
        resource = add_resource(type, f"{service}-{region}", {}, region=region, service=service)
        return Finding.objects.create(
            account=account,
            rule_id=rule,
            resource=resource,
            verdict="fail",
            changed_at=now,
            failing_since=now,
            alert=alert,
        )

    return add


@pytest.mark.parametrize("change", [{"services": ["s3"]}, {"regions": ["us-east-1"]}], ids=["service", "region"])
def test_what_left_the_scope_is_closed_as_no_longer_checked_and_counts_as_gone(
    account: Account, add_finding: Callable[..., Finding], change: dict[str, Any]
) -> None:
    finding = add_finding("kms", "AWS::KMS::Key", "eu-west-1", "aws.kms.rotation")
    Account.objects.filter(pk=account.pk).update(**change)
    scan = Scan.objects.create(account=Account.objects.get(pk=account.pk), state="running")
    Shard.objects.create(scan=scan, service="s3", region="global", state="done")
    judge_scan(scan, still_wanted=lambda: True)
    assert not Finding.objects.filter(pk=finding.pk).exists()
    assert Resource.objects.get(pk=finding.resource_id).gone_at
    assert Alert.objects.get(key="aws.kms.rotation").state == "resolved"
    assert "no longer checked" in Entry.objects.filter(action="alert.left").get().sentence


def test_what_is_not_scanned_is_not_known_instead_of_absent(
    account: Account, add_resource: Callable[..., Resource]
) -> None:
    """Without CloudTrail among the services nobody can say that there is no trail."""
    add_resource("AWS::::Account", "root", {}, region="global", service="account")
    Account.objects.filter(pk=account.pk).update(services=["account"])
    scan = Scan.objects.create(account=Account.objects.get(pk=account.pk), state="running")
    Shard.objects.create(scan=scan, service="account", region="global", state="done")
    judge_scan(scan, still_wanted=lambda: True)
    found = Finding.objects.get(rule_id="aws.cloudtrail.multi_region")
    assert found.verdict == "unknown"
    assert "CloudTrail is not among the services that are scanned" in found.message


def chain(add_resource: Callable[..., Resource], home: str) -> None:
    """A trail of all regions with its home, whose log group is there, and the account."""
    add_resource("AWS::::Account", "root", {}, region="global", service="account")
    properties = {
        "IsMultiRegionTrail": True,
        "IsLogging": True,
        "EventSelectors": [],
        "AdvancedEventSelectors": [],
        "CloudWatchLogsLogGroupArn": f"arn:aws:logs:{home}:123456789012:log-group:trail:*",
    }
    add_resource("AWS::CloudTrail::Trail", "main", properties, region=home, service="cloudtrail")


def judged(account: Account, regions: list[str]) -> dict[str, Finding]:
    """Judge as a scan of these regions does; return the account's findings by rule."""
    Account.objects.filter(pk=account.pk).update(regions=regions, policies=["aws_nephoscope"])
    scan = Scan.objects.create(account=Account.objects.get(pk=account.pk), state="running")
    for service, region in parts_of(scan.account):
        Shard.objects.create(scan=scan, service=service.id, region=region, state="done")
    judge_scan(scan, still_wanted=lambda: True)
    Scan.objects.filter(pk=scan.pk).update(state="succeeded")
    return {each.rule_id: each for each in Finding.objects.filter(resource__type="AWS::::Account")}


def test_a_trail_at_home_in_a_region_that_is_not_scanned_is_judged(
    account: Account, add_resource: Callable[..., Resource]
) -> None:
    chain(add_resource, "us-east-1")
    assert judged(account, ["eu-west-1"])["aws.cloudtrail.multi_region"].verdict == "pass"


def test_what_may_be_in_a_region_that_is_not_scanned_is_not_known_instead_of_absent(
    account: Account, add_resource: Callable[..., Resource]
) -> None:
    """The log group's metric filters are where the log group is."""
    chain(add_resource, "us-east-1")
    found = judged(account, ["eu-west-1"])["aws.cloudwatch.alarm_kms"]
    assert (found.verdict, found.permission) == ("unknown", "")
    assert "us-east-1 is not among the regions that are scanned" in found.message


def test_choosing_the_region_makes_what_is_not_there_absent_though_nothing_else_changed(
    account: Account, add_resource: Callable[..., Resource]
) -> None:
    chain(add_resource, "us-east-1")
    assert judged(account, ["eu-west-1"])["aws.cloudwatch.alarm_kms"].verdict == "unknown"
    found = judged(account, ["eu-west-1", "us-east-1"])["aws.cloudwatch.alarm_kms"]
    assert (found.verdict, "no metric filter" in found.message) == ("fail", True)


@pytest.mark.parametrize(("state", "verdict"), [("failed", "unknown"), ("done", "fail")])
def test_looking_again_at_one_resource_does_not_make_absent_what_the_scan_could_not_read(
    account: Account, add_resource: Callable[..., Resource], system: Actor, state: str, verdict: str
) -> None:
    root = add_resource("AWS::::Account", "root", {}, region="global", service="account")
    scan = Scan.objects.create(account=account, state="succeeded")
    for service, region in [*((each.id, region) for each, region in parts_of(account)), (JUDGE, "global")]:
        Shard.objects.create(
            scan=scan, service=service, region=region, state=state if service == "cloudtrail" else "done"
        )
    judge_resources(account, system, [root.pk], [])
    assert Finding.objects.get(rule_id="aws.cloudtrail.multi_region").verdict == verdict


# -- At once -------------------------------------------------------------------------------------------------------


@pytest.fixture
def two(account: Account, system: Actor, settings: Any) -> list[Scan]:
    """Scans of two accounts, where one at a time may be under way."""
    settings.NEPHOSCOPE_MAX_SCANS = 1
    other = Account.objects.create(
        name="other",
        provider="aws",
        number="2" * 12,
        regions=["us-east-1"],
        verified_at=timezone.now(),
        settings=account.settings,
    )
    return [start_scan(system, each, services=["contacts"], enqueue=False) for each in (account, other)]


def test_no_more_accounts_are_scanned_at_once_than_may_be(two: list[Scan]) -> None:
    first, second = two
    assert admit(first) and admit(first)
    work(second.pk)
    second.refresh_from_db()
    assert (second.state, second.started_at) == ("queued", None)
    assert progress(second).phase == "Waiting: 1 scan is running"
    assert set(second.shards.values_list("state", flat=True)) == {"queued"}


def test_a_scan_that_waits_begins_when_another_has_ended(
    two: list[Scan], django_capture_on_commit_callbacks: Any
) -> None:
    from django_q.models import OrmQ

    first, second = two
    admit(first)
    first.shards.update(state="done")
    with django_capture_on_commit_callbacks(execute=True):
        finish_if_over(first)
    assert {each.task["args"] for each in OrmQ.objects.all()} == {(second.pk,)}
    assert admit(second)


def test_the_reaper_wakes_as_many_waiting_scans_as_there_is_room_for(two: list[Scan]) -> None:
    Scan.objects.update(created_at=timezone.now() - timedelta(hours=1))
    assert reap() == 1
    admit(two[0])
    two[0].shards.update(state="running")
    assert reap() == 0


def test_a_waiting_scan_can_be_cancelled(two: list[Scan], system: Actor) -> None:
    admit(two[0])
    assert cancel_scan(system, two[1]).state == "cancelled"


@pytest.fixture
def slow(aws: Simulator) -> Iterator[Simulator]:
    """The company's account, where each call takes a while."""
    aws.control("latency", ms=10)
    yield aws
    aws.control("latency", ms=0)


def test_calls_to_an_account_are_bounded_over_all_sessions_of_a_process(
    slow: Simulator, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "IN_FLIGHT", 3)
    monkeypatch.setattr(api, "_slots", type(api._slots)(api._slots.default_factory))
    sessions = [provider_of(account).open(account.connection) for _each in range(2)]
    slow.control("calls/reset", {})
    with ThreadPoolExecutor(4) as pool:
        places = [(session, region) for session in sessions for region in ("us-east-1", "eu-west-1")]
        read = list(pool.map(lambda place: len(list(place[0].collect("kms", place[1]))), places))
    for session in sessions:
        session.close()
    assert sum(read) > 10
    assert slow.control("calls")["most_in_flight"] == 3
