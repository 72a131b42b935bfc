"""The audit log can be added to, and nothing else."""

from __future__ import annotations

import io

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from nephoscope.accounts.models import Account, User
from nephoscope.audit.actions.accounts import ACCOUNT_CREATED, ACCOUNT_VERIFIED
from nephoscope.audit.actions.people import SIGNED_IN
from nephoscope.audit.chain import first_broken
from nephoscope.audit.models import Entry
from nephoscope.audit.services import Actor, record

pytestmark = pytest.mark.django_db


@pytest.fixture
def entries(account: Account, analyst: User) -> list[Entry]:
    actor = Actor.of(analyst, "10.0.0.5")
    return [
        record(
            actor,
            ACCOUNT_VERIFIED,
            account,
            {"number": "1234", "missing": [f"s3:Get{n}"], "fixing": False},
            account=account,
            reason="why",
            before={"n": n},
            after=[1],
        )
        for n in range(3)
    ]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entry SET actor = 'nobody'",
        "UPDATE audit_entry SET digest = digest",
        "UPDATE audit_entry SET data = NULL",
        "DELETE FROM audit_entry",
        "TRUNCATE audit_entry",
    ],
)
def test_the_database_refuses_to_alter_or_remove_entries(entries: list[Entry], statement: str) -> None:
    with pytest.raises(DatabaseError, match=r"append-only|Cannot"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert Entry.objects.count() == 3


def test_an_entry_says_who_what_when_from_where_and_why(entries: list[Entry]) -> None:
    entry = Entry.objects.get(pk=entries[0].pk)
    assert (entry.actor, entry.address, entry.reason) == ("anna", "10.0.0.5", "why")
    assert (entry.before, entry.after) == ({"n": 0}, [1])
    assert str(entry) == "anna verified prod (1234); missing permissions: s3:Get0"


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("after", "[2]"),
        ("data", '{"number": "1234", "missing": [], "fixing": false}'),
        ("data", None),
        ("data", "null"),
        ("summary", "did nothing"),
    ],
)
def test_the_chain_is_whole_until_somebody_with_the_database_password_changes_an_entry(
    entries: list[Entry], column: str, value: str | None
) -> None:
    assert first_broken() is None
    call_command("verify_audit", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_entry DISABLE TRIGGER USER")
        cursor.execute(f"UPDATE audit_entry SET {column} = %s WHERE id = %s", [value, entries[1].pk])
    assert first_broken() == entries[1]
    said = io.StringIO()
    with pytest.raises(CommandError, match="breaks at 1 of 3 entries"):
        call_command("verify_audit", stderr=said)
    assert f"Entry {entries[1].pk} (" in said.getvalue()


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("fe80::1%eth0", "fe80::1"),
        ("2001:DB8:0::1", "2001:db8::1"),
        ("::ffff:10.0.0.5", "10.0.0.5"),
        ("::1.2.3.4", "::1.2.3.4"),
        ("::1", "::1"),
        ("unix:", None),
        ("", None),
    ],
)
def test_the_chain_is_whole_over_an_address_however_it_is_written(
    account: Account, analyst: User, given: str, kept: str | None
) -> None:
    made = record(Actor.of(analyst, given), ACCOUNT_CREATED, account)
    assert made.address == Entry.objects.get(pk=made.pk).address == kept
    assert first_broken() is None


@pytest.mark.parametrize(
    "value",
    [
        1e16,
        1.234567890123456e16,
        1.5e300,
        1e-07,
        5e-324,
        -0.0,
        1.0,
        0.1,
        {2: "b", 10: "a"},
        {1: "a", "b": (None, True)},
    ],
    ids=repr,
)
def test_the_chain_is_whole_over_values_that_the_database_writes_otherwise(account: Account, value: object) -> None:
    made = record(Actor.system(), ACCOUNT_CREATED, account, before=value, after=[value])
    read = Entry.objects.get(pk=made.pk)
    assert repr((made.before, made.after)) == repr((read.before, read.after))
    assert first_broken() is None


def test_a_removed_entry_breaks_the_chain_at_the_next(entries: list[Entry]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_entry DISABLE TRIGGER USER")
        cursor.execute("DELETE FROM audit_entry WHERE id = %s", [entries[1].pk])
    assert first_broken() == entries[2]


def test_an_act_that_fails_leaves_no_entry(account: Account) -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        record(Actor.system(), ACCOUNT_CREATED, account)
        raise RuntimeError
    assert not Entry.objects.exists()


def test_a_user_sees_the_entries_of_granted_accounts_and_their_own(
    entries: list[Entry], viewer: User, stranger: User, administrator: User, account: Account
) -> None:
    own = record(Actor.of(stranger), SIGNED_IN, stranger)
    assert Entry.objects.visible_to(viewer).count() == 3
    assert list(Entry.objects.visible_to(stranger)) == [own]
    assert Entry.objects.visible_to(administrator).count() == 4


def test_the_log_outlives_the_account(entries: list[Entry], account: Account) -> None:
    account.delete()
    assert Entry.objects.count() == 3
    assert first_broken() is None
