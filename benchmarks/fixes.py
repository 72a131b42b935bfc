"""How long fixes take: ``make bench-fixes``.

Everything is made anew in a temporary folder: a simulated account whose buckets block no public access, the database
and a worker. The account answers each call after 50 ms. One plan of 25 resources is made as the console makes it; then
a bulk change of all buckets is planned, approved and applied by the worker, while its page is opened every second.

Ends with 1 when the plan, or the page, takes longer than its limit, or a bucket is not fixed.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from scan import prepare, queued_scan, stop_database, worker

from nephoscope_aws_simulator.testing import Simulator

LATENCY = 50
"""Milliseconds of each call."""

PLAN_LIMIT = 3.0
"""Seconds of a plan for 25 resources."""

PAGE_LIMIT = 0.3
"""Seconds of the bulk change's page, in the middle."""

PATIENCE = 900.0
RULE, FIX = "aws.s3.bucket_bpa", "aws.s3.block_public_access"
NUMBER = "123456789012"


def make_role(simulator: Simulator) -> dict[str, str]:
    """Create a role for fixes that may do anything, so that the session's policy is what holds it back."""
    trust = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{NUMBER}:root"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": "write-word"}},
    }
    allowed = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    documents = [json.dumps({"Version": "2012-10-17", "Statement": [each]}) for each in (trust, allowed)]
    iam = simulator.client("iam")
    arn = iam.create_role(RoleName="nephoscope-fix", AssumeRolePolicyDocument=documents[0])["Role"]["Arn"]
    iam.put_role_policy(RoleName="nephoscope-fix", PolicyName="all", PolicyDocument=documents[1])
    return {"write_role_arn": arn, "write_external_id": "write-word"}


def make_buckets(simulator: Simulator, count: int) -> None:
    s3 = simulator.client("s3")

    def make(number: int) -> None:
        s3.create_bucket(Bucket=f"nephoscope-bench-{number:04}")
        s3.delete_public_access_block(Bucket=f"nephoscope-bench-{number:04}")

    with ThreadPoolExecutor(8) as lanes:
        list(lanes.map(make, range(count)))


class Bench:
    def __init__(self, simulator: Simulator) -> None:
        from django.test import Client

        from nephoscope.accounts.models import User
        from nephoscope.audit.services import Actor

        self.simulator = simulator
        user = User.objects.create_superuser("bench", role="administrator")
        self.actor, self.client = Actor.of(user), Client(headers={"host": "localhost"})
        self.client.force_login(user)
        self.pages, self.cpu = list[float](), list[float]()

    def plan(self) -> float:
        """Plan one change of as many resources as a plan takes; return the seconds."""
        from nephoscope.alerts.models import Alert
        from nephoscope.changes.planning import plan_change
        from nephoscope.changes.sets import most_at_once

        alert = Alert.objects.get(key=RULE)
        begun = time.monotonic()
        plan_change(self.actor, alert, alert.findings.all()[: most_at_once()], FIX)
        return time.monotonic() - begun

    def measured(self, label: str, found: Any, over: Callable[[Any], bool]) -> None:
        """Wait until the worker is done with a bulk change; print the seconds, the calls and the page's times."""
        from nephoscope.changes.models import ChangeSet
        from nephoscope.changes.set_queries import progress

        begun, pages = time.monotonic(), list[float]()
        self.simulator.control("calls/reset", {})
        while not over(progress(ChangeSet.objects.get(pk=found.pk))):
            if time.monotonic() - begun > PATIENCE:
                raise SystemExit(f"{label}: not done after {PATIENCE} seconds.")
            pages.append(self.page(found.pk))
            time.sleep(1)
        took, calls = time.monotonic() - begun, self.simulator.control("calls")
        self.pages += pages
        print(
            f"{label:<22} {took:6.1f} s   {calls['total']:6d} calls   {calls['total'] / took:5.0f} a second   "
            f"{calls['most_in_flight']:3d} in flight at most   page {1000 * middle(pages):4.0f} ms"
        )

    def page(self, pk: int) -> float:
        begun, cpu = time.monotonic(), time.thread_time()
        answer = self.client.get(f"/changes/changeset/{pk}/change/")
        if answer.status_code != 200:
            raise SystemExit(f"The page answered {answer.status_code}.")
        self.cpu.append(time.thread_time() - cpu)
        return time.monotonic() - begun

    def bulk(self, count: int) -> bool:
        """Plan, approve, apply and undo all; return whether all was done."""
        from nephoscope.alerts.models import Finding
        from nephoscope.changes.models import ChangeSet
        from nephoscope.changes.set_queries import progress
        from nephoscope.changes.sets import approve_set, plan_set, undo_set

        found = plan_set(self.actor, Finding.objects.filter(rule_id=RULE), FIX)
        self.measured("planned", found, lambda at: at.looked_at == at.resources)
        while not (found := ChangeSet.objects.get(pk=found.pk)).digest:
            time.sleep(0.1)
        begun = time.monotonic()
        approve_set(self.actor, found, digest=found.digest, reason="bench", confirmed=found.changes.count())
        print(f"{'approved':<22} {time.monotonic() - begun:6.1f} s")
        self.measured("applied and verified", found, lambda at: not at.moving)
        states = dict(progress(found).states)
        begun = time.monotonic()
        undo_set(self.actor, found, reason="bench")
        print(f"{'undo asked for':<22} {time.monotonic() - begun:6.1f} s")
        self.measured("undone", found, lambda at: not at.moving)
        print(f"{'page, nothing going on':<22} {1000 * middle([self.page(found.pk) for _ in range(9)]):6.0f} ms")
        print(f"\nafter applying {states}, after undoing {dict(progress(found).states)}")
        return states == {"verified": count} and progress(found).states == {"undone": count}


def middle(times: list[float]) -> float:
    return sorted(times)[len(times) // 2] if times else 0.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--buckets", type=int, default=500)
    count = parser.parse_args().buckets
    with tempfile.TemporaryDirectory(prefix="nephoscope-bench-") as folder, Simulator() as simulator:
        make_buckets(simulator, count)
        prepare(Path(folder), simulator.endpoint)
        from nephoscope.accounts.models import Account
        from nephoscope.audit.services import Actor
        from nephoscope.connections.services import configure_account, verify_account

        actor, account = Actor.system("bench"), Account.objects.get()
        verify_account(actor, account, settings=make_role(simulator), writing=True)
        configure_account(actor, account, services=["s3"], regions=["us-east-1"])
        try:
            with worker():
                print(f"{count} buckets, scanned in {queued_scan()[0]:.1f} s; load {os.getloadavg()[0]:.1f}")
                simulator.control("latency", ms=LATENCY)
                bench = Bench(simulator)
                bench.plan()  # the first loads botocore's descriptions
                plan = bench.plan()
                print(f"{'one plan, 25 resources':<22} {plan:6.1f} s")
                done = bench.bulk(count)
        finally:
            stop_database()
    page = middle(bench.pages)
    cpu = 1000 * middle(bench.cpu)
    print(
        f"page {1000 * page:.0f} ms in the middle, {1000 * max(bench.pages):.0f} ms at most; {cpu:.0f} ms of CPU time"
    )
    print(f"limits: plan {PLAN_LIMIT:.0f} s, page {1000 * PAGE_LIMIT:.0f} ms; processors {os.cpu_count()}")
    return 0 if done and plan <= PLAN_LIMIT and page <= PAGE_LIMIT else 1


if __name__ == "__main__":
    raise SystemExit(main())
