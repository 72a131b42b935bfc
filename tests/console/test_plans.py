"""Plans that nobody applies: discarded by a person, or expired; and what a plan warns of before it is approved."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client
from django.urls import reverse
from tests.changes.working import apply, undo
from tests.house import House

from nephoscope import testing as toy
from nephoscope.accounts.models import User
from nephoscope.audit.models import Entry
from nephoscope.audit.services import Actor
from nephoscope.changes.approvals import approve_change
from nephoscope.changes.giving_up import discard_plan, expire_plans
from nephoscope.changes.models import PLAN_LIFETIME, Change
from nephoscope.operations.tasks import housekeeping
from nephoscope.plugins import registry

pytestmark = pytest.mark.django_db
SignIn = Callable[..., Client]


def page(change: Change) -> str:
    return reverse("admin:changes_change_change", args=[change.pk])


def act(change: Change, name: str) -> str:
    return reverse(f"admin:changes_change_{name}", args=[change.pk])


def age(change: Change, by: timedelta) -> None:
    Change.objects.filter(pk=change.pk).update(planned_at=change.planned_at - by)


def told(change: Change) -> list[str]:
    """The change's own history, newest last."""
    return [str(each) for each in Entry.objects.filter(target_type="change", target_id=str(change.pk)).order_by("id")]


# -- Discarding ------------------------------------------------------------------------------------


def test_who_may_discard_a_plan_and_who_may_look(house: House, everyone: dict[str, User], sign_in: SignIn) -> None:
    change = house.plan()
    for role, seen, done in (("viewer", 200, 403), ("analyst", 200, 403), ("stranger", 404, 404)):
        client = sign_in(everyone[role])
        answer = client.get(page(change))
        assert answer.status_code == seen and "Discard plan" not in answer.content.decode(), role
        assert client.post(act(change, "discard")).status_code == done, role
        assert client.post(f"/api/v1/changes/{change.pk}/discard").status_code == 403, role
        with pytest.raises(PermissionDenied):
            discard_plan(Actor.of(everyone["viewer"]), change)
    client = sign_in(everyone["remediator"])
    assert "Discard plan" in client.get(page(change)).content.decode()
    shown = client.post(act(change, "discard"), follow=True).content.decode()
    assert "Discarded the plan." in shown and "Approve and apply" not in shown and "Plan again" in shown
    assert told(change)[-1] == f"rémi discarded the plan {change} “Close the door” for {house.alert}"


def test_a_discarded_plan_is_not_approved_and_nothing_is_discarded_twice(house: House) -> None:
    change = house.plan()
    assert discard_plan(house.actor, change).state == "discarded"
    for again in (
        lambda: approve_change(house.actor, change, digest=change.digest, reason="rain"),
        lambda: discard_plan(house.actor, change),
    ):
        with pytest.raises(ValidationError, match="was discarded"):
            again()
    approved = house.plan("back")
    apply(house.actor, approved)
    with pytest.raises(ValidationError, match="was approved already"):
        discard_plan(house.actor, approved)


def test_a_plan_is_discarded_over_the_api(house: House, remediator: User, sign_in: SignIn) -> None:
    answer = sign_in(remediator).post(f"/api/v1/changes/{house.plan().pk}/discard", content_type="application/json")
    assert (answer.status_code, answer.json()["state"], answer.json()["expires_at"]) == (200, "discarded", None)


# -- Expiring --------------------------------------------------------------------------------------


def test_a_plan_says_when_it_expires(house: House, viewer: User, sign_in: SignIn) -> None:
    change, client = house.plan(), sign_in(viewer)
    assert "in 7 d" in client.get(page(change)).content.decode()
    shown = client.get(f"/api/v1/changes/{change.pk}").json()
    assert shown["expires_at"].startswith(f"{change.planned_at + PLAN_LIFETIME:%Y-%m-%dT%H:%M}")


def test_an_expired_plan_is_refused_with_what_to_do(house: House, remediator: User, sign_in: SignIn) -> None:
    change = house.plan()
    age(change, PLAN_LIFETIME)
    answer = sign_in(remediator).post(act(change, "apply"), {"digest": change.digest, "reason": "rain"})
    assert f"{change} has expired. Plan again." in answer.content.decode()
    change.refresh_from_db()
    assert change.state == "planned"


def test_housekeeping_marks_expired_plans_and_leaves_the_others(
    house: House, remediator: User, sign_in: SignIn
) -> None:
    old, new, applied = house.plan(), house.plan("back"), apply(house.actor, house.plan("back"))
    for each in (old, applied):
        age(each, PLAN_LIFETIME)
    housekeeping()
    assert expire_plans() == 0
    states = [Change.objects.get(pk=each.pk).state for each in (old, new, applied)]
    assert states == ["expired", "planned", "verified"]
    assert told(old)[-1].startswith(f"Nephoscope let the plan {old} “Close the door” for {house.alert} expire")
    shown = sign_in(remediator).get(page(old)).content.decode()
    assert "Expired" in shown and "Nothing was changed." in shown and "Plan again" in shown


