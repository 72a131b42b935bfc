"""Secrets in rows: encrypted in the database, kept when they cannot be read, and encrypted anew by another key."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core import serializers as dumps
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import override_settings
from rest_framework import serializers

import nephoscope.api.urls  # noqa: F401  # all serializers are known then
from nephoscope.accounts import fields
from nephoscope.accounts.fields import secret_fields
from nephoscope.accounts.models import Account
from nephoscope.domain import ConnectionProblem
from nephoscope.organisations.models import Organisation
from nephoscope.vault import SecretUnreadable, Vault, new_key

pytestmark = pytest.mark.django_db
WORD = "s3cr3t-word"


@pytest.fixture
def vault(tmp_path: Path, settings: Any) -> Vault:
    """A vault of the test's own, with its keys in a file."""
    settings.VAULT = Vault((), tmp_path / "encryption_keys")
    return settings.VAULT


@pytest.fixture
def stored(account: Account, vault: Vault) -> Account:
    account.secrets = {"token": WORD}
    account.save()
    return Account.objects.get(pk=account.pk)


def columns() -> str:
    """All that the database holds of secrets."""
    found = []
    with connection.cursor() as cursor:
        for model, field in secret_fields():
            cursor.execute(f'SELECT "{field.column}"::text FROM "{model._meta.db_table}"')
            found += [row[0] for row in cursor.fetchall()]
    return " ".join(found)


def test_the_database_holds_no_text(stored: Account) -> None:
    assert (stored.secrets["token"], stored.connection.settings["token"]) == (WORD, WORD)
    assert WORD not in columns() and "token" in columns()


def test_only_the_provider_gets_it(stored: Account) -> None:
    assert "token" not in stored.shown_connection.settings
    assert WORD not in f"{stored!r} {stored.connection!r} {vars(stored)}"


def test_a_row_whose_secrets_cannot_be_read_is_shown_changed_and_keeps_them(stored: Account, vault: Vault) -> None:
    with override_settings(VAULT=Vault([new_key()], vault.file)):
        account = Account.objects.get(pk=stored.pk)
        account.name = "renamed"
        account.full_clean()
        account.save()
        with pytest.raises(ConnectionProblem) as caught:
            _connection = account.connection
        assert caught.value.field == "token" and "NEPHOSCOPE_ENCRYPTION_KEYS" in caught.value.message
    assert Account.objects.get(name="renamed").secrets["token"] == WORD


def test_a_dump_holds_what_is_encrypted_and_is_loaded_as_it_was(stored: Account) -> None:
    dumped = dumps.serialize("json", [stored])
    assert WORD not in dumped
    Account.objects.filter(pk=stored.pk).update(secrets={})
    for each in dumps.deserialize("json", dumped):
        each.save()
    assert Account.objects.get(pk=stored.pk).secrets["token"] == WORD


def test_no_serializer_of_the_api_and_no_form_has_a_field_for_them() -> None:
    holders = dict(secret_fields())
    assert {Account, Organisation} <= set(holders)
    assert all(not field.editable for field in holders.values()), "forms and the admin leave it out"
    pending: list[Any] = [serializers.ModelSerializer]
    while pending:
        each = pending.pop()
        pending += each.__subclasses__()
        if (model := getattr(getattr(each, "Meta", None), "model", None)) in holders:
            assert holders[model].name not in each.Meta.fields, each


# -- Another key -----------------------------------------------------------------------------------


def rotate() -> str:
    out = StringIO()
    call_command("rotate_encryption_key", stdout=out)
    return out.getvalue()


@pytest.fixture
def organisation(stored: Account) -> Organisation:
    return Organisation.objects.create(name="Northwind", account=stored, secrets={"key": WORD, "empty": ""})


def test_all_secrets_are_encrypted_by_a_new_key_and_the_old_one_goes_at_the_next_time(
    organisation: Organisation, vault: Vault
) -> None:
    [old] = vault.read_keys()
    assert "secrets of 2 rows" in rotate()
    [new, kept] = vault.read_keys()
    assert new != old == kept
    organisation.refresh_from_db()
    assert (organisation.secrets["key"], organisation.secrets["empty"]) == (WORD, "")
    assert organisation.account.secrets["token"] == WORD
    for row in (organisation, organisation.account):
        for sealed in filter(None, row.secrets.sealed.values()):
            with pytest.raises(SecretUnreadable):
                Vault([old], vault.file).open(sealed)
    rotate()
    assert old not in vault.read_keys() and new in vault.read_keys()


def test_what_is_committed_after_a_rotation_can_be_read_though_it_is_by_the_key_before(
    stored: Account, vault: Vault
) -> None:
    late = Account(name="late", provider=stored.provider, secrets={"token": WORD})
    rotate()
    late.save()
    assert Account.objects.get(pk=late.pk).secrets["token"] == WORD
    rotate()
    rotate()
    assert Account.objects.get(pk=late.pk).secrets["token"] == WORD


def test_one_row_that_no_key_fits_keeps_all_keys_and_names_itself(
    organisation: Organisation, stored: Account, vault: Vault
) -> None:
    [old] = vault.read_keys()
    with override_settings(VAULT=Vault([new_key()], vault.file)):
        Organisation.objects.update(secrets={"key": "of another installation"})
    with pytest.raises(CommandError, match=rf"organisations.Organisation {organisation.pk}: .* All keys were kept"):
        rotate()
    assert old in vault.read_keys()
    stored.refresh_from_db()
    assert stored.secrets["token"] == WORD
    Organisation.objects.update(secrets={})
    rotate()
    stored.refresh_from_db()
    assert old not in vault.read_keys() and stored.secrets["token"] == WORD


def test_what_another_process_encrypts_by_the_old_key_meanwhile_is_encrypted_again(
    stored: Account, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    [old] = vault.read_keys()
    sealed_again, late = fields._sealed_again, iter([True])

    def with_a_straggler(*arguments: Any) -> int:
        changed = sealed_again(*arguments)
        if next(late, False):
            with override_settings(VAULT=Vault([old], vault.file)):
                Account.objects.filter(pk=stored.pk).update(secrets={"token": "entered just now"})
        return changed

    monkeypatch.setattr(fields, "_sealed_again", with_a_straggler)
    rotate()
    stored.refresh_from_db()
    assert stored.secrets["token"] == "entered just now"


def test_keys_of_the_operators_own_are_rotated_by_putting_a_new_one_first(stored: Account, vault: Vault) -> None:
    [old], new = vault.read_keys(), new_key()
    with override_settings(VAULT=Vault([old], vault.file)), pytest.raises(CommandError, match="before the old one"):
        rotate()
    with override_settings(VAULT=Vault([new, old], vault.file)):
        assert "Remove the old ones from NEPHOSCOPE_ENCRYPTION_KEYS" in rotate()
    with override_settings(VAULT=Vault([new], vault.file)):
        assert Account.objects.get(pk=stored.pk).secrets["token"] == WORD
