"""A search looks for few words, whatever is sent: each costs the database a condition."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from nephoscope.accounts.models import User
from nephoscope.alerts.models import Alert
from nephoscope.changes.models import Change, ChangeStep
from nephoscope.searching import MOST_WORDS, words

from .conftest import Things

pytestmark = pytest.mark.django_db

SignIn = Callable[..., Client]

WIDEST = 7
"""Conditions for one word in the list that looks in most places."""

ONE_LETTER = " ".join(chr(0x100 + n) for n in range(2000))
MANY = {
    "distinct words": ONE_LETTER,
    "one word again and again": "close " * 600,
    "tags": "a=b " * 1000,
    "quotation marks": '"' * 4000,
    "one long word": "x" * 4000,
}


def lists() -> Iterator[str]:
    """Yield the addresses of all that can be searched."""
    for model in admin.site._registry:
        yield reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    yield reverse("admin:rules")
    for name in ("alerts", "findings", "resources", "suppressions"):
        yield f"/api/v1/{name}"
    yield "/api/v1/alerts/export/csv"


@pytest.mark.parametrize("text", MANY.values(), ids=MANY)
def test_a_search_of_4000_characters_asks_for_few_words(
    text: str, things: Things, administrator: User, sign_in: SignIn
) -> None:
    client = sign_in(administrator)
    for address in lists():
        with CaptureQueriesContext(connection) as queries:
            answer = client.get(address, {"q": text})
            assert answer.status_code == 200, address
            if answer.streaming:
                b"".join(answer.streaming_content)
        worst = max(query["sql"].count(" LIKE ") for query in queries)
        assert worst <= WIDEST * MOST_WORDS, f"{address}: {worst} conditions"
        assert not any(query["sql"].count(" JOIN ") > 20 for query in queries), address


def test_distinct_words_are_looked_for_in_their_order() -> None:
    assert words("b a b\x00  a\tc") == ["b", "a", "c"]
    assert words(ONE_LETTER) == ONE_LETTER.split()[:MOST_WORDS]


def test_a_list_says_that_it_does_not_look_for_the_other_words(viewer: User, things: Things, sign_in: SignIn) -> None:
    client, said = sign_in(viewer), "Only the first 10 words are searched for."
    for name in ("admin:alerts_alert_changelist", "admin:rules"):
        assert said in client.get(reverse(name), {"q": ONE_LETTER}).content.decode()
        assert said not in client.get(reverse(name), {"q": "a b c " * 20}).content.decode()


def test_a_change_is_found_once_by_words_in_its_title_its_alert_and_its_resources(
    viewer: User, things: Things, sign_in: SignIn
) -> None:
    ChangeStep.objects.create(
        change=things.change, position=1, resource_id="arn:2", resource_name="logs-too", title="x", call={}
    )
    Change.objects.filter(pk=things.change.pk).update(title="Close the bucket")
    Alert.objects.filter(pk=things.alert.pk).update(title="Everyone reads")
    client = sign_in(viewer)
    for text, found in (("logs", 1), ("close everyone logs", 1), ("LOGS-TOO bucket", 1), ("logs nowhere", 0)):
        page = client.get(reverse("admin:changes_change_changelist"), {"q": text})
        assert page.context["cl"].result_count == found, text


def test_people_are_found_by_their_first_and_last_name(administrator: User, sign_in: SignIn) -> None:
    User.objects.create_user("jd", first_name="Jane", last_name="Doe")
    page = sign_in(administrator).get(reverse("admin:accounts_user_changelist"), {"q": "doe jane"})
    assert page.context["cl"].result_count == 1


def test_alerts_are_found_by_many_detectors_at_once(viewer: User, things: Things, sign_in: SignIn) -> None:
    Alert.objects.update(source="Some Detector")
    client = sign_in(viewer)
    for source, found in (("some detector", 1), ("x," * 2000 + "SOME DETECTOR", 1), ("x", 0), (",", 0)):
        assert client.get("/api/v1/alerts", {"source": source, "state": "all"}).json()["count"] == found, source[-20:]
