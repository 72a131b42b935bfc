"""Sessions end, and what passes through them is stored by no cache."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.core.exceptions import PermissionDenied
from django.test import Client, override_settings

from nephoscope.accounts.models import User
from nephoscope.audit.services import Actor
from nephoscope.people import services as people
from nephoscope.people.tokens import issue_token

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery staple"


def age(client: Client, **seconds: int) -> None:
    session = client.session
    for name, ago in seconds.items():
        session[name] = int(time.time()) - ago
    session.save()


@pytest.fixture
def inside(viewer: User) -> Client:
    client = Client()
    client.post("/login/", {"username": "vera", "password": PASSWORD})
    assert client.get("/").status_code == 200
    return client


@pytest.mark.parametrize(("seconds", "status"), [(3500, 200), (3700, 302)])
def test_an_idle_session_ends(inside: Client, seconds: int, status: int) -> None:
    age(inside, seen=seconds)
    assert inside.get("/").status_code == status
    assert inside.get("/api/v1/me").status_code == (200 if status == 200 else 401)


@override_settings(NEPHOSCOPE_SESSION_IDLE_MINUTES=5)
def test_how_long_is_a_setting(inside: Client) -> None:
    age(inside, seen=400)
    assert inside.get("/").status_code == 302


def test_a_session_ends_a_day_after_signing_in_even_if_it_is_used(inside: Client) -> None:
    age(inside, began=86_500, seen=1)
    assert inside.get("/").status_code == 302


def test_use_keeps_a_session_and_is_noted_once_a_minute(inside: Client, django_assert_num_queries: Any) -> None:
    age(inside, seen=70)
    inside.get("/")
    assert time.time() - inside.session["seen"] < 60
    before = Session.objects.get().session_data
    inside.get("/")
    assert Session.objects.get().session_data == before


def test_a_page_that_asks_by_itself_keeps_no_session(inside: Client) -> None:
    age(inside, seen=70)
    inside.get("/", headers={"X-Requested-By": "page"})
    assert time.time() - inside.session["seen"] >= 70


def test_a_form_sent_after_an_idle_hour_is_kept(inside: Client) -> None:
    age(inside, seen=3700)
    here = {"Origin": "http://testserver"}
    answer = inside.post("/profile/", {"first_name": "Vera"}, headers=here)
    assert answer["Location"].startswith("/login/?next=/resend/")


def test_signing_in_anew_begins_anew(inside: Client) -> None:
    age(inside, began=80_000)
    inside.post("/login/", {"username": "vera", "password": PASSWORD})
    assert inside.session["began"] > time.time() - 60


@pytest.mark.parametrize("address", ["/api/v1/me", "/api/v1/tokens", "/api/v1/alerts", "/api/schema", "/api/v1/health"])
def test_answers_of_the_api_are_not_stored(inside: Client, address: str) -> None:
    assert "no-store" in inside.get(address)["Cache-Control"]


def test_a_new_token_is_not_stored(viewer: User) -> None:
    body = {"username": "vera", "password": PASSWORD}
    answer = Client().post("/api/v1/tokens", body, content_type="application/json")
    assert answer.status_code == 201 and "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize("address", ["/", "/alerts/alert/", "/tokens/", "/profile/"])
def test_pages_are_in_no_shared_cache_and_asked_for_anew(inside: Client, address: str) -> None:
    said = inside.get(address)["Cache-Control"]
    assert "private" in said and "no-cache" in said


def test_the_schema_needs_a_sign_in(viewer: User) -> None:
    _token, text = issue_token(Actor.of(viewer), name="schema", scope="read")
    assert Client().get("/api/schema").status_code == 401
    assert Client().get("/api/schema", headers={"Authorization": f"Token {text}"}).status_code == 200
    assert Client().get("/api/docs")["Location"] == "/login/?next=/api/docs"
    assert Client().get("/api/docs?script=").status_code == 302


# -- Administrators ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lost", [{"role": "viewer"}, {"is_active": False}, {"is_staff": False}])
def test_nobody_takes_their_own_access_away(administrator: User, api: Any, lost: dict[str, Any]) -> None:
    User.objects.create_user("bob", password=PASSWORD, role="administrator")
    answer = api(administrator).patch(f"/api/v1/users/{administrator.pk}", lost, format="json")
    assert answer.status_code == 409
    assert answer.json() == {next(iter(lost)): ["You cannot remove this from yourself. Ask another administrator."]}
    administrator.refresh_from_db()
    assert (administrator.role, administrator.is_active, administrator.is_staff) == ("administrator", True, True)


@pytest.mark.parametrize("lost", [{"role": "viewer"}, {"is_active": False}, {"is_staff": False}])
def test_the_last_administrator_stays_one(administrator: User, api: Any, lost: dict[str, Any]) -> None:
    other = User.objects.create_user("bob", password=PASSWORD, role="administrator", is_staff=False)
    answer = api(other).patch(f"/api/v1/users/{administrator.pk}", lost, format="json")
    message = "This is the last active administrator with console access. Add another one first."
    assert (answer.status_code, answer.json()) == (409, {next(iter(lost)): [message]})
    assert api(other).delete(f"/api/v1/users/{administrator.pk}").status_code == 409


def test_of_two_administrators_who_demote_each_other_one_is_refused(administrator: User) -> None:
    other = User.objects.create_user("bob", password=PASSWORD, role="administrator")
    User.objects.create_user("eve", password=PASSWORD, role="administrator")
    stale = Actor.of(User.objects.get(pk=other.pk))  # as a request that began before

    people.configure_user(Actor.of(administrator), other, role="viewer")
    with pytest.raises(PermissionDenied, match="no longer an administrator"):
        people.configure_user(stale, administrator, role="viewer")
