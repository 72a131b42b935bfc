"""A worker that is killed delays its scan, and does not harm it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from tests.scanning import SERVICES, connect, scanned, snapshot

from nephoscope.audit.models import Entry
from nephoscope.audit.services import Actor
from nephoscope.inventory.models import Scan
from nephoscope.scans.services import start_scan
from nephoscope_aws_simulator.testing import Simulator, env_for

ROOT = Path(__file__).parents[2]


def test_a_worker_killed_in_the_middle_delays_the_scan_and_does_not_harm_it(
    aws: Simulator, committed: str, tmp_path: Path
) -> None:
    system = Actor.system("test")
    account = connect(system)
    scanned(account, system)
    expected = snapshot()
    environment = {
        **os.environ,
        **env_for(aws.endpoint),
        "DATABASE_URL": committed,
        "NEPHOSCOPE_DATA_DIR": str(tmp_path),
        "NEPHOSCOPE_LEASE_SECONDS": "3",
        "NEPHOSCOPE_SECRET_KEY": settings.SECRET_KEY,
        "NEPHOSCOPE_WORKERS": "1",
    }
    command = [sys.executable, "manage.py", "worker"]

    def worker() -> subprocess.Popen[bytes]:
        return subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True)

    aws.control("latency", ms=150)
    first = worker()
    try:
        scan = start_scan(system, account, services=SERVICES)
        wait(lambda: scan.shards.filter(state="done").count() >= 2)
        os.killpg(first.pid, signal.SIGKILL)
        first.wait()
        assert scan.shards.filter(state="running").exists(), "it was killed in the middle"
        aws.control("latency", ms=0)
        time.sleep(3.5)
        second = worker()
        try:
            wait(lambda: not Scan.objects.get(pk=scan.pk).active)
        finally:
            second.terminate()
            second.wait(timeout=30)
    finally:
        aws.control("latency", ms=0)
        if first.poll() is None:
            os.killpg(first.pid, signal.SIGKILL)
    assert Scan.objects.get(pk=scan.pk).state == "succeeded"
    assert max(scan.shards.values_list("attempts", flat=True)) == 2
    assert snapshot() == expected
    assert not Entry.objects.filter(action__in=["alert.resolved", "alert.left", "alert.reopened"]).exists()
    assert Entry.objects.filter(action="scan.finished", target_id=str(scan.pk)).count() == 1


def wait(until: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.1)