def test_lists_show_and_find_those_states(house: House, viewer: User, sign_in: SignIn) -> None:
    client, discarded = sign_in(viewer), house.plan()
    discard_plan(house.actor, discarded)
    age(house.plan("back"), PLAN_LIFETIME)
    expire_plans()
    for state, label in (("discarded", "Discarded"), ("expired", "Expired")):
        listed = client.get(reverse("admin:changes_change_changelist"), {"state": state})
        assert listed.context["cl"].result_count == 1 and label in listed.content.decode()
        assert client.get(f"/api/v1/changes?state={state}").json()["count"] == 1


# -- What it warns of ------------------------------------------------------------------------------


def test_every_fix_says_what_may_stop_working() -> None:
    silent = [id for id, each in registry().remediations.items() if not each.breaks]
    assert silent == []


def test_what_may_stop_working_stands_before_the_plan_and_before_approve(
    house: House, remediator: User, sign_in: SignIn
) -> None:
    client, warning = sign_in(remediator), toy.CloseDoor.breaks
    asked = {"finding": house.findings("front")[0].pk, "remediation": toy.CloseDoor.id}
    assert warning in client.get(reverse("admin:alerts_alert_plan", args=[house.alert.pk]), asked).content.decode()
    change = house.plan()
    shown = client.get(page(change)).content.decode()
    assert 0 < shown.index(warning) < shown.index("Approve and apply") < shown.index("<h3>Close front</h3>")
    assert client.get(f"/api/v1/changes/{change.pk}").json()["warnings"] == [warning]
    [fix, _lock] = client.get(f"/api/v1/alerts/{house.alert.pk}").json()["fixing"]["remediations"]
    assert fix["breaks"] == warning


def test_a_plan_is_approved_with_its_warnings(house: House) -> None:
    change = house.plan()
    Change.objects.filter(pk=change.pk).update(warnings=[])
    with pytest.raises(ValidationError, match="The plan has changed"):
        approve_change(house.actor, change, digest=change.digest, reason="rain")


def test_a_fix_that_can_do_nothing_does_not_warn_of_what_it_would_break(house: House, monkeypatch: Any) -> None:
    house.cloud.doors["front"] = False
    monkeypatch.setattr(toy.CloseDoor, "plan", lambda *_all: [])
    with pytest.raises(ValidationError) as caught:
        house.plan()
    assert caught.value.messages == ["There is nothing to do."]


@pytest.mark.parametrize(("doors", "unfolded"), [(2, True), (4, False)])
def test_the_calls_of_a_long_plan_are_folded(
    doors: int, unfolded: bool, house: House, remediator: User, sign_in: SignIn
) -> None:
    change = house.plan("front", "back") if doors == 2 else house.plan_lock("front", "back")
    assert sign_in(remediator).get(page(change)).context["unfolded"] is unfolded


# -- Who did what ----------------------------------------------------------------------------------


def test_a_change_was_approved_by_a_person_and_applied_by_nephoscope(house: House) -> None:
    change = apply(house.actor, house.plan(), "rain")
    assert told(change) == [
        f"rémi planned {change} “Close the door” for {house.alert}",
        f"rémi approved {change} “Close the door” for {house.alert}",
        f"Nephoscope applied and verified {change} “Close the door”, approved by rémi",
    ]


def test_an_undone_change_shows_both_reasons_and_who_gave_them(
    house: House, administrator: User, viewer: User, sign_in: SignIn
) -> None:
    change = undo(Actor.of(administrator), apply(house.actor, house.plan(), "the rain comes in"), "we need air")
    assert told(change)[-1] == (
        f"Nephoscope undid {change} “Close the door”, requested by ada; "
        "it had been approved by rémi: “the rain comes in”"
    )
    client = sign_in(viewer)
    facts = client.get(page(change)).content.decode().partition("<h3>Outcome</h3>")[2].partition("</section>")[0]
    for part in ("the rain comes in", "we need air", "rémi, <time", "ada, <time"):
        assert part in facts, part
    shown = client.get(f"/api/v1/changes/{change.pk}").json()
    assert (shown["reason"], shown["undo_reason"]) == ("the rain comes in", "we need air")
    assert (shown["approved_by"], shown["undo_by"]) == ("rémi", "ada")
    assert shown["approved_at"] < shown["undo_requested_at"] <= shown["undone_at"]
