"""Leases: one worker at a time holds a row, and a worker that died is followed by another."""

from __future__ import annotations

import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from nephoscope.accounts.models import Account
from nephoscope.inventory.models import Scan, Shard
from nephoscope.queue import lease

PLATFORM = Path(__file__).parents[2] / "platform" / "nephoscope"
ME, OTHER = uuid.uuid4(), uuid.uuid4()


@pytest.fixture
def shards(account: Account) -> Any:
    scan = Scan.objects.create(account=account, state="running")
    Shard.objects.bulk_create(Shard(scan=scan, service="s3", region=f"r{n}") for n in range(4))
    return Shard.objects.order_by("pk")


def run_out(rows: Any) -> None:
    rows.update(lease_until=timezone.now() - timedelta(seconds=1))


def test_what_one_holds_no_other_takes_until_it_is_given_back(shards: Any) -> None:
    assert lease.claim(shards.filter(region="r0"), ME, state="running") == 1
    assert (shards[0].held, shards[0].state) == (True, "running")
    assert lease.claim(shards, OTHER) == 3
    assert lease.give_back(shards, ME, state="done") == 1
    assert (shards[0].held, shards[0].owner, shards[0].state) == (False, None, "done")


def test_so_many_are_taken_as_asked_for_those_first_that_come_first(shards: Any) -> None:
    assert [each.region for each in lease.claim_some(shards, ME, 2)] == ["r0", "r1"]
    assert [each.region for each in lease.claim_some(shards, OTHER, 9)] == ["r2", "r3"]


def test_one_that_comes_too_late_neither_renews_nor_gives_back_what_another_took_over(shards: Any) -> None:
    lease.claim(shards, ME)
    run_out(shards)
    assert lease.claim(shards, OTHER) == 4
    assert (lease.renew(shards, ME), lease.give_back(shards, ME)) == (0, 0)
    assert lease.renew(shards, OTHER) == 4


def test_only_the_rows_of_a_worker_that_died_are_reaped(shards: Any) -> None:
    lease.claim(shards.filter(region__in=["r0", "r1"]), ME, state="running")
    run_out(shards.filter(region="r0"))
    [dead] = lease.reap(shards, state="queued")
    assert (dead.region, dead.state) == ("r0", "running")
    assert list(shards.values_list("state", "owner")) == [
        ("queued", None),
        ("running", ME),
        ("queued", None),
        ("queued", None),
    ]


def test_of_many_workers_that_claim_one_row_at_once_one_gets_it(committed: str) -> None:
    scan = Scan.objects.create(account=Account.objects.create(name="prod", provider="aws"), state="running")
    shard = Shard.objects.create(scan=scan, service="s3", region="global")
    together = threading.Barrier(6)

    def claim(_number: int) -> int:
        together.wait()
        try:
            return lease.claim(Shard.objects.filter(pk=shard.pk), uuid.uuid4())
        finally:
            connection.close()

    for _round in range(10):
        Shard.objects.update(owner=None, lease_until=None)
        with ThreadPoolExecutor(6) as workers:
            assert sum(workers.map(claim, range(6))) == 1


def test_what_is_held_for_a_long_call_is_renewed_meanwhile_and_given_back_after_it(
    committed: str, settings: Any
) -> None:
    settings.NEPHOSCOPE_LEASE_SECONDS = 1
    scan = Scan.objects.create(account=Account.objects.create(name="prod", provider="aws"), state="running")
    rows = Shard.objects.filter(pk=Shard.objects.create(scan=scan, service="s3", region="global").pk)
    lease.claim(rows, ME)
    with pytest.raises(OSError, match="the call failed"), lease.holding(rows, ME):
        time.sleep(1.5)
        assert lease.claim(rows, OTHER) == 0, "the lease would have run out"
        raise OSError("the call failed")
    assert lease.claim(rows, OTHER) == 1


def test_only_the_lease_itself_says_when_a_lease_ends() -> None:
    wrote = [
        str(path.relative_to(PLATFORM))
        for path in PLATFORM.rglob("*.py")
        if "migrations" not in path.parts and "lease_until" in path.read_text()
    ]
    assert wrote == ["queue/lease.py"]
