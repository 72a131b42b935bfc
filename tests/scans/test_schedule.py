"""Scans that start by themselves."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from nephoscope.accounts.models import Account
from nephoscope.audit.models import Entry
from nephoscope.audit.services import Actor
from nephoscope.connections.services import configure_account
from nephoscope.inventory.models import Scan
from nephoscope.scans.services import start_due

pytestmark = pytest.mark.django_db


@pytest.fixture
def daily(account: Account, system: Actor) -> Account:
    return configure_account(system, account, scan_every=24)


def make_due(account: Account) -> None:
    Account.objects.filter(pk=account.pk).update(next_scan_at=timezone.now() - timedelta(minutes=1))


def test_the_first_scheduled_scan_comes_after_one_interval_give_or_take_a_tenth(daily: Account) -> None:
    assert daily.next_scan_at is not None
    hours = (daily.next_scan_at - timezone.now()) / timedelta(hours=1)
    assert 21.5 < hours < 26.5
    assert start_due() == 0


def test_a_scan_that_is_due_starts_once_and_the_next_is_planned(daily: Account) -> None:
    make_due(daily)
    assert start_due() == 1
    assert start_due() == 0
    daily.refresh_from_db()
    assert daily.next_scan_at is not None
    assert daily.next_scan_at > timezone.now() + timedelta(hours=21)
    assert Scan.objects.get().requested_by is None
    assert str(Entry.objects.get(action="scan.requested")) == "Schedule started a scan of prod"


def test_a_scan_still_under_way_is_not_followed_by_another(daily: Account) -> None:
    make_due(daily)
    start_due()
    make_due(daily)
    assert start_due() == 0
    assert Scan.objects.count() == 1


def test_a_pending_account_and_one_without_a_schedule_are_left_alone(daily: Account, system: Actor) -> None:
    make_due(daily)
    Account.objects.update(verified_at=None)
    assert start_due() == 0
    Account.objects.update(verified_at=timezone.now())
    daily.refresh_from_db()
    assert configure_account(system, daily, scan_every=0).next_scan_at is None
    assert start_due() == 0


@pytest.mark.parametrize("hours", [-1, 745])
def test_an_interval_out_of_range_is_refused_by_name(account: Account, system: Actor, hours: int) -> None:
    with pytest.raises(ValidationError) as caught:
        configure_account(system, account, scan_every=hours)
    assert "scan_every" in caught.value.message_dict
