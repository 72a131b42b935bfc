"""The pages of a change, from what is asked first to how it ended, and of suppressing what is archived with it."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from tests.changes.working import worked
from tests.house import House

from nephoscope import testing as toy
from nephoscope.accounts.models import User
from nephoscope.changes.models import Change

from .conftest import HOSTILE

pytestmark = pytest.mark.django_db
SignIn = Callable[..., Client]


def page(change: Change) -> str:
    return reverse("admin:changes_change_change", args=[change.pk])


def act(change: Change, name: str) -> str:
    return reverse(f"admin:changes_change_{name}", args=[change.pk])


def text_of(answer: Any) -> str:
    """Return an answer's page with its white space folded."""
    return re.sub(r"\s+", " ", answer.content.decode())


def test_approving_queues_and_the_page_follows_the_worker(house: House, remediator: User, sign_in: SignIn) -> None:
    client, change = sign_in(remediator), house.plan_lock()
    shown = text_of(client.get(page(change)))
    assert "Approve and apply" in shown and "data-live" not in shown
    assert "<dt>Maker</dt><dd>Yale</dd>" in shown
    assert "Then waits up to 60 seconds until State is ready." in shown

    shown = text_of(client.post(act(change, "apply"), {"digest": change.digest, "reason": "rain"}, follow=True))
    assert "data-live" in shown and "Queued" in shown and "Waiting for a worker." in shown
    assert house.cloud.doors["front"] is True

    soon = timezone.now() + timedelta(minutes=1)
    for steps, said in (
        (("applying", "pending"), "Applying step 1 of 2."),
        (("waiting", "pending"), "Waiting for step 1 of 2."),
        (("applied", "pending"), "Applying step 2 of 2."),
        (("applied", "applying"), "Applying step 2 of 2."),
        (("applied", "applied"), "Verifying."),
    ):
        Change.objects.filter(pk=change.pk).update(state="applying", lease_until=soon)
        for position, state in enumerate(steps):
            change.steps.filter(position=position).update(state=state)
        shown = text_of(client.get(page(change)))
        assert "data-live" in shown and said in shown, steps
    Change.objects.filter(pk=change.pk).update(state="undoing", lease_until=soon)
    change.steps.filter(position=1).update(state="undoing")
    assert "Undoing step 2 of 2." in text_of(client.get(page(change)))


def test_a_change_that_is_over_is_not_followed_and_can_be_undone(
    house: House,
    remediator: User,
    sign_in: SignIn,
) -> None:
    client, change = sign_in(remediator), house.plan()
    client.post(act(change, "apply"), {"digest": change.digest, "reason": "rain"})
    worked(change)
    shown = text_of(client.get(page(change)))
    assert "data-live" not in shown
    assert "Applied and verified: the resources now pass." in shown
    shown = text_of(client.post(act(change, "undo"), {"reason": f"air {HOSTILE}"}, follow=True))
    assert "Undo queued" in shown and "data-live" in shown and HOSTILE not in shown
    worked(change)
    assert "Undone: the resources are as they were before." in text_of(client.get(page(change)))


def test_steps_of_an_interrupted_change_say_how_far_they_may_have_got(
    house: House,
    viewer: User,
    sign_in: SignIn,
) -> None:
    client, change = sign_in(viewer), house.plan_lock("front", "back")
    Change.objects.filter(pk=change.pk).update(state="failed", outcome="Interrupted.")
    for position, state in enumerate(("waiting", "applying", "undoing", "pending")):
        change.steps.filter(position=position).update(state=state)
    shown = text_of(client.get(page(change)))
    for said in ("Made, not confirmed", "May have been made", "May have been undone", "Not applied"):
        assert said in shown, said


def test_who_may_approve_and_undo_and_who_may_look(house: House, everyone: dict[str, User], sign_in: SignIn) -> None:
    change, body = house.plan(), {"reason": "rain"}
    body["digest"] = change.digest
    for role, seen, done in (("viewer", 200, 403), ("analyst", 200, 403), ("stranger", 404, 404)):
        client = sign_in(everyone[role])
        assert client.get(page(change)).status_code == seen, role
        for name in ("apply", "undo"):
            assert client.post(act(change, name), body).status_code == done, role
    change.refresh_from_db()
    assert change.state == "planned"
    assert "Approve and apply" not in text_of(sign_in(everyone["viewer"]).get(page(change)))
    assert sign_in(everyone["remediator"]).post(act(change, "apply"), body).status_code == 302
    change.refresh_from_db()
    assert change.state == "approved"


