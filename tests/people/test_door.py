"""The door: how often passwords are tried, by whom, and what the audit log has of it."""

from __future__ import annotations

import json
from datetime import timedelta
from ipaddress import ip_network
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client, override_settings
from django.utils import timezone

from nephoscope.accounts.models import SignInTries, User
from nephoscope.audit.chain import first_broken
from nephoscope.audit.models import Entry
from nephoscope.people import door

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery staple"


def sign_in(name: str, password: str = "wrong", address: str = "10.0.0.5", **more: Any) -> Any:
    given = {"username": name, "password": password}
    return Client().post("/login/", given, REMOTE_ADDR=address, **more)


def token(name: Any, password: Any = "wrong", address: str = "10.0.0.5") -> Any:
    body = json.dumps({"username": name, "password": password})
    return Client().post("/api/v1/tokens", body, content_type="application/json", REMOTE_ADDR=address)


def over(**which: Any) -> None:
    """Let the while of counts pass."""
    SignInTries.objects.filter(**which).update(until=timezone.now() - timedelta(seconds=1))


def test_a_lockout_is_one_entry_however_often_it_is_tried(viewer: User) -> None:
    for _try in range(40):
        answer = sign_in("vera")

    assert answer.status_code == 429 and 0 < int(answer["Retry-After"]) <= 901
    assert Entry.objects.filter(action="user.sign_in_failed").count() == 10
    locked = Entry.objects.get(action="user.locked_out")
    assert str(locked) == "Sign-in as vera from 10.0.0.5 locked for 15 minutes: 10 failed attempts"
    assert Entry.objects.count() == 11


def test_names_tried_from_an_address_that_is_locked_out_are_not_kept() -> None:
    for number in range(door.LIMITS["address"]):
        token(f"name{number}")
    rows = SignInTries.objects.count()

    assert [token(f"other{number}").status_code for number in range(5)] == [429] * 5
    assert SignInTries.objects.count() == rows
    assert SignInTries.objects.get(kind="address").refused == 5


def test_what_a_lockout_refused_is_said_once_when_it_is_over(viewer: User) -> None:
    for _try in range(15):
        sign_in("vera")
    over()
    door.forget_old_tries()
    door.forget_old_tries()

    [ended] = Entry.objects.filter(action="user.lockout_ended")
    assert str(ended).startswith("Lockout of vera at 10.0.0.5 from") and str(ended).endswith("5 sign-ins refused")
    assert not SignInTries.objects.exists()
    assert first_broken() is None
    assert sign_in("vera", PASSWORD).status_code == 302


def test_a_lockout_is_summed_by_the_next_try_too(viewer: User) -> None:
    for _try in range(15):
        sign_in("vera")
    over()
    assert sign_in("vera", PASSWORD).status_code == 302
    assert Entry.objects.filter(action="user.lockout_ended").count() == 1


def test_names_sprayed_from_one_address_are_refused(viewer: User) -> None:
    answers = [sign_in(f"name-{number}").status_code for number in range(60)]

    assert answers == [200] * 29 + [429] * 31
    assert sign_in("vera", PASSWORD).status_code == 429
    assert sign_in("vera", PASSWORD, "10.0.0.6").status_code == 302
    said = str(Entry.objects.get(action="user.locked_out"))
    assert said == "Sign-in from 10.0.0.5 locked for 15 minutes: 30 failed attempts"


def test_the_api_and_the_console_share_the_door(viewer: User) -> None:
    assert [sign_in(f"name-{n}").status_code for n in range(15)] == [200] * 15
    answers = [token(f"other-{n}") for n in range(16)]
    assert [answer.status_code for answer in answers] == [401] * 14 + [429] * 2
    assert answers[-1].json() == {"detail": "Too many failed sign-in attempts. Wait and try again."}


def test_one_ipv6_network_is_one_client(viewer: User) -> None:
    answers = [sign_in(f"name-{n}", address=f"2001:db8::{n:x}").status_code for n in range(40)]
    assert answers[29:] == [429] * 11


def test_a_stranger_does_not_keep_out_who_signed_in_from_there_before(viewer: User) -> None:
    assert sign_in("vera", PASSWORD, "10.1.1.1").status_code == 302
    for number in range(60):
        answer = sign_in("vera", address=f"10.2.0.{number}")

    assert answer.status_code == 429
    assert sign_in("vera", PASSWORD, "10.9.9.9").status_code == 429, "from an address never seen"
    assert sign_in("vera", PASSWORD, "10.1.1.1").status_code == 302
    assert "except from addresses used before" in str(Entry.objects.get(action="user.locked_out"))


