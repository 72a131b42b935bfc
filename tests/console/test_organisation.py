"""Organisations in the console: connected step by step, their members counted, listed and filtered."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_q.models import OrmQ
from tests.scanning import connect

from nephoscope.accounts.models import Account, User
from nephoscope.audit.services import Actor
from nephoscope.operations.tasks import sync_organisation
from nephoscope.organisations.models import Member, Organisation
from nephoscope.plugins import registry
from nephoscope_aws_simulator.testing import Simulator

from .conftest import Things

SignIn = Callable[..., Client]
ADD = "admin:organisations_organisation_add"


def test_an_organisation_is_connected_step_by_step(
    aws: Simulator, administrator: User, system: Actor, sign_in: SignIn
) -> None:
    client = sign_in(administrator)
    assert "No account can list an organisation yet" in client.get(reverse(ADD)).content.decode()
    account = connect(system)
    form = {
        "name": "Northwind",
        "account": account.pk,
        "role_name": "a b",
        "scan_every": "0",
        "external_id": "northwind-members",
        "regions": "eu-west-1",
    }
    page = client.post(reverse(ADD), form)
    assert "only letters, digits" in page.content.decode() and not Organisation.objects.exists()
    page = client.post(reverse(ADD), {**form, "role_name": "nephoscope-read", "write_role_name": "fixes"}, follow=True)
    organisation = Organisation.objects.get()
    text = page.content.decode()
    assert "create-stack-set" in text and "northwind-members" in text and "The first sync lists the accounts" in text
    for template in ("cli", "cloudformation", "terraform", "fix-cli"):
        answer = client.get(
            reverse("admin:organisations_organisation_setup_template", args=[organisation.pk, template])
        )
        assert answer.status_code == 200 and "attachment" in answer["Content-Disposition"]
    assert (
        client.get(reverse("admin:organisations_organisation_setup_template", args=[organisation.pk, "no"])).status_code
        == 404
    )

    page = client.post(reverse("admin:organisations_organisation_sync", args=[organisation.pk]), follow=True)
    assert "Sync queued" in page.content.decode() and OrmQ.objects.count() == 1
    sync_organisation(organisation.pk)
    page = client.get(reverse("admin:organisations_organisation_change", args=[organisation.pk]))
    text = page.content.decode()
    assert [(label, count) for _href, count, label, _value in page.context["counts"]] == [
        ("Connected", 4),
        ("Pending", 1),
        ("Suspended or closed", 1),
    ]
    assert "run the setup template for all members" in text and "northwind-webshop" in text
    for href, count, _label, _value in page.context["counts"]:
        assert client.get(href).context["cl"].result_count == count

    configure = reverse("admin:organisations_organisation_configure", args=[organisation.pk])
    assert "northwind-members" not in client.get(configure).content.decode()
    client.post(configure, {"name": "NW", "role_name": "nephoscope-read", "scan_every": "24", "exclude": "Sandbox\n"})
    organisation.refresh_from_db()
    assert (organisation.name, organisation.scan_every, organisation.exclude) == ("NW", 24, ["Sandbox"])
    remove = reverse("admin:organisations_organisation_remove", args=[organisation.pk])
    assert "stay connected" in client.get(remove).content.decode()
    client.post(remove)
    assert not Organisation.objects.exists() and Account.objects.count() == 4


@pytest.mark.parametrize("name", ["configure", "remove", "setup_template"])
def test_how_members_are_reached_is_shown_to_administrators_only(
    name: str, everyone: dict[str, User], things: Things, sign_in: SignIn
) -> None:
    arguments = [things.organisation.pk, "cli"] if name == "setup_template" else [things.organisation.pk]
    address = reverse(f"admin:organisations_organisation_{name}", args=arguments)
    for role in ("viewer", "analyst", "remediator", "stranger"):
        answer = sign_in(everyone[role]).get(address)
        assert answer.status_code == 403 and things.organisation.settings["external_id"] not in answer.content.decode()
    change = reverse("admin:organisations_organisation_change", args=[things.organisation.pk])
    text = sign_in(everyone["administrator"]).get(change).content.decode()
    assert "Sync now" in text and things.organisation.settings["external_id"] in text
    text = sign_in(everyone["viewer"]).get(change).content.decode()
    assert things.organisation.settings["external_id"] not in text and "Sync now" not in text
    posted = sign_in(everyone["analyst"]).post(
        reverse("admin:organisations_organisation_sync", args=[things.organisation.pk])
    )
    assert posted.status_code == 403


def test_others_see_the_members_whose_accounts_they_may_see(viewer: User, things: Things, sign_in: SignIn) -> None:
    client = sign_in(viewer)
    listed = client.get(reverse("admin:organisations_member_changelist"))
    assert [member.account for member in listed.context["cl"].result_list] == [things.account]
    address = reverse("admin:organisations_member_change", args=[listed.context["cl"].result_list[0].pk])
    assert client.get(address)["Location"] == reverse("admin:accounts_account_change", args=[things.account.pk])
    hidden = Member.objects.get(account=None)
    assert client.get(reverse("admin:organisations_member_change", args=[hidden.pk])).status_code == 404


def test_accounts_are_filtered_by_organisation_and_state(administrator: User, things: Things, sign_in: SignIn) -> None:
    client = sign_in(administrator)
    Account.objects.create(name="waiting", provider="aws")
    for query, names in (
        ({"organisation": things.organisation.pk}, ["prod"]),
        ({"organisation": "x"}, []),
        ({"state": "pending"}, ["waiting"]),
        ({"state": "connected"}, ["prod"]),
        ({"state": "resting"}, []),
        ({"state": "nonsense"}, []),
    ):
        listed = client.get(reverse("admin:accounts_account_changelist"), query)
        assert [each.name for each in listed.context["cl"].result_list] == names, query


def test_an_account_that_is_suspended_says_so_and_offers_no_scan(
    administrator: User, things: Things, sign_in: SignIn
) -> None:
    Member.objects.filter(account=things.account).update(state="suspended", since=timezone.now())
    client = sign_in(administrator)
    text = client.get(reverse("admin:accounts_account_change", args=[things.account.pk])).content.decode()
    assert "cannot be scanned until it is back" in text and "Scan now" not in text
    page = client.post(reverse("admin:accounts_account_scan", args=[things.account.pk]), follow=True)
    assert "prod is suspended in" in page.content.decode()
    listed = client.get(reverse("admin:accounts_account_changelist"), {"state": "resting"})
    assert "Suspended or left" in listed.content.decode() and listed.context["cl"].result_count == 1


def test_without_the_plugin_of_its_provider_an_organisation_is_shown_and_not_changed(
    things: Things, administrator: User, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(registry().providers, things.account.provider)
    client = sign_in(administrator)
    address = reverse("admin:organisations_organisation_configure", args=[things.organisation.pk])
    for answer in (client.get, client.post):
        page = answer(address, follow=True)
        assert page.status_code == 200 and "The plugin of its provider is not enabled." in page.content.decode()
        assert address not in page.content.decode() and "Sync now" not in page.content.decode()
