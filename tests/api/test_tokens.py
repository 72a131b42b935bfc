"""Signing in by token or session, and one's own tokens."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from knox.models import AuthToken
from rest_framework.test import APIClient

from nephoscope.accounts.models import User
from nephoscope.audit.models import Entry

pytestmark = pytest.mark.django_db

TOKENS = "/api/v1/tokens"


@pytest.fixture
def signing_in(viewer: User) -> dict[str, str]:
    viewer.set_password("a-good-password")
    viewer.save()
    return {"username": viewer.username, "password": "a-good-password"}


def with_token(text: str) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {text}")
    return client


def test_a_password_buys_a_token_that_acts_as_its_user(signing_in: dict[str, str], viewer: User) -> None:
    answer = APIClient().post(TOKENS, signing_in, format="json")

    assert answer.status_code == 201
    me = with_token(answer.json()["token"]).get("/api/v1/me").json()
    assert (me["username"], me["role"], me["may"]) == (viewer.username, "viewer", ["view"])
    entry = Entry.objects.get(action="user.token_issued")
    assert (entry.user, entry.address) == (viewer, "127.0.0.1")
    assert answer.json()["token"] not in f"{entry} {entry.after}"


def test_a_wrong_password_buys_nothing(signing_in: dict[str, str]) -> None:
    answer = APIClient().post(TOKENS, signing_in | {"password": "guess"}, format="json")

    assert answer.status_code == 401
    assert answer.json() == {"detail": "Incorrect user name or password."}
    assert not AuthToken.objects.exists()


def test_guesses_are_slowed_down_whatever_address_they_claim(signing_in: dict[str, str]) -> None:
    answers = [
        APIClient().post(TOKENS, signing_in | {"password": "guess"}, format="json", HTTP_X_FORWARDED_FOR=f"10.0.0.{n}")
        for n in range(11)
    ]

    assert [answer.status_code for answer in answers] == [401] * 9 + [429] * 2
    assert "Retry-After" in answers[-1]
    assert "Too many failed sign-in attempts" in answers[-2].json()["detail"]


def test_a_stale_token_does_not_keep_one_from_signing_in(signing_in: dict[str, str]) -> None:
    for wrong in ("stale", "\xff\xfe", "two words", ""):
        assert with_token(wrong).get(TOKENS).status_code == 401, wrong
    assert with_token("stale").post(TOKENS, signing_in, format="json").status_code == 201


def test_tokens_are_listed_without_their_secrets(viewer: User, analyst: User, api: Any) -> None:
    _token, text = AuthToken.objects.create(viewer)
    AuthToken.objects.create(analyst)

    answer = api(viewer).get(TOKENS)

    assert [row["key"] for row in answer.json()["results"]] == [text[:15]]
    assert text not in answer.content.decode()
    assert _token.digest not in answer.content.decode()


def test_a_revoked_token_is_worthless_at_once(viewer: User) -> None:
    token, text = AuthToken.objects.create(viewer)

    assert with_token(text).delete(f"{TOKENS}/{token.token_key}").status_code == 204
    assert with_token(text).get(TOKENS).status_code == 401
    assert Entry.objects.filter(action="user.token_revoked", user=viewer).exists()


def test_nobody_revokes_the_token_of_another(viewer: User, administrator: User, api: Any) -> None:
    token, _text = AuthToken.objects.create(viewer)

    answer = api(administrator).delete(f"{TOKENS}/{token.token_key}")

    assert (answer.status_code, answer.json()) == (404, {"detail": f"There is no token {token.token_key}."})
    assert AuthToken.objects.exists()


def test_the_token_of_a_deactivated_user_opens_nothing(viewer: User) -> None:
    _token, text = AuthToken.objects.create(viewer)
    User.objects.filter(pk=viewer.pk).update(is_active=False)

    assert with_token(text).get("/api/v1/alerts").status_code == 401


def test_a_session_reads_but_writes_only_with_the_csrf_token(analyst: User, account: Any) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(analyst)

    assert client.get("/api/v1/accounts").status_code == 200
    refused = client.post(f"/api/v1/accounts/{account.pk}/scan", "{}", content_type="application/json")
    assert refused.status_code == 403
    assert "CSRF" in refused.json()["detail"]
