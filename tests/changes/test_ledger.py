"""The ledger: every change with who, why, calls, before, after, result and undo; found by any of it, and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient
from tests.changes.working import apply, undo
from tests.house import House

from nephoscope import testing as toy
from nephoscope.accounts.models import User
from nephoscope.audit.services import Actor
from nephoscope.changes import ledger
from nephoscope.changes.models import Change, ChangeStep
from nephoscope.inventory.models import Resource

pytestmark = pytest.mark.django_db
Api = Callable[[Any], APIClient]

FORMULA = '=HYPERLINK("https://example.com")'


@pytest.fixture
def changes(house: House, administrator: User) -> dict[str, Change]:
    """One that was undone, one of two steps that an administrator approved, and a plan."""
    undone = undo(house.actor, apply(house.actor, house.plan("front"), f"rain {FORMULA}"), "air")
    locked = apply(Actor.of(administrator), house.plan_lock("back"))
    return {"undone": undone, "locked": locked, "plan": house.plan("front")}


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def exported(**filters: str) -> list[dict[str, str]]:
    found = Change.objects.all()
    for name, value in filters.items():
        found = ledger.FILTERS[name](found, value)
    return rows("".join(ledger.as_csv(found)))


def test_a_row_says_who_why_what_was_called_what_it_was_before_and_after_and_how_it_ended(
    changes: dict[str, Change],
) -> None:
    [row] = exported(state="undone")
    told = {name: row[name] for name in ("change", "fix", "rule", "resource", "resource id", "step")}
    assert told == {
        "change": str(changes["undone"]),
        "fix": toy.CloseDoor.id,
        "rule": toy.closed.id,
        "resource": "front",
        "resource id": "door/front",
        "step": "1",
    }
    assert (row["call"], row["request"]) == ("toy:SetDoor", '{"door": "front", "open": false}')
    assert (row["before"], row["after"]) == ('{"Open": true}', '{"Open": false}')
    assert (row["undo call"], row["undo request"]) == ("toy:SetDoor", '{"door": "front", "open": true}')
    assert (row["planned by"], row["approved by"], row["undo requested by"]) == ("rémi", "rémi", "rémi")
    assert (row["undo reason"], row["result"], row["error"]) == ("air", "undone", "")
    assert row["outcome"] == "Undone: the resources are as they were before."
    assert row["approved"] and row["finished"] and row["undone"]


def test_each_step_has_a_row_in_its_order_and_the_newest_change_is_first(changes: dict[str, Change]) -> None:
    found = [(row["change"], row["step"]) for row in exported()]
    plan, locked, undone = (str(changes[name]) for name in ("plan", "locked", "undone"))
    assert found == [(plan, "1"), (locked, "1"), (locked, "2"), (undone, "1")]


def test_no_cell_is_taken_for_a_formula(changes: dict[str, Change]) -> None:
    Change.objects.filter(pk=changes["undone"].pk).update(reason=FORMULA)
    ChangeStep.objects.filter(change=changes["undone"]).update(before="@SUM(1)", resource_name="-2+3", error="+1")
    [row] = exported(state="undone")
    assert [row[name] for name in ("reason", "before", "resource", "error")] == [
        f"'{FORMULA}",
        "'@SUM(1)",
        "'-2+3",
        "'+1",
    ]


def test_a_ledger_of_any_length_is_one_query_and_no_more(changes: dict[str, Change]) -> None:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert len(list(ledger.as_csv(Change.objects.all()))) == 5
    assert len(queries) == 1


@pytest.mark.parametrize(
    ("filter", "found"),
    [
        ({"state": "undone,verified"}, {"undone", "locked"}),
        ({"fix": toy.FitLock.id}, {"locked"}),
        ({"fix": "toy.paint"}, set()),
        ({"rule": toy.closed.id}, {"undone", "locked", "plan"}),
        ({"rule": "toy.open"}, set()),
        ({"user": "ada"}, {"locked"}),
        ({"user": "rémi"}, {"undone", "locked", "plan"}),
        ({"since": "2"}, {"locked", "plan"}),
        ({"since": "soon"}, set()),
        ({"q": "door/front"}, {"undone", "plan"}),
        ({"q": "air"}, {"undone"}),
        ({"q": "lock back"}, {"locked"}),
        ({"q": "lock front"}, set()),
        ({"account": "0"}, set()),
    ],
)
def test_changes_are_found_by_what_the_ledger_says_of_them(
    changes: dict[str, Change], filter: dict[str, str], found: set[str], api: Api, viewer: User, client: Client
) -> None:
    long_ago = timezone.now() - timedelta(days=3)
    Change.objects.filter(pk=changes["undone"].pk).update(planned_at=long_ago, finished_at=long_ago, undone_at=long_ago)
    expected = {str(changes[name]) for name in found}
    client.force_login(viewer)
    listed = client.get(reverse("admin:changes_change_changelist"), filter)
    assert {str(each) for each in listed.context["cl"].result_list} == expected
    if filter not in ({"since": "soon"}, {"account": "0"}):  # which the API refuses
        answer = api(viewer).get("/api/v1/changes", filter).json()
        assert {each["reference"] for each in answer["results"]} == expected
    assert {row["change"] for row in exported(**filter)} == expected


def test_the_csv_of_the_list_holds_what_the_list_shows(
    changes: dict[str, Change], viewer: User, client: Client
) -> None:
    client.force_login(viewer)
    listed = client.get(reverse("admin:changes_change_changelist"), {"fix": toy.FitLock.id, "o": "1", "p": "1"})
    [(name, address)] = listed.context["exports"]
    answer = client.get(address)
    assert (name, answer["Content-Type"]) == ("CSV", "text/csv; charset=utf-8")
    found = rows(b"".join(answer.streaming_content).decode())  # type: ignore[attr-defined]
    assert {row["change"] for row in found} == {str(changes["locked"])}


def test_nobody_exports_changes_of_accounts_that_are_not_granted(
    changes: dict[str, Change], api: Api, stranger: User
) -> None:
    answer = api(stranger).get("/api/v1/changes/export/csv")
    assert rows(b"".join(answer.streaming_content).decode()) == []  # type: ignore[attr-defined]
    assert api(None).get("/api/v1/changes/export/csv").status_code == 401


def test_the_filters_of_the_list_offer_what_the_user_may_see(
    changes: dict[str, Change], viewer: User, stranger: User
) -> None:
    assert ledger.users(viewer) == ["ada", "rémi"]
    assert ledger.fixes(viewer) == [(toy.CloseDoor.id, "Close the door"), (toy.FitLock.id, "Fit a lock")]
    assert [id for id, _title in ledger.rules(viewer)] == [toy.closed.id]
    assert ledger.users(stranger) == ledger.fixes(stranger) == ledger.rules(stranger) == []


# -- On the resource's page ------------------------------------------------------------------------


def page_of(name: str) -> str:
    return reverse("admin:inventory_resource_change", args=[Resource.objects.get(name=name).pk])


def test_a_resources_page_shows_its_changes_and_leads_to_their_undo(
    changes: dict[str, Change], house: House, everyone: dict[str, User], client: Client
) -> None:
    link = reverse("admin:changes_change_change", args=[changes["locked"].pk])
    for role, undoable in (("viewer", False), ("analyst", False), ("remediator", True), ("administrator", True)):
        client.force_login(everyone[role])
        shown = client.get(page_of("back")).content.decode()
        assert link in shown and "Fit a lock" in shown and "nobody needs this" in shown, role
        assert (f"{link}#undo" in shown) == undoable, role
        assert str(changes["undone"]) not in shown, role
    assert "Close the door" in client.get(page_of("front")).content.decode()
    client.force_login(everyone["stranger"])
    assert client.get(page_of("back")).status_code == 404


def test_of_many_changes_a_resources_page_leads_to_the_list(
    changes: dict[str, Change], house: House, viewer: User, client: Client
) -> None:
    for _each in range(10):
        Change.objects.create(account=house.account, alert=house.alert, remediation="toy.close", title="Close")
    for change in Change.objects.filter(title="Close"):
        ChangeStep.objects.create(change=change, position=0, resource_id="door/front", call={}, title="Close")
    client.force_login(viewer)
    address = f"{reverse('admin:changes_change_changelist')}?resource={Resource.objects.get(name='front').pk}"
    assert address in client.get(page_of("front")).content.decode()
    found = client.get(address).context["cl"].result_list
    assert len(found) == 12 and changes["locked"] not in found
