"""The demo's history: made up of what a scan found, once, and never over what people did."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from nephoscope import testing as toy
from nephoscope.accounts.models import Account, User
from nephoscope.alerts import queries
from nephoscope.alerts.models import Alert, ComplianceDay, Suppression
from nephoscope.audit.services import Actor
from nephoscope.changes.models import Change
from nephoscope.connections.conditions import condition, conditions
from nephoscope.inventory.models import Scan
from nephoscope.operations.demonstration import DAYS, begin_history, complete_history, practise
from nephoscope.scans.runner import work
from nephoscope.scans.services import start_scan

pytestmark = pytest.mark.django_db


@pytest.fixture
def demonstrated(cloud: toy.ToyCloud, toy_account: Account, system: Actor) -> Account:
    """The toy account with a history, as the demo makes it."""
    cloud.doors |= {"front": True, "back": True, "cellar": False}
    begin_history([toy_account])
    work(start_scan(system, toy_account, enqueue=False).pk)
    complete_history(toy_account)
    toy_account.refresh_from_db()
    return toy_account


def test_the_real_scan_is_the_newest_and_the_account_current(demonstrated: Account) -> None:
    scans = list(demonstrated.scans.order_by("pk"))
    assert [scan.created_at for scan in scans] == sorted(scan.created_at for scan in scans)
    assert len(scans) == DAYS // 7 + 1 and all(scan.finished_at and scan.shards.exists() for scan in scans)
    assert condition(demonstrated).marks == []


def test_the_history_reaches_back_ninety_days_and_ends_at_what_is_true(
    demonstrated: Account, administrator: User
) -> None:
    line = queries.trend(administrator, DAYS)
    assert line[-1][1] == Alert.objects.filter(state="open").count() == 1
    summary = queries.summary(administrator, conditions([demonstrated]))
    assert summary.since and timezone.now() - summary.since > timedelta(days=80)
    assert ComplianceDay.objects.filter(account=demonstrated, policy=toy.POLICY.id).count() == DAYS


def test_a_second_start_of_the_demo_adds_nothing(demonstrated: Account) -> None:
    before = list(Alert.objects.values()), Scan.objects.count(), ComplianceDay.objects.count()
    begin_history([demonstrated])
    complete_history(demonstrated)
    assert (list(Alert.objects.values()), Scan.objects.count(), ComplianceDay.objects.count()) == before


def test_people_suppressed_and_fixed_and_undid_once(demonstrated: Account, remediator: User) -> None:
    for _start in range(2):
        practise(demonstrated, Actor.of(remediator))
    assert [each.state for each in Change.objects.all()] == ["undone"]
    assert Suppression.objects.filter(lifted_at=None).count() == 1
