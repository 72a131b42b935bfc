"""Helpers of the tests that scan the simulated company."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from nephoscope.accounts.models import Account
from nephoscope.alerts.models import Alert, Finding
from nephoscope.audit.services import Actor
from nephoscope.connections.services import create_account
from nephoscope.inventory.models import Resource, Scan
from nephoscope.scans.runner import work
from nephoscope.scans.services import start_scan

REGIONS = ["us-east-1", "eu-west-1"]
SMALL = "676767676767"
"""The account of the fixture ``small``."""


SERVICES = ["account", "iam", "s3", "s3control", "ec2", "cloudtrail", "kms"]
"""Those that the company has most in: scanning all of them in each test would only take longer."""


def connect(system: Actor, regions: list[str] = REGIONS, number: str = "123456789012") -> Account:
    """The simulated account by its own credentials, as verifying leaves it; verifying itself has tests of its own."""
    account = create_account(system, name="company")
    account.number, account.regions, account.policies = number, regions, ["aws_nephoscope"]
    account.verified_at = timezone.now()
    account.save()
    return account


def scanned(account: Account, system: Actor, **scope: Any) -> Scan:
    scan = start_scan(system, account, enqueue=False, **{"services": SERVICES, **scope})
    work(scan.pk)
    scan.refresh_from_db()
    return scan


def snapshot() -> dict[str, Any]:
    return {
        "resources": set(Resource.objects.filter(gone_at=None).values_list("type", "resource_id", "digest")),
        "findings": set(Finding.objects.values_list("rule_id", "resource__resource_id", "verdict", "failing_since")),
        "alerts": set(Alert.objects.values_list("key", "state", "affected")),
    }
