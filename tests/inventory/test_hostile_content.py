"""What a cloud may say and a database does not keep: it costs no other resource anything, and never reads as a pass."""

from __future__ import annotations

from typing import Any

import pytest

from nephoscope.accounts.models import Account
from nephoscope.domain import Resource, as_unknown
from nephoscope.domain.texts import DEEPEST
from nephoscope.inventory import store
from nephoscope.inventory.content import MOST_BYTES, content_of, digest_of
from nephoscope.inventory.models import Resource as Row

pytestmark = pytest.mark.django_db


def made(name: str, value: Any) -> Resource:
    return Resource("Toy::Door", f"door/{name}", name, "north", "1", {"Open": value, "Name": name})


def nested(levels: int) -> Any:
    value: Any = "bottom"
    for _level in range(levels):
        value = [value]
    return value


ODD = {
    "infinite": float("inf"),
    "minus infinite": float("-inf"),
    "not a number": float("nan"),
    "a huge integer": 10**5000,
    "deep": nested(DEEPEST + 5),
    "bottomless": nested(5_000),
}


@pytest.mark.parametrize("value", ODD.values(), ids=ODD)
def test_what_cannot_be_kept_is_unknown_and_all_beside_it_is_kept(account: Account, value: Any) -> None:
    store.save(account, "doors", [made("odd", value), made("usual", True)])
    odd, usual = Row.objects.get(name="odd"), Row.objects.get(name="usual")
    assert "$unknown" in str(odd.properties["Open"]) and odd.properties["Name"] == "odd"
    assert usual.properties["Open"] is True


def test_texts_lose_what_no_text_may_hold(account: Account) -> None:
    strange = Resource("Toy::Door", "door/\0\ud800", "a\0b\ud800", "north", "1", {"\0": "\udfff"}, {"\0k": "v\0"})
    [pk] = store.save(account, "doors", [strange])
    row = Row.objects.get(pk=pk)
    assert "\0" not in f"{row.resource_id}{row.name}{row.properties}{row.tags}"
    assert store.save(account, "doors", [strange]) == {pk}, "it is found again under the same id"


def test_a_resource_of_megabytes_is_known_by_name_and_its_content_is_unknown(account: Account) -> None:
    store.save(account, "doors", [made("huge", "x" * (MOST_BYTES + 1))])
    assert as_unknown(Row.objects.get(name="huge").properties)


def test_names_and_ids_that_are_too_long_are_cut(account: Account) -> None:
    long = Resource("Toy::Door", "d" * 5_000, "n" * 5_000, "north", "1", {})
    assert len(store.save(account, "doors", [long])) == 1


def test_one_that_the_database_refuses_costs_the_others_of_its_batch_nothing(
    account: Account, caplog: pytest.LogCaptureFixture
) -> None:
    refused = Resource("T" * 500, "door/refused", "refused", "north", "1", {"Open": "secret text"})
    saved = store.save(account, "doors", [made("one", True), refused, made("two", False)])
    assert len(saved) == 2
    assert {row.name: row.properties["Open"] for row in Row.objects.all()} == {"one": True, "two": False}
    assert "door/refused could not be stored" in caplog.text and "secret text" not in caplog.text


def test_what_did_not_change_has_the_same_digest_whatever_it_holds() -> None:
    for value in (float("inf"), nested(5_000), "\ud800", 10**400, {"a": 1}):
        assert digest_of(made("x", value)) == digest_of(made("x", value))
    assert digest_of(made("x", 1))[0] != digest_of(made("x", 2))[0]
    assert digest_of(made("x", {"a": [1, "b"]}))[1], "the usual is kept as it is"
    assert content_of(made("x", 1.5))["properties"]["Open"] == 1.5


def test_brackets_in_texts_hide_no_depth() -> None:
    value: Any = "bottom"
    for _level in range(DEEPEST + 5):
        value = ["]]]]}}}}", value]
    assert not digest_of(made("x", value))[1]
    assert "$unknown" in str(content_of(made("x", value)))
