"""What a plan was made and approved for must still hold when it is approved, and right before the first write."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from tests.changes.working import apply, undo, worked
from tests.house import House

from nephoscope import testing as toy
from nephoscope.accounts.models import Account, User
from nephoscope.alerts.models import Finding
from nephoscope.audit.models import Entry
from nephoscope.changes.approvals import approve_change
from nephoscope.changes.giving_up import expire_plans
from nephoscope.changes.models import Change
from nephoscope.changes.services import request_undo
from nephoscope.changes.suppressing import suppress
from nephoscope.inventory.models import Resource
from nephoscope.plugins import registry
from nephoscope.policies.models import RuleSetting

pytestmark = pytest.mark.django_db


def suppressed(house: House) -> None:
    suppress(house.actor, house.alert, house.findings("front"), "we know")


def switched_off(house: House) -> None:
    RuleSetting.objects.create(rule_id=toy.closed.id, off=True, set_by="ada")


def without_policy(house: House) -> None:
    Account.objects.update(policies=[])


def set_otherwise(house: House) -> None:
    Change.objects.update(parameters={"days": 3})


def without_fix_role(house: House) -> None:
    Account.objects.update(writing_verified_at=None)


def gone(house: House) -> None:
    Resource.objects.update(gone_at=timezone.now())


def closed(house: House) -> None:
    Finding.objects.update(failing_since=None)


def without_plugin(house: House) -> None:
    del registry().remediations[toy.CloseDoor.id]


MEANWHILE = [
    (suppressed, "The finding for front was suppressed on "),
    (switched_off, "The rule “"),
    (without_policy, "is in no policy of prod any more; nothing was changed."),
    (set_otherwise, "have changed since this was planned; nothing was changed. Plan again."),
    (without_fix_role, "prod has no fix role any more; nothing was changed."),
    (gone, "front is no longer affected or is gone; nothing was changed."),
    (closed, "front is no longer affected or is gone; nothing was changed."),
    (without_plugin, "“toy.close” is not a fix for this alert."),
]


@pytest.fixture
def _plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    """The remediations are put back afterwards."""
    monkeypatch.setattr(registry(), "remediations", dict(registry().remediations))


def approved(house: House) -> Change:
    change = house.plan()
    return approve_change(house.actor, change, digest=change.digest, reason="rain")


def moved(change: Change, **ages: timedelta) -> Change:
    Change.objects.filter(pk=change.pk).update(**{name: timezone.now() - age for name, age in ages.items()})
    return Change.objects.get(pk=change.pk)


@pytest.mark.usefixtures("_plugins")
@pytest.mark.parametrize(("happens", "said"), MEANWHILE)
def test_a_plan_is_not_approved_once_what_it_was_made_for_no_longer_holds(
    house: House, happens: Callable[[House], None], said: str
) -> None:
    change = house.plan()
    happens(house)
    with pytest.raises(ValidationError) as refused:
        approve_change(house.actor, change, digest=change.digest, reason="rain")
    assert said in " ".join(refused.value.messages)
    change.refresh_from_db()
    assert (change.state, house.cloud.doors["front"]) == ("planned", True)


@pytest.mark.usefixtures("_plugins")
@pytest.mark.parametrize(("happens", "said"), MEANWHILE)
def test_a_worker_applies_nothing_once_what_was_approved_no_longer_holds(
    house: House, happens: Callable[[House], None], said: str
) -> None:
    change = approved(house)
    happens(house)
    change = worked(change)
    assert (change.state, house.cloud.doors["front"]) == ("refused", True)
    assert said in change.outcome


def test_a_finding_that_is_suppressed_while_the_worker_reads_is_not_changed(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    change, read = approved(house), toy.Doors.read

    def slow(self: toy.Doors, call: Any) -> Any:
        if not house.alert.suppressions.exists():
            suppressed(house)
        return read(self, call)

    monkeypatch.setattr(toy.Doors, "read", slow)
    change = worked(change)
    assert (change.state, house.cloud.doors["front"]) == ("refused", True)
    assert "The finding for front was suppressed on" in change.outcome
    assert change.outcome.endswith("by rémi; nothing was changed.")


def test_what_was_suppressed_already_when_it_was_planned_is_fixed(house: House) -> None:
    suppressed(house)
    assert apply(house.actor, house.plan()).state == "verified"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"is_active": False}, "rémi was deactivated; nothing was changed."),
        ({"role": "analyst"}, "rémi no longer has the Remediator role; nothing was changed."),
        ({}, "rémi no longer has access to prod; nothing was changed."),
    ],
)
def test_nothing_is_applied_for_who_may_no_longer_change_the_account(
    house: House, remediator: User, changed: dict[str, Any], said: str
) -> None:
    change = approved(house)
    User.objects.filter(pk=remediator.pk).update(**changed or {"is_active": True})
    if not changed:
        remediator.account_groups.clear()
    change = worked(change)
    assert (change.state, change.outcome, house.cloud.doors["front"]) == ("refused", said, True)


def test_an_undo_is_not_done_for_who_may_no_longer_change_the_account(house: House, remediator: User) -> None:
    change = request_undo(house.actor, apply(house.actor, house.plan()), reason="air")
    User.objects.filter(pk=remediator.pk).update(role="viewer")
    change = worked(change)
    assert (change.state, house.cloud.doors["front"]) == ("verified", False)
    assert "no longer has the Remediator role" in change.outcome


@pytest.mark.parametrize("happens", [switched_off, without_policy, set_otherwise, gone])
def test_what_was_applied_can_be_put_back_whatever_became_of_its_rule(
    house: House, happens: Callable[[House], None]
) -> None:
    change = apply(house.actor, house.plan())
    happens(house)
    assert (undo(house.actor, change).state, house.cloud.doors["front"]) == ("undone", True)


# -- Time ------------------------------------------------------------------------------------------


def test_a_plan_of_400_days_ago_is_not_approved_even_before_housekeeping_ran(house: House) -> None:
    change = moved(house.plan(), planned_at=timedelta(days=400))
    with pytest.raises(ValidationError, match=r"has expired\. Plan again"):
        approve_change(house.actor, change, digest=change.digest, reason="rain")
    assert worked(change).state == "planned"


def test_a_plan_approved_400_days_ago_is_not_applied_but_expires(house: House) -> None:
    change = moved(approved(house), approved_at=timedelta(days=400), planned_at=timedelta(days=400))
    house.cloud.calls.clear()
    change = worked(change)
    assert (change.state, house.cloud.calls, house.cloud.doors["front"]) == ("expired", [], True)
    assert change.outcome == "Expired: no worker applied it within 24 hours. Nothing was changed."
    assert (change.owner, change.lease_until) == (None, None)
    assert Entry.objects.filter(action="change.approval_expired").count() == 1


def test_an_approval_that_no_worker_took_in_24_hours_is_expired_by_housekeeping(house: House) -> None:
    old, new = approved(house), house.plan("back")
    approve_change(house.actor, new, digest=new.digest, reason="rain")
    moved(old, approved_at=timedelta(hours=24))
    moved(new, approved_at=timedelta(hours=23))
    assert (expire_plans(), expire_plans()) == (1, 0)
    assert Change.objects.get(pk=old.pk).state == "expired"
    assert worked(new).state == "verified"


def test_an_undo_that_waits_in_the_queue_does_not_expire(house: House) -> None:
    change = request_undo(house.actor, apply(house.actor, house.plan()), reason="air")
    age = timedelta(days=400)
    moved(change, approved_at=age, undo_requested_at=age, queued_at=age)
    assert expire_plans() == 0
    assert worked(change).state == "undone"


def test_the_page_and_the_api_say_until_when_an_approved_change_is_applied(house: House, remediator: User) -> None:
    change = approved(house)
    assert change.approved_at and change.expires_at == change.approved_at + timedelta(hours=24)
    client = Client()
    client.force_login(remediator)
    assert "Expires" in client.get(reverse("admin:changes_change_change", args=[change.pk])).content.decode()
    assert client.get(f"/api/v1/changes/{change.pk}").json()["expires_at"]


# -- Detections ------------------------------------------------------------------------------------


@pytest.mark.parametrize("over", ["lifted_at", "expires_at"])
def test_a_detection_is_archived_only_while_its_suppression_stands(report: House, over: str) -> None:
    suppress(report.actor, report.alert, report.alert.findings.all(), "we know", archive=True)
    report.alert.suppressions.update(**{over: timezone.now()})
    change = worked(Change.objects.get())
    assert (change.state, report.cloud.doors["front"]) == ("refused", True)
    assert "The suppression of front ended on" in change.outcome
