"""The pages and the API of report schedules: one's own, administrators' all, and none of a stranger's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from nephoscope.accounts.models import Account, User
from nephoscope.audit.models import Entry
from nephoscope.audit.services import Actor
from nephoscope.console.pages.targets import address_of
from nephoscope.reports.models import ReportRun, ReportSchedule
from nephoscope.reports.services import save_schedule

from .conftest import HOSTILE

pytestmark = pytest.mark.django_db
SignIn = Callable[..., Client]
FORM = {
    "name": "Monthly",
    "form": "pdf",
    "every": "month",
    "hour": "6",
    "mail_to": "a@example.org\nb@example.org",
    "folder": "auditor",
    "keep": "3",
    "active": "on",
}


@pytest.fixture(autouse=True)
def ways(settings: Any, tmp_path: Any) -> None:
    settings.EMAIL_HOST, settings.NEPHOSCOPE_REPORTS_DIR = "127.0.0.1", str(tmp_path)


@pytest.fixture
def schedule(analyst: User, account: Account) -> ReportSchedule:
    values = {"name": f"Weekly {HOSTILE}", "mail_to": ["auditor@example.org"], "folder": "auditor"}
    return save_schedule(Actor.of(analyst), ReportSchedule(), **values)


def page(name: str, *arguments: Any) -> str:
    return reverse(f"admin:reports_reportschedule_{name}", args=arguments)


def test_one_is_added_changed_sent_and_removed_in_the_console(analyst: User, account: Account, sign_in: SignIn) -> None:
    client = sign_in(analyst)
    assert client.post(page("add"), FORM).status_code == 302
    schedule = ReportSchedule.objects.get()
    assert (schedule.owner, schedule.mail_to, schedule.everything) == (
        analyst,
        ["a@example.org", "b@example.org"],
        True,
    )
    shown = client.get(page("edit", schedule.pk)).content.decode()
    assert "a@example.org\nb@example.org" in shown
    client.post(page("edit", schedule.pk), FORM | {"accounts": [account.pk], "policies": [account.policies[0]]})
    schedule.refresh_from_db()
    assert not schedule.everything and schedule.policies == [account.policies[0]]
    asked = client.get(page("send", schedule.pk)).content.decode()
    assert "b@example.org" in asked and "the folder auditor" in asked and "prod by" in asked
    assert not ReportRun.objects.exists(), "looking sends nothing"
    assert "Sending. See the history" in client.post(page("send", schedule.pk), follow=True).content.decode()
    assert "Already sending" in client.post(page("send", schedule.pk), follow=True).content.decode()
    assert "Queued" in client.get(page("change", schedule.pk)).content.decode()
    assert "cannot be undone" in client.get(page("remove", schedule.pk)).content.decode()
    assert client.post(page("remove", schedule.pk)).status_code == 302
    assert not ReportSchedule.objects.exists()


def test_what_is_wrong_stands_beside_its_field_and_nothing_is_saved(
    analyst: User, account: Account, sign_in: SignIn
) -> None:
    text = sign_in(analyst).post(page("add"), FORM | {"mail_to": "nobody", "folder": "../etc"}).content.decode()
    assert "Not an address: nobody." in text
    text = sign_in(analyst).post(page("add"), FORM | {"folder": "../etc"}).content.decode()
    assert "Use letters, digits, - and _" in text
    assert not ReportSchedule.objects.exists()


def test_markup_in_a_name_or_an_outcome_is_text(analyst: User, schedule: ReportSchedule, sign_in: SignIn) -> None:
    schedule.runs.create(state="failed", outcome=f"not mailed: {HOSTILE}")
    client = sign_in(analyst)
    for address in (
        page("changelist"),
        page("change", schedule.pk),
        page("edit", schedule.pk),
        page("send", schedule.pk),
        page("remove", schedule.pk),
    ):
        text = client.get(address).content.decode()
        assert HOSTILE not in text and "&lt;script&gt;" in text, address


def test_who_sees_and_does_what_in_the_console(
    everyone: dict[str, User], schedule: ReportSchedule, sign_in: SignIn
) -> None:
    for role in ("viewer", "remediator", "stranger"):
        client = sign_in(everyone[role])
        assert "auditor@example.org" not in client.get(page("changelist")).content.decode()
        assert client.get(page("change", schedule.pk)).status_code == 404, role
        for name in ("edit", "send", "remove"):
            assert client.get(page(name, schedule.pk)).status_code == 404, (role, name)
            assert client.post(page(name, schedule.pk), FORM).status_code == 404, (role, name)
    assert sign_in(everyone["viewer"]).get(page("add")).status_code == 403
    assert sign_in(everyone["viewer"]).post(page("add"), FORM).status_code == 403
    for role in ("analyst", "administrator"):
        client = sign_in(everyone[role])
        for name in ("change", "edit", "send", "remove"):
            assert client.get(page(name, schedule.pk)).status_code == 200, (role, name)
    assert ReportSchedule.objects.get().name == schedule.name


def test_somebody_who_became_a_viewer_looks_at_their_own_and_does_nothing(
    analyst: User, schedule: ReportSchedule, sign_in: SignIn
) -> None:
    User.objects.filter(pk=analyst.pk).update(role="viewer")
    client = sign_in(analyst)
    shown = client.get(page("change", schedule.pk)).content.decode()
    assert "may no longer schedule reports" in shown and page("send", schedule.pk) not in shown
    for name in ("edit", "send", "remove"):
        assert client.post(page(name, schedule.pk), FORM).status_code == 403


def test_one_is_found_by_its_address_and_from_the_audit_log(
    analyst: User, stranger: User, schedule: ReportSchedule, sign_in: SignIn
) -> None:
    client = sign_in(analyst)
    for text, count in (("auditor@", 1), ("folder-of-nobody", 0), ("anna", 1)):
        assert client.get(page("changelist"), {"q": text}).context["cl"].result_count == count, text
    entry = Entry.objects.get(action="schedule.created")
    assert (
        page("change", schedule.pk) in client.get(reverse("admin:audit_entry_change", args=[entry.pk])).content.decode()
    )
    assert address_of(stranger, "reportschedule", str(schedule.pk)) == ""


def test_the_number_of_queries_does_not_grow(
    administrator: User, schedule: ReportSchedule, sign_in: SignIn, django_assert_max_num_queries: Any
) -> None:
    for n in range(20):
        other = ReportSchedule.objects.create(name=f"s{n}", owner=administrator, mail_to=["a@example.org"])
        other.runs.create(state="sent")
    client = sign_in(administrator)
    with django_assert_max_num_queries(15):
        client.get(page("changelist"))


# -- The API -------------------------------------------------------------------------------------------------------

PATH = "/api/v1/report-schedules"
BODY = {"name": "Daily", "every": "day", "hour": 5, "form": "json", "mail_to": ["a@example.org"]}


def test_the_api_does_the_same(analyst: User, account: Account, sign_in: SignIn) -> None:
    client = sign_in(analyst)
    made = client.post(PATH, BODY | {"accounts": [account.pk]}, content_type="application/json")
    assert made.status_code == 201, made.content
    row = made.json()
    assert row["owner"] == "anna" and row["accounts"] == [{"id": account.pk, "name": "prod"}]
    granted = list(analyst.account_groups.all())
    analyst.account_groups.clear()
    assert client.get(f"{PATH}/{row['id']}").json()["accounts"] == [], "who no longer sees it is not told its name"
    analyst.account_groups.set(granted)
    assert (row["everything"], row["next_run_at"][11:16], row["runs"]) == (False, "05:00", [])
    one = f"{PATH}/{row['id']}"
    changed = client.patch(one, {"accounts": [], "folder": "auditor"}, content_type="application/json").json()
    assert changed["everything"] is True and changed["folder"] == "auditor"
    sent = client.post(f"{one}/send", {}, content_type="application/json")
    assert sent.status_code == 202 and [run["state"] for run in sent.json()["runs"]] == ["queued"]
    again = client.post(f"{one}/send", {}, content_type="application/json")
    assert again.status_code == 409 and "schedule" in again.json()
    assert client.get(PATH).json()["count"] == 1
    assert client.delete(one).status_code == 204


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"folder": "../x"}, 409, "folder"),
        ({"mail_to": ["x"]}, 400, "mail_to"),
        ({"mail_to": []}, 409, "mail_to"),
        ({"owner": 1}, 400, "owner"),
        ({"accounts": [999_999]}, 409, "accounts"),
        ({"hour": "x"}, 400, "hour"),
        ({"name": "a\nb"}, 409, "name"),
        ({"name": None}, 400, "name"),
        ({"groups": [999_999]}, 409, "groups"),
    ],
)
def test_the_api_refuses_by_name(
    change: dict[str, Any], status: int, field: str, analyst: User, account: Account, sign_in: SignIn
) -> None:
    answer = sign_in(analyst).post(PATH, BODY | change, content_type="application/json")
    assert answer.status_code == status and field in answer.json(), answer.content
    assert not ReportSchedule.objects.exists()


def test_an_account_that_is_not_granted_is_refused_as_if_it_did_not_exist(
    stranger: User, account: Account, sign_in: SignIn
) -> None:
    answer = sign_in(stranger).post(PATH, BODY | {"accounts": [account.pk]}, content_type="application/json")
    assert answer.status_code == 409 and "prod" not in answer.content.decode()


def test_who_may_over_the_api(everyone: dict[str, User], schedule: ReportSchedule, sign_in: SignIn) -> None:
    one = f"{PATH}/{schedule.pk}"

    def tried(client: Client) -> set[int]:
        return {
            client.get(one).status_code,
            client.delete(one).status_code,
            client.patch(one, {"name": "x"}, content_type="application/json").status_code,
            client.post(f"{one}/send", {}, content_type="application/json").status_code,
        }

    assert tried(sign_in(everyone["stranger"])) == tried(sign_in(everyone["remediator"])) == {404}
    assert tried(sign_in(everyone["viewer"])) == {403, 404}
    viewer = sign_in(everyone["viewer"])
    assert viewer.post(PATH, BODY, content_type="application/json").status_code == 403
    assert viewer.get(PATH).json()["count"] == 0
    administrator = sign_in(everyone["administrator"])
    assert administrator.get(PATH).json()["results"][0]["owner"] == "anna"
    assert administrator.delete(one).status_code == 204
