"""Fixes that answer a detection: offered where the detector has one, approved and applied as any other."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from tests.changes.working import apply, undo
from tests.house import House, Watchman

from nephoscope import domain
from nephoscope import testing as toy
from nephoscope.accounts.models import User
from nephoscope.alerts.models import Finding
from nephoscope.audit.services import Actor
from nephoscope.changes.approvals import approve_change
from nephoscope.changes.models import Change, ChangeState
from nephoscope.changes.offers import archive_of, fixes_of, responses_to
from nephoscope.changes.planning import plan_change
from nephoscope.changes.readiness import readiness

pytestmark = pytest.mark.django_db


class Guard(Watchman):
    """He closes a door when he is asked to, and archives nothing."""

    archive = ""

    def responses(self, detection: domain.Resource) -> tuple[str, ...]:
        return (toy.CloseDoor.id,)


@pytest.fixture
def guarded(report: House) -> House:
    report.cloud.detections = Guard()
    return report


def plan(house: House, actor: Actor | None = None) -> Change:
    return plan_change(actor or house.actor, house.alert, house.alert.findings.all(), toy.CloseDoor.id)


def test_what_answers_a_detection_is_told_apart_from_what_archives_it(report: House) -> None:
    assert (archive_of(report.alert), responses_to(report.alert)) == (toy.CloseDoor.id, ())
    report.cloud.detections = Guard()
    assert (archive_of(report.alert), fixes_of(report.alert)) == ("", (toy.CloseDoor.id,))


def test_a_detection_without_an_answer_cannot_be_fixed(report: House, remediator: User) -> None:
    assert "no setting undoes what happened" in readiness(remediator, report.alert).why


def test_an_answer_is_offered_to_those_who_may_fix(guarded: House, everyone: dict[str, User]) -> None:
    offered = readiness(everyone["remediator"], guarded.alert)
    assert [each.id for each in offered.remediations] == [toy.CloseDoor.id]
    assert offered.ready
    assert "Remediator" in readiness(everyone["viewer"], guarded.alert).why
    with pytest.raises(PermissionDenied):
        plan(guarded, Actor.of(everyone["viewer"], ""))


def test_it_is_planned_approved_applied_and_undone(guarded: House) -> None:
    change = apply(guarded.actor, plan(guarded))
    assert (change.state, guarded.cloud.doors["front"]) == (ChangeState.VERIFIED, False)
    undo(guarded.actor, change)
    assert guarded.cloud.doors["front"] is True


def test_it_is_not_approved_once_the_detection_no_longer_stands(guarded: House) -> None:
    change = plan(guarded)
    Finding.objects.filter(alert=guarded.alert).update(failing_since=None)
    with pytest.raises(ValidationError, match="no longer affected"):
        approve_change(guarded.actor, change, digest=change.digest, reason="It rains in.")


def test_without_a_fix_role_it_leads_to_its_set_up(guarded: House, remediator: User) -> None:
    account: Any = guarded.alert.account
    account.writing_verified_at = None
    account.save()
    assert "Set up fixes" in readiness(remediator, guarded.alert).why
