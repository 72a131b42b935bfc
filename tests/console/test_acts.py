"""What people do in the console: suppress, unsuppress, recheck, plan, apply, undo, scan, tokens, users."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse
from knox.models import AuthToken

from nephoscope.accounts.models import Account, AccountGroup, User
from nephoscope.alerts.models import Alert, Suppression
from nephoscope.audit.models import Entry
from nephoscope.changes.models import Change
from nephoscope.inventory.models import Resource

from .conftest import Things

SignIn = Callable[..., Client]

ACTS = {
    "alerts_alert_suppress": ("analyst", "alert"),
    "alerts_alert_unsuppress": ("analyst", "alert"),
    "alerts_alert_recheck": ("analyst", "alert"),
    "alerts_alert_plan": ("remediator", "alert"),
    "changes_change_apply": ("remediator", "change"),
    "changes_change_undo": ("remediator", "change"),
    **{f"changes_changeset_{act}": ("remediator", "changeset") for act in ("approve", "stop", "discard", "remove")},
    "changes_changeset_undo": ("remediator", "changeset"),
    "inventory_scan_cancel": ("analyst", "scan"),
    "accounts_account_scan": ("analyst", "account"),
    "accounts_account_verify": ("administrator", "account"),
    "accounts_account_configure": ("administrator", "account"),
    "accounts_account_connect": ("administrator", "account"),
    "accounts_account_fixing": ("administrator", "account"),
    "accounts_account_remove": ("administrator", "account"),
}
RANK = ["viewer", "analyst", "remediator", "administrator"]


def acts_recorded() -> int:
    return Entry.objects.exclude(action="user.signed_in").count()


def address(name: str, things: Things) -> str:
    return reverse(f"admin:{name}", args=[getattr(things, ACTS[name][1]).pk])


@pytest.mark.parametrize("name", ACTS)
def test_an_act_is_refused_to_roles_below_its_own(
    name: str, everyone: dict[str, User], things: Things, sign_in: SignIn
) -> None:
    entries = acts_recorded()
    for role in RANK[: RANK.index(ACTS[name][0])]:
        answer = sign_in(everyone[role]).post(
            address(name, things), {"finding": [1], "reason": "x", "digest": "d" * 64}
        )
        assert answer.status_code == 403, role
    assert sign_in(everyone["stranger"]).post(address(name, things)).status_code in (403, 404)
    assert acts_recorded() == entries


@pytest.mark.parametrize("name", [name for name in ACTS if ACTS[name][0] != "administrator"])
def test_a_link_to_an_act_does_nothing_and_goes_to_the_page(
    name: str, administrator: User, things: Things, sign_in: SignIn
) -> None:
    entries = acts_recorded()
    answer = sign_in(administrator).get(address(name, things))
    assert answer.status_code == 302 and answer["Location"].endswith("/change/")
    assert acts_recorded() == entries


@pytest.mark.parametrize("name", ACTS)
def test_an_act_without_a_csrf_token_is_refused(
    name: str, administrator: User, things: Things, sign_in: SignIn
) -> None:
    assert sign_in(administrator, enforce_csrf_checks=True).post(address(name, things)).status_code == 403


@pytest.fixture
def alert(add_alert: Callable[..., Alert]) -> Alert:
    return add_alert("aws.s3.public_read", "logs", "assets")


def suppressing(alert: Alert, *names: str, **more: str) -> dict[str, object]:
    rows = alert.findings.filter(resource__name__in=names)
    return {"finding": [row.pk for row in rows], **more}


def test_suppressing_is_shown_first_and_then_confirmed(analyst: User, alert: Alert, sign_in: SignIn) -> None:
    client, act = sign_in(analyst), reverse("admin:alerts_alert_suppress", args=[alert.pk])
    seen = client.get(act, suppressing(alert, "logs"))
    assert "Suppress 1 resource" in seen.content.decode() and not Suppression.objects.exists()
    done = client.post(act, suppressing(alert, "logs", reason="a test bucket"), follow=True)
    assert "Suppressed 1 resource." in done.content.decode()
    alert.refresh_from_db()
    assert (alert.state, alert.affected, alert.suppressed) == ("open", 1, 1)
    assert Entry.objects.filter(action="alert.suppressed", reason="a test bucket", user=analyst).exists()


def test_what_was_typed_comes_back_beside_what_is_wrong(analyst: User, alert: Alert, sign_in: SignIn) -> None:
    act = reverse("admin:alerts_alert_suppress", args=[alert.pk])
    page = sign_in(analyst).post(act, suppressing(alert, "logs", reason="a test bucket", until="soon")).content.decode()
    assert ">a test bucket</textarea>" in page and 'value="soon"' in page and "Suppress 1 resource" in page


def test_all_resources_are_chosen_by_one_parameter_and_the_form_names_those_that_it_showed(
    analyst: User, alert: Alert, add_resource: Callable[..., Resource], sign_in: SignIn
) -> None:
    client, act = sign_in(analyst), reverse("admin:alerts_alert_suppress", args=[alert.pk])
    shown = client.get(act, {"all": "1"})
    assert "Suppress 2 resources" in shown.content.decode()
    [posted] = re.findall(r'name="finding" value="([\d,]+)"', shown.content.decode())
    late = alert.findings.all()[0]
    late.pk, late.resource = None, add_resource("AWS::S3::Bucket", "late", {})
    late.save()
    assert client.post(act, {"finding": posted, "reason": "accepted"}).status_code == 302
    assert not alert.suppressions.filter(resource_name="late").exists() and alert.suppressions.count() == 2


def test_an_address_does_not_name_more_than_a_page_of_resources(analyst: User, alert: Alert, sign_in: SignIn) -> None:
    act = reverse("admin:alerts_alert_suppress", args=[alert.pk])
    answer = sign_in(analyst).get(act, {"finding": range(1, 102)}, follow=True)
    assert "Select at most 100 resources, or all of them." in answer.content.decode()


def test_unsuppressing_is_shown_first_and_then_posted(
    analyst: User, viewer: User, alert: Alert, sign_in: SignIn
) -> None:
    client = sign_in(analyst)
    client.post(reverse("admin:alerts_alert_suppress", args=[alert.pk]), suppressing(alert, "logs", reason="accepted"))
    act = reverse("admin:alerts_alert_unsuppress", args=[alert.pk])
    shown = client.get(act, suppressing(alert, "logs")).content.decode()
    assert "Unsuppress 1 resource" in shown and "accepted" in shown and Suppression.objects.get().lifted_at is None
    assert sign_in(viewer).get(act, suppressing(alert, "logs")).status_code == 403
    assert client.post(act, suppressing(alert, "logs")).status_code == 302
    assert Suppression.objects.get().lifted_at


def test_suppressing_again_what_is_suppressed_says_so(analyst: User, alert: Alert, sign_in: SignIn) -> None:
    client, act = sign_in(analyst), reverse("admin:alerts_alert_suppress", args=[alert.pk])
    client.post(act, suppressing(alert, "logs", reason="accepted"))
    again = client.get(act, suppressing(alert, "logs"), follow=True)
    assert "These resources are suppressed already." in again.content.decode()


def test_the_token_of_an_act_stands_in_no_address(analyst: User, alert: Alert, sign_in: SignIn) -> None:
    page = sign_in(analyst).get(reverse("admin:alerts_alert_change", args=[alert.pk])).content.decode()
    [form] = re.findall(r'<form id="affected-form".*?</form>', page, re.DOTALL)
    assert 'method="get"' in form and "csrf" not in form


def test_suppressing_without_a_reason_says_so_at_the_field(analyst: User, alert: Alert, sign_in: SignIn) -> None:
    act = reverse("admin:alerts_alert_suppress", args=[alert.pk])
    page = sign_in(analyst).post(act, suppressing(alert, "logs", reason="  "))
    assert page.context["errors"]["reason"] and not Suppression.objects.exists()


def test_suppressing_for_a_reason_with_a_nul_character_is_refused_at_the_field(
    analyst: User, alert: Alert, sign_in: SignIn
) -> None:
    act = reverse("admin:alerts_alert_suppress", args=[alert.pk])
    page = sign_in(analyst).post(act, suppressing(alert, "logs", reason="a\0b"))
    assert page.context["errors"]["reason"] == ["Null characters are not allowed."]
    assert not Suppression.objects.exists()


@pytest.mark.parametrize("until", ["2020-01-01", "2026-13-45", "soon"])
def test_suppressing_until_a_wrong_day_says_so_at_the_field(
    until: str, analyst: User, alert: Alert, sign_in: SignIn
) -> None:
    act = reverse("admin:alerts_alert_suppress", args=[alert.pk])
    page = sign_in(analyst).post(act, suppressing(alert, "logs", reason="x", until=until))
    assert page.context["errors"]["expires_at"] and not Suppression.objects.exists()


@pytest.mark.parametrize("name", ["suppress", "unsuppress", "plan"])
def test_acting_on_nothing_says_to_choose(name: str, remediator: User, alert: Alert, sign_in: SignIn) -> None:
    Account.objects.update(writing_verified_at=alert.opened_at)
    act = reverse(f"admin:alerts_alert_{name}", args=[alert.pk])
    page = sign_in(remediator).post(act, {"remediation": "aws.s3.remove_public_access"}, follow=True)
    assert "Select at least one resource" in page.content.decode()


def test_the_resources_of_another_alert_cannot_be_suppressed_through_this_one(
    analyst: User, alert: Alert, add_alert: Callable[..., Alert], sign_in: SignIn
) -> None:
    other = add_alert("aws.s3.encrypted", "elsewhere")
    act = reverse("admin:alerts_alert_suppress", args=[alert.pk])
    sign_in(analyst).post(act, suppressing(other, "elsewhere", reason="x"))
    assert not Suppression.objects.exists()


def test_a_suppressed_alert_leaves_the_list_and_the_switch_shows_it(
    analyst: User, alert: Alert, sign_in: SignIn
) -> None:
    client, listed = sign_in(analyst), reverse("admin:alerts_alert_changelist")
    act = reverse("admin:alerts_alert_suppress", args=[alert.pk])
    client.post(act, suppressing(alert, "logs", "assets", reason="accepted"))
    assert client.get(listed).context["cl"].result_count == 0
    assert client.get(listed, {"suppressed": "1"}).context["cl"].result_count == 1
    assert client.get(listed, {"state": "suppressed"}).context["cl"].result_count == 1
    page = client.get(reverse("admin:alerts_alert_change", args=[alert.pk]), {"suppressed": "1"}).content.decode()
    assert "accepted" in page and "by anna" in page
    back = reverse("admin:alerts_alert_unsuppress", args=[alert.pk])
    client.post(back, suppressing(alert, "logs"))
    assert client.get(listed).context["cl"].result_count == 1


def test_a_viewer_sees_the_actions_but_not_as_working_buttons(viewer: User, alert: Alert, sign_in: SignIn) -> None:
    page = sign_in(viewer).get(reverse("admin:alerts_alert_change", args=[alert.pk])).content.decode()
    assert reverse("admin:alerts_alert_suppress", args=[alert.pk]) not in page
    assert "Suppressing requires the Analyst role" in page and "No ticket system is configured" in page


def test_the_fix_button_is_disabled_with_the_reason_until_the_account_has_a_fix_role(
    remediator: User, alert: Alert, sign_in: SignIn
) -> None:
    client, page = sign_in(remediator), reverse("admin:alerts_alert_change", args=[alert.pk])
    assert "has no fix role yet" in client.get(page).content.decode()
    Account.objects.update(writing_verified_at=alert.opened_at)
    text = client.get(page).content.decode()
    assert "has no fix role yet" not in text and reverse("admin:alerts_alert_plan", args=[alert.pk]) in text


def test_a_plan_with_another_digest_is_not_applied(remediator: User, things: Things, sign_in: SignIn) -> None:
    act = reverse("admin:changes_change_apply", args=[things.change.pk])
    page = sign_in(remediator).post(act, {"digest": "e" * 64, "reason": "because"})
    assert "changed since it was shown" in page.content.decode()
    assert Change.objects.get(pk=things.change.pk).state == "planned"


def test_applying_without_a_reason_says_so_at_the_field(remediator: User, things: Things, sign_in: SignIn) -> None:
    act = reverse("admin:changes_change_apply", args=[things.change.pk])
    page = sign_in(remediator).post(act, {"digest": things.change.digest, "reason": ""})
    assert page.context["errors"]["reason"]


def test_applying_for_a_reason_with_a_nul_character_is_refused_at_the_field(
    remediator: User, things: Things, sign_in: SignIn
) -> None:
    act = reverse("admin:changes_change_apply", args=[things.change.pk])
    page = sign_in(remediator).post(act, {"digest": things.change.digest, "reason": "be\0cause"})
    assert page.context["errors"]["reason"] == ["Null characters are not allowed."]
    assert Change.objects.get(pk=things.change.pk).state == "planned"


def test_what_cannot_be_undone_is_asked_about_twice(remediator: User, things: Things, sign_in: SignIn) -> None:
    things.change.steps.update(inverse=None)
    client, act = sign_in(remediator), reverse("admin:changes_change_apply", args=[things.change.pk])
    page = client.post(act, {"digest": things.change.digest, "reason": "because"})
    assert page.context["errors"]["irreversible"] and "cannot be undone" in page.content.decode()
    assert Change.objects.get(pk=things.change.pk).state == "planned"


def test_undoing_what_was_not_applied_says_so(remediator: User, things: Things, sign_in: SignIn) -> None:
    client, act = sign_in(remediator), reverse("admin:changes_change_undo", args=[things.change.pk])
    assert client.post(act, {"reason": ""}).context["errors"]["undo"]
    assert "Nothing to undo" in str(client.post(act, {"reason": "x"}).context["errors"]["undo"])


def test_scanning_a_pending_account_says_to_verify_it_first(analyst: User, account: Account, sign_in: SignIn) -> None:
    Account.objects.update(verified_at=None)
    page = sign_in(analyst).post(reverse("admin:accounts_account_scan", args=[account.pk]), follow=True)
    assert "Verify the connection of prod first" in page.content.decode()


def test_scan_now_goes_to_the_scan_which_can_be_cancelled(analyst: User, account: Account, sign_in: SignIn) -> None:
    client = sign_in(analyst)
    page = client.post(reverse("admin:accounts_account_scan", args=[account.pk]), follow=True)
    scan = page.context["scan"]
    assert scan.active and "data-live" in page.content.decode()
    cancelled = client.post(reverse("admin:inventory_scan_cancel", args=[scan.pk]), follow=True)
    assert cancelled.context["scan"].state == "cancelled"


def test_a_token_is_shown_once_and_only_its_owner_can_revoke_it(viewer: User, analyst: User, sign_in: SignIn) -> None:
    client, page = sign_in(viewer), reverse("admin:tokens")
    form = {"name": "backup", "scope": "read", "days": "30"}
    text = client.post(page, form, follow=True).context["made"]
    assert text and text not in client.get(page).content.decode()
    assert Client().get("/api/v1/me", headers={"Authorization": f"Token {text}"}).status_code == 200
    revoke = reverse("admin:revoke_token", args=[AuthToken.objects.get().token_key])
    assert sign_in(analyst).post(revoke).status_code == 404
    client.get(revoke)
    assert AuthToken.objects.count() == 1
    client.post(revoke)
    assert not AuthToken.objects.exists()


def test_an_administrator_adds_changes_and_deletes_a_user(
    administrator: User, group: AccountGroup, sign_in: SignIn
) -> None:
    client, add = sign_in(administrator), reverse("admin:accounts_user_add")
    form = {
        "username": "kim",
        "role": "analyst",
        "time_zone": "Europe/Zurich",
        "is_active": "on",
        "is_staff": "on",
        "account_groups": [group.pk],
        "password": "a long enough one",
        "again": "a long enough one",
    }
    assert client.post(add, form | {"again": "another"}).context["form"].errors["again"]
    assert client.post(add, form | {"password": "1", "again": "1"}).context["form"].errors["password"]
    client.post(add, form)
    kim = User.objects.get(username="kim")
    assert kim.check_password("a long enough one") and list(kim.account_groups.all()) == [group] and kim.is_staff
    assert client.post(add, form).context["form"].errors["username"]
    change = reverse("admin:accounts_user_change", args=[kim.pk])
    client.post(change, form | {"role": "viewer", "password": "", "again": ""})
    kim.refresh_from_db()
    assert kim.role == "viewer" and kim.check_password("a long enough one")
    client.post(reverse("admin:accounts_user_remove", args=[kim.pk]))
    assert not User.objects.filter(username="kim").exists()
    assert Entry.objects.filter(action="user.removed", user=administrator).exists()


def test_an_administrator_cannot_lock_themselves_out(administrator: User, sign_in: SignIn) -> None:
    client, change = sign_in(administrator), reverse("admin:accounts_user_change", args=[administrator.pk])
    form = {"username": "ada", "role": "viewer", "time_zone": "UTC", "is_active": "on", "is_staff": "on"}
    assert client.post(change, form).context["form"].errors["role"]
    client.post(reverse("admin:accounts_user_remove", args=[administrator.pk]))
    assert User.objects.filter(pk=administrator.pk).exists()


def test_groups_are_added_and_removed(administrator: User, sign_in: SignIn) -> None:
    client, add = sign_in(administrator), reverse("admin:accounts_accountgroup_add")
    client.post(add, {"name": "Staging", "description": "x"})
    made = AccountGroup.objects.get(name="Staging")
    assert client.post(add, {"name": "Staging"}).context["form"].errors["name"]
    client.post(reverse("admin:accounts_accountgroup_remove", args=[made.pk]))
    assert not AccountGroup.objects.filter(name="Staging").exists()
