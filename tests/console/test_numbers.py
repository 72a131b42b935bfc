"""What the counts say before the first scan, after one that failed, and after one that read the account."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from nephoscope.accounts.models import Account, User
from nephoscope.inventory.models import Scan

pytestmark = pytest.mark.django_db

SignIn = Callable[..., Client]


def pages(client: Client) -> tuple[str, str]:
    """Return the dashboard and the list of accounts."""
    dashboard = client.get(reverse("admin:index")).content.decode()
    return dashboard, client.get(reverse("admin:accounts_account_changelist")).content.decode()


def open_alerts(page: str) -> str:
    """Return what the first account's cell shows."""
    found = re.search(r"<t[dh][^>]*field-open_alerts[^>]*>(.*?)</t[dh]>", page, re.DOTALL)
    assert found
    return found[1].strip()


def test_an_account_that_was_never_scanned_has_no_number(
    account: Account, administrator: User, sign_in: SignIn
) -> None:
    dashboard, accounts = pages(sign_in(administrator))
    assert "1 account has not been scanned yet" in dashboard and "Not scanned yet" in dashboard
    assert "Nothing critical or high is open." not in dashboard
    assert open_alerts(accounts) == "—"


def test_a_failed_scan_is_said_and_counts_as_none(account: Account, administrator: User, sign_in: SignIn) -> None:
    Scan.objects.create(account=account, state="failed")
    dashboard, accounts = pages(sign_in(administrator))
    assert "The last scan of 1 account failed." in dashboard and "1 account has not been scanned yet" in dashboard
    assert open_alerts(accounts) == "—" and "Failed" in accounts


def test_after_a_scan_that_read_it_nothing_is_nothing(account: Account, administrator: User, sign_in: SignIn) -> None:
    Scan.objects.create(account=account, state="failed")
    Scan.objects.create(account=account, state="partial")
    dashboard, accounts = pages(sign_in(administrator))
    assert "has not been scanned" not in dashboard and "The last scan" not in dashboard
    assert "Nothing critical or high is open." in dashboard
    assert open_alerts(accounts) == "0"
