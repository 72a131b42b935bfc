"""Where an administrator asks for it, a change takes two persons, and never its planner as the second."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone
from tests.changes.working import worked
from tests.house import House

from nephoscope import testing as toy
from nephoscope.accounts.models import User
from nephoscope.audit.models import Entry
from nephoscope.audit.services import Actor
from nephoscope.changes.approvals import approve_change, drop_second_approver, require_second_approver
from nephoscope.changes.giving_up import discard_plan, expire_plans
from nephoscope.changes.models import Change, SecondApproval

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss(administrator: User) -> Actor:
    return Actor.of(administrator)


@pytest.fixture
def colleague(house: House) -> Actor:
    return Actor.of(User.objects.create_user("cole", role="remediator", account_groups=house.account.groups.all()))


def approve(actor: Actor, change: Change) -> Change:
    return approve_change(actor, change, digest=change.digest, reason="rain")


@pytest.mark.parametrize("what", ["remediation", "account", "severity"])
def test_for_a_fix_an_account_or_a_severity_the_first_approval_queues_nothing(
    house: House, boss: Actor, what: str
) -> None:
    given = {"remediation": toy.CloseDoor.id, "account": house.account, "severity": "high"}
    require_second_approver(boss, **{what: given[what]})  # type: ignore[arg-type]
    change = approve(house.actor, house.plan())
    assert (change.state, change.first_by, change.approved_by) == ("half_approved", house.actor.user, None)
    assert worked(change).state == "half_approved"
    assert house.cloud.doors["front"] is True


def test_what_is_not_asked_for_needs_one_approval(house: House, boss: Actor) -> None:
    require_second_approver(boss, remediation=toy.FitLock.id)
    require_second_approver(boss, severity="critical")
    assert approve(house.actor, house.plan()).state == "approved"


def test_somebody_else_approves_it_again_and_it_is_applied(house: House, boss: Actor) -> None:
    require_second_approver(boss, account=house.account)
    change = approve(boss, approve(house.actor, house.plan()))
    assert (change.state, change.approved_by) == ("approved", boss.user)
    assert worked(change).state == "verified"
    said = [entry.action for entry in Entry.objects.filter(target_type="change").order_by("pk")]
    assert said == ["change.planned", "change.approved_first", "change.approved", "change.verified"]


def test_nobody_is_both_approvers_and_the_planner_is_never_the_second(house: House, boss: Actor) -> None:
    require_second_approver(boss, account=house.account)
    mine, theirs = approve(house.actor, house.plan("front")), approve(boss, house.plan("back"))
    with pytest.raises(ValidationError, match="You planned"):
        approve(house.actor, mine)
    with pytest.raises(ValidationError, match="You planned"):
        approve(house.actor, theirs)
    with pytest.raises(ValidationError, match="You approved"):
        approve(boss, theirs)
    assert set(Change.objects.values_list("state", flat=True)) == {"half_approved"}


def test_a_change_that_waits_for_a_second_approver_goes_on_waiting_when_none_is_asked_for_any_more(
    house: House, boss: Actor
) -> None:
    row = require_second_approver(boss, account=house.account)
    change = approve(house.actor, house.plan())
    drop_second_approver(boss, row)
    with pytest.raises(ValidationError, match="You planned"):
        approve(house.actor, change)
    assert approve(house.actor, house.plan("back")).state == "approved"


def test_it_can_be_discarded_and_expires_a_day_after_its_first_approval(house: House, boss: Actor) -> None:
    require_second_approver(boss, account=house.account)
    change, other = approve(house.actor, house.plan("front")), approve(house.actor, house.plan("back"))
    assert discard_plan(house.actor, change).state == "discarded"
    Change.objects.filter(pk=other.pk).update(first_at=timezone.now() - timedelta(hours=24))
    with pytest.raises(ValidationError, match="has expired"):
        approve(boss, other)
    assert expire_plans() == 1


def test_only_an_administrator_asks_for_a_second_approver(house: House) -> None:
    with pytest.raises(PermissionDenied):
        require_second_approver(house.actor, severity="high")
    assert not SecondApproval.objects.exists()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "just one of them"),
        ({"severity": "high", "remediation": toy.CloseDoor.id}, "just one of them"),
        ({"severity": "dire"}, "not a valid choice"),
        ({"remediation": "toy.paint"}, "There is no fix"),
    ],
)
def test_what_is_asked_for_is_one_known_thing(house: House, boss: Actor, given: dict[str, str], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        require_second_approver(boss, **given)  # type: ignore[arg-type]


def test_asking_twice_is_refused(house: House, boss: Actor) -> None:
    require_second_approver(boss, severity="high")
    with pytest.raises(ValidationError):
        require_second_approver(boss, severity="high")
