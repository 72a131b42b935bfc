"""Scans of a simulated AWS account over real HTTP: complete, resumable, and never closing what they did not see."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.utils import timezone
from tests.scanning import SMALL, connect, scanned, snapshot

from nephoscope.accounts.models import Account, User
from nephoscope.alerts.models import Alert, Finding
from nephoscope.audit.models import Entry
from nephoscope.audit.services import Actor
from nephoscope.inventory.models import JUDGE, Resource, Scan, Shard
from nephoscope.scans.runner import work
from nephoscope.scans.services import MAX_ATTEMPTS, cancel_scan, progress, reap, start_scan
from nephoscope_aws_simulator.testing import Cloud, Simulator

pytestmark = pytest.mark.django_db


@pytest.fixture
def connected(small: Cloud, system: Actor, db: None) -> Account:
    """The small account, connected with its own credentials."""
    return connect(system, number=SMALL)


def test_a_scan_reads_judges_and_a_second_one_writes_nothing(aws: Simulator, system: Actor) -> None:
    connected = connect(system)
    first = scanned(connected, system)
    assert (first.state, progress(first).percent) == ("succeeded", 100)
    before = snapshot()
    assert len(before["resources"]) > 100
    assert len(before["alerts"]) > 30
    assert not Finding.objects.filter(verdict="error").exists()
    unknown = Finding.objects.filter(verdict="unknown")
    assert not unknown.exclude(message__contains="was never read").exists(), "but for services left out of the scan"
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, xmin FROM inventory_resource ORDER BY id")
        rows = cursor.fetchall()
        scanned(connected, system)
        cursor.execute("SELECT id, xmin FROM inventory_resource ORDER BY id")
        assert cursor.fetchall() == rows
    assert snapshot() == before


def test_a_denied_call_makes_exactly_what_it_hid_unknown(connected: Account, system: Actor, small: Cloud) -> None:
    before = scanned(connected, system, services=["s3"]) and snapshot()
    small.control("deny", actions=["s3:GetBucketVersioning"])
    scan = scanned(connected, system, services=["s3"])
    assert scan.state == "partial"
    unknown = Finding.objects.filter(verdict="unknown")
    assert set(unknown.values_list("rule_id", flat=True)) == {"aws.s3.versioning", "aws.s3.mfa_delete"}
    assert set(unknown.values_list("permission", flat=True)) == {"s3:GetBucketVersioning"}
    assert set(Alert.objects.values_list("key", "state", "affected")) == before["alerts"]
    for shard in scan.shards.filter(service="s3"):
        assert shard.gaps[0]["permission"] == "s3:GetBucketVersioning"


def test_a_denied_listing_hides_its_type_and_marks_nothing_as_gone(
    connected: Account, system: Actor, small: Cloud
) -> None:
    scanned(connected, system, services=["ec2"])
    groups = Resource.objects.filter(type="AWS::EC2::SecurityGroup", gone_at=None)
    count, before = groups.count(), snapshot()["alerts"]
    small.control("deny", actions=["ec2:DescribeSecurityGroups"], regions=["eu-west-1"])
    scan = scanned(connected, system, services=["ec2"])
    assert scan.state == "partial"
    assert groups.filter(unlisted=False).count() == count
    stand_in = Finding.objects.filter(verdict="unknown", resource__unlisted=True)
    assert set(stand_in.values_list("permission", "resource__region")) == {("ec2:DescribeSecurityGroups", "eu-west-1")}
    assert snapshot()["alerts"] == before
    small.control("reset-denials")
    assert scanned(connected, system, services=["ec2"]).state == "succeeded"
    assert not Finding.objects.filter(verdict="unknown").exclude(rule_id="aws.ssm.managed").exists()


def test_a_cancelled_scan_closes_nothing(connected: Account, system: Actor, small: Cloud) -> None:
    scanned(connected, system, services=["s3"])
    before = snapshot()["alerts"]
    client = small.client("s3")
    client.put_bucket_versioning(Bucket="open-house", VersioningConfiguration={"Status": "Enabled"})
    try:
        scan = start_scan(system, connected, enqueue=False)
        cancel_scan(system, scan)
        work(scan.pk)
        scan.refresh_from_db()
        assert scan.state == "cancelled"
        assert snapshot()["alerts"] == before
    finally:
        client.put_bucket_versioning(Bucket="open-house", VersioningConfiguration={"Status": "Suspended"})


def test_an_account_that_cannot_be_reached_fails_the_scan_in_words_and_closes_nothing(
    connected: Account, system: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    scanned(connected, system, services=["s3"])
    before = snapshot()
    Account.objects.filter(pk=connected.pk).update(
        settings={**connected.settings, "role_arn": f"arn:aws:iam::{connected.number}:role/gone"}
    )
    scan = scanned(connected, system, services=["s3"])
    assert scan.state == "failed"
    assert "role" in scan.error
    assert snapshot() == before


def test_a_dead_endpoint_closes_nothing(connected: Account, system: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    scanned(connected, system, services=["s3", "kms"])
    before = snapshot()["alerts"]
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    scan = scanned(connected, system, services=["s3", "kms"])
    assert scan.state == "partial"
    assert snapshot()["alerts"] == before


def test_a_share_that_could_not_be_listed_hides_its_own_buckets_and_no_others(
    connected: Account, system: Actor, small: Cloud
) -> None:
    scanned(connected, system, services=["s3"])
    buckets = Resource.objects.filter(type="AWS::S3::Bucket", gone_at=None)
    count, alerts = buckets.count(), snapshot()["alerts"]
    small.control("deny", actions=["s3:ListBuckets"], times=1)
    scan = scanned(connected, system, services=["s3"])
    assert scan.state == "partial"
    assert sorted(len(shard.gaps) for shard in scan.shards.filter(service="s3")) == [0, 1]
    assert buckets.count() == count + 1, "all buckets and one stand-in"
    assert snapshot()["alerts"] == alerts
    assert Finding.objects.filter(verdict="unknown", permission="s3:ListAllMyBuckets").exists()
    assert scanned(connected, system, services=["s3"]).state == "succeeded"
    assert buckets.count() == count


def test_a_resource_that_was_deleted_closes_as_gone(connected: Account, system: Actor, small: Cloud) -> None:
    client = small.client("s3")
    client.create_bucket(Bucket="short-lived")
    scanned(connected, system, services=["s3"])
    assert Resource.objects.get(name="short-lived").gone_at is None
    client.delete_bucket(Bucket="short-lived")
    scanned(connected, system, services=["s3"])
    assert Resource.objects.get(name="short-lived").gone_at is not None
    assert not Finding.objects.filter(resource__name="short-lived").exists()


def test_one_scan_of_an_account_at_a_time(connected: Account, system: Actor) -> None:
    start_scan(system, connected, enqueue=False)
    with pytest.raises(ValidationError, match="already running"):
        start_scan(system, connected, enqueue=False)
    assert Scan.objects.count() == 1


@pytest.mark.parametrize(("field", "scope"), [("services", {"services": ["s4"]}), ("regions", {"regions": ["moon-1"]})])
def test_an_unknown_part_is_named_and_no_scan_is_made(
    connected: Account, system: Actor, field: str, scope: dict[str, list[str]]
) -> None:
    with pytest.raises(ValidationError) as caught:
        start_scan(system, connected, enqueue=False, **scope)
    assert scope[field][0] in caught.value.message_dict[field][0]
    assert not Scan.objects.exists()


def test_a_pending_account_is_not_scanned_and_a_viewer_may_not_scan(
    account: Account, system: Actor, viewer: User
) -> None:
    with pytest.raises(PermissionDenied):
        start_scan(Actor.of(viewer), account)
    Account.objects.update(verified_at=None)
    account.refresh_from_db()
    with pytest.raises(ValidationError, match="Verify"):
        start_scan(system, account)


def test_a_shard_whose_worker_died_is_taken_over_and_given_up_after_some_tries(account: Account) -> None:
    scan = Scan.objects.create(account=account, state="running", started_at=timezone.now())
    fresh = Shard.objects.create(
        scan=scan, service="s3", region="global", state="running", attempts=1, lease_until=timezone.now()
    )
    tired = Shard.objects.create(
        scan=scan, service="iam", region="global", state="running", attempts=MAX_ATTEMPTS, lease_until=timezone.now()
    )
    Shard.objects.create(scan=scan, service=JUDGE, region="global")
    assert reap() == 1
    fresh.refresh_from_db()
    tired.refresh_from_db()
    assert (fresh.state, tired.state) == ("queued", "failed")


def test_a_shard_under_a_living_lease_is_left_alone(account: Account) -> None:
    scan = Scan.objects.create(account=account, state="running", started_at=timezone.now())
    shard = Shard.objects.create(
        scan=scan,
        service="s3",
        region="global",
        state="running",
        attempts=1,
        lease_until=timezone.now() + timedelta(seconds=30),
    )
    assert reap() == 0
    shard.refresh_from_db()
    assert shard.state == "running"


def test_working_on_a_finished_scan_again_does_nothing(connected: Account, system: Actor) -> None:
    scan = scanned(connected, system, services=["kms"])
    entries = Entry.objects.count()
    work(scan.pk)
    assert Entry.objects.count() == entries
