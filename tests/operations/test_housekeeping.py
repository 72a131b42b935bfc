"""What the queue does every minute."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone

from nephoscope.accounts.models import Account, KeptForm
from nephoscope.alerts.models import Alert
from nephoscope.changes.models import Change
from nephoscope.inventory.models import Resource, Scan, Shard
from nephoscope.inventory.store import forget_old
from nephoscope.operations.tasks import housekeeping

pytestmark = pytest.mark.django_db


def test_old_scans_and_resources_long_gone_are_forgotten_and_nothing_else(
    account: Account, add_resource: Callable[..., Resource]
) -> None:
    now = timezone.now()
    for age in (400, 399, 10):
        Scan.objects.create(account=account, state="succeeded", finished_at=now - timedelta(days=age))
    for name, gone in (("here", None), ("left", now - timedelta(days=10)), ("long gone", now - timedelta(days=400))):
        Resource.objects.filter(pk=add_resource("AWS::S3::Bucket", name, {}).pk).update(gone_at=gone)
    forget_old(365)
    assert Scan.objects.count() == 1
    assert set(Resource.objects.values_list("name", flat=True)) == {"here", "left"}


def test_an_accounts_latest_scan_stays_however_old_it_is(account: Account) -> None:
    Scan.objects.create(account=account, state="succeeded", finished_at=timezone.now() - timedelta(days=900))
    forget_old(365)
    assert Scan.objects.count() == 1


def test_a_change_whose_worker_died_is_called_failed_and_one_that_is_held_is_not(
    add_alert: Callable[..., Alert],
) -> None:
    alert, now = add_alert(), timezone.now()
    changes = [
        Change.objects.create(
            account=alert.account,
            alert=alert,
            remediation="x",
            title="x",
            digest="d",
            state="applying",
            lease_until=until,
        )
        for until in (now - timedelta(seconds=1), now + timedelta(minutes=1), None)
    ]
    housekeeping()
    assert [Change.objects.get(pk=each.pk).state for each in changes] == ["failed", "applying", "failed"]


def test_housekeeping_with_nothing_to_do_does_nothing(db: Any) -> None:
    housekeeping()


def test_a_part_of_it_that_fails_keeps_no_other_from_its_work(
    account: Account, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for age in (500, 400):
        Scan.objects.create(account=account, state="succeeded", finished_at=timezone.now() - timedelta(days=age))
    monkeypatch.setattr("nephoscope.scans.services.wake", lambda scan: 1 / 0)
    scan = Scan.objects.create(account=account, state="running", started_at=timezone.now())
    Shard.objects.create(scan=scan, service="s3", region="global")
    housekeeping()
    assert "housekeeping" in caplog.text
    assert Scan.objects.count() == 1


def test_ended_sessions_and_forms_that_nobody_came_back_for_are_forgotten(db: None) -> None:
    now = timezone.now()
    for key, until in (("ended", now - timedelta(seconds=1)), ("lives", now + timedelta(days=1))):
        Session.objects.create(session_key=key, session_data="", expire_date=until)
    kept = [KeptForm.objects.create(path=path, fields=[], left_out=[]) for path in ("/old/", "/new/")]
    KeptForm.objects.filter(pk=kept[0].pk).update(kept_at=now - timedelta(hours=2))
    housekeeping()
    assert list(Session.objects.values_list("session_key", flat=True)) == ["lives"]
    assert list(KeptForm.objects.all()) == [kept[1]]
