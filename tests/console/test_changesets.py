"""Bulk changes in the console: from a selection to the review, the approval, the progress, and the undo."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from tests.changes.bulk import NAMES, approve, planned, with_many_doors
from tests.house import House

from nephoscope import testing as toy
from nephoscope.accounts.models import Account, User
from nephoscope.alerts.models import Finding
from nephoscope.audit.services import Actor
from nephoscope.changes import set_work
from nephoscope.changes.approvals import require_second_approver
from nephoscope.changes.models import PLAN_LIFETIME, Change, ChangeSet
from nephoscope.changes.sets import plan_set, undo_set

from .conftest import HOSTILE

pytestmark = pytest.mark.django_db
SignIn = Callable[..., Client]
NEW = "/changes/changeset/new/"


@pytest.fixture
def many(house: House, monkeypatch: pytest.MonkeyPatch) -> House:
    """A house with thirty-two open doors."""
    return with_many_doors(house, monkeypatch)


def page(found: ChangeSet) -> str:
    return reverse("admin:changes_changeset_change", args=[found.pk])


def act(found: ChangeSet, name: str) -> str:
    return reverse(f"admin:changes_changeset_{name}", args=[found.pk])


def text_of(answer: Any) -> str:
    return re.sub(r"\s+", " ", answer.content.decode())


def new(**given: Any) -> str:
    return (
        reverse("admin:changes_changeset_new")
        + "?rule=toy.closed&remediation=toy.close"
        + "".join(f"&{name}={value}" for name, value in given.items())
    )


# -- Where it begins -------------------------------------------------------------------------------


def test_more_resources_of_an_alert_than_one_plan_takes_become_a_bulk_change(
    many: House, remediator: User, sign_in: SignIn
) -> None:
    client, plan = sign_in(remediator), reverse("admin:alerts_alert_plan", args=[many.alert.pk])
    shown = text_of(client.get(f"{plan}?all=1&remediation=toy.close"))
    assert "These are 32 resources, and one plan takes at most 25." in shown
    chosen = ",".join(str(each.pk) for each in many.findings(*NAMES, "front", "back"))
    answer = client.post(plan, {"remediation": "toy.close", "finding": chosen})
    found = ChangeSet.objects.get()
    assert answer.headers["Location"] == page(found)
    assert (found.items.count(), found.planned_by) == (32, remediator)
    some = ",".join(str(each.pk) for each in many.findings(*NAMES[:25]))
    assert "one plan takes at most" not in text_of(client.get(f"{plan}?finding={some}&remediation=toy.close"))


def test_a_rule_is_fixed_in_all_accounts_that_have_a_fix_role(
    many: House, remediator: User, viewer: User, sign_in: SignIn
) -> None:
    bare = Account.objects.create(name="bare", provider="toy", number="2" * 12, policies=["toy-policy"])
    hidden = Account.objects.create(name="zebra", provider="toy", number="3" * 12, writing_verified_at=timezone.now())
    bare.groups.set(many.account.groups.all())
    Finding.objects.filter(resource__name=NAMES[0]).update(account=bare)
    Finding.objects.filter(resource__name=NAMES[1]).update(account=hidden)
    client, rule = sign_in(remediator), reverse("admin:rule", args=["toy.closed"])
    shown = text_of(client.get(rule))
    assert "Fix all 30 in 1 account" in shown and "bare has no fix role yet." in shown and "zebra" not in shown
    assert "Fix all" not in text_of(sign_in(viewer).get(rule))
    shown = text_of(client.get(new()))
    assert "Each of 30 resources gets a plan of its own." in shown and "bare has no fix role yet." in shown
    client.post(new())
    found = ChangeSet.objects.get()
    assert set(found.items.filter(problem="").values_list("account__name", flat=True)) == {"prod"}
    set_work.work(found.pk)
    shown = text_of(client.get(page(found)))
    assert "Left out (1)" in shown and "bare has no fix role yet." in shown and "31 resources" in shown


def test_findings_of_one_rule_are_chosen_in_the_list_or_all_that_match(
    many: House, remediator: User, viewer: User, sign_in: SignIn
) -> None:
    client, listed = sign_in(remediator), reverse("admin:alerts_finding_changelist")
    assert "fix-form" not in text_of(client.get(listed))
    shown = text_of(client.get(f"{listed}?rule=toy.closed&q=door-0"))
    assert (
        shown.count('form="fix-form" name="finding"') == 10
        and "Close the door: all 10" in shown
        and "Fit a lock: selected" in shown
    )
    assert "fix-form" not in text_of(sign_in(viewer).get(f"{listed}?rule=toy.closed"))
    assert "Each of 10 resources" in text_of(client.get(new(q="door-0")))
    two = many.findings(*NAMES[:2])
    chosen = new(finding=f"{two[0].pk}&finding={two[1].pk}")
    assert "Each of 2 resources" in text_of(client.get(chosen))
    client.post(chosen)
    client.post(new(q="door-0"))
    assert [each.items.count() for each in ChangeSet.objects.order_by("pk")] == [2, 10]


def test_what_a_fix_asks_for_is_asked_once_for_all(many: House, remediator: User, sign_in: SignIn) -> None:
    client = sign_in(remediator)
    lock = new().replace("toy.close&", "toy.close&").replace("remediation=toy.close", "remediation=toy.lock")
    assert "Who makes the lock." in text_of(client.get(lock))
    assert "Maker is missing." in text_of(client.post(lock, {}))
    client.post(lock, {"input-maker": "Yale"})
    assert ChangeSet.objects.get().inputs == {"maker": "Yale"}


@pytest.mark.parametrize(
    "asked", ["", "?rule=toy.closed", "?rule=no&remediation=toy.close", "?rule=toy.closed&remediation=toy.paint"]
)
def test_a_bulk_change_of_nothing_known_leads_to_the_rules(
    asked: str, many: House, remediator: User, sign_in: SignIn
) -> None:
    answer = sign_in(remediator).get(reverse("admin:changes_changeset_new") + asked)
    assert answer.headers["Location"] == reverse("admin:rules")


# -- Its page --------------------------------------------------------------------------------------


def test_the_page_follows_planning_review_applying_and_undo(many: House, remediator: User, sign_in: SignIn) -> None:
    client = sign_in(remediator)
    rows = Finding.objects.filter(rule_id="toy.closed", resource__name__in=NAMES[:20])
    found = plan_set(many.actor, rows, toy.CloseDoor.id)
    shown = text_of(client.get(page(found)))
    assert "data-live" in shown and "Planned 0 of 20 resources." in shown and "Stop" in shown
    set_work.work(found.pk)
    shown = text_of(client.get(page(found)))
    assert "data-live" not in shown and "Approve and apply 20 changes" in shown and "Number of resources" not in shown
    assert shown.count("Nobody comes in without a key.") == 1 and "(20 resources)" in shown
    found.refresh_from_db()
    body = {"digest": found.digest, "reason": f"rain {HOSTILE}"}
    assert "Enter a reason" in text_of(client.post(act(found, "approve"), body | {"reason": " "}))
    shown = text_of(client.post(act(found, "approve"), body, follow=True))
    assert "data-live" in shown and "0 of 20 done. 20 queued." in shown and HOSTILE not in shown
    changes = list(found.changes.order_by("pk"))
    Change.objects.filter(pk=changes[4].pk).update(state="failed", outcome="denied by the door")
    set_work._worked(changes[0].pk)
    shown = text_of(client.get(page(found)))
    assert "2 of 20 done. 1 failed. 18 queued." in shown
    assert "Failed or refused (1)" in shown and "denied by the door" in shown
    set_work.work(found.pk)
    shown = text_of(client.get(page(found)))
    assert "data-live" not in shown and "Applied and verified: 19 · Failed: 1" in shown
    assert shown.index("denied by the door") < shown.index("Applied and verified</span>")
    shown = text_of(client.post(act(found, "undo"), {"reason": "air"}, follow=True))
    assert "Undoing 19 changes." in shown and "19 queued." in shown
    set_work.work(found.pk)
    assert "Undone: 19" in text_of(client.get(page(found)))
    shown = text_of(client.post(act(found, "undo"), {"reason": "air"}))
    assert "can be undone" in shown


def test_one_is_removed_and_the_rest_goes_on(many: House, remediator: User, sign_in: SignIn) -> None:
    client, found = sign_in(remediator), planned(many, 3)
    other = planned(many, 4).changes.all()[0]
    assert client.post(act(found, "remove"), {"change": other.pk}).status_code == 404
    change = found.changes.get(item__resource_name=NAMES[1])
    shown = text_of(client.post(act(found, "remove"), {"change": change.pk}, follow=True))
    assert f"Removed {NAMES[1]}." in shown and "Approve and apply 2 changes" in shown
    shown = text_of(client.get(reverse("admin:changes_change_change", args=[found.changes.all()[0].pk])))
    assert "It is approved with the bulk change" in shown and "Approve and apply<" not in shown
    assert str(found) in shown


def test_more_than_the_limit_shows_who_can_and_asks_for_the_number(
    many: House, remediator: User, administrator: User, sign_in: SignIn
) -> None:
    found = planned(many, 30)
    shown = text_of(sign_in(remediator).get(page(found)))
    assert "takes an administrator" in shown and 'name="reason"' not in shown
    body = {"digest": found.digest, "reason": "rain"}
    assert sign_in(remediator).post(act(found, "approve"), body | {"confirmed": "30"}).status_code == 403
    client = sign_in(administrator)
    assert "Number of resources, 30, to confirm" in text_of(client.get(page(found)))
    for wrong in ("", "29", "x", "9" * 40):
        shown = text_of(client.post(act(found, "approve"), body | {"confirmed": wrong}))
        assert "Enter the number of resources, 30, to confirm." in shown
    client.post(act(found, "approve"), body | {"confirmed": "30"})
    found.refresh_from_db()
    assert found.state == "approved"


def test_what_an_undo_does_not_bring_back_is_asked_about_twice(many: House, remediator: User, sign_in: SignIn) -> None:
    client, found = sign_in(remediator), planned(many, 3)
    found.changes.all()[0].steps.update(inverse=None)
    shown = text_of(client.get(page(found)))
    assert "1 cannot be undone" in shown and "I understand that the change of 1 resource cannot be undone." in shown
    body = {"digest": found.digest, "reason": "rain"}
    assert "Confirm that you understand this." in text_of(client.post(act(found, "approve"), body))
    assert set(found.changes.values_list("state", flat=True)) == {"planned"}


def test_a_second_approver_sees_who_approved_and_why(
    many: House, remediator: User, administrator: User, sign_in: SignIn
) -> None:
    require_second_approver(Actor.of(administrator), account=many.account)
    found = planned(many, 3)
    client, body = sign_in(remediator), {"digest": found.digest, "reason": "first of all"}
    assert "Second approver</dt>" in text_of(client.get(page(found)))
    shown = text_of(client.post(act(found, "approve"), body, follow=True))
    assert "First approval" in shown and "first of all" in shown
    assert "it needs a second approver" in text_of(sign_in(administrator).get(page(found))).partition("Timeline")[2]
    assert "so somebody else has to be the second approver" in shown and "Approve and apply" not in shown
    assert "has to be the second approver" in text_of(client.post(act(found, "approve"), body, follow=True))
    sign_in(administrator).post(act(found, "approve"), body | {"reason": "second"})
    change = found.changes.all()[0]
    assert (change.state, change.first_by, change.first_reason) == ("approved", remediator, "first of all")
    assert (change.approved_by, change.reason) == (administrator, "second")


def test_an_approval_is_not_replayed_and_stop_and_discard_say_what_they_did(
    many: House, remediator: User, sign_in: SignIn
) -> None:
    client, found = sign_in(remediator), planned(many, 3)
    body = {"digest": found.digest, "reason": "rain"}
    client.post(act(found, "approve"), body)
    assert "does not wait for approval" in text_of(client.post(act(found, "approve"), body))
    assert "Stopped. 3 changes were withdrawn." in text_of(client.post(act(found, "stop"), follow=True))
    assert "is not in progress" in text_of(client.post(act(found, "stop"), follow=True))
    second = planned(many, 3)
    assert "Discarded the bulk change." in text_of(client.post(act(second, "discard"), follow=True))
    body["digest"] = second.digest
    assert "does not wait for approval: Discarded" in text_of(client.post(act(second, "approve"), body))
    forged = planned(many, 3)
    assert "have changed since they were shown" in text_of(client.post(act(forged, "approve"), body))
    ChangeSet.objects.filter(pk=forged.pk).update(planned_at=timezone.now() - PLAN_LIFETIME)
    expired = {"digest": forged.digest, "reason": "rain"}
    assert "has expired. Plan again." in text_of(client.post(act(forged, "approve"), expired))


def test_who_may_and_who_may_look(many: House, everyone: dict[str, User], sign_in: SignIn) -> None:
    found = planned(many, 3)
    change = found.changes.all()[0]
    body = {"digest": found.digest, "reason": "rain", "change": change.pk}
    for role, seen, done in (("viewer", 200, 403), ("analyst", 200, 403), ("stranger", 404, 404)):
        client = sign_in(everyone[role])
        answer = client.get(page(found))
        assert answer.status_code == seen and "<form" not in text_of(answer).partition("neph-page")[2], role
        assert (str(found) in text_of(client.get(reverse("admin:changes_changeset_changelist")))) is (seen == 200)
        for name in ("approve", "stop", "discard", "remove", "undo"):
            assert client.post(act(found, name), body).status_code == done, (role, name)
        for given in (new(), new(finding=change.item.finding_id)):
            assert client.get(given).status_code == client.post(given).status_code == 403, role
    found.refresh_from_db()
    assert (found.state, set(found.changes.values_list("state", flat=True))) == ("planned", {"planned"})
    client = sign_in(everyone["remediator"], enforce_csrf_checks=True)
    assert client.post(act(found, "approve"), body).status_code == 403


def test_a_forged_selection_reaches_no_account_of_others(
    many: House, everyone: dict[str, User], sign_in: SignIn
) -> None:
    stranger = User.objects.create_user("stranger-who-fixes", role="remediator")
    client = sign_in(stranger)
    finding = many.findings(NAMES[0])[0]
    assert NAMES[0] not in text_of(client.get(new(finding=finding.pk)))
    assert "no affected resource is selected" in text_of(client.post(new(finding=finding.pk))).lower()
    assert not ChangeSet.objects.exists()


def test_the_list_finds_sets_by_state_account_rule_and_resource(many: House, remediator: User, sign_in: SignIn) -> None:
    client, first, second = sign_in(remediator), planned(many, 3), planned(many, 5)
    approve(many.actor, first)
    listed = reverse("admin:changes_changeset_changelist")
    for asked, both in (
        ("state=planned", (False, True)),
        ("state=in_progress", (True, False)),
        ("state=finished", (False, False)),
        (f"account={many.account.pk}", (True, True)),
        ("account=0", (False, False)),
        (f"q={NAMES[4]}", (False, True)),
        ("q=toy.closed", (True, True)),
        ("q=%00", (True, True)),
        ("o=3", (True, True)),
    ):
        shown = text_of(client.get(f"{listed}?{asked}"))
        assert (str(first) in shown, str(second) in shown) == both, asked


def test_a_page_asks_the_database_as_often_for_many_as_for_few(
    many: House, administrator: User, sign_in: SignIn
) -> None:
    client = sign_in(administrator)
    for state in ("planned", "approved", "verified"):
        counted = []
        for count in (3, 30):
            found = planned(many, count)
            found.changes.update(state=state)
            if state != "planned":
                ChangeSet.objects.filter(pk=found.pk).update(state="approved")
            with CaptureQueriesContext(connection) as queries:
                assert client.get(page(found)).status_code == 200
            counted.append(len(queries))
        assert counted[0] == counted[1] <= 25, (state, counted)


def test_a_removed_account_takes_its_resources_off_the_page_and_no_others(
    many: House, administrator: User, sign_in: SignIn
) -> None:
    found, client = planned(many, 3), sign_in(administrator)
    other = Account.objects.create(name="cabin", provider="toy", number="2" * 12)
    item = found.items.all()[0]
    Change.objects.filter(pk=item.change_id).update(account=other)
    found.items.filter(pk=item.pk).update(account=other)
    other.removed_at = timezone.now()
    other.save()
    shown = text_of(client.get(page(found)))
    assert item.resource_name not in shown and NAMES[1] in shown
    approve(many.actor, found)
    set_work.work(found.pk)
    assert sorted(found.changes.values_list("state", flat=True)) == ["refused", "verified", "verified"]
    assert undo_set(many.actor, found, reason="air")[0] == 2
