"""Automatic fixes in the console and over the API: who switches them on, who objects, and who sees them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from tests.changes.automatic import minute, on
from tests.house import House

from nephoscope import testing as toy
from nephoscope.accounts.models import Account, AccountGroup, User
from nephoscope.audit.services import Actor
from nephoscope.changes.automatic import object_to
from nephoscope.changes.automatic_models import AutomaticFix, FixNotice
from nephoscope.changes.models import Change

pytestmark = pytest.mark.django_db

SignIn = Callable[..., Client]
FORM = reverse("admin:rule_automatic", args=["toy.closed"])
UPCOMING, FIXES = reverse("admin:changes_fixnotice_changelist"), reverse("admin:changes_automaticfix_changelist")


def asked(house: House, **more: Any) -> dict[str, Any]:
    return {"accounts": [house.account.pk], "notice_days": 3, **more}


def notice(name: str = "front") -> FixNotice:
    return FixNotice.objects.get(resource_name=name)


def act(name: str, row: FixNotice) -> str:
    return reverse(f"admin:changes_fixnotice_{name}", args=[row.pk])


def test_an_administrator_sees_what_it_would_do_before_switching_it_on(
    house: House, administrator: User, sign_in: SignIn
) -> None:
    client = sign_in(administrator)
    assert FORM in client.get(reverse("admin:rule", args=["toy.closed"])).content.decode()
    form = client.get(FORM).content.decode()
    assert "waits for approval" in form and "At most 25 resources of an account" in form
    shown = client.post(FORM, asked(house)).content.decode()
    assert "Now: 2 of 2 failing resources will be fixed" in shown
    assert "Last 30 days: 0 of 0 resources would have been fixed" in shown
    assert not AutomaticFix.objects.exists() and house.cloud.calls == []
    assert 'value="3"' in client.post(FORM, asked(house, back="1")).content.decode()
    done = client.post(FORM, asked(house, confirm="1"), follow=True).content.decode()
    assert "Switched on." in done and "3 days of notice" in done
    assert AutomaticFix.objects.get().accounts.get() == house.account


def test_what_is_wrong_stands_beside_its_field(house: House, administrator: User, sign_in: SignIn) -> None:
    client = sign_in(administrator)
    assert "Choose at least one account." in client.post(FORM, {"notice_days": 3}).content.decode()
    assert "neph-errors" in client.post(FORM, asked(house, notice_days="soon")).content.decode()
    locked = client.post(f"{FORM}?fix=toy.lock", asked(house)).content.decode()
    assert "Maker is missing." in locked
    entered = client.post(f"{FORM}?fix=toy.lock", asked(house, **{"input-maker": "Yale"})).content.decode()
    assert 'name="input-maker" value="Yale"' in entered
    assert client.get(f"{FORM}?fix=toy.none").status_code == 404
    assert client.get(reverse("admin:rule_automatic", args=["toy.none"])).status_code == 404


def test_accounts_without_a_fix_role_are_not_offered(house: House, administrator: User, sign_in: SignIn) -> None:
    Account.objects.update(writing_verified_at=None)
    client = sign_in(administrator)
    assert "Accounts without a fix role are left out: 1." in client.get(FORM).content.decode()
    assert client.post(FORM, asked(house, confirm="1")).status_code == 200
    assert not AutomaticFix.objects.exists()


@pytest.mark.parametrize("role", ["viewer", "analyst", "remediator", "stranger"])
def test_only_administrators_switch_it_on_and_off(
    role: str, house: House, boss: Actor, everyone: dict[str, User], sign_in: SignIn
) -> None:
    automatic, client = on(boss, house, days=3), sign_in(everyone[role])
    assert client.get(FORM).status_code == 403
    assert client.post(FORM, asked(house, confirm="1")).status_code == 403
    assert FORM not in client.get(reverse("admin:rule", args=["toy.closed"])).content.decode()
    off = reverse("admin:changes_automaticfix_off", args=[automatic.pk])
    assert client.post(off).status_code == (404 if role == "stranger" else 403)
    assert AutomaticFix.objects.get().off_at is None


def test_an_administrator_switches_it_off(house: House, boss: Actor, administrator: User, sign_in: SignIn) -> None:
    automatic = on(boss, house)
    minute(house)
    off = reverse("admin:changes_automaticfix_off", args=[automatic.pk])
    done = sign_in(administrator).post(off, follow=True).content.decode()
    assert "Switched off. 2 queued changes were withdrawn." in done
    assert "is off already" in sign_in(administrator).post(off, follow=True).content.decode()


@pytest.mark.parametrize("role", ["viewer", "analyst", "remediator", "administrator"])
def test_everyone_with_the_account_sees_what_is_upcoming_where_it_matters(
    role: str, house: House, boss: Actor, everyone: dict[str, User], sign_in: SignIn
) -> None:
    automatic, client = on(boss, house, days=3), sign_in(everyone[role])
    minute(house)
    alert = reverse("admin:alerts_alert_change", args=[house.alert.pk])
    account = reverse("admin:accounts_account_change", args=[house.account.pk])
    for address in (alert, account):
        assert "2 resources are about to be fixed automatically" in client.get(address).content.decode()
    listed = client.get(UPCOMING).content.decode()
    assert ">Upcoming</span>" in listed and "door/front" in listed
    assert (act("object", notice()) in listed) == (role != "viewer")
    assert toy.closed.title in client.get(FIXES).content.decode()
    shown = reverse("admin:changes_automaticfix_change", args=[automatic.pk])
    assert ("neph-danger" in client.get(shown).content.decode()) == (role == "administrator")
    assert client.get(reverse("admin:changes_fixnotice_change", args=[notice().pk]))["Location"] == alert


def test_a_stranger_sees_nothing_of_it(house: House, boss: Actor, stranger: User, sign_in: SignIn) -> None:
    automatic, client = on(boss, house, days=3), sign_in(stranger)
    minute(house)
    assert "door/front" not in client.get(UPCOMING).content.decode()
    assert toy.closed.title not in client.get(FIXES).content.decode()
    shown = reverse("admin:changes_automaticfix_change", args=[automatic.pk])
    for address in (shown, act("object", notice()), act("withdraw", notice())):
        assert client.get(address).status_code == 404
    assert client.post(act("object", notice()), {"reason": "x"}).status_code == 404


def test_accounts_that_are_not_granted_are_not_named(house: House, boss: Actor, viewer: User, sign_in: SignIn) -> None:
    other = Account.objects.create(
        name="secret-lair", provider="toy", number="9" * 12, writing_verified_at=house.account.verified_at
    )
    other.groups.add(AccountGroup.objects.create(name="Others"))
    automatic = on(boss, house, accounts=[house.account, other])
    client = sign_in(viewer)
    for address in (FIXES, reverse("admin:changes_automaticfix_change", args=[automatic.pk])):
        page = client.get(address).content.decode()
        assert "prod" in page and "secret-lair" not in page
    assert "secret-lair" not in client.get("/api/v1/automatic-fixes").content.decode()


def test_an_analyst_objects_with_a_reason_and_withdraws_it(
    house: House, boss: Actor, analyst: User, viewer: User, sign_in: SignIn
) -> None:
    on(boss, house, days=3)
    minute(house)
    client = sign_in(analyst)
    assert "Object to the automatic fix of front?" in client.get(act("object", notice())).content.decode()
    assert "Enter a reason." in client.post(act("object", notice()), {"reason": " "}).content.decode()
    client.post(act("object", notice()), {"reason": "the movers come"})
    listed = client.get(UPCOMING).content.decode()
    assert "anna: the movers come" in listed and act("withdraw", notice()) in listed
    assert sign_in(viewer).post(act("withdraw", notice())).status_code == 403
    assert "in 3 days" in client.get(act("withdraw", notice())).content.decode()
    client.post(act("withdraw", notice()))
    assert notice().objected_at is None
    assert sign_in(viewer).post(act("object", notice()), {"reason": "no"}).status_code == 403


def test_the_page_of_a_change_leads_to_the_fix_that_made_it(
    house: House, boss: Actor, viewer: User, sign_in: SignIn
) -> None:
    automatic, client = on(boss, house), sign_in(viewer)
    minute(house)
    change = Change.objects.all()[0]
    shown = reverse("admin:changes_automaticfix_change", args=[automatic.pk])
    assert shown in client.get(reverse("admin:changes_change_change", args=[change.pk])).content.decode()
    assert str(change) in client.get(shown).content.decode()
    assert client.get(f"/api/v1/changes/{change.pk}").json()["automatic_fix"] == automatic.pk
    assert "ada (automatic)" in client.get(reverse("admin:changes_change_changelist")).content.decode()


def test_lists_are_filtered_by_state_account_and_rule(house: House, boss: Actor, viewer: User, sign_in: SignIn) -> None:
    on(boss, house, days=3)
    minute(house)
    object_to(boss, notice(), reason="no")
    client = sign_in(viewer)

    def named(query: str) -> set[str]:
        page = client.get(f"{UPCOMING}?{query}").content.decode()
        return {name for name in ("door/front", "door/back") if name in page}

    assert named("state=objected") == {"door/front"} and named("state=upcoming") == {"door/back"}
    assert named(f"account={house.account.pk}&rule=toy.closed") == {"door/front", "door/back"}
    assert named("account=999") == named("rule=toy.none") == named("state=changed") == set()
    assert named("q=back") == {"door/back"}
    assert toy.closed.title in client.get(f"{FIXES}?on=1&account={house.account.pk}&q=close").content.decode()
    listed = client.get("/api/v1/upcoming-fixes?state=upcoming,kept_back&rule=toy.closed").json()
    assert [row["resource_name"] for row in listed["results"]] == ["back"]
    listed = client.get(f"/api/v1/automatic-fixes?on=true&account={house.account.pk}&rule=toy.closed").json()
    assert len(listed["results"]) == 1
    assert client.get("/api/v1/automatic-fixes?on=false").json()["results"] == []


def test_the_api_previews_for_administrators_and_refuses_accounts_that_are_not_there(
    house: House, everyone: dict[str, User], api: Any
) -> None:
    body = {"rule": "toy.closed", "remediation": "toy.close", "accounts": [house.account.pk], "notice_days": 0}
    for role in ("viewer", "analyst", "remediator", "stranger"):
        assert api(everyone[role]).post("/api/v1/automatic-fixes/preview", body).status_code == 403
    client = api(everyone["administrator"])
    shown = client.post("/api/v1/automatic-fixes/preview", body).json()
    assert [(row["resource"], row["account"]["name"], row["why"]) for row in shown["now"]] == [
        ("back", "prod", ""),
        ("front", "prod", ""),
    ]
    assert not AutomaticFix.objects.exists()
    refused = client.post("/api/v1/automatic-fixes/preview", {**body, "accounts": [999]})
    assert refused.status_code == 409 and refused.json()["accounts"] == ["There is no account 999."]
    assert client.post("/api/v1/automatic-fixes", {**body, "inputs": {"maker": "x"}}).status_code == 409
