"""A removed account: it and what is in it appear nowhere, until an administrator restores it or deletes it for good."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest
from django.test import Client
from django.urls import get_resolver, reverse
from django.utils import timezone
from knox.models import AuthToken

from nephoscope.accounts.models import Account, AccountGroup, User
from nephoscope.audit.services import Actor
from nephoscope.organisations.models import Member, Organisation
from nephoscope.organisations.services import remove_organisation
from nephoscope.policies.services import create_policy
from nephoscope.reports.models import ReportSchedule
from nephoscope.scans.removing import remove_account

from .conftest import Things
from .test_pages import FOR_ADMINISTRATORS, LISTS

SignIn = Callable[..., Client]
NAME = "gone-with-the-wind"
SAYS_IT = {"audit_entry_changelist"}
"""Administrators read in the audit log that it was removed."""


@pytest.fixture
def gone(things: Things, system: Actor, administrator: User) -> SimpleNamespace:
    """One of everything in an account that was removed; a member of an organisation and in a schedule, too."""
    Account.objects.filter(pk=things.account.pk).update(name=NAME)
    things.account.refresh_from_db()
    remove_organisation(system, things.organisation)
    other = Account.objects.create(name="payer", provider="aws", number="2" * 12, verified_at=timezone.now())
    organisation = Organisation.objects.create(name="org", account=other, settings=things.organisation.settings)
    now = timezone.now()
    Member.objects.create(
        organisation=organisation,
        number=things.account.number,
        name="a member",
        state="active",
        since=now,
        seen_at=now,
        account=things.account,
        linked_at=now,
    )
    schedule = ReportSchedule.objects.create(name="weekly", owner=administrator)
    schedule.accounts.add(things.account)
    remove_account(system, things.account)
    return SimpleNamespace(**{**vars(things), "organisation": organisation, "schedule": schedule})


def pages(gone: SimpleNamespace) -> Iterator[tuple[str, str]]:
    """Yield every list and form of the console, with its address."""
    for name in (*LISTS, *FOR_ADMINISTRATORS):
        yield name, reverse(f"admin:{name}")
    for name in ("organisations_organisation_change", "organisations_organisation_configure"):
        yield name, reverse(f"admin:{name}", args=[gone.organisation.pk])
    for name in ("reports_reportschedule_change", "reports_reportschedule_edit", "reports_reportschedule_send"):
        yield name, reverse(f"admin:{name}", args=[gone.schedule.pk])
    yield (
        "accounts_accountgroup_change",
        reverse("admin:accounts_accountgroup_change", args=[gone.account.groups.get().pk]),
    )


def listings() -> Iterator[str]:
    """Yield the address of everything that the API lists or exports."""
    for pattern in get_resolver("nephoscope.api.urls").url_patterns:
        for each in getattr(pattern, "url_patterns", ()):
            route = each.pattern.regex.pattern.removeprefix("^").removesuffix(r"\Z").removesuffix("$")
            if "get" in getattr(each.callback, "actions", {}) and "(" not in route and route != "accounts/removed":
                yield f"/api/v1/{route}"
    yield "/api/v1/findings/export/ocsf"
    yield "/api/v1/alerts/export/csv"


@pytest.mark.parametrize("role", ["viewer", "administrator"])
def test_no_page_of_the_console_shows_it(
    role: str, gone: SimpleNamespace, everyone: dict[str, User], sign_in: SignIn
) -> None:
    client, seen = sign_in(everyone[role]), 0
    for name, address in pages(gone):
        page = client.get(address)
        if page.status_code in (403, 404) and role == "viewer":
            continue
        assert page.status_code == 200, name
        seen += 1
        assert (role == "administrator" and name in SAYS_IT) or NAME not in page.content.decode(), name
    assert seen > 10


@pytest.mark.parametrize("role", ["viewer", "administrator"])
def test_nothing_that_the_api_lists_or_exports_holds_it(
    role: str, gone: SimpleNamespace, everyone: dict[str, User], sign_in: SignIn
) -> None:
    client, found = sign_in(everyone[role]), list(listings())
    assert len(found) > 15
    for address in found:
        answer = client.get(address)
        assert answer.status_code == 200 or (answer.status_code == 403 and role == "viewer"), address
        text = (b"".join(answer.streaming_content) if answer.streaming else answer.content).decode()
        if role == "administrator" and address == "/api/v1/audit":
            continue
        assert NAME not in text and "alert('x')" not in text, address


@pytest.mark.parametrize("role", ["viewer", "administrator"])
def test_what_is_in_it_is_not_found_by_its_address(
    role: str, gone: SimpleNamespace, everyone: dict[str, User], sign_in: SignIn
) -> None:
    client = sign_in(everyone[role])
    for name, noun in (
        ("accounts_account", "account"),
        ("alerts_alert", "alert"),
        ("changes_change", "change"),
        ("inventory_scan", "scan"),
    ):
        assert client.get(reverse(f"admin:{name}_change", args=[getattr(gone, noun).pk])).status_code == 404, noun
        assert client.get(f"/api/v1/{noun}s/{getattr(gone, noun).pk}").status_code == 404, noun
    policy = gone.account.policies[0]
    for address in ("", "/export/csv", "/export/pdf"):
        asked = f"/api/v1/compliance{address}?account={gone.account.pk}&policy={policy}"
        assert NAME not in (answer := client.get(asked)).content.decode("latin-1") and answer.status_code != 500
        assert not address or answer.status_code in (400, 404), asked


def test_an_administrator_removes_restores_and_deletes_it_for_good(
    things: Things, system: Actor, administrator: User, sign_in: SignIn
) -> None:
    account, client = things.account, sign_in(administrator)
    remove_organisation(system, things.organisation)
    remove, removed = (
        reverse("admin:accounts_account_remove", args=[account.pk]),
        reverse("admin:accounts_account_removed"),
    )
    asked = client.get(remove).content.decode()
    assert "You can restore it at any time" in asked and "1 alert" in asked and Account.objects.present().exists()
    done = client.post(remove, follow=True).content.decode()
    assert "prod was removed." in done and f'href="{removed}">Undo</a>' in done and "Removed (1)" in done
    assert "Delete for good…" in client.get(removed).content.decode()
    restore = reverse("admin:accounts_account_restore", args=[account.pk])
    assert client.get(restore)["Location"] == removed, "a link restores nothing"
    assert "prod was restored." in client.post(restore, follow=True).content.decode()
    client.post(remove)

    erase = reverse("admin:accounts_account_erase", args=[account.pk])
    asked = client.get(erase).content.decode()
    assert "Delete prod for good?" in asked and "1 alert" in asked and "2 resources" in asked
    assert "Enter the account’s name, prod." in client.post(erase, {"name": "dev"}).content.decode()
    assert Account.objects.exists()
    assert "prod was deleted for good." in client.post(erase, {"name": "prod"}, follow=True).content.decode()
    assert not Account.objects.exists() and client.get(erase).status_code == 404


def test_what_is_removed_with_users_groups_schedules_organisations_and_policies_is_said_first(
    things: Things, group: AccountGroup, viewer: User, administrator: User, sign_in: SignIn
) -> None:
    schedule = ReportSchedule.objects.create(name="weekly", owner=viewer)
    AuthToken.objects.create(viewer)
    policy = create_policy(Actor.of(administrator), name="ours", provider="aws")
    client = sign_in(administrator)

    def asked(name: str, *arguments: object) -> str:
        page = client.get(reverse(f"admin:{name}", args=arguments))
        assert "Cancel" in page.content.decode()
        return page.content.decode()

    user = asked("accounts_user_remove", viewer.pk)
    assert "1 API token stops working." in user and "These report schedules stop: weekly." in user
    of_group = asked("accounts_accountgroup_remove", group.pk)
    assert "These users lose access" in of_group and viewer.username in of_group and "prod" in of_group
    assert "its history is deleted" in asked("reports_reportschedule_remove", schedule.pk)
    assert "the list of its members is deleted" in asked("organisations_organisation_remove", things.organisation.pk)
    assert "Its list of 0 rules is deleted." in asked("policy_delete", policy.key)


@pytest.mark.parametrize("role", ["viewer", "analyst", "remediator", "stranger"])
def test_nobody_else_sees_removed_accounts_or_restores_one(
    role: str, gone: SimpleNamespace, everyone: dict[str, User], sign_in: SignIn
) -> None:
    client = sign_in(everyone[role])
    assert client.get(reverse("admin:accounts_account_removed")).status_code == 403
    assert "Removed (" not in client.get(reverse("admin:accounts_account_changelist")).content.decode()
    for name in ("restore", "erase"):
        address = reverse(f"admin:accounts_account_{name}", args=[gone.account.pk])
        assert client.get(address).status_code == client.post(address, {"name": NAME}).status_code == 403
    assert client.get("/api/v1/accounts/removed").status_code == 403
    for act in (client.post, client.delete):
        path = "restore" if act == client.post else "?permanently=true"
        joined = f"/api/v1/accounts/{gone.account.pk}" + (f"/{path}" if act == client.post else path)
        assert act(joined, content_type="application/json").status_code == 403
    assert Account.objects.removed().filter(name=NAME).exists()


def test_the_api_removes_restores_and_deletes_for_good(
    things: Things, system: Actor, administrator: User, sign_in: SignIn
) -> None:
    account, client = things.account, sign_in(administrator)
    remove_organisation(system, things.organisation)
    address = f"/api/v1/accounts/{account.pk}"
    assert client.delete(f"{address}?permanently=true&name=prod").status_code == 404, "it was not removed"
    assert client.delete(address).status_code == 204 and client.get(address).status_code == 404
    [listed] = client.get("/api/v1/accounts/removed").json()["results"]
    assert listed["name"] == "prod" and listed["removed_at"]
    restored = client.post(f"{address}/restore", content_type="application/json").json()
    assert restored["id"] == account.pk and restored["removed_at"] is None
    client.delete(address)
    assert "name" in client.delete(f"{address}?permanently=true").json()
    assert Account.objects.exists()
    assert client.delete(f"{address}?permanently=true&name=prod").status_code == 204
    assert not Account.objects.exists()
