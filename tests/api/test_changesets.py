"""Bulk changes over the API: planned, read, approved, stopped, undone, and refused."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone
from tests.changes.bulk import NAMES, planned, states, with_many_doors
from tests.house import House

from nephoscope.accounts.models import Account, User
from nephoscope.audit.services import Actor
from nephoscope.changes import set_work
from nephoscope.changes.approvals import require_second_approver
from nephoscope.changes.models import PLAN_LIFETIME, ChangeSet

pytestmark = pytest.mark.django_db

V1 = "/api/v1"
SETS = f"{V1}/change-sets"
CLOSE = {"rule": "toy.closed", "remediation": "toy.close"}


@pytest.fixture
def many(house: House, monkeypatch: pytest.MonkeyPatch) -> House:
    return with_many_doors(house, monkeypatch)


def test_a_bulk_change_is_planned_read_approved_and_undone(many: House, remediator: User, api: Any) -> None:
    client = api(remediator)
    answer = client.post(SETS, CLOSE | {"q": "door-0"})
    made = answer.json()
    assert (answer.status_code, made["state"], made["resources"], made["digest"]) == (202, "planning", 10, "")
    path = f"{SETS}/{made['id']}"
    set_work.work(made["id"])
    read = client.get(path).json()
    assert (read["state"], read["progress"], read["to_confirm"]) == ("planned", {"planned": 10}, None)
    [warning] = read["warnings"]
    assert (warning["text"], warning["count"]) == ("Nobody comes in without a key.", 10)
    assert (read["irreversible"], read["losses"], read["left_out"]) == (0, [], [])
    items = client.get(f"{path}/items?page_size=4").json()
    assert (items["count"], len(items["results"]), items["results"][0]["state"]) == (10, 4, "planned")
    plan = client.get(f"{V1}/changes/{items['results'][0]['change']}").json()
    assert (plan["change_set"], len(plan["steps"])) == (made["id"], 1)
    assert client.get(f"{V1}/changes?change_set={made['id']}").json()["count"] == 10

    removed = client.post(f"{V1}/changes/{plan['id']}/discard")
    assert removed.status_code == 200
    stale = client.post(f"{path}/approve", {"digest": read["digest"], "reason": "rain"})
    assert (stale.status_code, list(stale.json())) == (409, ["digest"])
    digest = client.get(path).json()["digest"]
    answer = client.post(f"{path}/approve", {"digest": digest, "reason": "rain"})
    assert (answer.status_code, answer.json()["state"]) == (202, "in_progress")
    again = client.post(f"{path}/approve", {"digest": digest, "reason": "rain"})
    assert (again.status_code, list(again.json())) == (409, ["change_set"])
    set_work.work(made["id"])
    done = client.get(path).json()
    assert (done["state"], done["progress"]) == ("finished", {"verified": 9, "discarded": 1})
    assert client.post(f"{path}/undo", {"reason": "air"}).json()["progress"]["undo_queued"] == 9
    set_work.work(made["id"])
    assert client.get(path).json()["progress"] == {"undone": 9, "discarded": 1}
    assert client.get(f"{SETS}?state=finished&rule=toy.closed&account={many.account.pk}").json()["count"] == 1
    assert client.get(f"{SETS}?state=planning").json()["count"] == 0


def test_what_is_planned_is_chosen_by_findings_accounts_or_words(many: House, remediator: User, api: Any) -> None:
    client, two = api(remediator), [each.pk for each in many.findings(*NAMES[:2])]
    for chosen, count in (({}, 32), ({"findings": two}, 2), ({"accounts": [many.account.pk]}, 32), ({"q": "front"}, 1)):
        assert client.post(SETS, CLOSE | chosen).json()["resources"] == count
    other = Account.objects.create(name="zebra", provider="toy", number="2" * 12)
    for wrong, field, status in (
        ({"findings": [*two, 999_999]}, "findings", 409),
        ({"accounts": [other.pk]}, "accounts", 409),
        ({"findings": two, "q": "front"}, "findings", 400),
        ({"rule": "no.such"}, "rule", 409),
        ({"remediation": "toy.paint"}, "remediation", 409),
        ({"inputs": {"colour": "red"}}, "colour", 409),
        ({"q": "no such door"}, "findings", 409),
        ({"everything": True}, "everything", 400),
    ):
        answer = client.post(SETS, CLOSE | wrong)
        assert (answer.status_code, list(answer.json())) == (status, [field]), wrong
        assert "zebra" not in answer.content.decode()
    assert ChangeSet.objects.count() == 4


def test_more_than_the_limit_takes_an_administrator_and_the_number(
    many: House, remediator: User, administrator: User, api: Any
) -> None:
    found = planned(many, 30)
    path, body = f"{SETS}/{found.pk}", {"digest": found.digest, "reason": "rain"}
    assert api(remediator).get(path).json()["to_confirm"] == 30
    assert api(remediator).post(f"{path}/approve", body | {"confirmed": 30}).status_code == 403
    for wrong in ({}, {"confirmed": 29}):
        answer = api(administrator).post(f"{path}/approve", body | wrong)
        assert (answer.status_code, list(answer.json())) == (409, ["confirmed"])
    assert api(administrator).post(f"{path}/approve", body | {"confirmed": 30}).status_code == 202
    assert api(remediator).post(f"{path}/stop", {}).json()["progress"] == {"undone": 30}


def test_neither_the_planner_is_second_approver_nor_is_what_expired_approved(
    many: House, remediator: User, administrator: User, api: Any
) -> None:
    require_second_approver(Actor.of(administrator), account=many.account)
    found = planned(many, 3)
    path, body = f"{SETS}/{found.pk}/approve", {"digest": found.digest, "reason": "rain"}
    assert api(remediator).post(path, body).json()["state"] == "half_approved"
    assert api(remediator).post(path, body).status_code == 409
    assert api(administrator).post(path, body).json()["first_by"] == remediator.username
    old = planned(many, 3)
    ChangeSet.objects.filter(pk=old.pk).update(planned_at=timezone.now() - PLAN_LIFETIME)
    answer = api(administrator).post(f"{SETS}/{old.pk}/approve", body | {"digest": old.digest})
    assert (answer.status_code, "has expired" in answer.json()["change_set"][0]) == (409, True)


def test_who_may_and_who_may_look(many: House, everyone: dict[str, User], api: Any) -> None:
    found = planned(many, 3)
    path, body = f"{SETS}/{found.pk}", {"digest": found.digest, "reason": "rain"}
    for role, seen in (("viewer", 200), ("analyst", 200), ("stranger", 404)):
        client = api(everyone[role])
        assert [client.get(path).status_code, client.get(f"{path}/items").status_code] == [seen, seen], role
        assert client.get(SETS).json()["count"] == (seen == 200)
        assert client.post(SETS, CLOSE).status_code == 403
        for act, given in (("approve", body), ("stop", {}), ("discard", {}), ("undo", {"reason": "air"})):
            assert client.post(f"{path}/{act}", given).status_code == 403, (role, act)
    assert states(found) == {"planned"}
    assert api().get(SETS).status_code == 401
    outsider = api(User.objects.create_user("outsider", role="remediator"))
    assert outsider.post(f"{path}/approve", body).status_code == 404
    assert outsider.post(SETS, CLOSE | {"findings": [many.findings(NAMES[0])[0].pk]}).status_code == 409
    assert api(everyone["remediator"]).post(f"{path}/discard", {}).json()["state"] == "discarded"
    assert api(everyone["remediator"]).get(f"{SETS}/999999").status_code == 404
