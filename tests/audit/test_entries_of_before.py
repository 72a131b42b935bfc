"""Entries of version 0.1 hold their sentence as text; they and their chain stay as they are."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import translation

from nephoscope.accounts.models import Account
from nephoscope.audit.actions.accounts import ACCOUNT_CREATED
from nephoscope.audit.chain import GENESIS, first_broken
from nephoscope.audit.models import Entry
from nephoscope.audit.services import Actor, record

pytestmark = pytest.mark.django_db

OLD = {
    "at": datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC),
    "actor": "Scan 7",
    "action": "scan.finished",
    "target_type": "scan",
    "target_id": "7",
    "target": "scan 7",
    "summary": "succeeded: read 12 resources",
    "after": {"b": 1, "a": [2]},
    "previous": GENESIS,
    "digest": "0cfdb9e25e3fc13b9112efe17c9fa9addc92813d640b0f04c63d985ae4111d5b",
}
"""A row as version 0.1 wrote it."""


@pytest.fixture
def old() -> Entry:
    """The row, written to the tables of 0.1, which are then migrated."""
    before, now = [("audit", "0001_initial")], [("audit", "0002_data")]
    MigrationExecutor(connection).migrate(before)
    model: Any = MigrationExecutor(connection).loader.project_state(before).apps.get_model("audit", "Entry")
    pk = model.objects.create(**OLD).pk
    MigrationExecutor(connection).migrate(now)
    return Entry.objects.get(pk=pk)


def test_an_old_entry_keeps_its_text_and_its_hash(old: Entry) -> None:
    assert (old.data, old.digest) == (None, OLD["digest"])
    assert str(old) == "Scan 7 succeeded: read 12 resources"


def test_the_chain_is_whole_over_old_and_new_entries(old: Entry, account: Account) -> None:
    new = record(Actor.system(), ACCOUNT_CREATED, account)

    assert new.previous == old.digest
    assert first_broken() is None
    call_command("verify_audit", verbosity=0)


def test_an_old_entry_that_is_given_data_breaks_the_chain(old: Entry, account: Account) -> None:
    record(Actor.system(), ACCOUNT_CREATED, account)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_entry DISABLE TRIGGER USER")
        cursor.execute("UPDATE audit_entry SET data = '{}' WHERE id = %s", [old.pk])

    assert first_broken() == old
    said = io.StringIO()
    with pytest.raises(CommandError, match="breaks at 1 of 2 entries"):
        call_command("verify_audit", stderr=said)
    assert f"Entry {old.pk} (2026-01-02 03:04:05 UTC) was altered" in said.getvalue()


def test_an_old_entry_reads_the_same_in_every_language(old: Entry, another_language: str) -> None:
    with translation.override(another_language):
        assert str(old) == "Scan 7 succeeded: read 12 resources"
