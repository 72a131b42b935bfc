"""No number, and no green mark, says more of an account than is known: on every page, in every file and in the API."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from nephoscope import testing as toy
from nephoscope.accounts.models import Account, User
from nephoscope.audit.services import Actor
from nephoscope.compliance import pdf
from nephoscope.compliance.queries import detail
from nephoscope.connections.conditions import ConditionState, condition
from nephoscope.connections.services import configure_account, verify_account
from nephoscope.inventory.models import Scan
from nephoscope.plugins import registry
from nephoscope.policies.rejudging import request
from nephoscope.scans.removing import remove_account
from nephoscope.scans.runner import work
from nephoscope.scans.services import start_scan

pytestmark = pytest.mark.django_db

SignIn = Callable[..., Client]

CLOSED = "The role of the house cannot be assumed."


def read(account: Account, actor: Actor) -> None:
    work(start_scan(actor, account, enqueue=False).pk)
    account.refresh_from_db()


def never(cloud: toy.ToyCloud, account: Account, actor: Actor) -> None:
    """Connected, and never scanned."""


def scanning(cloud: toy.ToyCloud, account: Account, actor: Actor) -> None:
    start_scan(actor, account, enqueue=False)


def failed(cloud: toy.ToyCloud, account: Account, actor: Actor) -> None:
    cloud.closed = CLOSED
    read(account, actor)


def unreachable(cloud: toy.ToyCloud, account: Account, actor: Actor) -> None:
    verify_account(actor, account)
    read(account, actor)
    cloud.closed = CLOSED
    for _scan in range(3):
        read(account, actor)


def partly_read(cloud: toy.ToyCloud, account: Account, actor: Actor) -> None:
    read(account, actor)
    configure_account(actor, account, regions=["north", "south"])


def removed(cloud: toy.ToyCloud, account: Account, actor: Actor) -> None:
    read(account, actor)
    remove_account(actor, account)


def stale(cloud: toy.ToyCloud, account: Account, actor: Actor) -> None:
    read(account, actor)
    Scan.objects.update(created_at=timezone.now() - timedelta(days=7), finished_at=timezone.now() - timedelta(days=7))


def rejudging(cloud: toy.ToyCloud, account: Account, actor: Actor) -> None:
    read(account, actor)
    request([account])


Bring = Callable[[toy.ToyCloud, Account, Actor], None]
UNKNOWN: list[tuple[Bring, list[str]]] = [
    (never, ["not_scanned"]),
    (scanning, ["not_scanned"]),
    (failed, ["not_scanned", "unreachable"]),
]
DOUBTFUL: list[tuple[Bring, list[str]]] = [
    (unreachable, ["unreachable"]),
    (partly_read, ["partial"]),
    (stale, ["stale"]),
    (rejudging, ["rejudging"]),
]


def _named(value: object) -> str:
    return getattr(value, "__name__", "")


in_every_state = pytest.mark.parametrize(("bring", "states"), [*UNKNOWN, *DOUBTFUL], ids=_named)
where_nothing_is_known = pytest.mark.parametrize(("bring", "states"), UNKNOWN, ids=_named)


@pytest.fixture
def opened(cloud: toy.ToyCloud, toy_account: Account) -> Account:
    """The account in the toy cloud, with a door open and one closed: an alert, and a pass."""
    cloud.doors |= {"front": True, "cellar": False}
    return toy_account


def lists() -> list[str]:
    """The names of the lists of what scans found, a new one among them by itself; and of the accounts."""
    models = [model for model, shown in admin.site._registry.items() if getattr(shown, "of_accounts", False)]
    return [f"{model._meta.app_label}_{model._meta.model_name}" for model in (Account, *models)]


def addresses(account: Account) -> list[str]:
    """The pages about what is known of accounts."""
    found = [
        reverse("admin:index"),
        *(reverse(f"admin:{name}_changelist") for name in lists()),
        reverse("admin:compliance"),
        reverse("admin:policies"),
        reverse("admin:policy", args=[toy.POLICY.id]),
        reverse("admin:rule", args=[toy.closed.id]),
        reverse("admin:accounts_account_change", args=[account.pk]),
        reverse("admin:compliance_detail", args=[account.pk, toy.POLICY.id]),
    ]
    rows = [row for rows in (account.alerts, account.findings, account.resources) for row in rows.all()[:2]]
    return found + [
        reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk]) for row in rows
    ]


@in_every_state
@pytest.mark.parametrize("role", ["administrator", "viewer"])
def test_every_page_says_what_keeps_its_numbers_from_being_so(
    bring: Bring,
    states: list[str],
    role: str,
    everyone: dict[str, User],
    opened: Account,
    cloud: toy.ToyCloud,
    system: Actor,
    sign_in: SignIn,
) -> None:
    bring(cloud, opened, system)
    client, label = sign_in(everyone[role]), str(ConditionState(states[0]).label)
    for address in addresses(opened):
        page = client.get(address).content.decode()
        assert label in page, f"{address} does not say {label}"
        if bring in (failed, unreachable):
            assert "neph-yes" not in page and 'neph-good">Connected' not in page, f"{address} has a green mark"


@where_nothing_is_known
def test_before_the_first_good_scan_there_is_no_number(
    bring: Bring,
    states: list[str],
    opened: Account,
    cloud: toy.ToyCloud,
    system: Actor,
    administrator: User,
    sign_in: SignIn,
) -> None:
    bring(cloud, opened, system)
    client = sign_in(administrator)
    dashboard = client.get(reverse("admin:index")).content.decode()
    counts = re.findall(r'data-severity="\w+"><b[^>]*>([^<]*)</b>', dashboard)
    assert counts == ["—"] * 4
    assert "Nothing critical or high is open" not in dashboard and "New this week" not in dashboard
    assert ("Scan now" in dashboard) == (bring is not scanning)
    accounts = client.get(reverse("admin:accounts_account_changelist")).content.decode()
    assert re.findall(r"field-open_alerts[^>]*>\s*([^<]*?)\s*<", accounts) == ["—"]
    for name in ("alerts_alert", "alerts_finding", "inventory_resource"):
        page = client.get(reverse(f"admin:{name}_changelist"), {"q": "x"}).content.decode()
        assert "<h2>Not scanned yet</h2>" in page and "No results match" not in page, name
    score = client.get(reverse("admin:compliance")).content.decode()
    assert not re.search(r">\s*\d+ ?%", score) and "not evaluated yet" in score


@in_every_state
def test_every_file_and_the_api_carry_the_marks(
    bring: Bring,
    states: list[str],
    opened: Account,
    cloud: toy.ToyCloud,
    system: Actor,
    viewer: User,
    sign_in: SignIn,
) -> None:
    bring(cloud, opened, system)
    opened.refresh_from_db()
    client, labels = sign_in(viewer), [str(ConditionState(state).label) for state in states]
    address = {form: reverse("admin:compliance_export", args=[opened.pk, toy.POLICY.id, form]) for form in FORMS}
    csv = client.get(address["csv"]).content.decode()
    assert all(label in csv for label in labels)
    marks = client.get(address["json"]).json()["condition"]["marks"]
    assert [mark["state"] for mark in marks] == states
    assert client.get(address["pdf"]).content.startswith(b"%PDF")
    told = _printed(opened)
    assert all(label in told for label in labels)
    assert ("everything was read" in told) == (bring in (stale, unreachable, rejudging))

    account = client.get(f"/api/v1/accounts/{opened.pk}").json()["condition"]
    assert [mark["state"] for mark in account["marks"]] == states and account["state"] == states[0]
    assert (account["as_of"] is None) == ("not_scanned" in states)
    [standing] = client.get("/api/v1/compliance").json()["results"]
    assert standing["condition"]["state"] == states[0] and (standing["score"] is None) == (
        bring in (never, scanning, failed, rejudging)
    )
    for path in ("alerts", "resources", "findings"):
        listed = client.get(f"/api/v1/{path}").json()
        assert {_condition_of(row) for row in listed["results"]} <= {states[0]}, path
        assert (
            listed["not_scanned"] == client.get("/api/v1/findings").json()["not_scanned"] == ("not_scanned" in states)
        )
        assert client.get(f"/api/v1/{path}", {"account": 10**6}).json()["not_scanned"] == 0
    lines = b"".join(client.get("/api/v1/alerts/export/csv").streaming_content).decode().splitlines()
    assert all(labels[0] in line for line in lines[1:])


def _condition_of(row: dict[str, Any]) -> str:
    return str(row["condition"] if "condition" in row else row["account"]["condition"])


FORMS = ("csv", "json", "pdf")


def _printed(account: Account) -> str:
    """Return the text of the report as a PDF."""
    parts: list[str] = []

    def gather(part: object) -> None:
        if text := getattr(part, "text", ""):
            parts.append(str(text))
        for row in getattr(part, "_cellvalues", []):
            for cell in row:
                for each in cell if isinstance(cell, list) else [cell]:
                    gather(each)

    for part in pdf.story(detail(account, toy.POLICY)):
        gather(part)
    return " ".join(parts)


def test_among_several_accounts_one_that_is_not_reachable_says_since_when_and_why(
    opened: Account, cloud: toy.ToyCloud, system: Actor, administrator: User, sign_in: SignIn
) -> None:
    Account.objects.create(name="second", provider="toy", verified_at=timezone.now())
    unreachable(cloud, opened, system)
    client = sign_in(administrator)
    for name in ("index", "compliance"):
        page = client.get(reverse(f"admin:{name}")).content.decode()
        banner = page.split('data-condition="several"')[1].split("</div>")[0]
        assert "Not reachable" in banner and CLOSED in banner and "Last good scan:" in banner, name
        assert "Not scanned yet, and counted nowhere:" in banner and "second" in banner, name


def test_a_removed_account_is_counted_nowhere(
    opened: Account, cloud: toy.ToyCloud, system: Actor, viewer: User, sign_in: SignIn
) -> None:
    removed(cloud, opened, system)
    client = sign_in(viewer)
    for name in lists():
        assert client.get(reverse(f"admin:{name}_changelist")).context["cl"].result_count == 0, name
    assert client.get("/api/v1/alerts").json()["count"] == client.get("/api/v1/accounts").json()["count"] == 0
    assert client.get(reverse("admin:accounts_account_change", args=[opened.pk])).status_code == 404


@in_every_state
def test_who_has_no_account_hears_of_none(
    bring: Bring,
    states: list[str],
    opened: Account,
    cloud: toy.ToyCloud,
    system: Actor,
    stranger: User,
    sign_in: SignIn,
) -> None:
    bring(cloud, opened, system)
    client = sign_in(stranger)
    for address in addresses(opened):
        page = client.get(address)
        assert page.status_code in (200, 404), address
        assert "data-condition" not in page.content.decode() and opened.number not in page.content.decode(), address


def test_after_a_scan_that_read_everything_nothing_is_nothing(
    cloud: toy.ToyCloud, toy_account: Account, system: Actor, administrator: User, sign_in: SignIn
) -> None:
    cloud.doors |= {"cellar": False}
    read(toy_account, system)
    assert condition(toy_account).marks == []
    page = sign_in(administrator).get(reverse("admin:index")).content.decode()
    assert "data-condition" not in page and "Nothing critical or high is open." in page
    assert re.findall(r'data-severity="\w+"><b[^>]*>([^<]*)</b>', page) == ["0"] * 4


@pytest.fixture
def disabled(opened: Account, cloud: toy.ToyCloud, system: Actor, monkeypatch: pytest.MonkeyPatch) -> Account:
    """An account that was read whole, whose provider's plugin was disabled after that."""
    read(opened, system)
    monkeypatch.delitem(registry().providers, cloud.id)
    return opened


