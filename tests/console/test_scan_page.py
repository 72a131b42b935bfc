"""A scan's page: what failed and what could not be read, each said once."""

from __future__ import annotations

from collections.abc import Callable

from django.test import Client
from django.urls import reverse

from nephoscope.accounts.models import Account, User
from nephoscope.inventory.models import Scan, Shard

SignIn = Callable[..., Client]


def test_a_failed_scan_says_each_error_once_with_the_parts_that_it_stopped(
    account: Account, viewer: User, sign_in: SignIn
) -> None:
    why = "The role does not exist; or it does not trust Nephoscope."
    scan = Scan.objects.create(account=account, state="failed", error=why)
    for service, error in (("s3", why), ("ec2", why), ("kms", "Another problem."), ("judge", "Nothing could be read.")):
        for region in ("eu-west-1", "us-east-1"):
            Shard.objects.create(scan=scan, service=service, region=region, state="failed", error=error)
    page = sign_in(viewer).get(reverse("admin:inventory_scan_change", args=[scan.pk]))
    text = page.content.decode()
    assert text.count(why) == text.count("Another problem.") == text.count("Nothing could be read.") == 1
    assert page.context["failures"][0][0] == why and len(page.context["failures"][0][1]) == 4
    assert "4 parts failed" in text and "Evaluating, eu-west-1" in text
    assert "0 resources" not in text and "data-fresh>0<" not in text and "<progress" not in text, "nothing was counted"
    api = sign_in(viewer).get(f"/api/v1/scans/{scan.pk}").json()
    assert [each["error"] for each in api["shards"]].count(why) == 4


def test_what_could_not_be_read_in_several_regions_for_one_reason_is_one_row(
    account: Account, viewer: User, sign_in: SignIn
) -> None:
    scan = Scan.objects.create(account=account, state="partial")
    gap = {"type": "AWS::KMS::Key", "permission": "kms:ListKeys", "reason": "access denied"}
    for region in ("eu-west-1", "us-east-1"):
        Shard.objects.create(scan=scan, service="kms", region=region, state="done", gaps=[gap])
    gaps = sign_in(viewer).get(reverse("admin:inventory_scan_change", args=[scan.pk])).context["gaps"]
    assert [(regions, each["permission"]) for _service, regions, each in gaps] == [
        ("eu-west-1, us-east-1", "kms:ListKeys")
    ]
