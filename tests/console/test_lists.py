"""Lists: what their search finds, as the API finds it, and in which order they are."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from nephoscope.accounts.models import User
from nephoscope.alerts.models import Alert
from nephoscope.alerts.queries import newest
from nephoscope.inventory.models import Resource

from .conftest import Things

SignIn = Callable[..., Client]
ARN = "arn:aws:s3:::logs-prod"


@pytest.fixture
def buckets(add_alert: Callable[..., Alert], add_resource: Callable[..., Resource]) -> None:
    """Two affected buckets, and three with tags."""
    add_alert("aws.s3.public_read", "logs-prod", "assets")
    for name, tags in (
        ("both", {"env": "prod", "Cost Centre": "R 7"}),
        ("one", {"env": "prod"}),
        ("near", {"env": "production", "my-env": "prod"}),
    ):
        add_resource("AWS::S3::Bucket", name, {"BucketName": name}, tags=tags)


def found(client: Client, name: str, wanted: str) -> set[str]:
    page = client.get(reverse(f"admin:{name}_changelist"), {"q": wanted})
    assert page.status_code == 200
    rows = page.context["cl"].result_list
    return {getattr(row, "resource", row).name for row in rows}


def told(user: User, noun: str, wanted: str) -> set[str]:
    client = APIClient()
    client.force_authenticate(user)
    rows = client.get(f"/api/v1/{noun}", {"q": wanted}).json()["results"]
    return {row.get("resource", row)["name"] for row in rows}


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (ARN, {"logs-prod"}),
        ("assets", {"assets"}),
        ("public_read", {"logs-prod", "assets"}),
        ("publicly readable logs", {"logs-prod"}),
        ("arn:aws:s3:::other", set()),
    ],
)
def test_findings_are_found_by_name_arn_and_rule(
    wanted: str, expected: set[str], buckets: None, viewer: User, stranger: User, sign_in: SignIn
) -> None:
    assert found(sign_in(viewer), "alerts_finding", wanted) == told(viewer, "findings", wanted) == expected
    assert found(sign_in(stranger), "alerts_finding", wanted) == told(stranger, "findings", wanted) == set()


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("env=prod", {"both", "one"}),
        ('env=prod "Cost Centre=R 7"', {"both"}),
        ('"Cost Centre"="R 7"', {"both"}),
        ("env=prod near", set()),
        ("env=", set()),
        ("=prod", set()),
        ("production", {"near"}),
        (ARN, {"logs-prod"}),
        ("bucket assets", {"assets"}),
    ],
)
def test_resources_are_found_by_name_id_type_and_exact_tag(
    wanted: str, expected: set[str], buckets: None, viewer: User, stranger: User, sign_in: SignIn
) -> None:
    assert found(sign_in(viewer), "inventory_resource", wanted) == told(viewer, "resources", wanted) == expected
    assert found(sign_in(stranger), "inventory_resource", wanted) == told(stranger, "resources", wanted) == set()


@pytest.mark.parametrize("name", ["alerts_alert", "alerts_finding", "inventory_resource"])
def test_a_search_field_says_what_it_searches(name: str, viewer: User, sign_in: SignIn) -> None:
    assert ' placeholder="' in sign_in(viewer).get(reverse(f"admin:{name}_changelist")).content.decode()


def test_the_newest_alerts_of_a_day_are_the_worst_and_widest_first(
    add_alert: Callable[..., Alert], viewer: User, sign_in: SignIn
) -> None:
    now = timezone.now().replace(hour=12)
    rows = [
        (add_alert("aws.s3.versioning", "a", severity="high"), timedelta(days=1), 9),
        (add_alert("aws.s3.public_write", "a", severity="high"), timedelta(seconds=0), 1),
        (add_alert("aws.s3.tls_only", "a", severity="critical"), timedelta(seconds=3), 1),
        (add_alert("aws.s3.public_read", "a", severity="critical"), timedelta(seconds=5), 7),
        (add_alert("aws.s3.logging", "a", severity="high"), timedelta(seconds=1), 1),
    ]
    for alert, ago, affected in rows:
        Alert.objects.filter(pk=alert.pk).update(opened_at=now - ago, affected=affected)
    expected = [rows[each][0] for each in (3, 2, 1, 4, 0)]
    assert [each.key for each in newest(Alert.objects.all())] == [each.key for each in expected]
    assert list(sign_in(viewer).get(reverse("admin:index")).context["newest"]) == expected


@pytest.mark.parametrize(
    ("name", "column", "sign"),
    [
        ("alerts_alert", "shown_affected", "-"),
        ("alerts_alert", "first", "-"),
        ("alerts_alert", "shown_severity", ""),  # critical first
        ("alerts_alert", "shown_title", ""),
        ("inventory_resource", "shown_failing", "-"),
        ("inventory_resource", "region", ""),
        ("inventory_scan", "shown_name", "-"),
        ("inventory_scan", "shown_state", ""),
        ("accounts_account", "open_alerts", "-"),
    ],
)
def test_numbers_and_times_are_sorted_by_the_largest_and_newest_first(
    name: str, column: str, sign: str, administrator: User, things: Things, sign_in: SignIn
) -> None:
    client, address = sign_in(administrator), reverse(f"admin:{name}_changelist")
    position = client.get(address).context["cl"].list_display.index(column)

    def offered(order: str) -> list[str]:
        return re.findall(rf'href="\?o=(-?{position})\b', client.get(address, {"o": order}).content.decode())

    assert set(offered("99")) == {f"{sign}{position}"}
    clicked_again = {"-": str(position), "": f"-{position}"}[sign]
    assert clicked_again in offered(f"{sign}{position}")