# -- What a fix asks for ---------------------------------------------------------------------------


def test_a_fix_asks_for_what_it_needs_keeps_the_selection_and_then_plans(
    house: House,
    remediator: User,
    sign_in: SignIn,
) -> None:
    client, plan = sign_in(remediator), reverse("admin:alerts_alert_plan", args=[house.alert.pk])
    [finding] = house.findings("front")
    body = {"finding": [finding.pk], "remediation": toy.FitLock.id}
    asked = text_of(client.get(plan, body))
    assert 'name="input-maker"' in asked and "Who makes the lock." in asked
    assert f'name="finding" value="{finding.pk}"' in asked
    assert not Change.objects.exists()
    refused = text_of(client.post(plan, {**body, "input-maker": " "}))
    assert "Maker is missing." in refused and f'name="finding" value="{finding.pk}"' in refused
    done = client.post(plan, {**body, "input-maker": f"Yale {HOSTILE}"})
    change = Change.objects.get()
    assert done["Location"] == page(change)
    assert change.inputs == {"maker": f"Yale {HOSTILE}"}
    assert HOSTILE not in text_of(client.get(page(change)))


def test_planning_again_offers_what_was_entered_before(house: House, remediator: User, sign_in: SignIn) -> None:
    client, change = sign_in(remediator), house.plan_lock()
    Change.objects.filter(pk=change.pk).update(state="refused")
    answer = client.get(page(change))
    [link] = re.findall(r'href="([^"]+again=[^"]+)"', answer.content.decode())
    assert "Plan again" in text_of(answer) and "Yale" not in link
    assert 'value="Yale"' in text_of(client.get(html.unescape(link)))
    assert Change.objects.count() == 1


def test_who_may_plan(house: House, everyone: dict[str, User], sign_in: SignIn) -> None:
    plan = reverse("admin:alerts_alert_plan", args=[house.alert.pk])
    body = {"finding": [house.findings("front")[0].pk], "remediation": toy.FitLock.id}
    for role, status in (("viewer", 403), ("analyst", 403), ("stranger", 404), ("remediator", 200)):
        assert sign_in(everyone[role]).get(plan, body).status_code == status, role
        assert sign_in(everyone[role]).post(plan, body).status_code == status, role


# -- Suppressing what is archived with it ----------------------------------------------------------


def test_the_confirmation_shows_the_call_and_approves_it(report: House, remediator: User, sign_in: SignIn) -> None:
    client, suppress = sign_in(remediator), reverse("admin:alerts_alert_suppress", args=[report.alert.pk])
    body = {"finding": [report.alert.findings.get().pk]}
    shown = client.get(suppress, body)
    assert "toy:SetDoor" in text_of(shown) and "Suppress and archive" in text_of(shown)
    assert not Change.objects.exists()
    digest = shown.context["archiving"].plan.digest
    assert f'name="digest" value="{digest}"' in text_of(shown)
    assert "This also archives the finding in Watchman" in text_of(shown) and toy.CloseDoor.breaks in text_of(shown)

    stale = client.post(suppress, {**body, "reason": "we know", "digest": "0" * 64})
    assert "This differs from what was shown" in text_of(stale) and digest in text_of(stale)
    report.alert.refresh_from_db()
    assert report.alert.state == "open"

    done = client.post(suppress, {**body, "reason": "we know", "digest": digest}, follow=True)
    assert "Suppressed 1 resource." in text_of(done) and "not archived" not in text_of(done)
    change = worked(Change.objects.get())
    assert (change.state, report.cloud.doors["front"]) == ("verified", False)

    unsuppress = reverse("admin:alerts_alert_unsuppress", args=[report.alert.pk])
    assert "This also unarchives the finding in Watchman." in text_of(client.get(unsuppress, body))
    assert "Unsuppressed 1 resource." in text_of(client.post(unsuppress, body, follow=True))
    assert (worked(change).state, report.cloud.doors["front"]) == ("undone", True)


def test_a_reason_that_is_missing_shows_the_call_again(report: House, remediator: User, sign_in: SignIn) -> None:
    client, suppress = sign_in(remediator), reverse("admin:alerts_alert_suppress", args=[report.alert.pk])
    body = {"finding": [report.alert.findings.get().pk], "reason": " ", "digest": "0" * 64}
    answer = client.post(suppress, body)
    assert answer.context["errors"]["reason"] and "toy:SetDoor" in text_of(answer)
