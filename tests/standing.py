"""A made-up policy, an account that was scanned, and verdicts, for tests of compliance and of its files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from nephoscope import domain
from nephoscope.accounts.models import Account
from nephoscope.accounts.queries import parts_of
from nephoscope.alerts.models import Alert, Finding, Suppression
from nephoscope.compliance import snapshots
from nephoscope.inventory.models import JUDGE, Resource, Scan, Shard
from nephoscope.plugins import registry

READ, LOGGED, SAFE = "aws.s3.public_read", "aws.s3.versioning", "aws.kms.rotation"
POLICY = domain.Framework(
    "made-up",
    "Made-up <b>policy</b> & co",
    "aws",
    "https://example.com/policy",
    (
        domain.Control("1", "Nobody reads", (READ,)),
        domain.Control("2", "Versions are kept", (LOGGED,)),
        domain.Control("3", "Both", (READ, LOGGED)),
        domain.Control("4", "A person looks", manual=True),
        domain.Control("5", "No rule of ours"),
        domain.Control("6", "A rule of a plugin that is gone", ("acme.gone",)),
        domain.Control("7", "One of ours and one that is gone", (LOGGED, "acme.gone")),
    ),
)
HOSTILE = "<para><b>x</b></i> & 日本語 한글 Ελλάδα עברית 🔒 \x00\x1b ]]>"

Find = Callable[..., Finding]


@pytest.fixture
def policy(account: Account, monkeypatch: pytest.MonkeyPatch) -> domain.Framework:
    monkeypatch.setitem(registry().frameworks, POLICY.id, POLICY)
    account.policies = [POLICY.id]
    account.save()
    return POLICY


@pytest.fixture
def scanned(account: Account, policy: domain.Framework) -> Callable[..., Scan]:
    """Write down a scan that read every part, or left some (``failed``), or was of some services only."""

    def scan(*failed: str, services: tuple[str, ...] = ()) -> Scan:
        row = Scan.objects.create(account=account, state="succeeded", finished_at=timezone.now(), whole=not services)
        parts = [part for part in parts_of(account) if not services or part[0].id in services]
        for service, region in parts:
            state = "failed" if service.id in failed else "done"
            Shard.objects.create(scan=row, service=service.id, region=region, state=state)
        Shard.objects.create(scan=row, service=JUDGE, region="global", state="done")
        snapshots.record(row)
        return row

    return scan


@pytest.fixture
def find(account: Account, add_resource: Callable[..., Resource]) -> Find:
    """Store a verdict; suppressed when a reason is given."""

    def add(rule: str, verdict: str, name: str = "logs", *, reason: str = "", **more: Any) -> Finding:
        now, alert, suppression = timezone.now(), None, None
        if verdict == "fail":
            times = dict.fromkeys(("first_seen", "last_seen", "opened_at"), now)
            alert, _made = Alert.objects.get_or_create(
                account=account,
                key=rule,
                defaults={"rank": 0, "severity": "critical", "title": rule, "state": "open", **times},
            )
            more.setdefault("failing_since", now)
        resource = add_resource("AWS::S3::Bucket", name, {"BucketName": name})
        if reason:
            suppression = Suppression.objects.create(
                alert=alert, resource_id=resource.resource_id, resource_name=name, reason=reason
            )
        return Finding.objects.create(
            account=account,
            rule_id=rule,
            resource=resource,
            verdict=verdict,
            changed_at=now,
            alert=alert,
            suppression=suppression,
            **more,
        )

    return add
