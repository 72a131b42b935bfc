"""Whether a worker runs: said where something waits for one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_q.models import OrmQ, Task
from rest_framework.test import APIClient

from nephoscope.accounts.models import Account, User
from nephoscope.audit.services import Actor
from nephoscope.inventory.models import Scan, Shard
from nephoscope.queue import lease
from nephoscope.scans.health import health, working
from nephoscope.scans.services import start_scan

pytestmark = pytest.mark.django_db
NONE = "No worker is running."


def finished_a_task(ago: timedelta) -> None:
    moment = timezone.now() - ago
    Task.objects.create(id=uuid4().hex, name="housekeeping", func="housekeeping", started=moment, stopped=moment)


def test_no_worker_runs_before_one_finished_a_task_and_minutes_after_the_last() -> None:
    assert not working() and not health().working
    finished_a_task(timedelta(minutes=10))
    assert not working() and not health().working
    finished_a_task(timedelta(minutes=1))
    assert working() and health().working


def test_a_worker_that_is_busy_with_a_long_scan_runs(account: Account, system: Actor) -> None:
    scan = start_scan(system, account, services=["s3"], enqueue=False)
    assert not working()
    Scan.objects.filter(pk=scan.pk).update(state="running")
    Shard.objects.filter(scan=scan).update(owner=uuid4(), lease_until=lease.until())
    assert working() and health().working


def test_a_scan_that_waits_for_a_worker_says_so(
    account: Account, system: Actor, viewer: User, sign_in: Callable[[User], Client]
) -> None:
    client, scan = sign_in(viewer), start_scan(system, account, services=["s3"])
    addresses = [reverse("admin:inventory_scan_change", args=[scan.pk]), reverse("admin:index")]
    addresses.append(reverse("admin:accounts_account_change", args=[account.pk]))
    assert OrmQ.objects.exists()
    for address in addresses:
        assert NONE in client.get(address).content.decode()
    finished_a_task(timedelta(seconds=5))
    for address in addresses:
        assert NONE not in client.get(address).content.decode()


def test_the_dashboard_tells_of_worker_queue_and_database(
    account: Account, system: Actor, viewer: User, sign_in: Callable[[User], Client]
) -> None:
    finished_a_task(timedelta(minutes=2))
    start_scan(system, account, services=["s3"])
    line = sign_in(viewer).get(reverse("admin:index")).content.decode().split('id="health"')[1].split("</p>")[0]
    assert "2 min ago" in line and "waiting" in line and "PostgreSQL 1" in line
    assert f"Queue: {OrmQ.objects.count()} task" in line


def test_the_api_tells_everyone_who_may_look_and_nobody_else(viewer: User, client: Client) -> None:
    assert client.get("/api/v1/health").status_code == 401
    api = APIClient()
    api.force_authenticate(viewer)
    told = api.get("/api/v1/health").json()
    assert told["working"] is False and told["worker_seen_at"] is None and told["waiting"] == 0
    assert told["database"].startswith("PostgreSQL ") and told["database_bytes"] > 1_000_000
