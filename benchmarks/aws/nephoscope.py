"""Nephoscope under measurement: scans by ``manage.py worker``, as in real life, and what they must leave behind.

Of this module only :func:`connected` may be called before Django is set up.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scan import ROOT, prepare, stop_database, worker

from aws.measure import Proxied, Row, command, told, watched

DELAY = 0.05
"""Seconds that a call takes."""

PATIENCE = 900.0
"""Seconds in which a scan ends or counts as stuck."""

SHARED = (
    "account",
    "iam",
    "s3",
    "s3control",
    "ec2",
    "vpc",
    "ebs",
    "cloudtrail",
    "kms",
    "rds",
    "guardduty",
    "config",
    "cloudwatch",
    "logs",
    "sns",
    "sqs",
    "lambda",
    "elb",
    "secretsmanager",
    "dynamodb",
    "ecr",
    "eks",
    "efs",
)
"""Our services that together read what Prowler's 19 read; :data:`aws.tools.SHARED` names those."""

Findings = set[tuple[str, str, str, str]]


@dataclass(frozen=True)
class Denial:
    """What a refused service did to the findings."""

    unknown: set[str]
    """Rules that became unknown."""
    expected: set[str]
    """Rules that judge what the service's collectors read."""
    may: set[str]
    """Rules that look at it as a neighbour."""
    changed: set[str]
    """Rules of which a finding changed in any way."""

    @property
    def held(self) -> bool:
        """Whether only the service's rules are unknown, and nothing else moved."""
        return self.expected <= self.unknown <= self.expected | self.may and self.changed <= self.unknown


@contextmanager
def connected(folder: Path, proxied: Proxied) -> Iterator[Nephoscope]:
    """A database of its own, the account connected, and a worker; for the length of a ``with``."""
    prepare(folder, proxied.endpoint)
    try:
        choose_all_policies()
        with worker() as pid:
            yield Nephoscope(proxied, pid, int((folder / "postgres" / "postmaster.pid").read_text().split()[0]))
    finally:
        stop_database()


def choose_all_policies() -> None:
    """Judge by every policy that there is."""
    from nephoscope.accounts.models import Account
    from nephoscope.audit.services import Actor
    from nephoscope.connections.services import configure_account
    from nephoscope.plugins import registry

    configure_account(Actor.system("bench"), Account.objects.get(), policies=sorted(registry().frameworks))


class Nephoscope:
    """A connected account and the worker that scans it."""

    def __init__(self, proxied: Proxied, worker: int, database: int) -> None:
        self._proxied, self._worker, self._database = proxied, worker, database

    def record(self) -> None:
        """Scan once without delay, for the proxy to remember all answers."""
        self._proxied.manner(replay=False)
        self._scan(())
        forget()

    def scan(self, name: str, services: tuple[str, ...] = (), *, partial: bool = False, **manner: Any) -> Row:
        """Have the worker scan, and measure that from the request to the end of the scan."""
        row = Row(name)
        self._proxied.manner(replay=True, delay=DELAY, **manner)
        with watched(row, self._worker, self._database):
            row.wall, row.resources = self._scan(services, partial=partial)
        return told(row, self._proxied.counts())

    def alone(self, name: str, services: tuple[str, ...], log: Path) -> Row:
        """Scan by ``manage.py scan``, from the start of Python to its exit."""
        self._proxied.manner(replay=True, delay=DELAY)
        words = [sys.executable, "manage.py", "scan", "bench", "--services", *services]
        row = command(name, words, os.environ, ROOT, log)
        return told(row, self._proxied.counts())

    def _scan(self, services: tuple[str, ...], *, partial: bool = False) -> tuple[float, int]:
        from nephoscope.accounts.models import Account
        from nephoscope.audit.services import Actor
        from nephoscope.inventory.models import Scan
        from nephoscope.scans.services import progress, start_scan

        scan = start_scan(Actor.system("bench"), Account.objects.get(), services=services)
        until = time.monotonic() + PATIENCE
        while scan.active and time.monotonic() < until:
            time.sleep(0.1)
            scan = Scan.objects.get(pk=scan.pk)
        if scan.state != ("partial" if partial else "succeeded") or scan.finished_at is None:
            why = [f"{shard}: {shard.error or shard.gaps}" for shard in scan.shards.exclude(error="", gaps=[])]
            raise SystemExit(f"The scan is {scan.state}: {scan.error} {why}")
        return (scan.finished_at - scan.created_at).total_seconds(), progress(scan).resources


def forget() -> None:
    """Empty the account, so that the next scan is a first one."""
    from nephoscope.alerts.models import Alert, Finding
    from nephoscope.inventory.models import Resource, Scan

    for model in (Finding, Alert, Resource, Scan):
        model.objects.all().delete()


def versions() -> set[tuple[int, int]]:
    """Each resource's row and the transaction that wrote it last: https://www.postgresql.org/docs/current/ddl-system-columns.html"""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT id, xmin::text::bigint FROM inventory_resource")
        return set(cursor.fetchall())


def findings() -> Findings:
    """What was found, without when."""
    from nephoscope.alerts.models import Finding

    return set(Finding.objects.values_list("rule_id", "resource__resource_id", "verdict", "message"))


def numbers() -> dict[tuple[str, str], int]:
    """How many resources there are, by type and region."""
    from django.db.models import Count

    from nephoscope.inventory.models import Resource

    rows = Resource.objects.filter(gone_at=None).values_list("type", "region").annotate(Count("pk"))
    return {(type, region): count for type, region, count in rows}


def denial(before: Findings, service: str) -> Denial:
    """Compare with what was found before a service was refused."""
    from nephoscope.accounts.models import Account
    from nephoscope.accounts.queries import provider_of
    from nephoscope.policies.queries import EffectivePolicies

    account = Account.objects.get()
    types = {type for each in provider_of(account).services if each.id == service for type in each.types}
    rules = [each.rule for each in EffectivePolicies.of(account).rules]
    after = findings()
    return Denial(
        unknown={rule for rule, _, verdict, _ in after if verdict == "unknown"},
        expected={rule.id for rule in rules if types & set(rule.on)},
        may={rule.id for rule in rules if types & set(rule.needs)},
        changed={rule for rule, *_ in before ^ after},
    )
