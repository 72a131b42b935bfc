"""A form that meets an ended session or another CSRF token is not lost, and is sent by nobody but a person."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver, resolve, reverse
from django.utils import timezone
from tests.conftest import PASSWORD

from nephoscope.accounts.models import KeptForm, User
from nephoscope.alerts.models import Alert
from nephoscope.audit.models import Entry
from nephoscope.console.kit.admin import show_secret
from nephoscope.console.middleware import KeepForms
from nephoscope.people import kept_forms

from .conftest import Things
from .crawl import Page

SignIn = Callable[..., Client]
OWN = {"Origin": "http://testserver"}
REASON = 'accepted: a "test" bucket\r\n<script>alert(1)</script>'


def suppress(things: Things) -> tuple[str, dict[str, Any]]:
    """A filled suppression: where it goes, and what it holds."""
    findings = [str(each.pk) for each in things.alert.findings.all()]
    return reverse("admin:alerts_alert_suppress", args=[things.alert.pk]), {
        "finding": findings,
        "reason": REASON,
        "confirm": "1",
    }


def fields(page: Any) -> dict[str, list[str]]:
    """What the form of the page holds that has the button Send again."""
    found: dict[str, list[str]] = {}
    for form in Page("http://testserver/", page.content.decode()).forms:
        if form.method == "post" and not form.action.endswith("/logout/"):
            for name, value in form.fields:
                found.setdefault(name, []).append(value)
    return found


def press(client: Client, page: Any, **more: str) -> Any:
    """Press the button Send again."""
    [form] = [
        each
        for each in Page("http://testserver/", page.content.decode()).forms
        if each.method == "post" and not each.action.endswith("/logout/")
    ]
    return client.post(form.action, fields(page) | more, headers=OWN, follow=True)


# -- Another CSRF token ------------------------------------------------------------------------------------------------


def test_a_form_opened_before_the_last_sign_in_is_shown_to_be_sent_again_and_then_taken(
    analyst: User, things: Things, sign_in: SignIn
) -> None:
    client = sign_in(analyst, enforce_csrf_checks=True)
    stale = fields(client.get(reverse("admin:profile")))["csrfmiddlewaretoken"][0]
    client.post("/login/", {"username": "anna", "password": PASSWORD, "csrfmiddlewaretoken": stale}, headers=OWN)
    path, form = suppress(things)

    page = client.post(path, form | {"csrfmiddlewaretoken": stale}, headers=OWN)

    assert page.status_code == 403 and "Send this form now?" in page.content.decode()
    assert f"Suppress: {things.alert}" in page.content.decode() and "Only continue if you just" in page.content.decode()
    assert "assets" in page.content.decode(), "resources are named"
    assert Alert.objects.get().suppressed == 0, "nothing happened yet"
    sent = fields(page)
    assert sent.pop("csrfmiddlewaretoken") != [stale]
    assert sent == {"finding": form["finding"], "reason": [REASON], "confirm": ["1"]}
    press(client, page)
    assert Alert.objects.get().suppressed == 2


FOREIGN: list[dict[str, str]] = [
    {},
    {"Origin": "null"},
    {"Origin": "https://evil.example"},
    {"Origin": "http://testserver.evil.example"},
    {"Origin": "http://testserver:8080"},
    {"Origin": "https://testserver"},
    OWN | {"Sec-Fetch-Site": "cross-site"},
    OWN | {"Sec-Fetch-Site": "same-site"},
    OWN | {"Sec-Fetch-Site": "none"},
    OWN | {"Referer": "https://evil.example/page"},
    OWN | {"Referer": "http://[::1"},
    OWN | {"Referer": "evil"},
    OWN | {"Referer": "data:text/html,x"},
    OWN | {"Referer": ""},
    {"Referer": "http://testserver/"},
]


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_what_another_site_sends_is_refused_and_never_shown_ready_to_send(
    analyst: User, things: Things, sign_in: SignIn, headers: dict[str, str]
) -> None:
    path, form = suppress(things)

    page = sign_in(analyst, enforce_csrf_checks=True).post(path, form, headers=headers)

    text = page.content.decode()
    assert page.status_code == 403 and "The form was not sent" in text
    assert "<form" not in text and "accepted" not in text and path not in text
    assert not KeptForm.objects.exists() and Alert.objects.get().suppressed == 0


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_what_another_site_sends_is_not_kept_for_after_the_sign_in(things: Things, headers: dict[str, str]) -> None:
    path, form = suppress(things)

    for client in (Client(enforce_csrf_checks=True), Client()):
        answer = client.post(path, form, headers=headers)
        assert answer.status_code in (302, 403)
    assert not KeptForm.objects.exists()


def test_a_stale_sign_in_form_leads_who_is_signed_in_to_the_dashboard(viewer: User, sign_in: SignIn) -> None:
    answer = sign_in(viewer, enforce_csrf_checks=True).post("/login/", {"password": PASSWORD}, headers=OWN)
    assert (answer.status_code, answer["Location"]) == (302, "/")


def test_who_is_not_signed_in_is_told_why_signing_in_failed(db: None) -> None:
    page = Client(enforce_csrf_checks=True).post("/login/", {"username": "x", "password": "hunter2"}, headers=OWN)
    assert page.status_code == 403 and "Go to sign-in" in page.content.decode()
    assert "hunter2" not in page.content.decode() and not KeptForm.objects.exists()


def test_a_program_is_answered_in_json(db: None) -> None:
    answer = Client(enforce_csrf_checks=True).post("/api/v1/nothing", headers=OWN)
    assert answer.status_code == 404 and "nothing" in answer.json()["detail"], "it has no form to protect"


# -- An ended session --------------------------------------------------------------------------------------------------


def sign_in_by_form(client: Client, address: str, name: str = "anna") -> Any:
    """Sign in on the page that an address leads to, and return the page after it."""
    login = client.get(address, follow=True)
    assert login.request["PATH_INFO"] == "/login/"
    return client.post(
        f"/login/?{login.request['QUERY_STRING']}", {"username": name, "password": PASSWORD}, headers=OWN, follow=True
    )


def test_a_suppression_filled_before_the_session_ended_comes_back_after_signing_in(
    analyst: User, things: Things, sign_in: SignIn
) -> None:
    client = sign_in(analyst)
    Session.objects.all().delete()
    path, form = suppress(things)

    answer = client.post(path, form, headers=OWN)
    assert answer.status_code == 302 and "/login/?next=/resend/" in answer["Location"]
    login = client.get(answer["Location"]).content.decode()
    assert "your form was not sent. Sign in to get it back." in login and "accepted" not in login
    page = sign_in_by_form(client, answer["Location"])

    assert "Your session had ended" in page.content.decode()
    assert "<script>alert(1)" not in page.content.decode()
    assert Alert.objects.get().suppressed == 0, "signing in sends nothing"
    press(client, page)
    assert Alert.objects.get().suppressed == 2
    assert Entry.objects.get(action="alert.suppressed").user == analyst


def test_a_form_without_session_and_csrf_cookie_comes_back_too(analyst: User, things: Things) -> None:
    path, form = suppress(things)
    answer = Client(enforce_csrf_checks=True).post(path, form, headers=OWN)
    assert answer.status_code == 302 and "/login/?next=/resend/" in answer["Location"]
    assert KeptForm.objects.get().path == path


def test_a_kept_form_is_shown_once_and_to_the_browser_that_sent_it_only(
    analyst: User, things: Things, sign_in: SignIn
) -> None:
    client, other = Client(), sign_in(analyst)
    path, form = suppress(things)
    client.post(path, form, headers=OWN)
    address = reverse("admin:resend", args=[KeptForm.objects.get().pk])

    assert "accepted" not in other.get(address, follow=True).content.decode()
    client.force_login(analyst)
    assert "accepted" in client.get(address).content.decode()
    again = client.get(address, follow=True).content.decode()
    assert "no longer kept" in again and "accepted" not in again
    assert not KeptForm.objects.exists()


def test_who_signs_in_instead_may_do_no_more_than_their_role(viewer: User, things: Things) -> None:
    client = Client()
    path, form = suppress(things)
    answer = client.post(path, form, headers=OWN)

    page = sign_in_by_form(client, answer["Location"], "vera")

    assert press(client, page).status_code == 403
    assert Alert.objects.get().suppressed == 0


def test_a_kept_form_is_forgotten_after_an_hour(analyst: User, things: Things) -> None:
    client = Client()
    path, form = suppress(things)
    client.post(path, form, headers=OWN)
    KeptForm.objects.update(kept_at=timezone.now() - timedelta(minutes=61))
    kept = KeptForm.objects.get().pk
    client.force_login(analyst)

    assert "no longer kept" in client.get(reverse("admin:resend", args=[kept]), follow=True).content.decode()
    assert not KeptForm.objects.exists()


def test_two_tabs_keep_their_forms_apart(analyst: User, things: Things) -> None:
    client = Client()
    path, form = suppress(things)
    addresses = [client.post(path, form | {"reason": reason}, headers=OWN)["Location"] for reason in ("one", "two")]
    client.force_login(analyst)

    for address, reason in zip(addresses, ("one", "two"), strict=True):
        page = client.get(address.partition("next=")[2])
        assert fields(page)["reason"] == [reason]


def test_passwords_and_secrets_are_not_kept_and_are_asked_for_again(administrator: User) -> None:
    client = Client()
    form = {
        "username": "kim",
        "role": "viewer",
        "time_zone": "UTC",
        "password": "cloud-9-instrument",
        "again": "cloud-9-instrument",
    }
    answer = client.post(reverse("admin:accounts_user_add"), form, headers=OWN)
    assert "cloud-9" not in str(KeptForm.objects.values())
    page = sign_in_by_form(client, answer["Location"], "ada")

    assert page.content.decode().count('type="password"') == 2 and "cloud-9" not in page.content.decode()
    assert "Passwords and secrets were not kept. Enter them again." in page.content.decode()
    press(client, page, password="cloud-9-instrument", again="cloud-9-instrument")
    assert User.objects.get(username="kim").check_password("cloud-9-instrument")


def test_who_signed_in_in_another_tab_meanwhile_gets_the_form_back_too(analyst: User, things: Things) -> None:
    client = Client(enforce_csrf_checks=True)
    path, form = suppress(things)
    login = client.post(path, form, headers=OWN)["Location"]
    client.force_login(analyst)

    for answer in (client.get(login), client.post(login, {"username": "anna", "password": PASSWORD}, headers=OWN)):
        assert answer.status_code == 302 and answer["Location"].startswith("/resend/")
    assert client.get("/login/?next=//evil.example/")["Location"] == "/"
    assert client.post("/login/?next=//evil.example/", headers=OWN)["Location"] == "/"


def test_null_characters_are_no_error(administrator: User, sign_in: SignIn) -> None:
    client = Client()
    answer = client.post("/policies/%00/edit/", {"na\0me": "a\0b"}, headers=OWN)
    assert answer.status_code == 302 and KeptForm.objects.get().fields == [["name", "ab"]]
    client.force_login(administrator)
    assert client.get(answer["Location"].partition("next=")[2]).status_code == 200
    for revoke in ("/tokens/%00/revoke/", f"/accounts/user/{administrator.pk}/tokens/%00/revoke/"):
        assert client.post(revoke).status_code == 404
    for path in ("tokens/%00", f"users/{administrator.pk}/tokens/%00"):
        assert client.delete(f"/api/v1/{path}").status_code == 404


def test_too_large_a_form_is_not_kept_and_that_is_said(things: Things) -> None:
    client = Client()
    path, form = suppress(things)
    answer = client.post(path, form | {"reason": "x" * kept_forms.MOST_BYTES}, headers=OWN)

    assert not KeptForm.objects.exists()
    login = client.get(answer["Location"]).content.decode()
    assert "your form was not sent. Sign in and fill it in again." in login


def test_whoever_has_no_session_cannot_fill_the_database(things: Things) -> None:
    KeptForm.objects.bulk_create(KeptForm(path="/", fields=[], left_out=[]) for _each in range(kept_forms.MOST_KEPT))
    path, form = suppress(things)

    answer = Client().post(path, form, headers=OWN)

    assert f"next={path}" in answer["Location"]
    assert KeptForm.objects.count() == kept_forms.MOST_KEPT and not Session.objects.exists()


@pytest.mark.parametrize(
    "wanted", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"]
)
def test_signing_in_leads_to_no_other_site(viewer: User, wanted: str) -> None:
    form = {"username": "vera", "password": PASSWORD, "next": wanted}
    answer = Client().post(f"/login/?next={wanted}", form)
    assert (answer.status_code, answer["Location"]) == (302, "/")


# -- Every address -----------------------------------------------------------------------------------------------------


def addresses(place: Any = None, before: str = "", inside: bool = False) -> Iterator[str]:
    """One address of each named view of the console but signing in and out, with arguments that fit."""
    for each in (place or get_resolver()).url_patterns:
        path = before + str(each.pattern)
        if isinstance(each, URLResolver):
            yield from addresses(each, path, inside or each.namespace == "admin")
        elif isinstance(each, URLPattern) and inside and each.name not in (None, "login", "logout", "resend"):
            path = re.sub(r"<uuid:\w+>", str(uuid.uuid4()), re.sub(r"<int:\w+>", "1", path))
            yield "/" + re.sub(r"\^?\(\?P<app_label>([a-z]+).*?\)/\$", r"\1/", re.sub(r"<\w+:\w+>", "1", path))


def test_no_form_of_any_view_is_lost_to_an_ended_session_and_none_is_carried_out(
    administrator: User, things: Things
) -> None:
    entries, seen = Entry.objects.count(), list(addresses())
    filled = {"reason": "typed for long", "finding": ["1", "2"], "password": "hunter2", "csrfmiddlewaretoken": "x"}
    for path in seen:
        client = Client()
        answer = client.post(path, filled, headers=OWN)
        assert answer.status_code == 302 and "/login/?next=/resend/" in answer["Location"], path
        kept = KeptForm.objects.get()
        assert (kept.path, kept.left_out) == (path, ["password"])
        assert kept.fields == [["reason", "typed for long"], ["finding", "1"], ["finding", "2"]]
        kept.delete()
    assert len(seen) > 90
    assert Entry.objects.count() == entries


# -- Back --------------------------------------------------------------------------------------------------------------


def test_a_page_can_be_come_back_to_and_is_kept_by_nobody_else(analyst: User, things: Things, sign_in: SignIn) -> None:
    client = sign_in(analyst)
    for name in ("admin:profile", "admin:alerts_alert_changelist", "admin:reports_reportschedule_add"):
        control = client.get(reverse(name))["Cache-Control"]
        assert "no-store" not in control and "private" in control and "no-cache" in control, name


def test_a_file_and_a_token_that_was_made_are_stored_nowhere(viewer: User, things: Things, sign_in: SignIn) -> None:
    client = sign_in(viewer)
    made = client.post(reverse("admin:tokens"), {"name": "x", "scope": "read", "days": "7"}, follow=True)
    policy = things.account.policies[0]
    file = client.get(reverse("admin:compliance_export", args=[things.account.pk, policy, "json"]))
    assert made.context["made"]
    assert "no-store" in made["Cache-Control"] and "no-store" in file["Cache-Control"]


def test_a_page_that_shows_a_secret_cannot_be_come_back_to(rf: RequestFactory) -> None:
    def answer(shown: bool) -> str:
        request = rf.get("/tokens/")
        request.resolver_match = resolve("/tokens/")
        if shown:
            show_secret(request)
        page = KeepForms(lambda _request: HttpResponse(headers={"Cache-Control": "no-store"}))(request)
        return page["Cache-Control"]

    assert (answer(True), "no-store" in answer(False)) == ("no-store", False)


def test_signing_out_has_the_browser_forget_the_pages(viewer: User, sign_in: SignIn) -> None:
    assert sign_in(viewer).post(reverse("admin:logout"))["Clear-Site-Data"] == '"cache"'
