"""``manage.py scan ACCOUNT``: scan now, in this process, with a progress bar."""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError

from nephoscope.accounts.models import Account
from nephoscope.accounts.queries import provider_of
from nephoscope.alerts.exports import as_csv, as_json
from nephoscope.alerts.models import Alert, AlertState, Finding, SeverityChoice
from nephoscope.audit.services import Actor
from nephoscope.connections.conditions import condition
from nephoscope.domain import Export
from nephoscope.inventory.models import Scan, ScanState
from nephoscope.operations.schema import CurrentCommand
from nephoscope.plugins import registry
from nephoscope.scans.runner import work
from nephoscope.scans.services import progress, start_scan

WIDTH = 30
CSV = ".csv"


class Command(CurrentCommand):
    help = "Scan a connected account now and print its open alerts by severity."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("account", help="the account's name or number")
        parser.add_argument("--services", nargs="*", default=[], help="only these services")
        parser.add_argument("--regions", nargs="*", default=[], help="only these of the account's regions")
        parser.add_argument(
            "--output",
            type=Path,
            nargs="*",
            default=[],
            help=f"write findings to files that end with {_listed(_suffixes())}, alerts to one that ends with .csv",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        account = find_account(options["account"])
        forms = {path: _export(account, path) for path in options["output"]}
        actor = Actor.system("manage.py scan")
        try:
            scan = start_scan(actor, account, services=options["services"], regions=options["regions"], enqueue=False)
        except ValidationError as problem:
            raise CommandError(" ".join(problem.messages)) from problem
        work(scan.pk, on_progress=self._show if sys.stdout.isatty() else None)
        scan.refresh_from_db()
        while scan.state == ScanState.QUEUED:  # others are under way
            self._show(scan)
            time.sleep(1)
            work(scan.pk, on_progress=self._show)
            scan.refresh_from_db()
        self._show(scan)
        if sys.stdout.isatty():
            self.stdout.write("")
        for path, export in forms.items():
            _write(account, path, export)
            self.stdout.write(f"Wrote {path}.")
        self._summarise(scan)

    def _show(self, scan: Scan) -> None:
        now = progress(scan)
        bar = "█" * (WIDTH * now.percent // 100)
        line = f"{scan.account.name}  {bar:░<{WIDTH}} {now.percent:3d}%  {now.resources} resources  {now.phase}"
        if sys.stdout.isatty():
            self.stdout.write(f"\r{line:<110}", ending="")
            self.stdout.flush()
        elif not scan.active:
            self.stdout.write(line)

    def _summarise(self, scan: Scan) -> None:
        self.stdout.write(open_alerts(scan.account))
        for shard in scan.shards.exclude(error="", gaps=[]):
            for gap in shard.gaps:
                self.stdout.write(f"  not known: {gap['type']} ({shard}): {gap['permission'] or gap['reason']}")
            if shard.error:
                self.stdout.write(f"  failed: {shard}: {shard.error}")
        if scan.state == ScanState.FAILED:
            raise CommandError(scan.error or "The scan failed.")


def open_alerts(account: Account) -> str:
    """Say how many alerts of an account are open, by severity, and what keeps that from being all."""
    found = condition(account)
    marks = "".join(f"\n  {mark.label}: {mark.text}" for mark in found.marks)
    if not found.known:
        return "Open alerts: not known" + marks
    alerts = Alert.objects.filter(account=account, state=AlertState.OPEN)
    counts = [f"{label} {alerts.filter(severity=value).count()}" for value, label in SeverityChoice.choices]
    return "Open alerts: " + ", ".join(counts) + marks


def _suffixes() -> list[str]:
    return [each.suffix for each in registry().exports.values()]


def _listed(names: list[str]) -> str:
    return " or ".join(names)


def _export(account: Account, path: Path) -> Export | None:
    """Return the export that a file's name asks for; None for alerts as CSV.

    :raises CommandError: it asks for none that there is, or for one that does not fit the account, or its folder does
        not exist; said before the scan begins.
    """
    export = next((each for each in registry().exports.values() if path.name.endswith(each.suffix)), None)
    if export is None and path.suffix != CSV:
        raise CommandError(f"--output {path}: end the name with {_listed([CSV, *_suffixes()])}.")
    if export and export.provider not in ("", account.provider):
        raise CommandError(f"--output {path}: {export.name} does not fit accounts of {provider_of(account).name}.")
    if not path.parent.is_dir():
        raise CommandError(f"--output {path}: there is no folder {path.parent}.")
    return export


def _write(account: Account, path: Path, export: Export | None) -> None:
    if export is None:
        lines = as_csv(Alert.objects.filter(account=account).select_related("account").iterator(), [condition(account)])
    else:
        lines = as_json(Finding.objects.filter(account=account), export)
    with path.open("w", encoding="utf-8", newline="") as file:
        file.writelines(lines)


def find_account(wanted: str) -> Account:
    """Return the account of this name or number.

    :raises CommandError: there is none; names those that there are.
    """
    for field in ("name", "number"):
        if account := Account.objects.present().filter(**{field: wanted}).first():
            return account
    names = ", ".join(Account.objects.present().values_list("name", flat=True)) or "none yet"
    raise CommandError(f"There is no account “{wanted}”. Connected: {names}.")
