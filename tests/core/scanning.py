"""Helpers of the tests that scan the simulated company."""

from __future__ import annotations

from typing import Any

from nephoscope.accounts.models import Account
from nephoscope.accounts.services import configure_account, create_account, verify_account
from nephoscope.alerts.models import Alert, Finding
from nephoscope.audit.services import Actor
from nephoscope.inventory.models import Resource, Scan
from nephoscope.inventory.runner import work
from nephoscope.inventory.scans import start_scan

REGIONS = ["us-east-1", "eu-west-1"]


def connect(system: Actor) -> Account:
    account = create_account(system, name="company")
    verify_account(system, account)
    return configure_account(system, account, regions=REGIONS)


def scanned(account: Account, system: Actor, **scope: Any) -> Scan:
    scan = start_scan(system, account, enqueue=False, **scope)
    work(scan.pk)
    scan.refresh_from_db()
    return scan


def snapshot() -> dict[str, Any]:
    return {
        "resources": set(Resource.objects.filter(gone_at=None).values_list("type", "resource_id", "digest")),
        "findings": set(Finding.objects.values_list("rule_id", "resource__resource_id", "verdict", "failing_since")),
        "alerts": set(Alert.objects.values_list("key", "state", "affected")),
    }
