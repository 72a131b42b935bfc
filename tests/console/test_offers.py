"""What pages offer leads nowhere that refuses, and whatever is posted survives a lost session in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client, RequestFactory
from django.urls import reverse

from nephoscope.accounts.models import AccountGroup, User
from nephoscope.audit.services import Actor
from nephoscope.console.pages.resend_words import in_words
from nephoscope.people.kept_forms import secret_names
from nephoscope.people.tokens import issue_token
from nephoscope.policies.services import create_policy
from nephoscope.reports.models import ReportSchedule
from nephoscope.reports.services import save_schedule

from .conftest import Things
from .crawl import walk

SignIn = Callable[..., Client]
ROLES = ("viewer", "analyst", "remediator", "administrator", "stranger")


@pytest.fixture
def full(things: Things, everyone: dict[str, User], system: Actor, settings: Any, tmp_path: Any) -> Things:
    """Everything, and of each user a report schedule and a token."""
    settings.NEPHOSCOPE_REPORTS_DIR = tmp_path
    create_policy(system, name="Own", based_on=things.account.policies[0])
    for user in everyone.values():
        issue_token(Actor.of(user), name=f"of {user}")
        if user.may("schedule"):
            to = {"name": f"of {user}", "folder": f"of-{user.pk}"}
            save_schedule(Actor.of(user), ReportSchedule(), **to)
    return things


@pytest.mark.parametrize("role", ROLES)
def test_no_link_and_no_form_of_any_page_leads_to_a_refusal(
    role: str, everyone: dict[str, User], full: Things, sign_in: SignIn
) -> None:
    pages, refused = walk(sign_in(everyone[role]), "/", reverse("admin:policies"))

    assert refused == {}
    assert len(pages) > (15 if role == "stranger" else 30)


def test_a_button_that_leads_to_a_refusal_is_found(viewer: User, things: Things, sign_in: SignIn) -> None:
    _pages, refused = walk(sign_in(viewer), reverse("admin:reports_reportschedule_add"))

    assert refused


def test_everything_that_can_be_posted_is_said_in_words_and_no_secret_of_it_is_kept(
    administrator: User, group: AccountGroup, full: Things, sign_in: SignIn
) -> None:
    pages, _refused = walk(sign_in(administrator), "/")
    request = RequestFactory().get("/")
    request.user = administrator

    posted = {address.removeprefix("http://testserver") for page in pages for address in page.posted()}
    assert {address for address in posted if not in_words(request, address)} == set()
    assert len(posted) > 20
    secrets = {name for page in pages for name in page.secrets}
    assert {"password", "again", "old_password", "new_password1"} <= secrets <= secret_names()
