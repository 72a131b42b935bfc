"""The compliance pages: scores that lead to controls, controls that lead to resources."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from nephoscope.accounts.models import User
from nephoscope.alerts.compliance import parts_of, write_down
from nephoscope.inventory.models import JUDGE, Scan, Shard

from .conftest import Things

SignIn = Callable[..., Client]


@pytest.fixture
def scanned(things: Things) -> Things:
    scan = Scan.objects.create(account=things.account, state="succeeded", finished_at=timezone.now())
    for service, region in parts_of(things.account):
        Shard.objects.create(scan=scan, service=service.id, region=region, state="done")
    Shard.objects.create(scan=scan, service=JUDGE, region="global", state="done")
    write_down(scan)
    return things


def policy_of(things: Things) -> str:
    return next(each for each in things.account.policies if each.startswith("aws_fsbp") or "fsbp" in each)


def test_the_matrix_leads_to_the_controls_and_those_to_the_resource(
    viewer: User, scanned: Things, sign_in: SignIn
) -> None:
    client, policy = sign_in(viewer), policy_of(scanned)
    address = reverse("admin:compliance_detail", args=[scanned.account.pk, policy])
    matrix = client.get(reverse("admin:compliance")).content.decode()
    assert f'href="{address}"' in matrix and "0 %" in matrix
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
    assert "No control is in this state" in client.get(address, {"state": "x"}).content.decode()


def test_the_matrix_is_narrowed_by_account_and_policy(viewer: User, scanned: Things, sign_in: SignIn) -> None:
    client, policy = sign_in(viewer), policy_of(scanned)
    seen = client.get(reverse("admin:compliance"), {"policy": policy, "account": scanned.account.pk}).context
    assert [each.id for each, _cells in seen["rows"]] == [policy] and seen["accounts"] == [scanned.account]


def test_a_strange_form_or_policy_is_not_found(viewer: User, scanned: Things, sign_in: SignIn) -> None:
    client = sign_in(viewer)
    for policy, form in (("no-such", "pdf"), (policy_of(scanned), "doc")):
        address = reverse("admin:compliance_export", args=[scanned.account.pk, policy, form])
        assert client.get(address).status_code == 404
