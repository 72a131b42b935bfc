"""The compliance pages: scores that lead to controls, controls that lead to resources."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from nephoscope.accounts.models import User
from nephoscope.accounts.queries import parts_of
from nephoscope.alerts.models import ComplianceDay, Suppression
from nephoscope.compliance.snapshots import record
from nephoscope.inventory.models import JUDGE, Scan, Shard
from nephoscope.plugins import registry

from .conftest import Things

SignIn = Callable[..., Client]


@pytest.fixture
def scanned(things: Things) -> Things:
    scan = Scan.objects.create(account=things.account, state="succeeded", finished_at=timezone.now(), whole=True)
    for service, region in parts_of(things.account):
        Shard.objects.create(scan=scan, service=service.id, region=region, state="done")
    Shard.objects.create(scan=scan, service=JUDGE, region="global", state="done")
    record(scan)
    return things


def policy_of(things: Things) -> str:
    return next(each for each in things.account.policies if each.startswith("aws_fsbp") or "fsbp" in each)


def test_the_matrix_leads_to_the_controls_and_those_to_the_resource(
    viewer: User, scanned: Things, sign_in: SignIn
) -> None:
    client, policy = sign_in(viewer), policy_of(scanned)
    address = reverse("admin:compliance_detail", args=[scanned.account.pk, policy])
    matrix = client.get(reverse("admin:compliance")).content.decode()
    assert f'href="{address}"' in matrix and "<b>0%</b>" in matrix
    page = client.get(address).content.decode()
    finding = scanned.alert.findings.get(resource__name="assets")
    assert reverse("admin:alerts_finding_change", args=[finding.pk]) in page
    for form in ("csv", "json", "pdf"):
        assert reverse("admin:compliance_export", args=[scanned.account.pk, policy, form]) in page


def test_controls_are_narrowed_by_state(viewer: User, scanned: Things, sign_in: SignIn) -> None:
    client = sign_in(viewer)
    address = reverse("admin:compliance_detail", args=[scanned.account.pk, policy_of(scanned)])
    whole = client.get(address).context["controls"]
    failing = client.get(address, {"state": "fail"}).context["controls"]
    assert 0 < len(failing) < len(whole) and {each.state for each in failing} == {"fail"}
    assert "No controls in this state" in client.get(address, {"state": "x"}).content.decode()


def test_the_matrix_is_narrowed_by_account_and_policy(viewer: User, scanned: Things, sign_in: SignIn) -> None:
    client, policy = sign_in(viewer), policy_of(scanned)
    seen = client.get(reverse("admin:compliance"), {"policy": policy, "account": scanned.account.pk}).context
    assert [each.id for each, _cells in seen["rows"]] == [policy] and seen["accounts"] == [scanned.account]


def test_a_strange_form_or_policy_is_not_found(viewer: User, scanned: Things, sign_in: SignIn) -> None:
    client = sign_in(viewer)
    for policy, form in (("no-such", "pdf"), (policy_of(scanned), "doc")):
        address = reverse("admin:compliance_export", args=[scanned.account.pk, policy, form])
        assert client.get(address).status_code == 404


def test_policies_in_force_come_first_and_the_others_are_folded(viewer: User, scanned: Things, sign_in: SignIn) -> None:
    scanned.account.policies = [policy_of(scanned)]
    scanned.account.save()
    seen = sign_in(viewer).get(reverse("admin:compliance"))
    assert [each.id for each, _cells in seen.context["effective"]] == scanned.account.policies
    assert len(seen.context["others"]) == len(seen.context["rows"]) - 1
    text = seen.content.decode()
    assert '<details class="neph-card">' in text and "policies not used by any account here" in text


def test_every_number_of_a_rule_leads_to_as_many_findings(viewer: User, scanned: Things, sign_in: SignIn) -> None:
    client = sign_in(viewer)
    logs, assets = scanned.alert.findings.order_by("resource__name").reverse()
    logs.suppression = Suppression.objects.create(
        alert=scanned.alert, resource_id=logs.resource.resource_id, reason="x"
    )
    logs.save()
    address = reverse("admin:compliance_detail", args=[scanned.account.pk, policy_of(scanned)])
    text = client.get(address).content.decode()
    for standing, found in (("failed", assets), ("accepted", logs)):
        [link] = set(re.findall(rf'href="([^"]*rule=aws.s3.public_read[^"]*standing={standing})"', text))
        listed = client.get(link.replace("&amp;", "&")).context["cl"].result_list
        assert [row.pk for row in listed] == [found.pk]


def test_what_is_unknown_names_the_missing_permission_and_what_is_manual_says_so(
    viewer: User, scanned: Things, sign_in: SignIn
) -> None:
    scanned.alert.findings.update(verdict="unknown", failing_since=None, permission="s3:GetBucketPolicy", message="x")
    client = sign_in(viewer)
    text = client.get(
        reverse("admin:compliance_detail", args=[scanned.account.pk, policy_of(scanned)])
    ).content.decode()
    assert "Unknown: missing permission: s3:GetBucketPolicy" in text and "Looks for:" in text
    policy = next(each for each in registry().frameworks.values() if any(control.manual for control in each.controls))
    address = reverse("admin:compliance_detail", args=[scanned.account.pk, policy.id])
    assert "No rule can check this. It needs a manual check." in client.get(address).content.decode()


def test_the_dashboard_says_the_same_score(viewer: User, scanned: Things, sign_in: SignIn) -> None:
    client = sign_in(viewer)
    shown = {each.policy.id: each.score for each in client.get(reverse("admin:index")).context["policies"]}
    rows = client.get(reverse("admin:compliance")).context["effective"]
    assert shown == {policy.id: cells[0].score for policy, cells in rows}


def test_the_score_of_each_day_is_drawn(viewer: User, scanned: Things, sign_in: SignIn) -> None:
    policy, before = policy_of(scanned), timezone.now() - timedelta(days=10)
    address = reverse("admin:compliance_detail", args=[scanned.account.pk, policy])
    assert sign_in(viewer).get(address).context["bars"] == []
    ComplianceDay.objects.create(
        account=scanned.account, policy=policy, day=before.date(), judged_at=before, passed=1, failed=1, unknown=0
    )
    first, last = sign_in(viewer).get(address).context["bars"]
    assert (first["height"], first["y"], last["x"] - first["x"]) == (50, 50, 100)
