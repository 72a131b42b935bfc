"""How long a scan of the demo company takes, and how much memory: ``make bench``.

Everything is made anew in a temporary folder: the simulated account, the database, a worker. The account is scanned
twice by that worker, then once by ``manage.py scan`` in one process. All figures that are compared are of one run,
because the simulator shares the machine: the last line is what the same number of bare boto3 calls takes from it.

Ends with 1 when a scan by the worker takes more than ``WALL`` seconds, or one of its processes more than ``MEMORY``.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import boto3
from botocore.config import Config
from meter import Memory, Peak, cpu_seconds, tree

from nephoscope_aws_simulator.testing import Simulator, env_for

WALL = 10.0
"""Seconds from asking for a scan to its end."""

MEMORY = 210.0
"""Megabytes of the worker's largest process."""

REGIONS = ("us-east-1", "eu-west-1", "ap-southeast-2")
THREADS = 40
ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 120.0


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the result. ``served`` is the simulator's own CPU time."""

    name: str
    wall: float
    cpu: float
    served: float
    peak: Peak
    calls: int
    resources: int

    def __str__(self) -> str:
        return (
            f"{self.name:<12} {self.wall:7.2f} {self.cpu:7.2f} {self.served:11.2f} {self.peak.process:8.0f} "
            f"{self.peak.whole:8.0f} {self.calls:6d} {self.resources:10d}"
        )


HEAD = (
    f"{'':12} {'wall s':>7} {'CPU s':>7} {'AWS CPU s':>11} {'peak MB':>8} {'tree MB':>8} {'calls':>6} {'resources':>10}"
)


class Bench:
    """The parts under test, and how a stretch of their work is measured."""

    def __init__(self, simulator: Simulator, aws: int) -> None:
        self.simulator = simulator
        self.aws = aws

    def measure(self, name: str, pid: int, work: Callable[[], tuple[float, int]]) -> Row:
        """Run ``work()``, which returns seconds and resources, while watching the tree of ``pid``."""
        self.simulator.control("calls/reset")
        cpu, served = cpu_seconds(pid), cpu_seconds(self.aws)
        with Memory(pid) as memory:
            wall, resources = work()
            cpu, served = cpu_seconds(pid) - cpu, cpu_seconds(self.aws) - served
        calls = int(self.simulator.control("calls")["total"])
        return Row(name, wall, cpu, served, memory.peak, calls, resources)


def bare(calls: int) -> float:
    """Return the seconds that as many calls take with nothing around them: one small read of a bucket each."""
    client = boto3.client("s3", config=Config(max_pool_connections=THREADS, s3={"addressing_style": "path"}))
    buckets = [each["Name"] for each in client.list_buckets()["Buckets"]]
    begun = time.monotonic()
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda n: client.get_bucket_acl(Bucket=buckets[n % len(buckets)]), range(calls)))
    return time.monotonic() - begun


def queued_scan() -> tuple[float, int]:
    """Ask for a scan as the console does, and wait for the worker to finish it."""
    from nephoscope.accounts.models import Account
    from nephoscope.audit.services import Actor
    from nephoscope.inventory.models import Scan
    from nephoscope.scans.services import start_scan

    scan = start_scan(Actor.system("bench"), Account.objects.get())
    until = time.monotonic() + PATIENCE
    while scan.active and time.monotonic() < until:
        time.sleep(0.05)
        scan = Scan.objects.get(pk=scan.pk)
    if scan.state != "succeeded" or scan.finished_at is None:
        raise SystemExit(f"The scan is {scan.state}: {scan.error}")
    return (scan.finished_at - scan.created_at).total_seconds(), counted()


def counted() -> int:
    """Return how many resources the last scan read."""
    from nephoscope.inventory.models import Scan
    from nephoscope.scans.services import progress

    return progress(Scan.objects.latest("pk")).resources


@contextmanager
def worker() -> Iterator[int]:
    """Start a worker, and wait until it does what it is asked."""
    from django_q.tasks import async_task, result

    process = subprocess.Popen([sys.executable, "manage.py", "worker"], cwd=ROOT, start_new_session=True)
    try:
        if result(async_task("math.sqrt", 4), wait=int(PATIENCE * 1000)) != 2:
            raise SystemExit("The worker did not start.")
        yield process.pid
    finally:
        process.terminate()  # the leader alone: it ends the others in order
        process.wait(timeout=30)


def alone(bench: Bench) -> Row:
    """Scan by ``manage.py scan``: start-up included, and all in one process."""
    begun = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "manage.py", "scan", "bench"], cwd=ROOT, stdout=subprocess.DEVNULL, start_new_session=True
    )

    def work() -> tuple[float, int]:
        # Not waited for yet: an ended process keeps its CPU time until it is.
        while os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None:
            time.sleep(0.02)
        return time.monotonic() - begun, counted()

    row = bench.measure("one process", process.pid, work)
    if process.wait():
        raise SystemExit("manage.py scan failed.")
    return row


def prepare(data: Path, endpoint: str, **settings: str) -> None:
    """Point this process, and those it starts, at the simulator and a database of their own; connect the account."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "NEPHOSCOPE_", "DATABASE_", "REDIS_"))]:
        del os.environ[name]
    os.environ |= env_for(endpoint) | {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    os.environ |= {"NEPHOSCOPE_DATA_DIR": str(data), "DJANGO_SETTINGS_MODULE": "nephoscope.settings"} | settings
    import django

    django.setup()
    from django.core.management import call_command

    from nephoscope.audit.services import Actor
    from nephoscope.connections.services import configure_account, create_account, verify_account

    call_command("migrate", verbosity=0)
    actor = Actor.system("bench")
    account = create_account(actor, name="bench")
    verify_account(actor, account)
    configure_account(actor, account, regions=REGIONS)


def stop_database() -> None:
    from django.core.management import call_command

    call_command("stop_database")


def verdict(scans: list[Row]) -> list[str]:
    """Return what is over its limit."""
    slow = [f"{row.name}: {row.wall:.2f} s, limit {WALL:.0f} s" for row in scans if row.wall > WALL]
    large = [
        f"{row.name}: {row.peak.process:.0f} MB, limit {MEMORY:.0f} MB" for row in scans if row.peak.process > MEMORY
    ]
    return slow + large


def main() -> int:
    """Measure, print, judge."""
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="nephoscope-bench-") as folder, Simulator(company=True) as simulator:
        aws = next(each for each in tree(os.getpid()) if each != os.getpid())
        prepare(Path(folder), simulator.endpoint)
        try:
            bench = Bench(simulator, aws)
            with worker() as pid:
                first = bench.measure("first scan", pid, queued_scan)
                second = bench.measure("second scan", pid, queued_scan)
            third = alone(bench)
            floor = bare(first.calls)
        finally:
            stop_database()
    print(HEAD, first, second, third, sep="\n")
    print(f"{'bare boto3':<12} {floor:7.2f} {first.calls:44d}")
    print(f"\nsecond / first scan  {second.wall / first.wall:.2f}\nfirst scan / bare    {first.wall / floor:.2f}")
    print(f"processors {os.cpu_count()}, load average before {load:.2f}")
    over = verdict([first, second])
    print("\n" + ("\n".join(f"OVER  {each}" for each in over) or "Within the limits."))
    return 1 if over else 0


if __name__ == "__main__":
    raise SystemExit(main())
