"""The audit log as people read it: in their language, by search, and only what they may see."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from nephoscope.accounts.models import Account, User
from nephoscope.alerts.models import Alert
from nephoscope.audit.actions.alerts import ALERT_OPENED, ALERT_SUPPRESSED
from nephoscope.audit.actions.wording import resources
from nephoscope.audit.models import Entry
from nephoscope.audit.services import Actor, record

pytestmark = pytest.mark.django_db

LIST = "admin:audit_entry_changelist"
HOSTILE = "<script>alert('x')</script>"


@pytest.fixture
def alert(add_alert: Any) -> Alert:
    made: Alert = add_alert("aws.s3.public_read", "logs-prod")
    return made


@pytest.fixture
def suppressed(alert: Alert, account: Account, analyst: User) -> Entry:
    data = {**resources(["logs-prod", 'odd"name\\', HOSTILE]), "in_cloud": "", "source": ""}
    return record(Actor.of(analyst), ALERT_SUPPRESSED, alert, data, account=account, reason="a test bucket")


def page(user: User, name: str, *args: Any, language: str = "en", **query: str) -> str:
    client = Client()
    client.force_login(user)
    answer = client.get(reverse(name, args=args), query, headers={"accept-language": language})
    assert answer.status_code == 200
    return answer.content.decode()


def pages_of(entry: Entry, alert: Alert) -> list[tuple[str, tuple[int, ...]]]:
    """The pages that show the entry's sentence, and what they are about."""
    return [(LIST, ()), ("admin:audit_entry_change", (entry.pk,)), ("admin:alerts_alert_change", (alert.pk,))]


def api(user: User, path: str, language: str = "en") -> Any:
    client = APIClient()
    client.force_authenticate(user)
    return client.get(f"/api/v1/{path}", headers={"accept-language": language}).json()


def test_each_reads_the_same_entry_in_their_language(
    suppressed: Entry, alert: Alert, viewer: User, another_language: str
) -> None:
    for name, args in pages_of(suppressed, alert):
        english = page(viewer, name, *args)
        theirs = page(viewer, name, *args, language=another_language)
        assert f"suppressed 3 resources of {alert}: logs-prod" in english
        assert f"‹suppressed 3 resources of {alert}: logs-prod" in theirs


def test_the_api_gives_the_sentence_in_the_readers_language_and_what_it_is_made_of(
    suppressed: Entry, alert: Alert, viewer: User, another_language: str
) -> None:
    shown = api(viewer, f"audit/{suppressed.pk}")
    theirs = api(viewer, f"audit/{suppressed.pk}", another_language)

    assert (shown["action"], shown["data"]["count"], shown["data"]["resources"][0]) == (
        "alert.suppressed",
        3,
        "logs-prod",
    )
    assert shown["summary"].startswith(f"suppressed 3 resources of {alert}: logs-prod")
    assert shown["sentence"] == f"anna {shown['summary']}"
    assert theirs["summary"] == f"‹{shown['summary']}›" and theirs["data"] == shown["data"]
    assert api(viewer, f"alerts/{alert.pk}")["timeline"][0]["summary"] == shown["summary"]


def test_markup_in_a_name_is_shown_as_text(suppressed: Entry, alert: Alert, viewer: User) -> None:
    for name, args in pages_of(suppressed, alert):
        shown = page(viewer, name, *args)
        assert HOSTILE not in shown and "&lt;script&gt;alert(" in shown


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("logs-prod", True),
        ("LOGS-PROD anna", True),
        ("A-0", True),
        ("bucket", True),
        ("suppressed", True),
        ("alert.suppressed", True),
        ('odd"name\\', True),
        ("count", False),
        ("logs-dev", False),
        ("logs-prod logs-dev", False),
    ],
)
def test_an_entry_is_found_by_names_reason_and_action(suppressed: Entry, viewer: User, text: str, found: bool) -> None:
    assert (f"/audit/entry/{suppressed.pk}/" in page(viewer, LIST, q=text)) == found


def test_an_entry_is_found_by_what_its_action_is_called_in_the_readers_language(
    suppressed: Entry, viewer: User, another_language: str
) -> None:
    listed = f"/audit/entry/{suppressed.pk}/"
    assert listed in page(viewer, LIST, q="suppressed›", language=another_language)
    assert listed not in page(viewer, LIST, q="suppressed›")


def test_a_filter_offers_actions_by_their_labels(suppressed: Entry, viewer: User) -> None:
    assert '<option value="alert.suppressed">Resources suppressed</option>' in page(viewer, LIST)


def test_only_those_who_see_the_account_see_what_was_done_in_it(
    suppressed: Entry, viewer: User, stranger: User, administrator: User
) -> None:
    for user, seen in ((viewer, True), (stranger, False), (administrator, True)):
        assert (f"/audit/entry/{suppressed.pk}/" in page(user, LIST)) == seen
        assert [each["id"] for each in api(user, "audit?action=alert.suppressed")["results"]] == [suppressed.pk] * seen


def test_the_log_stays_readable_when_an_action_or_its_data_are_unknown(
    alert: Alert, account: Account, viewer: User
) -> None:
    made = record(Actor.of_task("sync"), ALERT_OPENED, alert, {"title": "Door", **resources(["a"])}, account=account)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_entry DISABLE TRIGGER USER")
        cursor.execute("""UPDATE audit_entry SET data = '{"task": {"code": "x"}}' WHERE id = %s""", [made.pk])
        assert f"alert.opened: {alert}" in page(viewer, LIST)
        cursor.execute("UPDATE audit_entry SET action = 'ticket.created' WHERE id = %s", [made.pk])
    assert f"Sync ticket.created: {alert}" in page(viewer, LIST)
