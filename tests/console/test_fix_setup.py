"""From an alert to the set-up of the fix role and back, and what is said of fixes that the role does not allow."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from tests.house import House

from nephoscope import testing as toy
from nephoscope.accounts.models import Account, User
from nephoscope.audit.models import Entry
from nephoscope.audit.services import Actor
from nephoscope.changes.models import Change
from nephoscope.changes.readiness import FixNotAllowed
from nephoscope.connections.services import verify_account
from nephoscope.plugins import registry

pytestmark = pytest.mark.django_db
SignIn = Callable[..., Client]

LOCKS = "The fix role does not allow Locks (toy:OrderLock)."
COMMAND = "sh role.sh --allow Doors,Locks"


@pytest.fixture
def roleless(house: House) -> House:
    """The house without a fix role."""
    Account.objects.update(writing_verified_at=None)
    house.account.refresh_from_db()
    return house


def verify(house: House, *denied: str) -> None:
    """Verify the fix role, which does not allow these permissions."""
    house.cloud.writing.denied = set(denied)
    verify_account(Actor.system("test"), house.account, {"write_role": "role/fixer"}, writing=True)
    house.alert.refresh_from_db()


def alert_page(house: House) -> str:
    return reverse("admin:alerts_alert_change", args=[house.alert.pk])


def plan_page(house: House, *names: str, fix: str = toy.CloseDoor.id) -> str:
    chosen = "".join(f"&finding={each.pk}" for each in house.findings(*names))
    return f"{reverse('admin:alerts_alert_plan', args=[house.alert.pk])}?remediation={fix}{chosen}"


# -- There and back --------------------------------------------------------------------------------


def test_fix_without_a_fix_role_leads_to_its_set_up_and_back_with_the_same_fix_and_resources(
    roleless: House, administrator: User, sign_in: SignIn
) -> None:
    client, chosen = sign_in(administrator), {each.pk for each in roleless.findings("front", "back")}
    assert f'value="{toy.CloseDoor.id}"' in client.get(alert_page(roleless)).content.decode()
    setup = client.get(plan_page(roleless, "front", "back"))["Location"]
    assert setup.startswith(reverse("admin:accounts_account_fixing", args=[roleless.account.pk]) + "?")

    page = client.get(setup)
    back = page.context["come_from"]
    assert f'href="{back}"'.replace("&", "&amp;") in page.content.decode()
    assert "Continue with the fix" not in page.content.decode()
    assert set(client.get(back).context["chosen"]) == chosen

    verified = client.post(setup, {"write_role": "role/fixer"}, follow=True)
    assert verified.redirect_chain[-1][0] == setup and "Continue with the fix" in verified.content.decode()
    plan = client.get(verified.context["goes_on"])
    assert plan.context["remediation"].id == toy.CloseDoor.id
    assert {each.pk for each in plan.context["findings"]} == chosen


def test_all_resources_stay_chosen_on_the_way(roleless: House, administrator: User, sign_in: SignIn) -> None:
    address = reverse("admin:alerts_alert_plan", args=[roleless.alert.pk])
    setup = sign_in(administrator).get(address, {"remediation": toy.FitLock.id, "all": "1"})["Location"]
    [goes_on] = parse_qs(urlsplit(setup).query)["next"]
    assert parse_qs(urlsplit(goes_on).query) == {"remediation": [toy.FitLock.id], "all": ["1"]}


@pytest.mark.parametrize("address", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "\\\\evil"])
@pytest.mark.parametrize("name", ["next", "back"])
def test_the_set_up_leads_to_no_other_site(
    name: str, address: str, house: House, administrator: User, sign_in: SignIn
) -> None:
    setup = reverse("admin:accounts_account_fixing", args=[house.account.pk])
    page = sign_in(administrator).get(setup, {name: address})
    assert page.context["come_from"] == page.context["goes_on"] == ""
    assert 'href="' + address not in page.content.decode()


def test_who_may_not_connect_accounts_is_told_and_led_nowhere(
    roleless: House, everyone: dict[str, User], sign_in: SignIn
) -> None:
    setup = reverse("admin:accounts_account_fixing", args=[roleless.account.pk])
    for role, planning, setting_up, why in (
        ("viewer", 403, 403, "Fixing requires the Remediator role."),
        ("analyst", 403, 403, "Fixing requires the Remediator role."),
        ("remediator", 302, 403, "prod has no fix role yet."),
        ("stranger", 404, 403, ""),
    ):
        client = sign_in(everyone[role])
        answer = client.get(plan_page(roleless, "front"))
        assert answer.status_code == planning and setup not in answer.headers.get("Location", ""), role
        assert client.get(setup).status_code == setting_up, role
        text = client.get(alert_page(roleless)).content.decode()
        assert why in text and setup not in text and f'value="{toy.CloseDoor.id}"' not in text, role


# -- What the role allows --------------------------------------------------------------------------


def test_the_command_that_connects_says_what_the_fix_role_allows(house: House) -> None:
    house.cloud.writing.denied, out = {toy.ORDER}, StringIO()
    call_command("connect", "toy", house.account.name, "--writing", "--write-role", "role/fixer", stdout=out)
    assert out.getvalue().splitlines()[-2:] == ["✔  Doors", "✘ NOT ALLOWED  Locks"]


def test_verify_lists_the_groups_and_what_each_needs(house: House, administrator: User, sign_in: SignIn) -> None:
    verify(house, toy.ORDER)
    client = sign_in(administrator)
    for address in ("admin:accounts_account_fixing", "admin:accounts_account_change"):
        page = client.get(reverse(address, args=[house.account.pk]))
        text = page.content.decode()
        assert "1 of 2 groups of fixes are allowed" in text
        states = {each.group.title: each.allowed for each in page.context["fix_access"]}
        assert states == {"Doors": True, "Locks": False}
        assert all(f"<code>{each}</code>" in text for each in (toy.WRITE, toy.ORDER))
    entry = Entry.objects.filter(action="account.verified").latest("id")
    assert str(entry).endswith("not allowed: Locks")


def test_what_was_not_verified_yet_is_unknown_and_can_be_planned(
    house: House, administrator: User, sign_in: SignIn
) -> None:
    text = (
        sign_in(administrator).get(reverse("admin:accounts_account_change", args=[house.account.pk])).content.decode()
    )
    assert "0 of 2 groups of fixes are allowed; 2 could not be checked" in text
    assert house.plan("front").state == "planned"


def test_a_fix_that_is_not_allowed_says_why_and_shows_the_command(
    house: House, everyone: dict[str, User], sign_in: SignIn
) -> None:
    verify(house, toy.ORDER)
    for role, shown, link in (("administrator", True, True), ("remediator", True, False), ("viewer", False, False)):
        text = sign_in(everyone[role]).get(alert_page(house)).content.decode()
        assert (LOCKS in text, COMMAND in text) == (shown, shown), role
        assert ("?next=/alerts/alert/" in text) == link, role
        assert (f'value="{toy.CloseDoor.id}"' in text) == shown and f'value="{toy.FitLock.id}"' not in text, role
    client = sign_in(everyone["remediator"])
    answer = client.get(plan_page(house, "front", fix=toy.FitLock.id), follow=True)
    assert LOCKS in [str(each) for each in answer.context["messages"]]
    assert client.get(plan_page(house, "front")).status_code == 200


def test_a_rule_without_a_fix_says_so_whatever_the_fix_role_allows(
    house: House, remediator: User, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    verify(house, toy.ORDER)
    monkeypatch.setattr(registry(), "remediations", {})
    text = sign_in(remediator).get(alert_page(house)).content.decode()
    assert "No automatic fix for this rule yet." in text and "does not allow" not in text


def test_where_no_fix_is_allowed_the_button_is_off(house: House, remediator: User, sign_in: SignIn) -> None:
    verify(house, toy.WRITE, toy.ORDER)
    text = sign_in(remediator).get(alert_page(house)).content.decode()
    assert "The fix role does not allow Doors (toy:SetDoor)." in text and "sh role.sh --allow Doors<" in text
    assert f'value="{toy.CloseDoor.id}"' not in text


def test_planning_what_is_not_allowed_is_refused_by_service_and_api(
    house: House, everyone: dict[str, User], sign_in: SignIn
) -> None:
    verify(house, toy.ORDER)
    with pytest.raises(FixNotAllowed) as caught:
        house.plan_lock("front")
    assert caught.value.messages == [LOCKS] and caught.value.offered.command == COMMAND
    body = {"resources": [house.findings("front")[0].resource_id], "remediation": toy.FitLock.id}
    for role, status in (("remediator", 409), ("viewer", 403), ("analyst", 403), ("stranger", 403)):
        client = sign_in(everyone[role])
        answer = client.post(f"/api/v1/alerts/{house.alert.pk}/plan", body, content_type="application/json")
        assert answer.status_code == status, (role, answer.content)
        if role == "remediator":
            assert LOCKS in answer.content.decode()
    assert not Change.objects.exists()


def test_the_api_tells_what_is_allowed_why_not_and_the_command(
    house: House, everyone: dict[str, User], sign_in: SignIn
) -> None:
    verify(house, toy.ORDER)
    for role in ("viewer", "remediator", "administrator"):
        fixing = sign_in(everyone[role]).get(f"/api/v1/alerts/{house.alert.pk}").json()["fixing"]
        told = {
            each["id"]: (each["group"], each["allowed"], each["why"], each["command"])
            for each in fixing["remediations"]
        }
        assert told == {toy.CloseDoor.id: ("Doors", True, "", ""), toy.FitLock.id: ("Locks", False, LOCKS, COMMAND)}
        assert fixing["ready"] == (role != "viewer")
    assert sign_in(everyone["stranger"]).get(f"/api/v1/alerts/{house.alert.pk}").status_code == 404


def test_the_api_tells_of_an_account_what_its_fix_role_allows(
    house: House, everyone: dict[str, User], sign_in: SignIn
) -> None:
    verify(house, toy.ORDER)
    address = f"/api/v1/accounts/{house.account.pk}"
    for role in ("viewer", "administrator"):
        told = sign_in(everyone[role]).get(address).json()["fix_access"]
        assert [(each["id"], each["allowed"]) for each in told] == [("Doors", True), ("Locks", False)]
        assert told[1]["title"] == "Locks" and told[1]["permissions"] == sorted([toy.WRITE, toy.ORDER])
    assert sign_in(everyone["stranger"]).get(address).status_code == 404
    Account.objects.update(writing_verified_at=None)
    assert sign_in(everyone["viewer"]).get(address).json()["fix_access"] == []


def test_the_api_tells_that_there_is_no_fix_role(roleless: House, administrator: User, sign_in: SignIn) -> None:
    fixing = sign_in(administrator).get(f"/api/v1/alerts/{roleless.alert.pk}").json()["fixing"]
    assert not fixing["ready"] and {each["allowed"] for each in fixing["remediations"]} == {False}


def test_a_dry_run_that_is_denied_says_the_same_and_shows_the_command(
    house: House, remediator: User, sign_in: SignIn
) -> None:
    verify(house)
    house.cloud.writing.denied = {toy.WRITE}
    [finding] = house.findings("front")
    page = sign_in(remediator).post(
        reverse("admin:alerts_alert_plan", args=[house.alert.pk]),
        {"remediation": toy.CloseDoor.id, "finding": finding.pk},
    )
    text = page.content.decode()
    assert "The fix role does not allow Doors (toy:SetDoor)." in text and COMMAND in text
    with pytest.raises(ValidationError, match="does not allow Doors"):
        house.plan("front")
    assert not Change.objects.exists()


def test_suppressing_says_that_archiving_is_not_allowed(report: House, remediator: User, sign_in: SignIn) -> None:
    verify(report, toy.WRITE)
    text = sign_in(remediator).get(alert_page(report)).content.decode()
    assert "The fix role does not allow toy:SetDoor, so this is not archived in Watchman." in text