def test_strangers_with_many_addresses_do_not_grow_the_audit_log_without_bound(viewer: User) -> None:
    for number in range(230):
        sign_in(f"name-{number}", address=f"10.2.{number}.1")

    assert Entry.objects.count() == 200
    over()
    door.forget_old_tries()
    [summed] = Entry.objects.filter(action="user.lockout_ended")
    assert str(summed).startswith("Failed sign-ins between") and str(summed).endswith("one by one: 30")


def test_right_passwords_do_not_count(viewer: User) -> None:
    assert {sign_in("vera", PASSWORD).status_code for _try in range(35)} == {302}
    assert {token("vera", PASSWORD).status_code for _try in range(35)} == {201}


def test_a_right_password_does_not_wash_away_what_others_tried_from_there(viewer: User) -> None:
    for number in range(29):
        sign_in(f"name-{number}")
        sign_in("vera", PASSWORD)
    assert sign_in("another").status_code == 429


@override_settings(NEPHOSCOPE_TRUSTED_PROXIES=(ip_network("10.0.0.1"),))
def test_behind_a_trusted_proxy_only_the_guesser_is_refused(viewer: User) -> None:
    for number in range(40):
        sign_in(f"n-{number}", address="10.0.0.1", HTTP_X_FORWARDED_FOR=f"1.2.3.{number}, 203.0.113.9")

    assert sign_in("vera", PASSWORD, "10.0.0.1", HTTP_X_FORWARDED_FOR="203.0.113.9").status_code == 429
    assert sign_in("vera", PASSWORD, "10.0.0.1", HTTP_X_FORWARDED_FOR="203.0.113.10").status_code == 302
    assert Entry.objects.get(action="user.signed_in").address == "203.0.113.10"


def test_without_trusted_proxies_a_claimed_address_is_no_way_round(viewer: User) -> None:
    for number in range(30):
        answer = sign_in(f"n-{number}", HTTP_X_FORWARDED_FOR=f"203.0.113.{number}")
    assert answer.status_code == 429


def test_too_many_passwords_at_once_are_refused_and_not_counted(viewer: User) -> None:
    with door.hashing(), Place(), Place():
        page, answer = sign_in("vera", PASSWORD), token("vera", PASSWORD)

    assert (page.status_code, answer.status_code) == (503, 503)
    assert (page["Retry-After"], answer["Retry-After"]) == ("5", "5")
    assert b"Too many sign-ins" in page.content
    assert not SignInTries.objects.filter(tries__gt=0).exists() and not Entry.objects.exists()
    assert sign_in("vera", PASSWORD).status_code == 302


class Place:
    def __enter__(self) -> None:
        assert door._PLACES.acquire(blocking=False)

    def __exit__(self, *_error: object) -> None:
        door._PLACES.release()


ODD = ["a" * 151, "a" * 10_000, "ve\0ra", "\0", "<script>x</script>", "\u202evera", "   ", "", "\ufdfa" * 149, "'; --"]


@pytest.mark.parametrize("name", ODD)
def test_odd_names_are_answered_in_words(viewer: User, name: str) -> None:
    assert sign_in(name).status_code == 200
    assert token(name).status_code in (400, 401)
    assert sign_in("vera", PASSWORD).status_code == 302


@pytest.mark.parametrize("name", [None, 7, True, [], {}, ["vera"], {"a": {"b": []}}, "\ud800", "ve\udfffra"])
def test_names_that_are_no_text_are_refused(viewer: User, name: Any) -> None:
    assert token(name).status_code in (400, 401)
    assert token("vera", name).status_code in (400, 401)


@pytest.mark.parametrize("name", [*ODD, "\ud800"])
def test_odd_names_of_users_are_refused_or_taken_in_words(administrator: User, api: Any, name: str) -> None:
    body = json.dumps({"username": name, "password": PASSWORD})
    answer = api(administrator).post("/api/v1/users", body, content_type="application/json")
    assert answer.status_code in (400, 409) and "username" in answer.json(), answer.content


def test_ones_own_password_is_no_oracle(viewer: User, client: Client) -> None:
    client.force_login(viewer)
    given = {"new_password1": "another good one", "new_password2": "another good one"}
    for _try in range(10):
        client.post("/password_change/", given | {"old_password": "wrong"})
    answer = client.post("/password_change/", given | {"old_password": PASSWORD})

    assert "Too many wrong passwords. Wait 15 minutes and try again." in answer.content.decode()
    viewer.refresh_from_db()
    assert viewer.check_password(PASSWORD)


def test_ones_own_password_is_changed_with_the_right_one(viewer: User) -> None:
    assert door.check_own_password(viewer, PASSWORD) and not door.check_own_password(viewer, "wrong")
    with door.hashing(), Place(), Place(), pytest.raises(ValidationError, match="Too many sign-ins at the moment"):
        door.check_own_password(viewer, PASSWORD)
