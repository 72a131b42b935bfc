"""Every place where the log was tampered with is named, and none where it was not."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from nephoscope.accounts.models import Account
from nephoscope.audit.actions.accounts import ACCOUNT_CREATED
from nephoscope.audit.chain import GENESIS, Fault, check
from nephoscope.audit.models import Entry
from nephoscope.audit.services import Actor, record

pytestmark = pytest.mark.django_db


def tamper(statement: str, *values: Any) -> None:
    """Do what somebody with the database's password can do."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_entry DISABLE TRIGGER USER")
        cursor.execute(statement, values)


def places() -> list[tuple[int, Fault]]:
    return [(place.entry.pk, place.fault) for place in check()]


@pytest.fixture
def ids(account: Account) -> list[int]:
    return [record(Actor.system(), ACCOUNT_CREATED, account, reason=f"{n}").pk for n in range(12)]


def test_every_break_is_named_and_none_hides_those_after_it(ids: list[int]) -> None:
    tamper("UPDATE audit_entry SET reason = 'x' WHERE id IN (%s, %s)", ids[2], ids[9])
    tamper("DELETE FROM audit_entry WHERE id IN (%s, %s)", ids[5], ids[6])
    assert places() == [(ids[2], Fault.ALTERED), (ids[7], Fault.MISSING), (ids[9], Fault.ALTERED)]

    said = io.StringIO()
    with pytest.raises(CommandError, match="breaks at 3 of 10 entries"):
        call_command("verify_audit", stderr=said)
    told = said.getvalue()
    assert len(told.splitlines()) == 3
    assert f"Entry {ids[7]} (" in told and f"does not follow the entry before it ({ids[4]})" in told


@pytest.mark.parametrize(
    "change",
    [
        "at = 'infinity'",
        "at = '0044-03-15 BC'",
        "address = '10.0.0.0/8'",
        "before = repeat('9', 6000)::jsonb",
        "data = (repeat('[', 5000) || repeat(']', 5000))::jsonb",
    ],
)
def test_what_cannot_be_read_is_named_and_hides_nothing_after_it(ids: list[int], change: str) -> None:
    tamper("UPDATE audit_entry SET reason = 'x' WHERE id = %s", ids[9])
    tamper(f"UPDATE audit_entry SET {change} WHERE id = %s", ids[3])
    assert places() == [(ids[3], Fault.UNREADABLE), (ids[9], Fault.ALTERED)]
    assert f"Entry {ids[3]}" in str(next(check()))


def test_an_altered_entry_with_a_new_hash_breaks_the_one_after_it(ids: list[int]) -> None:
    entry = Entry.objects.get(pk=ids[3])
    entry.reason = "x"
    tamper("UPDATE audit_entry SET reason = 'x', digest = %s WHERE id = %s", entry.compute_digest(), ids[3])
    assert places() == [(ids[4], Fault.MISSING)]


def test_an_inserted_entry_is_named_by_the_one_that_does_not_follow_it(ids: list[int]) -> None:
    tamper("DELETE FROM audit_entry WHERE id = %s", ids[-1])  # room behind, to put a forged one between two
    tamper("UPDATE audit_entry SET id = id + 1000 WHERE id > %s", ids[4])
    forged = Entry.objects.get(pk=ids[4])
    forged.pk, forged.previous, forged.reason = ids[5], forged.digest, "forged"
    forged.digest = forged.compute_digest()
    forged.save(force_insert=True)
    assert places() == [(ids[5] + 1000, Fault.INSERTED)]
    assert f"up to entry {ids[5]}, was inserted" in str(next(check())), "it is named"


def test_the_beginning_cannot_be_cut_off(ids: list[int]) -> None:
    tamper("DELETE FROM audit_entry WHERE id < %s", ids[3])
    assert places() == [(ids[3], Fault.CUT)]


def test_numbers_that_were_never_given_are_no_break(ids: list[int], account: Account) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT setval(pg_get_serial_sequence('audit_entry', 'id'), %s)", [ids[-1] + 50])
    record(Actor.system(), ACCOUNT_CREATED, account)
    assert places() == []


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("fe80::1%eth0", "fe80::1"),
        ("fe80::5054:ff:fe12:3456%2", "fe80::5054:ff:fe12:3456"),
        ("::ffff:10.0.0.5", "10.0.0.5"),
        ("2001:DB8::A", "2001:db8::a"),
        ("2001:0db8:0000:0000:0000:0000:0000:000a", "2001:db8::a"),
    ],
)
def test_an_address_that_0_1_hashed_otherwise_is_told_apart_and_hides_nothing_after_it(
    account: Account, given: str, kept: str
) -> None:
    old = record(Actor.of_task("schedule", address=kept), ACCOUNT_CREATED, account)
    assert old.address == kept
    tamper("UPDATE audit_entry SET digest = %s WHERE id = %s", old.compute_digest(address=given), old.pk)
    later = [record(Actor.system(), ACCOUNT_CREATED, account) for _n in range(3)]
    assert places() == [(old.pk, Fault.RESPELT)]
    said = io.StringIO()
    call_command("verify_audit", stdout=said)
    assert f"Entry {old.pk}" in said.getvalue() and "entries is whole" in said.getvalue()

    tamper("UPDATE audit_entry SET reason = 'x' WHERE id = %s", later[1].pk)
    assert places() == [(old.pk, Fault.RESPELT), (later[1].pk, Fault.ALTERED)]
    tamper("UPDATE audit_entry SET address = '10.9.9.9' WHERE id = %s", old.pk)
    assert places()[0] == (old.pk, Fault.ALTERED)


VALUES: list[Any] = [
    float("nan"),
    float("inf"),
    1e999,
    10**18,
    10**30,
    -(10**299),
    10**5000,
    1.0,
    1e22,
    1.7976931348623157e308,
    "a\0b",
    "\ud800",
    "\0\udfff",
    "e\u0301 and \u00e9",
    "\U0001f600\u200b\u202e",
    "",
    None,
    [],
    {},
    {"b": 1, "a": {"z": None, "A": True}},
    {"\0k": 1, "\ud800": 2},
    {1: "a", 2.5: "b", None: "c"},
    ["x" * 300_000],
    (1, 2),
    datetime(2026, 1, 1, tzinfo=UTC),
]


@pytest.mark.parametrize("value", VALUES, ids=range(len(VALUES)))
def test_any_value_is_kept_and_verifies(account: Account, value: Any) -> None:
    record(Actor.system(), ACCOUNT_CREATED, account, before=value, after={"x": [value]})
    assert places() == []


def test_any_text_is_kept_and_verifies(account: Account) -> None:
    account.name = "a\0b\ud800" * 100
    record(Actor.system("n\0\ud800" * 200), ACCOUNT_CREATED, account, reason="r\0\ud800e\u0301" * 50_000)
    assert places() == []


def test_nesting_without_end_is_kept_and_verifies(account: Account) -> None:
    value: Any = "bottom"
    for _level in range(5_000):
        value = [value]
    record(Actor.system(), ACCOUNT_CREATED, account, before=value)
    assert places() == []


def test_a_time_of_another_zone_verifies(account: Account) -> None:
    at = datetime(2026, 1, 1, 12, 0, 0, 123456, tzinfo=timezone(timedelta(hours=5, minutes=45)))
    record(Actor.system(), ACCOUNT_CREATED, account, at=at)
    record(Actor.system(), ACCOUNT_CREATED, account, at=at.replace(microsecond=0))
    assert places() == []


def test_an_empty_log_is_whole() -> None:
    assert places() == [] and len(GENESIS) == 64
