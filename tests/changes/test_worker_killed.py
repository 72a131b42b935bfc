"""A worker that is killed between two calls: what it did is seen, nothing is tried twice, and it can be undone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from tests.changes import toy_plugin

from nephoscope import testing as toy
from nephoscope.accounts.models import Account, User
from nephoscope.alerts.models import Alert
from nephoscope.audit.services import Actor
from nephoscope.changes.approvals import approve_change
from nephoscope.changes.models import Change
from nephoscope.changes.planning import plan_change
from nephoscope.changes.services import request_undo
from nephoscope.inventory import store
from nephoscope.judging.services import judge_resources
from nephoscope.plugins import registry

ROOT = Path(__file__).parents[2]


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An open front door, in a file; this process and its workers have the plugin."""
    house = tmp_path / "house.json"
    house.write_text(json.dumps({"doors": {"front": True}, "locks": {}}))
    monkeypatch.setenv("TOY_HOUSE", str(house))
    metadata = tmp_path / "toy-1.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: toy\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text("[nephoscope]\ntoy = tests.changes.toy_plugin\n")
    plugins = registry()
    monkeypatch.setitem(plugins.providers, "toy", toy_plugin.CLOUD)
    monkeypatch.setitem(plugins.rules, toy.closed.id, toy.closed)
    monkeypatch.setitem(plugins.frameworks, toy.POLICY.id, toy.POLICY)
    monkeypatch.setitem(plugins.remediations, toy.FitLock.id, toy.FitLock())
    return house


def planned(administrator: User) -> Change:
    """A plan to fit a lock: it is ordered, waited for, and fitted."""
    now = timezone.now()
    account = Account.objects.create(
        name="house",
        provider="toy",
        number="1" * 12,
        regions=["north"],
        policies=[toy.POLICY.id],
        settings={"role": "role/reader", "write_role": "role/writer", "secret": "word"},
        verified_at=now,
        writing_verified_at=now,
    )
    judge_resources(account, Actor.system(), store.save(account, "doors", [toy.door("front", True)]), ())
    alert = Alert.objects.get()
    return plan_change(Actor.of(administrator), alert, alert.findings.all(), toy.FitLock.id, {"maker": "Yale"})


def worker(database: str, folder: Path) -> subprocess.Popen[bytes]:
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(folder), *sys.path]),
        "DATABASE_URL": database,
        "NEPHOSCOPE_DATA_DIR": str(folder),
        "NEPHOSCOPE_LEASE_SECONDS": "2",
        "NEPHOSCOPE_PLUGINS": "toy",
        "NEPHOSCOPE_SECRET_KEY": settings.SECRET_KEY,
        "NEPHOSCOPE_WORKERS": "1",
    }
    command = [sys.executable, "manage.py", "worker"]
    return subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True)


def kill(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_a_change_whose_worker_was_killed_shows_its_calls_is_not_retried_and_can_be_undone(
    house: Path, committed: str, tmp_path: Path
) -> None:
    administrator = User.objects.create_user("ada", role="administrator")
    actor, change = Actor.of(administrator), planned(administrator)
    (hold := toy_plugin.house(".hold")).touch()
    approve_change(actor, change, digest=change.digest, reason="rain")
    first = worker(committed, tmp_path)
    try:
        wait(toy_plugin.house(".held").exists)
    finally:
        kill(first)
    assert seen(change) == ("applying", ["applied", "applying"])
    ordered = {"doors": {"front": True}, "locks": {"lock-1": {"Door": "front", "Maker": "Yale", "State": "ready"}}}
    assert json.loads(house.read_text()) == ordered
    hold.unlink()
    time.sleep(2.1)

    second = worker(committed, tmp_path)
    try:
        wait(lambda: seen(change)[0] != "applying")
        assert seen(change) == ("failed", ["applied", "applying"])
        assert json.loads(house.read_text()) == ordered, "it was not tried again"
        page = look(administrator, change)
        for text in ("Interrupted", "May have been made", "Undo this change"):
            assert text in page, text
        request_undo(actor, change, reason="put it back")
        wait(lambda: seen(change)[0] == "undone")
    finally:
        kill(second)
    assert json.loads(house.read_text()) == {"doors": {"front": True}, "locks": {}}
    assert "Undone: the resources are as they were before." in look(administrator, change)


def test_a_worker_stopped_in_a_call_that_goes_on_after_the_undo_does_not_leave_it_said_to_be_undone(
    house: Path, committed: str, tmp_path: Path
) -> None:
    administrator = User.objects.create_user("ada", role="administrator")
    actor, change = Actor.of(administrator), planned(administrator)
    (hold := toy_plugin.house(".hold")).touch()
    approve_change(actor, change, digest=change.digest, reason="rain")
    first = worker(committed, tmp_path)
    second = None
    try:
        wait(toy_plugin.house(".held").exists)
        os.killpg(first.pid, signal.SIGSTOP)
        wait(lambda: not Change.objects.get(pk=change.pk).held)
        request_undo(actor, change, reason="put it back")
        second = worker(committed, tmp_path)
        wait(lambda: seen(change)[0] == "undone")
        hold.unlink()
        os.killpg(first.pid, signal.SIGCONT)
        wait(lambda: seen(change)[0] != "undone")
        assert json.loads(house.read_text())["doors"] == {"front": False}
        assert seen(change)[0] == "failed"
        assert "A call landed after the undo" in look(administrator, change)
    finally:
        for process in filter(None, (first, second)):
            kill(process)


def seen(change: Change) -> tuple[str, list[str]]:
    return Change.objects.get(pk=change.pk).state, list(change.steps.values_list("state", flat=True))


def look(user: User, change: Change) -> Any:
    client = Client()
    client.force_login(user)
    return client.get(reverse("admin:changes_change_change", args=[change.pk])).content.decode()


def wait(until: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.1)
