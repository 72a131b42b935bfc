"""A secret that is entered reaches the cloud, and nobody and nothing else: by API, console and command line."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.core.management.base import OutputWrapper
from django.db import connection
from django.test import Client, override_settings
from django.urls import reverse

from nephoscope import domain
from nephoscope import testing as toy
from nephoscope.accounts.models import Account, User
from nephoscope.audit.models import Entry
from nephoscope.audit.services import Actor
from nephoscope.domain import Member, MemberState
from nephoscope.organisations.models import Organisation
from nephoscope.organisations.sync import sync_organisation
from nephoscope.scans.runner import work
from nephoscope.scans.services import start_scan
from nephoscope.vault import Vault, new_key

pytestmark = pytest.mark.django_db

V1 = "/api/v1"
WORD, OTHER = "s3cr3t-word", "an0ther-word"


@pytest.fixture(autouse=True)
def nothing_shows_it(db: Any, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """After each test: neither the logs, at their most talkative, nor any row of any table holds a secret."""
    with caplog.at_level(logging.DEBUG):
        yield
    assert WORD not in caplog.text and OTHER not in caplog.text
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f'SELECT count(*) FROM "{table}" AS row WHERE row::text ~ %s', [f"{WORD}|{OTHER}"])
            assert cursor.fetchone() == (0,), table


@pytest.fixture
def admin(administrator: User, api: Any) -> Any:
    return api(administrator)


@pytest.fixture
def house(cloud: toy.ToyCloud, admin: Any) -> Account:
    """An account of the toy cloud, verified with a secret."""
    made = admin.post(f"{V1}/accounts", {"name": "house", "provider": "toy", "settings": {"token": WORD}})
    verified = admin.post(f"{V1}/accounts/{made.json()['id']}/verify", {"role": "role/reader"})
    assert (made.status_code, verified.status_code) == (201, 200)
    assert WORD not in made.content.decode() + verified.content.decode()
    return Account.objects.get(name="house")


def test_the_catalogue_says_which_settings_are_secret(cloud: toy.ToyCloud, admin: Any) -> None:
    provider = admin.get(f"{V1}/providers/toy").json()
    assert {each["name"]: each["secret"] for each in provider["settings"]} == {
        "role": False,
        "secret": False,
        "token": True,
        "write_role": False,
    }


def test_the_cloud_gets_it_and_the_api_does_not_return_it(house: Account, cloud: toy.ToyCloud, admin: Any) -> None:
    assert house.connection.settings["token"] == WORD
    assert any(WORD in each for each in cloud.calls)
    account = f"{V1}/accounts/{house.pk}"
    assert set(admin.get(account).json()["settings"]) == {"role", "secret", "write_role"}
    for path in (account, f"{V1}/accounts", f"{account}/setup-templates", f"{V1}/audit", f"{V1}/resources"):
        answer = admin.get(path)
        assert answer.status_code == 200 and WORD not in answer.content.decode()


def test_a_scan_is_done_with_it(house: Account, cloud: toy.ToyCloud, system: Actor) -> None:
    cloud.doors["front"] = True
    scan = start_scan(system, house, enqueue=False)
    work(scan.pk)
    scan.refresh_from_db()
    assert scan.state == "succeeded"


def test_left_out_or_empty_it_stays_and_another_replaces_it(house: Account, admin: Any) -> None:
    path = f"{V1}/accounts/{house.pk}/verify"
    for given, now in (({}, WORD), ({"token": ""}, WORD), ({"token": " "}, WORD), ({"token": OTHER}, OTHER)):
        assert admin.post(path, given).status_code == 200
        assert Account.objects.get(pk=house.pk).secrets["token"] == now


def test_what_goes_wrong_does_not_repeat_it(house: Account, cloud: toy.ToyCloud, admin: Any, system: Actor) -> None:
    path = f"{V1}/accounts/{house.pk}/verify"
    for given in ({"role": "role/closed", "token": OTHER}, {"role": "user/x", "token": OTHER}, {"tokem": OTHER}):
        answer = admin.post(path, given)
        assert answer.status_code == 409 and OTHER not in answer.content.decode()
    assert admin.post(path, {"token": [OTHER]}).json() == {"token": ["Enter text."]}
    assert Account.objects.get(pk=house.pk).secrets["token"] == WORD, "nothing was saved"


def test_an_error_that_tells_all_it_knows_of_a_connection_does_not_know_it(
    house: Account, cloud: toy.ToyCloud, system: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(connection: domain.Connection) -> Any:
        raise domain.ConnectionProblem("role", f"cannot use {connection}")

    monkeypatch.setattr(cloud, "open", broken)
    scan = start_scan(system, house, enqueue=False)
    work(scan.pk)
    scan.refresh_from_db()
    assert (scan.state, scan.error) == (
        "failed",
        "cannot use Connection(account='111111111111', regions=('north', 'south'))",
    )


def test_the_audit_log_says_that_the_account_was_connected_and_not_how(house: Account) -> None:
    entries = Entry.objects.filter(account=house)
    assert set(entries.values_list("action", flat=True)) == {"account.created", "account.verified"}
    assert WORD not in json.dumps([str(vars(each)) for each in entries])


# -- With another key ------------------------------------------------------------------------------


@pytest.fixture
def lost_key(house: Account, tmp_path: Path) -> Iterator[None]:
    with override_settings(VAULT=Vault([new_key()], tmp_path / "none")):
        yield


def test_without_its_key_the_error_names_the_setting_and_where_the_key_belongs(
    house: Account, lost_key: None, admin: Any, system: Actor
) -> None:
    answer = admin.post(f"{V1}/accounts/{house.pk}/verify", {})
    assert answer.status_code == 409 and "NEPHOSCOPE_ENCRYPTION_KEYS" in answer.json()["token"][0]
    assert "NEPHOSCOPE_ENCRYPTION_KEYS" in admin.get(f"{V1}/accounts/{house.pk}/regions").json()["token"][0]
    scan = start_scan(system, Account.objects.get(pk=house.pk), enqueue=False)
    work(scan.pk)
    scan.refresh_from_db()
    assert scan.state == "failed" and "NEPHOSCOPE_ENCRYPTION_KEYS" in scan.error
    assert admin.get(f"{V1}/accounts/{house.pk}").status_code == 200


def test_without_its_key_it_can_be_entered_anew(house: Account, lost_key: None, admin: Any) -> None:
    assert admin.post(f"{V1}/accounts/{house.pk}/verify", {"token": OTHER}).status_code == 200
    assert Account.objects.get(pk=house.pk).connection.settings["token"] == OTHER


def test_without_its_key_the_console_still_shows_the_account(
    house: Account, lost_key: None, administrator: User, client: Client
) -> None:
    client.force_login(administrator)
    for name in ("change", "connect", "configure"):
        assert client.get(reverse(f"admin:accounts_account_{name}", args=[house.pk])).status_code == 200


# -- Console ---------------------------------------------------------------------------------------


def test_the_form_says_that_it_is_set_and_keeps_it_when_left_empty(
    house: Account, administrator: User, client: Client
) -> None:
    client.force_login(administrator)
    page = reverse("admin:accounts_account_connect", args=[house.pk])
    shown = client.get(page).content.decode()
    field = shown[shown.index('id="token"') :].split(">")[0]
    assert 'type="password"' in field and "Set. Leave empty to keep it." in field and "value=" not in field
    assert WORD not in shown
    assert client.post(page, {"role": "role/reader", "token": ""}).status_code == 302
    assert Account.objects.get(pk=house.pk).secrets["token"] == WORD
    refused = client.post(page, {"role": "role/closed", "token": OTHER}).content.decode()
    assert "cannot be assumed" in refused and OTHER not in refused, "what was typed is not shown again either"
    assert client.post(page, {"role": "role/reader", "token": OTHER}).status_code == 302
    assert Account.objects.get(pk=house.pk).secrets["token"] == OTHER


def test_the_accounts_page_says_that_it_is_set_to_those_who_connect_accounts(
    house: Account, everyone: dict[str, User], group: Any, client: Client
) -> None:
    house.groups.add(group)
    page = reverse("admin:accounts_account_change", args=[house.pk])
    for name, shown in (("administrator", True), ("remediator", False), ("viewer", False)):
        client.force_login(everyone[name])
        text = client.get(page).content.decode()
        assert ("<dt>Token</dt><dd>Set</dd>" in text) == shown and WORD not in text
    client.force_login(everyone["stranger"])
    assert client.get(page).status_code == 404


# -- Organisations ---------------------------------------------------------------------------------


@pytest.fixture
def northwind(house: Account, cloud: toy.ToyCloud, admin: Any) -> Organisation:
    """An organisation with a secret, of which one member is new."""
    cloud.organisations.listed = [
        Member(house.number, "house", MemberState.ACTIVE, management=True),
        Member("2" * 12, "shed", MemberState.ACTIVE),
    ]
    asked = {"name": "Northwind", "account": house.pk, "settings": {"token": OTHER}}
    made = admin.post(f"{V1}/organisations", asked)
    assert made.status_code == 201 and OTHER not in made.content.decode()
    assert made.json()["settings"] == {"role_name": "reader"}
    return Organisation.objects.get()


def test_an_organisations_secret_reaches_its_members_and_nobody_else(
    northwind: Organisation, admin: Any, system: Actor
) -> None:
    assert sync_organisation(system, northwind).connected == 1
    member = Account.objects.get(name="shed")
    assert member.connection.settings["token"] == OTHER and "token" not in member.settings
    path = f"{V1}/organisations/{northwind.pk}"
    for given, now in (({"settings": {"token": ""}}, OTHER), ({}, OTHER), ({"settings": {"token": WORD}}, WORD)):
        answer = admin.patch(path, {"name": "North", **given})
        assert answer.status_code == 200 and now not in answer.content.decode()
        assert Organisation.objects.get().secrets["token"] == now
    for each in (path, f"{path}/setup-templates", f"{V1}/audit?action=organisation.configured", f"{V1}/members"):
        assert WORD not in admin.get(each).content.decode()


def test_the_organisations_form_keeps_it_when_left_empty(
    northwind: Organisation, administrator: User, client: Client
) -> None:
    client.force_login(administrator)
    page = reverse("admin:organisations_organisation_configure", args=[northwind.pk])
    shown = client.get(page).content.decode()
    assert "Set. Leave empty to keep it." in shown and OTHER not in shown
    entered = {"name": "Northwind", "role_name": "reader", "scan_every": "0"}
    assert client.post(page, {**entered, "token": ""}).status_code == 302
    assert Organisation.objects.get().secrets["token"] == OTHER
    refused = client.post(page, {**entered, "name": "", "token": WORD}).content.decode()
    assert WORD not in refused
    assert client.post(page, {**entered, "token": WORD}).status_code == 302
    assert Organisation.objects.get().secrets["token"] == WORD


# -- Command line ----------------------------------------------------------------------------------


def test_the_command_takes_it_from_a_file_and_not_from_its_arguments(
    cloud: toy.ToyCloud, db: Any, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text(f"{WORD}\n")
    out = io.StringIO()
    given = ["--role", "role/reader", "--token", str(tmp_path / "token")]
    call_command("connect", "toy", "house", *given, stdout=OutputWrapper(out))
    assert Account.objects.get().secrets["token"] == WORD and WORD not in out.getvalue()
    with pytest.raises(CommandError, match="No such file") as caught:
        call_command("connect", "toy", "house", "--token", str(tmp_path / "missing"))
    assert WORD not in str(caught.value)
