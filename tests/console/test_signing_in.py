"""Signing in: what is recorded, and how often one may guess."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from nephoscope.accounts.models import User
from nephoscope.audit.models import Entry

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery staple"


def sign_in(password: str, name: str = "vera") -> Any:
    return Client().post("/login/", {"username": name, "password": password}, REMOTE_ADDR="10.0.0.5")


def test_signing_in_leads_to_the_dashboard_and_is_recorded(viewer: User) -> None:
    answer = sign_in(PASSWORD)
    assert (answer.status_code, answer["Location"]) == (302, "/")
    entry = Entry.objects.get(action="user.signed_in")
    assert (str(entry), entry.address) == ("vera signed in", "10.0.0.5")


def test_a_wrong_password_is_recorded_without_the_password(viewer: User) -> None:
    assert sign_in("hunter2").status_code == 200
    entry = Entry.objects.get(action="user.sign_in_failed")
    assert str(entry) == "Failed sign-in as vera: wrong password"
    assert "hunter2" not in str(Entry.objects.values())


def test_an_unknown_name_is_recorded_as_such(viewer: User) -> None:
    sign_in("x", name="<b>nobody</b>")
    assert str(Entry.objects.get()) == "Failed sign-in as <b>nobody</b>: unknown user name"


def test_guessing_is_stopped_for_a_while_even_with_the_right_password(viewer: User) -> None:
    for _try in range(10):
        answer = sign_in("wrong")
    assert answer.status_code == 429
    assert b"Too many failed sign-in attempts" in answer.content
    assert sign_in(PASSWORD).status_code == 429


def test_only_administrators_see_who_tried_to_sign_in(viewer: User, administrator: User) -> None:
    sign_in("wrong")
    assert not Entry.objects.visible_to(viewer).exists()
    assert Entry.objects.visible_to(administrator).exists()
