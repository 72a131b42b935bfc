"""What pages say and offer: nothing that misleads, nothing that leads nowhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from nephoscope.accounts.models import Account, User
from nephoscope.alerts.models import Finding
from nephoscope.changes.models import Change, ChangeState
from nephoscope.console.audit import sentence
from nephoscope.console.templatetags.neph import type_name
from nephoscope.inventory.models import Scan

from .conftest import Things

SignIn = Callable[..., Client]


def text(client: Client, name: str, *arguments: Any, **query: str) -> str:
    return client.get(reverse(f"admin:{name}", args=arguments), query).content.decode()


@pytest.mark.parametrize(
    ("type", "words"),
    [
        ("AWS::S3::Bucket", "S3 bucket"),
        ("AWS::EC2::SecurityGroup", "EC2 security group"),
        ("AWS::EC2::VPC", "EC2 VPC"),
        ("AWS::RDS::DBInstance", "RDS DB instance"),
        ("AWS::EC2::EC2Fleet", "EC2 EC2 fleet"),
        ("Machine", "Machine"),
    ],
)
def test_resource_types_are_said_in_words(type: str, words: str) -> None:
    assert type_name(type) == words


def test_a_finding_that_passes_does_not_read_as_what_is_wrong(viewer: User, things: Things, sign_in: SignIn) -> None:
    finding = things.alert.findings.first()
    assert finding
    client, title = sign_in(viewer), things.alert.title
    listed = text(client, "alerts_finding_changelist")
    assert f"Looks for: {title}" not in listed and ">Fails<" in listed and title in listed
    Finding.objects.filter(pk=finding.pk).update(verdict="pass", message="", failing_since=None, alert=None)
    for page in (
        text(client, "alerts_finding_changelist", verdict="pass"),
        text(client, "alerts_finding_change", finding.pk),
        text(client, "inventory_resource_change", finding.resource_id),
    ):
        assert f"Looks for: {title}" in page and ">Passes<" in page
    assert text(client, "alerts_finding_changelist", q=title.split()[-1]).count("Looks for:") == 1


def test_who_may_only_look_gets_no_boxes_to_tick(viewer: User, analyst: User, things: Things, sign_in: SignIn) -> None:
    page = text(sign_in(viewer), "alerts_alert_change", things.alert.pk)
    assert 'type="checkbox"' not in page and "Select all" not in page
    page = text(sign_in(analyst), "alerts_alert_change", things.alert.pk)
    assert page.count('type="checkbox"') == 2 and "Select all" in page


def test_a_plan_that_cannot_be_made_keeps_the_ticked_boxes(remediator: User, things: Things, sign_in: SignIn) -> None:
    finding = things.alert.findings.order_by("pk").last()
    assert finding
    plan = reverse("admin:alerts_alert_plan", args=[things.alert.pk])
    answer = sign_in(remediator).post(plan, {"finding": [finding.pk], "remediation": "no-such", "p": "1"}, follow=True)
    page = answer.content.decode()
    assert f'value="{finding.pk}" checked' in page and page.count(" checked aria-label") == 1


def test_evidence_of_many_lines_is_folded_after_four(viewer: User, things: Things, sign_in: SignIn) -> None:
    read = [{"resource": "", "path": f"Rule[{n}]", "value": n, "absent": False} for n in range(11)]
    things.alert.findings.update(evidence=read)
    page = text(sign_in(viewer), "alerts_alert_change", things.alert.pk)
    assert page.count("7 more values") == 2 and page.count("Rule[10]") == 2


def test_a_plan_names_each_permission_once_and_what_for(viewer: User, things: Things, sign_in: SignIn) -> None:
    things.change.permissions = [{"action": "s3:PutBucketPolicy", "resource": f"arn:aws:s3:::{name}"} for name in "aab"]
    things.change.save()
    page = text(sign_in(viewer), "changes_change_change", things.change.pk)
    summary = page.partition("Needs ")[2].partition("</summary>")[0]
    assert summary.count("s3:PutBucketPolicy") == 1
    assert page.count("arn:aws:s3:::a<") == 1 and page.count("arn:aws:s3:::b<") == 1


def test_a_refused_change_says_what_was_not_applied_and_can_be_planned_again(
    remediator: User, analyst: User, things: Things, sign_in: SignIn
) -> None:
    Change.objects.update(state=ChangeState.REFUSED)
    page, change = reverse("admin:changes_change_change", args=[things.change.pk]), things.change
    finding = things.alert.findings.order_by("pk").first()
    assert finding
    change.steps.update(resource_id=finding.resource.resource_id)
    assert "Plan again" not in sign_in(remediator).get(page).content.decode()
    Account.objects.update(writing_verified_at=timezone.now())
    answer = sign_in(remediator).get(page)
    assert answer.context["replannable"] == [finding.pk] and "Plan again" in answer.content.decode()
    assert "Not applied" in answer.content.decode() and "Pending" not in answer.content.decode()
    assert "Plan again" not in sign_in(analyst).get(page).content.decode()
    Change.objects.update(state=ChangeState.VERIFIED)
    assert "Plan again" not in sign_in(remediator).get(page).content.decode()


@pytest.mark.parametrize(
    ("wanted", "kept"),
    [
        ("/alerts/alert/1/change/", True),
        ("https://evil.example/", False),
        ("//evil.example/", False),
        ("/\\evil.example/", False),
        ("javascript:alert(1)", False),
    ],
)
def test_setting_up_fixing_leads_back_to_the_alert_and_nowhere_else(
    wanted: str, kept: bool, administrator: User, account: Account, sign_in: SignIn
) -> None:
    page = text(sign_in(administrator), "accounts_account_fixing", account.pk, next=wanted)
    assert ("Back to the alert" in page) is kept
    assert kept or "evil" not in page.partition("<main")[2]


def test_missing_permissions_are_a_warning_with_what_to_do(
    administrator: User, viewer: User, account: Account, sign_in: SignIn
) -> None:
    checks = [{"permission": f"s3:Get{n}", "allowed": n > 1, "detail": ""} for n in range(5)]
    account.verification = {"reading": {"principal": "me", "checks": checks}}
    account.save()
    for name in ("accounts_account_change", "accounts_account_connect"):
        page = text(sign_in(administrator), name, account.pk)
        assert "2 permissions are missing; what needs them will be unknown" in page
        assert "Verify again" in page and "verify again" in page
    page = text(sign_in(viewer), "accounts_account_change", account.pk)
    assert "2 permissions are missing" in page and "Verify again" not in page


def test_all_or_no_regions_are_ticked_without_a_script(
    administrator: User, account: Account, aws: Any, sign_in: SignIn
) -> None:
    configure, client = reverse("admin:accounts_account_configure", args=[account.pk]), sign_in(administrator)
    for asked, wanted in (("", 2), ("none", 0), ("nonsense", 2)):
        assert sum(on for _region, on in client.get(configure, {"regions": asked}).context["regions"]) == wanted
    assert all(on for _region, on in client.get(configure, {"regions": "all"}).context["regions"])


def test_during_a_scan_the_account_leads_to_it_instead_of_starting_another(
    analyst: User, account: Account, sign_in: SignIn
) -> None:
    client = sign_in(analyst)
    assert "Scan now" in text(client, "accounts_account_change", account.pk)
    scan = Scan.objects.create(account=account, state="running", started_at=timezone.now())
    page = text(client, "accounts_account_change", account.pk)
    assert "Scan now" not in page and f"Scan {scan.pk} is running" in page
    assert reverse("admin:inventory_scan_change", args=[scan.pk]) in page


def test_a_scan_being_cancelled_does_not_say_that_it_goes_on(analyst: User, account: Account, sign_in: SignIn) -> None:
    scan = Scan.objects.create(account=account, state="running", started_at=timezone.now())
    client = sign_in(analyst)
    assert "The scan continues" in text(client, "inventory_scan_change", scan.pk)
    Scan.objects.update(cancel_requested=True)
    page = text(client, "inventory_scan_change", scan.pk)
    assert "The scan continues" not in page and "Cancelling." in page and ">Cancel<" not in page


def test_what_could_not_be_read_is_named_by_its_service(viewer: User, things: Things, sign_in: SignIn) -> None:
    page = text(sign_in(viewer), "inventory_scan_change", things.scan.pk)
    assert "Amazon S3" in page and "S3 bucket" in page and "s3 global" not in page


def test_a_stranger_is_told_to_be_granted_an_account_not_to_connect_one(
    stranger: User, account: Account, sign_in: SignIn
) -> None:
    page = text(sign_in(stranger), "index")
    assert "You do not have access to any account" in page and "add you to an account group" in page
    assert "No account is connected yet" not in page


def test_the_audit_log_has_one_name_and_each_time_its_date(
    administrator: User, things: Things, sign_in: SignIn
) -> None:
    client = sign_in(administrator)
    page = text(client, "audit_entry_changelist")
    assert "<title> Audit log | Nephoscope</title>" in page
    assert "udit entries" not in page.partition("</h1>")[0]
    assert f"{timezone.now():%b %Y}, " in page
    assert f"{things.entry.at:%H:%M}" not in sentence(things.entry)
    entry = text(client, "audit_entry_change", things.entry.pk).partition("</h1>")[0]
    assert "Audit log" in entry and "udit entries" not in entry


def test_breadcrumbs_and_forms_say_what_they_are_about(administrator: User, things: Things, sign_in: SignIn) -> None:
    client = sign_in(administrator)
    assert f">Scan {things.scan.pk}<" in text(client, "inventory_scan_change", things.scan.pk).partition("</h1>")[0]
    for name, title in (("accounts_user_add", "Add user"), ("accounts_accountgroup_add", "Add account group")):
        page = text(client, name)
        assert f"<title> {title} | Nephoscope</title>" in page and title in page.partition("</h1>")[0]


def test_a_new_users_form_says_what_a_password_must_be(administrator: User, sign_in: SignIn) -> None:
    assert "At least 8 characters" in text(sign_in(administrator), "accounts_user_add")


def test_a_form_comes_back_at_the_field_that_is_wrong(administrator: User, sign_in: SignIn) -> None:
    answer = sign_in(administrator).post(reverse("admin:accounts_user_add"), {"username": "kim", "role": "emperor"})
    focused = [field.name for field in answer.context["form"] if "autofocus" in field.field.widget.attrs]
    assert focused == ["role"]


@pytest.mark.parametrize(
    ("name", "form", "said"),
    [
        ("accounts_account_add", {"name": "prod", "provider": "aws"}, "An account named prod already exists."),
        ("accounts_accountgroup_add", {"name": "Production"}, "An account group named Production already exists."),
    ],
)
def test_a_name_that_is_taken_is_said_plainly(
    name: str, form: dict[str, str], said: str, administrator: User, account: Account, sign_in: SignIn
) -> None:
    assert said in sign_in(administrator).post(reverse(f"admin:{name}"), form).content.decode()


def test_a_wrong_password_is_said_once_and_plainly(viewer: User) -> None:
    page = Client().post("/login/", {"username": "vera", "password": "wrong"}).content.decode()
    assert page.count("errornote") == 1 and "Incorrect user name or password." in page
    assert "staff" not in page


def test_icons_are_not_read_aloud_and_each_page_has_its_landmark(viewer: User, things: Things, sign_in: SignIn) -> None:
    client = sign_in(viewer)
    for page in (text(client, "index"), text(client, "alerts_alert_change", things.alert.pk)):
        side = page.partition('id="nav-sidebar-apps"')[2].partition("neph-user-menu")[0]
        assert side.count("material-symbols-outlined") == side.count('aria-hidden="true"') and "<h2" not in side
        assert page.count("<main") == 1 and page.count("<h1") == 1


OF_ACCOUNTS = [
    "alerts_alert_changelist",
    "alerts_finding_changelist",
    "inventory_resource_changelist",
    "inventory_scan_changelist",
    "changes_change_changelist",
    "changes_changeset_changelist",
    "accounts_account_changelist",
    "organisations_organisation_changelist",
    "organisations_member_changelist",
    "compliance",
    "policies",
    "rules",
]


@pytest.mark.parametrize("name", OF_ACCOUNTS)
def test_who_is_granted_no_account_is_told_so_and_not_that_there_is_nothing(
    name: str, stranger: User, viewer: User, administrator: User, things: Things, sign_in: SignIn
) -> None:
    said = "You do not have access to any account"
    for query in ({}, {"account": str(things.account.pk)}):
        page = text(sign_in(stranger), name, **query)
        assert said in page and "Ask an administrator to add you to an account group." in page
        assert "Nothing here yet" not in page and "No results match" not in page
    assert said not in text(sign_in(viewer), name)
    assert said not in text(sign_in(administrator), name, q="no such thing")


@pytest.mark.parametrize("name", ["audit_entry_changelist", "reports_reportschedule_changelist"])
def test_what_is_in_no_account_is_empty_for_other_reasons(name: str, stranger: User, sign_in: SignIn) -> None:
    assert "You do not have access to any account" not in text(sign_in(stranger), name)


def test_who_may_not_schedule_reports_gets_no_button_to(viewer: User, analyst: User, sign_in: SignIn) -> None:
    page = text(sign_in(viewer), "reports_reportschedule_changelist")
    assert "Add schedule" not in page and "Scheduling reports requires the Analyst role." in page
    assert "Add schedule" in text(sign_in(analyst), "reports_reportschedule_changelist")
