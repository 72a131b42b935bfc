"""What the console's tests share: signed-in clients and one of everything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from django.test import Client
from django.utils import timezone
from tests.changes.bulk import set_of

from nephoscope.accounts.models import Account, User
from nephoscope.alerts.models import Alert
from nephoscope.audit.actions.alerts import ALERT_OPENED
from nephoscope.audit.actions.wording import resources
from nephoscope.audit.models import Entry
from nephoscope.audit.services import Actor, record
from nephoscope.changes.models import Change, ChangeSet, ChangeStep
from nephoscope.inventory.models import Scan, Shard
from nephoscope.organisations.models import Member, Organisation

HOSTILE = "<script>alert('x')</script>"


@pytest.fixture
def sign_in() -> Callable[..., Client]:
    """Return a signed-in client of a user: ``sign_in(viewer)``."""

    def enter(user: User, *, enforce_csrf_checks: bool = False) -> Client:
        client = Client(enforce_csrf_checks=enforce_csrf_checks)
        client.force_login(user)
        return client

    return enter


@dataclass(frozen=True)
class Things:
    """One of everything in the granted account."""

    account: Account
    alert: Alert
    change: Change
    changeset: ChangeSet
    scan: Scan
    entry: Entry
    organisation: Organisation


@pytest.fixture
def things(account: Account, add_alert: Callable[..., Alert], system: Actor) -> Things:
    """Everything carries a hostile name where a cloud could give one."""
    alert = add_alert("aws.s3.public_read", f"logs-{HOSTILE}", "assets")
    change, bulk = [_planned(alert, name) for name in ("logs", "assets")]
    scan = Scan.objects.create(account=account, state="partial", started_at=timezone.now(), finished_at=timezone.now())
    Shard.objects.create(
        scan=scan,
        service="s3",
        region="global",
        state="done",
        resources=2,
        gaps=[{"type": "AWS::S3::Bucket", "permission": "s3:GetBucketPolicy", "reason": HOSTILE}],
    )
    entry = record(
        system,
        ALERT_OPENED,
        alert,
        {"title": HOSTILE, **resources([f"logs-{HOSTILE}", "assets"])},
        account=account,
        reason=HOSTILE,
        before={"name": HOSTILE},
        after={"name": "x"},
    )
    organisation = Organisation.objects.create(
        name=f"org {HOSTILE}",
        account=account,
        settings={
            "role_name": "nephoscope-read",
            "role_path": "/",
            "external_id": "e" * 32,
            "write_role_name": "",
            "write_external_id": "f" * 32,
        },
        problem=HOSTILE,
    )
    now = timezone.now()
    for number, linked in ((account.number, account), ("210987654321", None)):
        Member.objects.create(
            organisation=organisation,
            number=number,
            name=HOSTILE,
            state="active",
            path=HOSTILE,
            since=now,
            tags={HOSTILE: HOSTILE},
            account=linked,
            linked_at=now if linked else None,
            problem=HOSTILE,
            seen_at=now,
        )
    return Things(account, alert, change, set_of(bulk, problem=HOSTILE), scan, entry, organisation)


def _planned(alert: Alert, name: str) -> Change:
    call = {
        "label": "s3:PutBucketPolicy",
        "body": {
            "service": "s3",
            "operation": "put_bucket_policy",
            "parameters": {"Bucket": HOSTILE, "Policy": '{"a": 1}'},
            "region": "",
        },
        "permissions": [{"action": "s3:PutBucketPolicy", "resource": "*"}],
    }
    change = Change.objects.create(
        account=alert.account,
        alert=alert,
        remediation="aws.s3.remove_public_access",
        title="Remove public access",
        digest="d" * 64,
        permissions=[{"action": "s3:PutBucketPolicy", "resource": "*"}],
        warnings=[HOSTILE],
    )
    ChangeStep.objects.create(
        change=change,
        position=0,
        resource_id=f"arn:aws:s3:::{name}",
        resource_name=f"{name}-{HOSTILE}",
        title="Narrow",
        call=call,
        inverse=call,
        before=f'{{"Principal": "*", "Sid": "{HOSTILE}"}}',
        after='{"Principal": "root"}',
    )
    return change
