"""An account in the toy cloud with everything in it, and clients of the API."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone
from nephoscope.accounts.models import Account
from nephoscope.alerts.judging import judge_resources
from nephoscope.alerts.models import Alert, Finding
from nephoscope.alerts.services import suppress
from nephoscope.audit.services import Actor
from nephoscope.changes.services import plan_change
from nephoscope.inventory import store
from nephoscope.inventory.models import Resource
from nephoscope.inventory.scans import start_scan
from nephoscope.plugins import registry
from rest_framework.test import APIClient

from tests.api import toy

Api = Callable[[Any], APIClient]


@pytest.fixture(autouse=True)
def unthrottled() -> None:
    """Counted sign-ins are kept in the cache, which outlives a test."""
    cache.clear()


@pytest.fixture
def api() -> Api:
    """Return a client that acts as a user, or as nobody."""

    def client(user: Any = None) -> APIClient:
        client = APIClient(raise_request_exception=True)
        client.default_format = "json"
        if user is not None:
            client.force_authenticate(user)
        return client

    return client


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[toy.ToyCloud]:
    """The toy cloud, as if a plugin had registered it."""
    cloud, plugins = toy.ToyCloud(), registry()
    monkeypatch.setitem(plugins.providers, cloud.id, cloud)
    monkeypatch.setitem(plugins.rules, toy.closed.id, toy.closed)
    monkeypatch.setitem(plugins.frameworks, toy.POLICY.id, toy.POLICY)
    monkeypatch.setitem(plugins.remediations, toy.CloseDoor.id, toy.CloseDoor())
    return cloud


@pytest.fixture
def toy_account(account: Account, cloud: toy.ToyCloud) -> Account:
    """The account of the users' group, in the toy cloud: connected, able to be fixed, never scanned."""
    account.provider, account.number = cloud.id, "1" * 12
    account.settings = cloud.prepare({"role": "role/reader", "write_role": "role/writer"})
    account.regions, account.policies = ["north"], [toy.POLICY.id]
    account.verified_at = account.writing_verified_at = timezone.now()
    account.save()
    return account


@pytest.fixture
def world(toy_account: Account, cloud: toy.ToyCloud, administrator: Any) -> SimpleNamespace:
    """Two open doors, one of them suppressed, a closed one, a plan to close the first, and a scan under way."""
    cloud.doors |= {"front": True, "back": True, "cellar": False}
    doors = list(toy.Doors(cloud.doors).collect("doors", "north"))
    rows = store.save(toy_account, "doors", doors)
    judge_resources(toy_account, Actor.system(), rows, ())
    alert = Alert.objects.get(account=toy_account)
    front, back = Finding.objects.filter(alert=alert).order_by("-resource__name")
    actor = Actor.of(administrator)
    suppress(actor, alert, [back], "nobody comes there")
    change = plan_change(actor, alert, [front], toy.CloseDoor.id)
    scan = start_scan(actor, toy_account, enqueue=False)
    alert.refresh_from_db()
    return SimpleNamespace(
        account=toy_account, alert=alert, front=front, back=Finding.objects.get(pk=back.pk), change=change, scan=scan,
        cellar=Resource.objects.get(name="cellar"), cloud=cloud,
    )  # fmt: skip