@pytest.mark.parametrize("role", ["administrator", "viewer"])
def test_without_the_plugin_of_its_provider_every_page_opens_and_says_so(
    role: str, everyone: dict[str, User], disabled: Account, sign_in: SignIn
) -> None:
    client, may = sign_in(everyone[role]), role == "administrator"
    for address in addresses(disabled):
        page = client.get(address)
        assert page.status_code == 200 and "Provider not enabled" in page.content.decode(), address
    account = reverse("admin:accounts_account_change", args=[disabled.pk])
    page = client.get(account).content.decode()
    assert "The plugin of its provider is not enabled." in page and 'neph-good">Connected' not in page
    acts = ["connect", "fixing", "configure"]
    for act in [*acts, "verify", "scan"]:
        assert reverse(f"admin:accounts_account_{act}", args=[disabled.pk]) not in page, act
    assert (reverse("admin:accounts_account_remove", args=[disabled.pk]) in page) == may
    for act in acts:
        for answer in (client.get, client.post):
            led = answer(reverse(f"admin:accounts_account_{act}", args=[disabled.pk]))
            assert (led.status_code, led.get("Location")) == ((302, account) if may else (403, None)), act
    for act in ("verify", "scan"):
        led = client.post(reverse(f"admin:accounts_account_{act}", args=[disabled.pk]))
        assert (led.status_code, led.get("Location")) == ((302, account) if may else (403, None)), act


def test_without_the_plugin_of_its_provider_nothing_of_an_account_passes(
    disabled: Account, administrator: User, sign_in: SignIn
) -> None:
    client = sign_in(administrator)
    found = detail(disabled, toy.POLICY)
    assert found.unread == [f"Provider {disabled.provider}"]
    assert {rule.unread for control in found.controls for rule in control.rules} == {tuple(found.unread)}
    assert "pass" not in {control.state for control in found.controls}
    told = client.get(f"/api/v1/accounts/{disabled.pk}").json()["condition"]
    assert told["state"] == "unavailable" and told["as_of"]
    assert condition(disabled).said.startswith("Provider not enabled: The plugin of its provider is not enabled.")
    accounts = client.get(reverse("admin:accounts_account_changelist"), {"condition": "unavailable"})
    assert accounts.context["cl"].result_count == 1
    for path in ("verify", "scan"):
        assert client.post(f"/api/v1/accounts/{disabled.pk}/{path}", {}, "application/json").status_code == 409
    changed = {"regions": ["north"]}
    assert client.patch(f"/api/v1/accounts/{disabled.pk}", changed, "application/json").status_code == 409
