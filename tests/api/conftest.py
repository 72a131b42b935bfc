"""An account in the toy cloud with everything in it, and clients of the API."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.cache import cache
from django.db import transaction
from django.utils import timezone
from rest_framework.test import APIClient
from tests.changes.bulk import set_of
from tests.changes.working import apply

from nephoscope import testing as toy
from nephoscope.accounts.models import Account
from nephoscope.alerts.models import Alert, Finding
from nephoscope.alerts.suppressions import suppress
from nephoscope.audit.services import Actor
from nephoscope.changes.planning import plan_change
from nephoscope.inventory import store
from nephoscope.inventory.models import Resource
from nephoscope.judging.services import judge_resources
from nephoscope.plugins import registry
from nephoscope.scans.services import start_scan

Api = Callable[[Any], APIClient]


@pytest.fixture(autouse=True)
def no_sign_ins_counted() -> None:
    """Forget counted sign-ins: the cache outlives a test."""
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
def cloud(monkeypatch: pytest.MonkeyPatch) -> toy.ToyCloud:
    """The toy cloud, as if a plugin had registered it."""
    cloud, plugins = toy.ToyCloud(), registry()
    monkeypatch.setitem(plugins.providers, cloud.id, cloud)
    monkeypatch.setitem(plugins.rules, toy.closed.id, toy.closed)
    monkeypatch.setitem(plugins.frameworks, toy.POLICY.id, toy.POLICY)
    monkeypatch.setitem(plugins.remediations, toy.CloseDoor.id, toy.CloseDoor())
    monkeypatch.setitem(plugins.exports, toy.EXPORT.id, toy.EXPORT)
    monkeypatch.setitem(plugins.remediations, toy.FitLock.id, toy.FitLock())
    return cloud


@contextmanager
def undone(world: SimpleNamespace) -> Iterator[None]:
    """What is done to the world inside is taken back, so that one world, which takes long to make, does for many."""
    doors, calls, locks = dict(world.cloud.doors), list(world.cloud.calls), dict(world.cloud.locks)
    try:
        with transaction.atomic():
            yield
            transaction.set_rollback(True)
    finally:
        world.cloud.doors, world.cloud.calls, world.cloud.locks = doors, calls, locks


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
    """What an account in use has: an alert on a door, a suppressed one, one that was closed by a change, and a scan."""
    cloud.doors |= {"front": True, "back": True, "side": True, "cellar": False}
    read = store.save(toy_account, "doors", toy.Doors(cloud.doors).collect("doors", "north"))
    judge_resources(toy_account, Actor.system(), read, ())
    alert = Alert.objects.get(account=toy_account)
    found = {row.resource.name: row for row in alert.findings.select_related("resource")}
    actor = Actor.of(administrator)
    suppress(actor, alert, [found["back"]], "nobody comes there")
    applied = plan_change(actor, alert, [found["side"]], toy.CloseDoor.id)
    apply(actor, applied, "rain")
    bulk = plan_change(actor, alert, [found["front"]], toy.CloseDoor.id)
    return SimpleNamespace(
        account=toy_account,
        alert=Alert.objects.get(pk=alert.pk),
        front=found["front"],
        back=Finding.objects.get(pk=found["back"].pk),
        cellar=Resource.objects.get(name="cellar"),
        change=plan_change(actor, alert, [found["front"]], toy.CloseDoor.id),
        applied=applied,
        set=set_of(bulk),
        scan=start_scan(actor, toy_account, enqueue=False),
        cloud=cloud,
    )
