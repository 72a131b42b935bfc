"""Signing in by token or session, and one's own tokens."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client
from django.utils import timezone
from knox.models import AuthToken
from rest_framework.test import APIClient

from nephoscope.accounts.models import Account, AccountGroup, ApiToken, User
from nephoscope.audit.models import Entry
from nephoscope.audit.services import Actor
from nephoscope.people import services as people
from nephoscope.people.tokens import issue_token

pytestmark = pytest.mark.django_db

TOKENS = "/api/v1/tokens"


@pytest.fixture
def signing_in(viewer: User) -> dict[str, str]:
    viewer.set_password("a-good-password")
    viewer.save()
    return {"username": viewer.username, "password": "a-good-password"}


def issue(user: User, **given: Any) -> tuple[ApiToken, str]:
    return issue_token(Actor.of(user), **{"name": "backup", **given})


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
    token, text = issue(viewer)
    issue(analyst)

    answer = api(viewer).get(TOKENS)

    assert [row["key"] for row in answer.json()["results"]] == [text[:15]]
    assert text not in answer.content.decode()
    assert token.auth.digest not in answer.content.decode()


def test_a_revoked_token_is_worthless_at_once(viewer: User) -> None:
    token, text = issue(viewer)

    assert with_token(text).delete(f"{TOKENS}/{token.auth.token_key}").status_code == 204
    assert with_token(text).get(TOKENS).status_code == 401
    assert Entry.objects.filter(action="user.token_revoked", user=viewer).exists()


def test_nobody_revokes_the_token_of_another(viewer: User, administrator: User, api: Any) -> None:
    token, _text = issue(viewer)

    answer = api(administrator).delete(f"{TOKENS}/{token.auth.token_key}")

    assert (answer.status_code, answer.json()) == (404, {"detail": f"There is no token {token.auth.token_key}."})
    assert AuthToken.objects.exists()


def test_the_token_of_a_deactivated_user_opens_nothing(viewer: User) -> None:
    _token, text = issue(viewer)
    User.objects.filter(pk=viewer.pk).update(is_active=False)

    assert with_token(text).get("/api/v1/alerts").status_code == 401


def test_a_session_reads_but_writes_only_with_the_csrf_token(analyst: User, account: Any) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(analyst)

    assert client.get("/api/v1/accounts").status_code == 200
    refused = client.post(f"/api/v1/accounts/{account.pk}/scan", "{}", content_type="application/json")
    assert refused.status_code == 403
    assert "CSRF" in refused.json()["detail"]


# -- Name, scope, expiry and last use ----------------------------------------------------------------------------------


def test_a_token_has_a_name_a_scope_an_expiry_and_a_last_use(signing_in: dict[str, str], viewer: User) -> None:
    asked = signing_in | {"name": "nightly export", "scope": "read", "days": 7}
    made = APIClient().post(TOKENS, asked, format="json").json()

    assert (made["name"], made["scope"], made["last_used"]) == ("nightly export", "read", None)
    left = datetime.fromisoformat(made["expiry"]) - timezone.now()
    assert timedelta(days=6, hours=23) < left <= timedelta(days=7)
    [row] = with_token(made["token"]).get(TOKENS).json()["results"]
    assert row["last_used"] is not None and "token" not in row
    entry = Entry.objects.get(action="user.token_issued")
    assert "nightly export" in entry.sentence and "Read, until 20" in entry.sentence
    assert made["token"] not in str(Entry.objects.values())


def test_a_token_that_says_nothing_has_the_whole_role_for_90_days(signing_in: dict[str, str], viewer: User) -> None:
    made = APIClient().post(TOKENS, signing_in, format="json").json()

    assert (made["name"], made["scope"]) == ("API sign-in", "read")
    assert 89 <= (datetime.fromisoformat(made["expiry"]) - timezone.now()).days <= 90
    endless = APIClient().post(TOKENS, signing_in | {"days": None}, format="json").json()
    assert endless["expiry"] is None


@pytest.mark.parametrize(
    ("wrong", "status", "field"),
    [({"scope": "administer"}, 409, "scope"), ({"days": 8}, 400, "days"), ({"name": " "}, 400, "name")],
)
def test_a_token_never_exceeds_its_users_role(
    signing_in: dict[str, str], wrong: dict[str, Any], status: int, field: str
) -> None:
    answer = APIClient().post(TOKENS, signing_in | wrong, format="json")

    assert answer.status_code == status and list(answer.json()) == [field]
    assert not AuthToken.objects.exists()


SCOPED = [
    ("read", "GET", "accounts", {}, 200),
    ("read", "GET", "users", {}, 403),
    ("read", "PATCH", "me", {"first_name": "Eve"}, 403),
    ("triage", "PATCH", "me", {"first_name": "Ada"}, 200),
    ("triage", "POST", "groups", {"name": "new"}, 403),
    ("change", "POST", "groups", {"name": "new"}, 403),
    ("administer", "POST", "groups", {"name": "new"}, 201),
    ("administer", "GET", "users", {}, 200),
]


@pytest.mark.parametrize(("scope", "method", "path", "body", "status"), SCOPED)
def test_a_scope_narrows_what_its_users_role_allows(
    administrator: User, account: Account, scope: str, method: str, path: str, body: dict[str, Any], status: int
) -> None:
    client = with_token(issue(administrator, scope=scope)[1])

    answer = client.generic(method, f"/api/v1/{path}", json.dumps(body), content_type="application/json")

    assert answer.status_code == status, answer.content
    if status == 403:
        needed = "Triage" if path == "me" else "Administer"
        assert answer.json()["detail"] == f"This requires a token with the scope {needed}."


def test_an_administrators_reading_token_reads_all_and_may_only_look(administrator: User, account: Account) -> None:
    client = with_token(issue(administrator, scope="read")[1])

    assert client.get("/api/v1/accounts").json()["count"] == 1
    assert client.get("/api/v1/me").json()["may"] == ["view"]
    assert client.get(f"/api/v1/accounts/{account.pk}").json()["settings"] == {}, "how it is reached is not for looking"


def test_services_refuse_what_a_tokens_scope_does_not_include(administrator: User) -> None:
    administrator.used_token = issue(administrator, scope="triage")[0]
    actor = Actor.of(administrator)

    actor.require("suppress")
    with pytest.raises(PermissionDenied, match="a token with the scope Administer"):
        people.save_group(actor, AccountGroup(), name="new")


def test_a_token_issues_none_that_may_more(administrator: User) -> None:
    administrator.used_token = issue(administrator, scope="triage")[0]

    with pytest.raises(ValidationError, match="Allowed scopes: Read, Triage"):
        issue(administrator, scope="change")
    assert issue(administrator)[0].scope == "triage"


def test_a_role_that_was_taken_narrows_its_tokens(remediator: User) -> None:
    client = with_token(issue(remediator, scope="change")[1])
    User.objects.filter(pk=remediator.pk).update(role="viewer")

    assert client.get("/api/v1/me").json()["may"] == ["view", "profile"]


def test_a_reading_token_revokes_itself_and_no_other(analyst: User) -> None:
    own, text = issue(analyst, scope="read")
    other, _text = issue(analyst)
    client = with_token(text)

    assert client.delete(f"{TOKENS}/{other.auth.token_key}").status_code == 403
    assert client.delete(f"{TOKENS}/{own.auth.token_key}").status_code == 204
    assert list(ApiToken.objects.all()) == [other]


def test_an_expired_token_opens_nothing(viewer: User) -> None:
    _token, text = issue(viewer)
    AuthToken.objects.update(expiry=timezone.now() - timedelta(seconds=1))

    assert with_token(text).get("/api/v1/me").status_code == 401


def test_the_last_use_is_kept_once_a_minute(viewer: User) -> None:
    _token, text = issue(viewer)
    client = with_token(text)
    client.get("/api/v1/me")
    first = ApiToken.objects.get().used_at
    client.get("/api/v1/me")
    assert first and ApiToken.objects.get().used_at == first

    ApiToken.objects.update(used_at=first - timedelta(minutes=2))
    client.get("/api/v1/me")
    again = ApiToken.objects.get().used_at
    assert again and again >= first


def test_a_token_without_a_scope_opens_nothing(viewer: User) -> None:
    _auth, text = AuthToken.objects.create(viewer)

    assert with_token(text).get("/api/v1/me").status_code == 401


def test_administrators_see_and_revoke_the_tokens_of_a_user(
    viewer: User, analyst: User, administrator: User, api: Any
) -> None:
    token, text = issue(viewer, name="nightly")
    path = f"/api/v1/users/{viewer.pk}/tokens"

    [row] = api(administrator).get(path).json()
    assert row["name"] == "nightly" and text not in str(row)
    one = f"{path}/{token.auth.token_key}"
    assert api().delete(one).status_code == 401
    assert api(analyst).delete(one).status_code == 403
    assert api(administrator).delete(f"/api/v1/users/{analyst.pk}/tokens/{token.auth.token_key}").status_code == 404
    assert api(administrator).delete(one).status_code == 204
    assert with_token(text).get("/api/v1/me").status_code == 401
    assert "revoked the API token nightly" in str(Entry.objects.get(user=administrator))
