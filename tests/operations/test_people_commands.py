"""Commands that change people or lockouts leave an audit entry."""

from __future__ import annotations

import getpass
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from knox.models import AuthToken

from nephoscope.accounts.models import SignInTries, User
from nephoscope.audit.models import Entry
from nephoscope.audit.services import Actor
from nephoscope.operations.processes import make_administrator
from nephoscope.people.tokens import issue_token

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery staple"


def typed(monkeypatch: pytest.MonkeyPatch, *words: str) -> None:
    """Type these where a password is asked for; there is no terminal here."""
    given = iter(words)
    monkeypatch.setattr(getpass, "getpass", lambda *_a, **_k: next(given))


def test_createsuperuser_is_recorded_without_the_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)
    call_command("createsuperuser", "--no-input", "--username", "root", "--email", "r@example.com")

    entry = Entry.objects.get()
    assert (entry.action, entry.target) == ("user.created", "root")
    assert entry.actor == f"manage.py createsuperuser ({getpass.getuser()})"
    assert User.objects.get().may("administer")
    assert PASSWORD not in str(Entry.objects.values())


def test_the_first_administrator_is_recorded_once() -> None:
    assert make_administrator(PASSWORD, "start")
    assert not make_administrator(PASSWORD, "start")

    entry = Entry.objects.get()
    assert (entry.action, entry.target) == ("user.created", "admin")
    assert entry.actor == f"manage.py start ({getpass.getuser()})"


def test_a_superuser_that_was_not_made_is_not_recorded(administrator: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)
    with pytest.raises(CommandError, match="already taken"):
        call_command("createsuperuser", "--no-input", "--username", "ada", "--email", "r@example.com")
    assert not Entry.objects.exists()


def test_changepassword_is_recorded_revokes_tokens_and_ends_sessions(
    viewer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    issue_token(Actor.of(viewer), name="backup")
    client = Client()
    client.force_login(viewer)
    typed(monkeypatch, "another good one", "another good one")
    call_command("changepassword", "vera")

    entry = Entry.objects.get(action="user.password_set")
    assert str(entry) == f"manage.py changepassword ({getpass.getuser()}) set a new password for vera"
    assert not AuthToken.objects.exists()
    assert client.get("/").status_code == 302
    viewer.refresh_from_db()
    assert viewer.check_password("another good one")
    assert "another good one" not in str(Entry.objects.values())


def test_a_password_that_was_not_changed_revokes_nothing(viewer: User, monkeypatch: pytest.MonkeyPatch) -> None:
    issue_token(Actor.of(viewer), name="backup")
    typed(monkeypatch, *["short"] * 6)
    with pytest.raises(CommandError, match="Aborting"):
        call_command("changepassword", "vera")
    assert AuthToken.objects.exists() and not Entry.objects.filter(action="user.password_set").exists()


LIFTING: list[Any] = [
    ("axes_reset",),
    ("axes_reset_ip", "10.0.0.5"),
    ("axes_reset_username", "vera"),
    ("axes_reset_ip_username", "10.0.0.5", "vera"),
]


@pytest.mark.parametrize("command", LIFTING)
def test_lifting_a_lockout_works_and_is_recorded(viewer: User, command: tuple[str, ...], capsys: Any) -> None:
    given = {"username": "vera", "password": "wrong"}
    for _try in range(12):
        answer = Client().post("/login/", given, REMOTE_ADDR="10.0.0.5")
    assert answer.status_code == 429
    call_command(*command)

    entry = Entry.objects.get(action="user.lockouts_lifted")
    assert entry.actor == f"manage.py {command[0]} ({getpass.getuser()})"
    assert "lifted sign-in lockouts" in str(entry)
    assert Entry.objects.filter(action="user.lockout_ended").count() == 1
    assert "counters of failed sign-ins" in capsys.readouterr().out
    assert not SignInTries.objects.filter(kind="pair").exists()
    signed_in = Client().post("/login/", given | {"password": PASSWORD}, REMOTE_ADDR="10.0.0.5")
    assert signed_in.status_code == 302


@pytest.mark.parametrize("way", ["console", "own", "api"])
def test_a_changed_password_by_any_way_revokes_tokens_and_ends_sessions(
    administrator: User, viewer: User, api: Any, way: str
) -> None:
    issue_token(Actor.of(viewer), name="backup")
    elsewhere, client, new = Client(), Client(), "another good one"
    elsewhere.force_login(viewer)
    if way == "api":
        answer = api(administrator).patch(f"/api/v1/users/{viewer.pk}", {"password": new}, format="json")
        assert answer.status_code == 200
    elif way == "own":
        client.force_login(viewer)
        given = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
        assert client.post("/password_change/", given).status_code == 302
        assert client.get("/").status_code == 200, "one's own session goes on"
    else:
        client.force_login(administrator)
        given = {"username": "vera", "role": "viewer", "time_zone": "UTC", "is_active": "1", "is_staff": "1"}
        given |= {"password": new, "again": new}
        assert client.post(f"/accounts/user/{viewer.pk}/change/", given).status_code == 302

    assert not AuthToken.objects.exists()
    assert elsewhere.get("/").status_code == 302
    assert new not in str(Entry.objects.values())
