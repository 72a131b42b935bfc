"""A backup is restored whole: every row, the audit log with its triggers, and the keys. A damaged one is refused."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection, transaction
from django.db.migrations.recorder import MigrationRecorder
from django.db.utils import DatabaseError
from django.test import override_settings
from tests.upgrade.recorded import STATES, database_of, rows, state

from nephoscope.accounts.models import User
from nephoscope.alerts.models import Alert
from nephoscope.alerts.suppressions import suppress
from nephoscope.audit.chain import first_broken
from nephoscope.audit.models import Entry
from nephoscope.audit.services import Actor
from nephoscope.operations.backups import restore_backup, write_backup
from nephoscope.operations.schema import refuse_newer
from nephoscope.vault import Vault, new_key


@pytest.fixture(scope="module")
def database(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    with django_db_blocker.unblock(), database_of(state(STATES[-1])):
        yield


@pytest.fixture
def place(database: None, tmp_path: Path) -> Iterator[Path]:
    with override_settings(DATA_DIR=tmp_path, VAULT=Vault([], tmp_path / "encryption_keys")):
        yield tmp_path


@pytest.fixture
def written(place: Path) -> Path:
    call_command("backup", str(place / "all.backup"), verbosity=0)
    return place / "all.backup"


def test_everything_is_there_again_after_all_was_lost(place: Path) -> None:
    bea = User.objects.create_user("bea", password="correct horse battery staple", role="administrator")
    sealed, before = settings.VAULT.seal("a token"), rows()
    call_command("backup", str(place / "all.backup"))
    assert (place / "all.backup").stat().st_mode & 0o777 == 0o600
    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    (place / "encryption_keys").unlink()
    call_command("restore", str(place / "all.backup"))
    call_command("migrate", verbosity=0)
    assert rows() == before
    assert settings.VAULT.open(sealed) == "a token"
    assert (place / "secret_key").read_text() == settings.SECRET_KEY
    assert User.objects.get(username="bea").check_password("correct horse battery staple")
    assert first_broken() is None
    with pytest.raises(DatabaseError), transaction.atomic():
        Entry.objects.filter(pk=Entry.objects.earliest("pk").pk).update(actor="nobody")
    alert = Alert.objects.filter(state="open", suppressed=0).earliest("pk")
    suppress(Actor.of(bea), alert, alert.findings.exclude(failing_since=None), "Accepted.")
    assert first_broken() is None


def test_a_database_with_data_is_replaced_only_when_told(written: Path) -> None:
    with pytest.raises(CommandError, match="not empty"):
        call_command("restore", str(written))
    User.objects.create(username="afterwards")
    call_command("restore", str(written), replace=True)
    assert not User.objects.filter(username="afterwards").exists()


def test_a_database_that_others_use_is_not_replaced(written: Path) -> None:
    before = rows()
    with psycopg.connect(**connection.get_connection_params()) as other:
        other.execute("SELECT 1")
        with pytest.raises(CommandError, match="in use"):
            call_command("restore", str(written), replace=True)
    assert rows() == before


def test_a_file_that_is_there_is_not_overwritten(written: Path) -> None:
    before = written.read_bytes()
    with pytest.raises(CommandError, match="already exists"):
        call_command("backup", str(written))
    assert written.read_bytes() == before
    assert [each.name for each in written.parent.iterdir() if each.name.startswith(".backup")] == []


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "text"])
def test_a_damaged_backup_is_refused_and_changes_nothing(written: Path, damage: str) -> None:
    whole, before = written.read_bytes(), rows()
    middle = len(whole) // 2
    flipped = whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :]
    written.write_bytes({"cut": whole[:middle], "flipped": flipped, "empty": b"", "text": b"no backup"}[damage])
    with pytest.raises(CommandError, match="damaged"):
        call_command("restore", str(written), replace=True)
    assert rows() == before


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("encryption_keys", b""),
        ("encryption_keys", b"hello"),
        ("encryption_keys", b"\xff"),
        ("secret_key", b""),
        ("manifest.json", b"[" * 100_000),
    ],
)
def test_a_backup_without_usable_keys_is_refused_although_its_digests_fit(
    written: Path, name: str, content: bytes
) -> None:
    """The keys in use are not to be lost to it."""
    key, before = settings.VAULT.read_keys(), rows()
    with tarfile.open(written) as tar:
        files = {each.name: tar.extractfile(each).read() for each in tar.getmembers()}  # type: ignore[union-attr]
    manifest = json.loads(files["manifest.json"])
    files[name] = content
    manifest["digests"] |= {each: hashlib.sha256(files[each]).hexdigest() for each in manifest["digests"]}
    if name != "manifest.json":
        files["manifest.json"] = json.dumps(manifest).encode()
    with tarfile.open(written, "w") as tar:
        for each, data in files.items():
            member = tarfile.TarInfo(each)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    with pytest.raises(CommandError, match="damaged"):
        call_command("restore", str(written), replace=True)
    assert settings.VAULT.read_keys() == key and rows() == before


def test_keys_of_the_environment_must_be_those_of_the_backup(written: Path) -> None:
    before = rows()
    other = override_settings(VAULT=Vault([new_key()], Path(os.devnull)))
    with other, pytest.raises(CommandError, match="NEPHOSCOPE_ENCRYPTION_KEYS"):
        call_command("restore", str(written), replace=True)
    assert rows() == before


# -- A database that does not fit the code -------------------------------------------------------------------------


@pytest.fixture
def newer(place: Path) -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO django_migrations (app, name, applied) VALUES ('alerts', '9999_future', now())")
        yield
        cursor.execute("DELETE FROM django_migrations WHERE name = '9999_future'")


@pytest.mark.parametrize("command", [["worker"], ["scan", "any"], ["verify_audit"]])
def test_a_newer_database_is_refused_in_a_sentence(newer: None, command: list[str]) -> None:
    with pytest.raises(CommandError, match=r"newer version of Nephoscope: .* alerts\.9999_future"):
        call_command(*command)
    with pytest.raises(CommandError, match="newer version"):
        refuse_newer()
    with pytest.raises(CommandError, match="newer version"):
        call_command("migrate", skip_checks=False, verbosity=0)


def test_a_backup_of_a_newer_version_is_refused(newer: None, place: Path) -> None:
    write_backup(place / "all.backup")
    with pytest.raises(CommandError, match="newer version"):
        restore_backup(place / "all.backup", replace=True)


def test_a_database_that_waits_for_migrate_is_said(place: Path) -> None:
    last = MigrationRecorder.Migration.objects.get(app="alerts", name="0004_transitions")
    last.delete()
    try:
        with pytest.raises(CommandError, match=r"Run manage\.py migrate"):
            call_command("verify_audit")
    finally:
        last.save()
