"""A scan that ends in the middle, by will or by refusal, closes nothing that it did not read to the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.scanning import connect, snapshot

from nephoscope.accounts.models import Account
from nephoscope.alerts.models import Finding
from nephoscope.audit.models import Entry
from nephoscope.audit.services import Actor
from nephoscope.inventory.models import Resource, Scan
from nephoscope.scans import runner
from nephoscope.scans.runner import work
from nephoscope.scans.services import cancel_scan, start_scan
from nephoscope_aws_simulator.testing import Simulator

pytestmark = pytest.mark.django_db
SERVICES = ["s3", "kms"]
REPAIRED = "northwind-returns-photos"
CLOSINGS = ["alert.resolved", "alert.left"]


@pytest.fixture
def scanned(aws: Simulator, system: Actor, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Any:
    """An account read and judged; then one of its findings is repaired, and one of its buckets deleted.

    Batches are small and a worker looks around often, so that a scan of so small an account has a middle.
    """
    monkeypatch.setattr(runner, "BATCH", 4)
    settings.NEPHOSCOPE_LEASE_SECONDS = 1
    s3, versioning = aws.client("s3"), {"Bucket": REPAIRED}
    s3.create_bucket(Bucket="short-lived")
    account = connect(system)
    work(start_scan(system, account, services=SERVICES, enqueue=False).pk)
    s3.put_bucket_versioning(**versioning, VersioningConfiguration={"Status": "Enabled"})
    s3.delete_bucket(Bucket="short-lived")
    yield account
    aws.control("latency", ms=0)
    aws.control("reset-denials")
    s3.put_bucket_versioning(**versioning, VersioningConfiguration={"Status": "Suspended"})


def scan_with(account: Account, system: Actor, interrupt: Callable[[Scan], None]) -> Scan:
    """Scan, and interrupt it once the first buckets are stored and the last are not."""
    scan = start_scan(system, account, services=SERVICES, enqueue=False)
    interrupted: list[int] = []

    def look(scan: Scan) -> None:
        stored = sum(scan.shards.filter(service="s3").values_list("resources", flat=True))
        if stored and not interrupted:
            interrupted.append(stored)
            interrupt(scan)

    work(scan.pk, on_progress=look)
    assert 0 < interrupted[0] < Resource.objects.filter(type="AWS::S3::Bucket").count(), "it was in the middle"
    scan.refresh_from_db()
    return scan


def test_a_scan_cancelled_in_the_middle_closes_nothing(scanned: Account, system: Actor, aws: Simulator) -> None:
    before = snapshot()
    aws.control("latency", ms=150)
    scan = scan_with(scanned, system, lambda scan: cancel_scan(system, scan) and None)
    assert scan.state == "cancelled"
    assert "cancelled" in scan.shards.filter(service="s3").values_list("state", flat=True), "at most one share was done"
    after = snapshot()
    assert (after["findings"], after["alerts"]) == (before["findings"], before["alerts"])
    assert not Entry.objects.filter(action__in=CLOSINGS).exists()


def test_a_scan_that_is_refused_everything_from_the_middle_on_closes_nothing_that_it_did_not_read(
    scanned: Account, system: Actor, aws: Simulator
) -> None:
    before = failing()
    aws.control("latency", ms=150)
    scan = scan_with(scanned, system, lambda scan: aws.control("deny", actions=["*"]))
    assert scan.state == "partial"
    assert before - failing() <= {each for each in before if each[1] in (REPAIRED, "short-lived")}


def failing() -> set[tuple[str, str]]:
    return set(Finding.objects.exclude(failing_since=None).values_list("rule_id", "resource__name"))
