"""The register of suppressions: what is ignored, why, by whom, until when; and taking one back from there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from tests.house import House

from nephoscope.accounts.models import User
from nephoscope.alerts.models import Alert, Suppression
from nephoscope.alerts.suppressions import suppress
from nephoscope.audit.services import Actor
from nephoscope.changes.suppressing import suppress as suppress_and_archive

from .conftest import HOSTILE

pytestmark = pytest.mark.django_db
SignIn = Callable[..., Client]
REGISTER = "admin:alerts_suppression_changelist"


@pytest.fixture
def alert(add_alert: Callable[..., Alert]) -> Alert:
    return add_alert("aws.s3.public_read", f"logs-{HOSTILE}", "assets", "lifted", "expired", "open")


@pytest.fixture
def register(alert: Alert, analyst: User, administrator: User) -> Alert:
    """Two in force, one of which ends soon; one lifted and one expired."""
    now, anna = timezone.now(), Actor.of(analyst)
    for name, reason, days in (("lifted", "too early", None), ("expired", "a while", 1), ("assets", "a week", 3)):
        end = now + timedelta(days=days) if days else None
        suppress(anna, alert, alert.findings.filter(resource__name=name), reason, end)
    logs = alert.findings.filter(resource__name__startswith="logs")
    suppress(Actor.of(administrator), alert, logs, f"ours {HOSTILE}")
    Suppression.objects.filter(resource_name="lifted").update(lifted_at=now)
    Suppression.objects.filter(resource_name="expired").update(expires_at=now - timedelta(hours=1))
    return alert


def listed(client: Client, **query: str) -> set[str]:
    rows = client.get(reverse(REGISTER), query).context["cl"].result_list
    return {row.resource_name.split("-")[0] for row in rows}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, {"logs", "assets"}),
        ({"state": "all"}, {"logs", "assets", "lifted", "expired"}),
        ({"state": "lifted"}, {"lifted"}),
        ({"state": "expired"}, {"expired"}),
        ({"author": "ada"}, {"logs"}),
        ({"author": "nobody"}, set()),
        ({"until": "7"}, {"assets"}),
        ({"until": "1"}, set()),
        ({"until": "none"}, {"logs"}),
        ({"until": "x"}, set()),
        ({"account": "999999"}, set()),
        ({"q": "assets"}, {"assets"}),
        ({"q": "arn:aws:s3:::assets"}, {"assets"}),
        ({"q": "ours"}, {"logs"}),
        ({"o": "8.-7"}, {"logs", "assets"}),
    ],
)
def test_a_filter_finds_what_it_says_in_console_and_api(
    query: dict[str, str], found: set[str], register: Alert, viewer: User, sign_in: SignIn
) -> None:
    client = sign_in(viewer)
    assert listed(client, **query) == found
    if query.get("until") == "x" or query.get("state") == "all" or "o" in query:
        return
    answer = client.get("/api/v1/suppressions", {"state": "in_force", **query}).json()
    assert {row["resource_name"].split("-")[0] for row in answer["results"]} == found


def test_a_row_says_what_why_who_and_until_and_leads_to_the_alert(
    register: Alert, viewer: User, sign_in: SignIn
) -> None:
    page = sign_in(viewer).get(reverse(REGISTER)).content.decode()
    assert HOSTILE not in page and "ours &lt;script&gt;" in page
    for part in ("arn:aws:s3:::assets", register.title, str(register), "anna", "a week", "Ends soon", "No end"):
        assert part in page, part
    assert reverse("admin:alerts_alert_change", args=[register.pk]) + "?suppressed=1#suppressed" in page


def test_who_may_take_a_suppression_back_and_who_may_look(
    register: Alert, everyone: dict[str, User], sign_in: SignIn
) -> None:
    row = Suppression.objects.get(resource_name="assets")
    act = reverse("admin:alerts_suppression_unsuppress", args=[row.pk])
    for role, seen, done in (("viewer", 200, 403), ("stranger", 200, 404)):
        client = sign_in(everyone[role])
        assert act not in client.get(reverse(REGISTER)).content.decode()
        assert client.get(reverse(REGISTER)).status_code == seen
        assert (client.get(act).status_code, client.post(act).status_code) == (done, done), role
    assert listed(sign_in(everyone["stranger"]), state="all") == set()
    client = sign_in(everyone["analyst"])
    assert act in client.get(reverse(REGISTER)).content.decode()
    assert "Unsuppress assets?" in client.get(act).content.decode() and row in Suppression.objects.standing()
    assert "Unsuppressed 1 resource." in client.post(act, follow=True).content.decode()
    assert row not in Suppression.objects.standing()
    assert "not in force any more" in client.post(act, follow=True).content.decode()


def test_a_suppression_whose_resource_does_not_fail_at_present_can_be_taken_back(
    register: Alert, analyst: User, sign_in: SignIn
) -> None:
    row = Suppression.objects.get(resource_name="assets")
    row.findings.update(suppression=None, failing_since=None, alert=None, verdict="pass")
    sign_in(analyst).post(reverse("admin:alerts_suppression_unsuppress", args=[row.pk]))
    row.refresh_from_db()
    assert row.lifted_at


def test_what_happens_in_the_cloud_is_said_before_it_is_taken_back(
    report: House, remediator: User, analyst: User, sign_in: SignIn
) -> None:
    suppress_and_archive(report.actor, report.alert, report.alert.findings.all(), "we know", archive=True)
    act = reverse("admin:alerts_suppression_unsuppress", args=[Suppression.objects.get().pk])
    assert "This also unarchives the finding in Watchman." in sign_in(remediator).get(act).content.decode()
    told = sign_in(analyst).get(act).content.decode()
    assert "The finding stays archived in Watchman: unarchiving it requires the Remediator role." in told


def test_the_dashboard_counts_what_the_register_lists(register: Alert, viewer: User, sign_in: SignIn) -> None:
    client = sign_in(viewer)
    page = client.get("/")
    assert page.context["summary"].suppressed == len(listed(client)) == 2
    assert f'href="{reverse(REGISTER)}"' in page.content.decode()


def test_the_list_of_alerts_says_how_many_are_suppressed(register: Alert, viewer: User, sign_in: SignIn) -> None:
    client, alerts = sign_in(viewer), reverse("admin:alerts_alert_changelist")
    for query in ({}, {"suppressed": "1"}, {"state": "suppressed"}):
        assert client.get(alerts, query).context["cl"].result_count == 1, query
    assert "4 suppressed" in client.get(alerts).content.decode()  # the sweep has not taken the expired one off yet


def test_the_register_is_exported_as_it_is_narrowed(
    register: Alert, viewer: User, stranger: User, sign_in: SignIn
) -> None:
    client = sign_in(viewer)
    [(_name, address)] = client.get(reverse(REGISTER), {"q": "a week"}).context["exports"]
    lines = client.get(address).getvalue().decode().splitlines()
    assert (
        len(lines) == 2 and lines[0].startswith("resource,resource id,alert,") and "in_force,a week,anna," in lines[1]
    )
    assert len(sign_in(stranger).get(address).getvalue().decode().splitlines()) == 1


def test_the_api_takes_a_suppression_back_for_those_who_may(
    register: Alert, everyone: dict[str, User], sign_in: SignIn
) -> None:
    row = Suppression.objects.get(resource_name="assets")
    address = f"/api/v1/suppressions/{row.pk}/unsuppress"
    assert sign_in(everyone["viewer"]).post(address, content_type="application/json").status_code == 403
    assert sign_in(everyone["stranger"]).post(address, content_type="application/json").status_code == 404
    answer = sign_in(everyone["analyst"]).post(address, content_type="application/json")
    assert (answer.status_code, answer.json()["state"]) == (200, "lifted")
    assert sign_in(everyone["analyst"]).post(address, content_type="application/json").status_code == 409


def test_the_register_asks_the_same_number_of_questions_however_long_it_is(
    add_alert: Callable[..., Alert], system: Actor, analyst: User, sign_in: SignIn
) -> None:
    client, counts = sign_in(analyst), []
    for key in ("aws.s3.public_read", "aws.s3.versioning"):
        alert = add_alert(key, *(f"{key}-{n}" for n in range(10)))
        suppress(system, alert, alert.findings.all(), "accepted")
        for address in (reverse(REGISTER), "/api/v1/suppressions"):
            client.get(address)
            with CaptureQueriesContext(
                connection,
            ) as asked:
                client.get(address)
            counts.append(len(asked))
    assert counts[:2] == counts[2:]
