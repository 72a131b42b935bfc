"""The catalogue of fixes and its second approvers, in the console and over the API."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from rest_framework.test import APIClient
from tests.changes.working import apply
from tests.house import House

from nephoscope import testing as toy
from nephoscope.accounts.models import User
from nephoscope.audit.models import Entry
from nephoscope.audit.services import Actor
from nephoscope.changes.approvals import require_second_approver
from nephoscope.changes.models import SecondApproval
from nephoscope.plugins import registry

from .conftest import Things

pytestmark = pytest.mark.django_db
SignIn = Callable[..., Client]
Api = Callable[[Any], APIClient]

CLOSE = toy.CloseDoor.id
LIST = "/api/v1/fixes"


def text(client: Client, name: str, *arguments: Any, **query: str) -> str:
    return re.sub(r"\s+", " ", client.get(reverse(f"admin:{name}", args=arguments), query).content.decode())


def titles(client: Client, **query: str) -> set[str]:
    groups = client.get(reverse("admin:fixes"), query).context["groups"]
    return {each.fix.title for _provider, _group, fixes in groups for each in fixes}


# -- The catalogue ---------------------------------------------------------------------------------


def test_every_registered_fix_is_listed_and_has_a_page_with_all_that_it_says(viewer: User, sign_in: SignIn) -> None:
    client, fixes = sign_in(viewer), registry().remediations.values()
    assert titles(client) == {fix.title for fix in fixes}
    for fix in fixes:
        client.get(reverse("admin:fix", args=[fix.id]))
        shown = text(client, "fix", fix.id)
        for action in (*fix.reads, *fix.writes):
            assert f"<code>{action}</code>" in shown, (fix.id, action)
        assert "What may stop working" in shown and "Undo" in shown


def test_a_fix_says_whether_it_can_be_undone(house: House, viewer: User, sign_in: SignIn, api: Api) -> None:
    client = sign_in(viewer)
    assert "Complete: an undo restores exactly" in text(client, "fix", CLOSE)
    assert "Each plan says what an undo does not bring back." in text(client, "fix", toy.FitLock.id)
    assert "new rule ID" in text(client, "fix", "aws.ec2.close_ingress")
    answers = {each["id"]: each["loses"] for each in api(viewer).get(LIST, {"page_size": 200}).json()["results"]}
    assert (answers[CLOSE], answers[toy.FitLock.id]) == ("", None)
    assert "new rule ID" in answers["aws.ec2.close_ingress"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"q": "DOOR toy.close"}, {"Close the door"}),
        ({"q": toy.WRITE.lower()}, {"Close the door", "Fit a lock"}),
        ({"provider": "toy"}, {"Close the door", "Fit a lock"}),
        ({"group": "Locks", "q": "lock"}, {"Fit a lock"}),
        ({"service": "doors"}, {"Close the door", "Fit a lock"}),
        ({"service": "windows"}, set()),
    ],
)
def test_fixes_are_found_by_words_provider_group_and_service(
    house: House, viewer: User, sign_in: SignIn, api: Api, query: dict[str, str], found: set[str]
) -> None:
    assert titles(sign_in(viewer), **query) == found
    assert {each["title"] for each in api(viewer).get(LIST, query).json()["results"]} == found


def test_a_fix_shows_its_rules_its_changes_and_the_last_result_of_accounts_that_one_sees(
    house: House, viewer: User, stranger: User, sign_in: SignIn, api: Api
) -> None:
    done = apply(house.actor, house.plan("front"))
    house.plan("back")
    answer = api(viewer).get(f"{LIST}/{CLOSE}").json()
    assert (answer["changes"], answer["last_result"]["reference"]) == (2, str(done))
    assert answer["rules"] == [toy.closed.id]
    shown = text(sign_in(viewer), "fix", CLOSE)
    assert reverse("admin:rule", args=[toy.closed.id]) in shown
    assert reverse("admin:changes_change_change", args=[done.pk]) in shown and "rémi" in shown
    answer = api(stranger).get(f"{LIST}/{CLOSE}").json()
    assert (answer["changes"], answer["last_result"]) == (0, None)
    assert str(done) not in text(sign_in(stranger), "fix", CLOSE)


def test_a_rules_page_leads_to_its_fixes(house: House, viewer: User, sign_in: SignIn) -> None:
    assert reverse("admin:fix", args=[CLOSE]) in text(sign_in(viewer), "rule", toy.closed.id)


def test_there_is_no_page_of_a_fix_that_is_not_registered(viewer: User, sign_in: SignIn, api: Api) -> None:
    assert sign_in(viewer).get(reverse("admin:fix", args=["toy.paint"])).status_code == 404
    assert api(viewer).get(f"{LIST}/toy.paint").json() == {"detail": "There is no fix toy.paint."}
    assert api(viewer).get(LIST, {"kind": "x"}).status_code == 400


def test_the_list_takes_the_same_queries_however_many_fixes_there_are(
    house: House, viewer: User, sign_in: SignIn
) -> None:
    client = sign_in(viewer)

    def queries() -> int:
        with CaptureQueriesContext(connection) as found:
            titles(client)
        return len(found)

    before = queries()
    house.plan("front"), house.plan_lock("back")
    assert queries() == before


# -- Second approvers ------------------------------------------------------------------------------


def requirements(things: Things | House) -> dict[str, str]:
    return {"fix": CLOSE, "account": str(things.account.pk), "severity": "high"}


@pytest.mark.parametrize("what", ["fix", "account", "severity"])
def test_an_administrator_requires_a_second_approver_and_stops_requiring_one_each_after_a_look(
    house: House, administrator: User, sign_in: SignIn, what: str
) -> None:
    client, address = sign_in(administrator), reverse("admin:second_approver_require")
    asked = f"{address}?{what}={requirements(house)[what]}"
    assert "Require a second approver" in client.get(asked).content.decode()
    assert not SecondApproval.objects.exists()
    assert client.post(asked).status_code == 302
    row = SecondApproval.objects.get()
    assert row.set_by == administrator and Entry.objects.filter(action="approval.second_required").count() == 1
    drop = reverse("admin:second_approver_drop", args=[row.pk])
    assert "go on waiting" in client.get(drop).content.decode()
    assert SecondApproval.objects.exists()
    client.post(drop)
    assert not SecondApproval.objects.exists()
    assert Entry.objects.filter(action="approval.second_dropped").count() == 1


def test_requiring_twice_or_for_nothing_known_is_refused_in_words(
    house: House, administrator: User, sign_in: SignIn
) -> None:
    client, address = sign_in(administrator), reverse("admin:second_approver_require")
    require_second_approver(Actor.of(administrator), severity="high")
    for query, said in (
        ({"severity": "high"}, "A second approver is required for this already."),
        ({"severity": "dire"}, "not a valid choice"),
        ({"fix": "toy.paint"}, "There is no fix “toy.paint”."),
        ({}, "just one of them"),
        ({"fix": CLOSE, "severity": "low"}, "just one of them"),
    ):
        assert said in client.get(address, query, follow=True).content.decode(), query
    assert client.get(address, {"account": "999999"}).status_code == 404
    assert SecondApproval.objects.count() == 1


def test_everyone_reads_where_a_second_approver_is_required_and_only_administrators_change_it(
    house: House, everyone: dict[str, User], administrator: User, sign_in: SignIn
) -> None:
    row = require_second_approver(Actor.of(administrator), account=house.account)
    require_second_approver(Actor.of(administrator), remediation=CLOSE)
    drop = reverse("admin:second_approver_drop", args=[row.pk])
    require = f"{reverse('admin:second_approver_require')}?severity=high"
    for role in ("viewer", "analyst", "remediator", "stranger"):
        client = sign_in(everyone[role])
        shown = text(client, "second_approvers")
        assert "Close the door" in shown and drop not in shown, role
        assert (house.account.name in shown) == (role != "stranger"), role
        for address in (drop, require):
            assert client.get(address).status_code == client.post(address).status_code == 403, role
        assert "Required: each change is approved by two people." in text(client, "fix", CLOSE), role
    assert SecondApproval.objects.count() == 2
    shown = text(sign_in(everyone["viewer"]), "accounts_account_change", house.account.pk)
    assert "Required: each change is approved by two people." in shown and drop not in shown
    assert drop in text(sign_in(administrator), "accounts_account_change", house.account.pk)


def test_the_act_leads_back_to_where_it_was_begun_and_nowhere_else(
    house: House, administrator: User, sign_in: SignIn
) -> None:
    client, fix = sign_in(administrator), reverse("admin:fix", args=[CLOSE])
    address = f"{reverse('admin:second_approver_require')}?fix={CLOSE}&next="
    assert f"{address.replace('&', '&amp;')}{fix}" in text(client, "fix", CLOSE)
    assert client.post(f"{address}{fix}")["Location"] == fix
    drop = reverse("admin:second_approver_drop", args=[SecondApproval.objects.get().pk])
    assert client.post(f"{drop}?next=https://example.com/")["Location"] == reverse("admin:second_approvers")


def test_over_the_api_a_requirement_is_made_listed_and_dropped(
    house: House, administrator: User, viewer: User, stranger: User, api: Api
) -> None:
    client, path = api(administrator), "/api/v1/second-approvers"
    made = client.post(path, {"account": house.account.pk})
    assert made.status_code == 201 and made.json()["account"]["name"] == house.account.name
    assert client.post(path, {"fix": CLOSE}).json()["fix"] == CLOSE
    assert client.post(path, {"fix": CLOSE}).status_code == client.post(path, {}).status_code == 409
    assert client.post(path, {"account": 999_999}).status_code == 409
    assert api(viewer).get(path).json()["count"] == 2
    assert api(stranger).get(path).json()["count"] == 1
    assert api(viewer).get(f"{LIST}/{CLOSE}").json()["second_approver"] is True
    assert api(viewer).post(path, {"severity": "low"}).status_code == 403
    assert client.delete(f"{path}/{made.json()['id']}").status_code == 204
    assert api(viewer).get(path).json()["count"] == 1
