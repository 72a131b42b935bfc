"""Every page of the console, opened by those who may, those who may only look, and those who must be refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from nephoscope.accounts.models import AccountGroup, User
from nephoscope.alerts.models import Alert, Finding

from .conftest import HOSTILE, Things

LISTS = [
    "index",
    "alerts_alert_changelist",
    "alerts_finding_changelist",
    "accounts_account_changelist",
    "inventory_resource_changelist",
    "inventory_scan_changelist",
    "changes_change_changelist",
    "changes_changeset_changelist",
    "changes_automaticfix_changelist",
    "changes_fixnotice_changelist",
    "alerts_suppression_changelist",
    "audit_entry_changelist",
    "compliance",
    "reports_reportschedule_changelist",
    "policies",
    "rules",
    "fixes",
    "second_approvers",
    "tokens",
    "organisations_organisation_changelist",
    "organisations_member_changelist",
]
FOR_ADMINISTRATORS = [
    "accounts_user_changelist",
    "accounts_user_add",
    "accounts_accountgroup_changelist",
    "accounts_accountgroup_add",
    "accounts_account_add",
    "plugins",
    "organisations_organisation_add",
]
LOOKERS = ["viewer", "analyst", "remediator", "administrator"]

SignIn = Callable[..., Client]


def details(things: Things) -> dict[str, str]:
    finding = things.alert.findings.first()
    assert finding
    pairs = [
        ("alerts_alert_change", things.alert.pk),
        ("alerts_finding_change", finding.pk),
        ("accounts_account_change", things.account.pk),
        ("inventory_resource_change", finding.resource_id),
        ("inventory_scan_change", things.scan.pk),
        ("inventory_scan_progress", things.scan.pk),
        ("changes_change_change", things.change.pk),
        ("changes_changeset_change", things.changeset.pk),
        ("audit_entry_change", things.entry.pk),
        ("alerts_alert_history", things.alert.pk),
        ("organisations_organisation_change", things.organisation.pk),
    ]
    addresses = {name: reverse(f"admin:{name}", args=[pk]) for name, pk in pairs}
    addresses["events"] = reverse("admin:events", args=[things.account.pk])
    policy = things.account.policies[0]
    addresses["compliance_detail"] = reverse("admin:compliance_detail", args=[things.account.pk, policy])
    for form in ("csv", "json", "pdf"):
        addresses[f"compliance {form}"] = reverse("admin:compliance_export", args=[things.account.pk, policy, form])
    return addresses


@pytest.mark.parametrize("role", LOOKERS)
def test_everyone_with_the_group_opens_every_list_and_every_detail(
    role: str, everyone: dict[str, User], things: Things, sign_in: SignIn
) -> None:
    client = sign_in(everyone[role])
    for name in LISTS:
        assert client.get(reverse(f"admin:{name}")).status_code == 200, name
    for name, address in details(things).items():
        assert client.get(address, follow=True).status_code == 200, name


def test_a_stranger_gets_not_found_for_every_detail_and_empty_lists(
    stranger: User, things: Things, sign_in: SignIn
) -> None:
    client = sign_in(stranger)
    for name, address in details(things).items():
        assert client.get(address).status_code == 404, name
    for name in LISTS:
        page = client.get(reverse(f"admin:{name}"))
        assert page.status_code == 200, name
        text = page.content.decode()
        assert things.alert.title not in text or name in ("rules", "alerts_finding_changelist"), name  # as rules
        assert "assets" not in text and ">prod<" not in text, name


def test_somebody_not_signed_in_is_asked_to(things: Things) -> None:
    client = Client()
    for address in [*details(things).values(), *(reverse(f"admin:{name}") for name in LISTS + FOR_ADMINISTRATORS)]:
        answer = client.get(address)
        assert answer.status_code == 302 and "/login/" in answer["Location"], address


@pytest.mark.parametrize("name", FOR_ADMINISTRATORS)
def test_pages_for_administrators_refuse_all_others(name: str, everyone: dict[str, User], sign_in: SignIn) -> None:
    for role, user in everyone.items():
        expected = 200 if role == "administrator" else 403
        assert sign_in(user).get(reverse(f"admin:{name}")).status_code == expected, role


@pytest.mark.parametrize("name", ["connect", "fixing", "configure", "remove"])
def test_how_an_account_is_reached_is_shown_to_administrators_only(
    name: str, everyone: dict[str, User], things: Things, sign_in: SignIn
) -> None:
    address = reverse(f"admin:accounts_account_{name}", args=[things.account.pk])
    for role in ("viewer", "analyst", "remediator", "stranger"):
        answer = sign_in(everyone[role]).get(address)
        assert answer.status_code == 403 and things.account.settings["external_id"] not in answer.content.decode()


def test_an_external_id_is_on_the_account_page_for_administrators_only(
    remediator: User, administrator: User, things: Things, sign_in: SignIn
) -> None:
    address = reverse("admin:accounts_account_change", args=[things.account.pk])
    secret = things.account.settings["write_external_id"]
    assert secret not in sign_in(remediator).get(address).content.decode()
    assert secret in sign_in(administrator).get(address).content.decode()


def test_markup_from_a_cloud_is_shown_as_text_everywhere(
    administrator: User, things: Things, group: AccountGroup, sign_in: SignIn
) -> None:
    client = sign_in(administrator)
    things.account.name = HOSTILE
    things.account.save()
    addresses = [*details(things).values(), *(reverse(f"admin:{name}") for name in LISTS)]
    seen = 0
    for address in addresses:
        answer = client.get(address, follow=True)
        if not answer["Content-Type"].startswith("text/html"):
            continue
        text = answer.content.decode()
        assert HOSTILE not in text, address
        seen += "&lt;script&gt;alert(" in text
    assert seen >= 12


def test_nothing_that_a_cloud_filled_can_be_edited_or_deleted_in_the_admin(
    administrator: User, things: Things, sign_in: SignIn
) -> None:
    client = sign_in(administrator)
    for app, model, pk in (
        ("alerts", "alert", things.alert.pk),
        ("audit", "entry", things.entry.pk),
        ("changes", "change", things.change.pk),
        ("changes", "changeset", things.changeset.pk),
        ("inventory", "scan", things.scan.pk),
    ):
        assert client.get(reverse(f"admin:{app}_{model}_add")).status_code == 403
        assert client.post(reverse(f"admin:{app}_{model}_delete", args=[pk]), {"post": "yes"}).status_code == 403
        client.post(reverse(f"admin:{app}_{model}_change", args=[pk]), {"title": "mine", "state": "resolved"})
    things.alert.refresh_from_db()
    assert things.alert.title != "mine" and things.alert.state == "open"


@pytest.mark.parametrize(
    ("name", "most"),
    [
        ("index", 40),
        ("alerts_alert_changelist", 15),
        ("alerts_finding_changelist", 15),
        ("inventory_resource_changelist", 15),
        ("audit_entry_changelist", 15),
        ("accounts_account_changelist", 15),
        ("alerts_suppression_changelist", 15),
    ],
)
def test_a_list_asks_the_database_the_same_number_of_questions_however_long_it_is(
    name: str,
    most: int,
    viewer: User,
    add_alert: Callable[..., Alert],
    sign_in: SignIn,
    django_assert_max_num_queries: Callable[..., object],
) -> None:
    add_alert("aws.s3.public_read", *(f"bucket-{number}" for number in range(30)))
    client = sign_in(viewer)
    client.get(reverse(f"admin:{name}"))
    with django_assert_max_num_queries(most):  # type: ignore[attr-defined]
        client.get(reverse(f"admin:{name}"))


def test_an_unknown_finding_names_the_missing_permission(viewer: User, things: Things, sign_in: SignIn) -> None:
    finding = things.alert.findings.last()
    assert finding
    Finding.objects.filter(pk=finding.pk).update(
        verdict="unknown",
        message="Policy could not be read: denied",
        permission="s3:GetBucketPolicy",
        alert=None,
        failing_since=None,
    )
    client = sign_in(viewer)
    address = reverse("admin:alerts_finding_change", args=[finding.pk])
    assert "s3:GetBucketPolicy" in client.get(address).content.decode()
    listed = client.get(reverse("admin:alerts_finding_changelist"), {"verdict": "unknown"}).content.decode()
    assert "s3:GetBucketPolicy" in listed
    alert = client.get(reverse("admin:alerts_alert_change", args=[things.alert.pk])).content.decode()
    assert "Unknown" in alert and "s3:GetBucketPolicy" in alert


def test_the_dashboard_counts_link_to_the_lists_that_make_them_up(
    viewer: User, add_alert: Callable[..., Alert], sign_in: SignIn
) -> None:
    add_alert("aws.s3.public_read", "a")
    add_alert("aws.s3.encrypted", "b", severity="high")
    client = sign_in(viewer)
    page = client.get("/")
    assert page.context["summary"].severities == {"critical": 1, "high": 1, "medium": 0, "low": 0}
    for severity in ("critical", "high", "low"):
        listed = client.get(reverse("admin:alerts_alert_changelist"), {"severity": severity})
        assert listed.context["cl"].result_count == page.context["summary"].severities[severity]
    assert page.context["trend"][-1].count == 2


def test_without_an_account_the_dashboard_offers_to_connect_one(administrator: User, sign_in: SignIn) -> None:
    text = sign_in(administrator).get("/").content.decode()
    assert reverse("admin:accounts_account_add") in text and "Connect an account" in text


def test_the_progress_of_a_scan_is_json(viewer: User, things: Things, sign_in: SignIn) -> None:
    answer = sign_in(viewer).get(reverse("admin:inventory_scan_progress", args=[things.scan.pk])).json()
    assert answer["active"] is False and answer["percent"] == 100


@pytest.mark.parametrize("path", ["/policies/no-such/", "/rules/no-such/", "/alerts/alert/999999/change/"])
def test_what_does_not_exist_is_not_found(path: str, viewer: User, sign_in: SignIn) -> None:
    answer = sign_in(viewer).get(path)
    assert answer.status_code == 404 and "Page not found" in answer.content.decode()


@pytest.mark.parametrize(
    "query",
    [
        "account=99999999999999999999",
        "account=x",
        "p=99999",
        "p=x",
        "o=99",
        "q=%00",
        "q=A-99999999999999999999999",
        "opened=x",
        "opened=9999999999",
        "state=nonsense",
        "policy=nonsense",
        "region=%00",
        "nonsense__id=1",
        "since=x",
        "target=alert",
        "target=%00:%00",
        "verdict=nonsense",
        "rule=nonsense",
        "e=1",
        "all=",
        "active=x",
    ],
)
def test_a_nonsensical_address_is_no_error(query: str, administrator: User, things: Things, sign_in: SignIn) -> None:
    client = sign_in(administrator)
    for name in LISTS:
        assert client.get(f"{reverse(f'admin:{name}')}?{query}", follow=True).status_code == 200, name
    assert client.get(f"{reverse('admin:accounts_user_changelist')}?{query}", follow=True).status_code == 200
