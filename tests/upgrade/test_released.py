"""Every released state of the database is migrated, also by an upgrade that was killed half-way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.test import Client
from django.urls import reverse
from tests.upgrade.recorded import RELEASED, STATES, database_of, digests, rows, state

from nephoscope.accounts.models import User
from nephoscope.alerts.models import Alert
from nephoscope.alerts.suppressions import suppress
from nephoscope.audit.chain import first_broken
from nephoscope.audit.services import Actor

GROWING = {"auth_permission", "django_content_type"}
"""Tables that every new model adds rows to."""


def changed(released: dict[str, str], now: dict[str, str]) -> list[str]:
    gone = [f"{path} was released and is gone" for path in released.keys() - now.keys()]
    edited = [
        f"{path} was released and was edited" for path in released.keys() & now.keys() if now[path] != released[path]
    ]
    return sorted(gone + edited)


def test_no_released_migration_was_edited_renamed_or_deleted() -> None:
    assert changed(json.loads(RELEASED.read_text()), digests()) == [], "put it back, and add a migration instead"


@pytest.mark.parametrize(("now", "problem"), [({}, "is gone"), ({"a.py": "2"}, "was edited")])
def test_a_change_of_a_released_migration_is_found(now: dict[str, str], problem: str) -> None:
    [found] = changed({"a.py": "1"}, now)
    assert problem in found


@pytest.fixture(scope="module", params=STATES)
def old(request: Any, django_db_setup: None, django_db_blocker: Any) -> Iterator[dict[str, Any]]:
    """A released state whose upgrade was killed between two migrations, and then run again."""
    found = state(request.param)
    with django_db_blocker.unblock(), database_of(found, migrated=False):
        executor = MigrationExecutor(connection)
        targets = executor.loader.graph.leaf_nodes()
        plan = executor.migration_plan(targets)
        executor.migrate(targets, plan=plan[: len(plan) // 2])
        call_command("migrate", verbosity=0)
        yield found


@pytest.fixture(autouse=True)
def rolled_back(request: Any) -> Iterator[None]:
    if "old" not in request.fixturenames:
        yield
        return
    request.getfixturevalue("old")
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def test_every_row_is_still_there(old: dict[str, Any]) -> None:
    counted = rows()
    for table in set(old["tables"]) & set(counted):
        before = old["tables"][table]["rows"].count("\n")
        assert counted[table] >= before if table in GROWING else counted[table] == before, table


def test_the_audit_log_is_whole_and_work_goes_on(old: dict[str, Any]) -> None:
    assert first_broken() is None
    alert = Alert.objects.filter(state="open", suppressed=0).earliest("pk")
    suppress(Actor.of(_administrator()), alert, alert.findings.exclude(failing_since=None), "Accepted.")
    alert.refresh_from_db()
    assert (alert.state, first_broken()) == ("suppressed", None)


PAGES = (
    *("index", "alerts_alert_changelist", "changes_change_changelist", "audit_entry_changelist"),
    *("accounts_account_changelist", "organisations_organisation_changelist", "inventory_resource_changelist"),
    *("inventory_scan_changelist", "compliance", "reports_reportschedule_changelist"),
)


def test_the_pages_open(old: dict[str, Any]) -> None:
    client = Client()
    client.force_login(_administrator())
    answers = {page: client.get(reverse(f"admin:{page}")).status_code for page in PAGES}
    assert answers == dict.fromkeys(PAGES, 200)


def _administrator() -> User:
    return User.objects.filter(role="administrator", is_active=True).earliest("pk")


@pytest.mark.django_db
def test_no_model_was_changed_without_a_migration() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)
