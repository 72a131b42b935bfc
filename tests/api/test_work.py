"""The whole work over the API: connect, scan, suppress, recheck, fix, undo."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from tests.house import House

from nephoscope import testing as toy
from nephoscope.accounts.models import Account, User
from nephoscope.audit.models import Entry
from nephoscope.changes.applying import work as apply_or_undo
from nephoscope.changes.models import Change
from nephoscope.scans.runner import work

pytestmark = pytest.mark.django_db

V1 = "/api/v1"


def test_an_account_is_connected_configured_and_scanned(
    cloud: toy.ToyCloud, administrator: User, group: Any, viewer: User, api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.doors |= {"front": True, "<b>back</b>": False}
    client = api(administrator)

    made = client.post(f"{V1}/accounts", {"name": "house", "provider": "toy"}).json()
    assert (made["number"], made["verified_at"], made["settings"]["secret"]) == ("", None, "generated-secret-word")
    account = f"{V1}/accounts/{made['id']}"
    [kit] = client.get(f"{account}/setup-templates").json()
    assert (kit["filename"], "--allow toy:GetDoor" in kit["text"]) == ("role.sh", True)
    assert "--choose Doors,Locks" in client.get(f"{account}/setup-templates?writing=true").json()[0]["text"]
    assert "Verify the connection" in client.post(f"{account}/scan", {}).json()["account"][0]

    verified = client.post(f"{account}/verify", {"role": "role/reader"}).json()
    assert verified["verification"] == {
        "reading": {
            "principal": "role/reader",
            "checks": [{"permission": "toy:GetDoor", "allowed": True, "detail": ""}],
        }
    }
    assert (verified["number"], verified["regions"], verified["policies"]) == (
        "1" * 12,
        ["north", "south"],
        ["toy-policy"],
    )
    assert [each["id"] for each in client.get(f"{account}/regions").json()] == ["north", "south", "far"]
    changed = client.patch(account, {"name": "home", "regions": ["north"], "groups": [group.pk]}).json()
    assert (changed["name"], changed["regions"], changed["groups"][0]["name"]) == ("home", ["north"], group.name)

    scan = client.post(f"{account}/scan", {"regions": ["north"]})
    assert (scan.status_code, scan.json()["state"], scan.json()["progress"]["percent"]) == (201, "queued", 0)
    work(scan.json()["id"])
    done = api(viewer).get(f"{V1}/scans/{scan.json()['id']}").json()
    assert (done["state"], done["progress"]["percent"], done["progress"]["resources"]) == ("succeeded", 100, 2)
    assert {(shard["service"], shard["region"], shard["state"]) for shard in done["shards"]} == {
        ("doors", "north", "done"),
        ("judge", "global", "done"),
    }
    [alert] = api(viewer).get(f"{V1}/alerts").json()["results"]
    assert (alert["title"], alert["severity"], alert["affected"]) == ("Doors are closed", "high", 1)


def test_own_credentials_empty_the_settings_for_reading(toy_account: Account, administrator: User, api: Any) -> None:
    shown = api(administrator).post(f"{V1}/accounts/{toy_account.pk}/verify", {"own_credentials": True}).json()

    assert (shown["settings"]["role"], shown["settings"]["write_role"]) == ("", "role/writer")


def test_a_provider_without_own_credentials_refuses_them(
    toy_account: Account, administrator: User, api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(toy.ToyOnboarding, "own_credentials")
    answer = api(administrator).post(f"{V1}/accounts/{toy_account.pk}/verify", {"own_credentials": True})
    assert answer.status_code == 409 and list(answer.json()) == ["own_credentials"]


def test_a_provider_lists_what_is_entered_of_accounts_and_of_organisations(
    toy_account: Account, viewer: User, api: Any
) -> None:
    shown = api(viewer).get(f"{V1}/providers/toy").json()
    assert [each["name"] for each in shown["settings"]] == [each.name for each in toy.ToyCloud.fields]
    assert [each["name"] for each in shown["organisation_settings"]] == [
        each.name for each in toy.ToyOrganisations.fields
    ]


def test_the_fix_role_is_verified_on_its_own(toy_account: Account, administrator: User, api: Any) -> None:
    asked = {"write_role": "role/fixer", "writing": True}

    shown = api(administrator).post(f"{V1}/accounts/{toy_account.pk}/verify", asked).json()

    checked = [check["permission"] for check in shown["verification"]["writing"]["checks"]]
    assert checked == ["toy:OrderLock", "toy:SetDoor"]


def test_another_account_with_the_same_number_is_refused(toy_account: Account, administrator: User, api: Any) -> None:
    second = api(administrator).post(f"{V1}/accounts", {"name": "second", "provider": "toy"}).json()

    answer = api(administrator).post(f"{V1}/accounts/{second['id']}/verify", {"role": "role/reader"})

    assert answer.status_code == 409
    assert answer.json() == {"account": ["Account 111111111111 is already connected as prod."]}
    assert Account.objects.get(pk=second["id"]).number == ""


def test_a_scan_is_cancelled(world: SimpleNamespace, analyst: User, api: Any) -> None:
    path = f"{V1}/scans/{world.scan.pk}/cancel"

    answer = api(analyst).post(path)

    assert answer.json()["state"] == "cancelled"
    assert {shard["state"] for shard in answer.json()["shards"]} == {"cancelled"}
    assert api(analyst).post(path).json() == {"scan": ["This scan has already finished."]}


def test_an_alert_tells_everything_that_one_needs(world: SimpleNamespace, remediator: User, api: Any) -> None:
    shown = api(remediator).get(f"{V1}/alerts/{world.alert.pk}").json()

    assert shown["reference"] == str(world.alert)
    assert (shown["about"]["fix"], shown["about"]["link"]) == ("1. Push.", "https://example.com/doors")
    assert "Rain comes in" in shown["about"]["why"]
    assert shown["controls"] == [
        {
            "policy": "toy-policy",
            "policy_name": "Toy policy",
            "control": "1.1",
            "title": "Doors",
            "state": "not_checked",
            "result": "Not checked",
            "accepted": 0,
        }
    ]
    front = next(each for each in shown["findings"] if each["resource"]["name"] == "front")
    assert front["evidence"] == [{"path": "Open", "value": True, "absent": False, "resource": ""}]
    maker = {"name": "maker", "label": "Maker", "help": "Who makes the lock.", "required": True, "default": ""}
    lock = "Orders a lock, and closes the door with it."
    fixes = [
        {"id": "toy.close", "title": "Close the door", "summary": "Closes it.", "group": "Doors", "inputs": []},
        {"id": "toy.lock", "title": "Fit a lock", "summary": lock, "group": "Locks", "inputs": [maker]},
    ]
    allowed = {"breaks": "Nobody comes in without a key.", "allowed": None, "why": "", "command": ""}
    assert shown["fixing"] == {"ready": True, "why": "", "remediations": [each | allowed for each in fixes]}
    assert f"ada suppressed 1 resource of {world.alert}: back" in [each["sentence"] for each in shown["timeline"]]


def test_an_alert_whose_rule_is_gone_is_still_shown(world: SimpleNamespace, viewer: User, api: Any) -> None:
    world.alert.key = "gone.rule"
    world.alert.save()

    shown = api(viewer).get(f"{V1}/alerts/{world.alert.pk}").json()

    assert (shown["about"], shown["controls"], shown["fixing"]["ready"]) == (None, [], False)


def test_suppressed_resources_leave_and_come_back_at_once(world: SimpleNamespace, analyst: User, api: Any) -> None:
    alert, client = f"{V1}/alerts/{world.alert.pk}", api(analyst)
    reason = {"reason": "test door", "expires_at": "2100-01-01T00:00:00Z"}

    shown = client.post(f"{alert}/suppress", {"resources": [world.front.resource_id], **reason}).json()
    assert (shown["state"], shown["affected"], shown["suppressed"]) == ("suppressed", 0, 2)
    assert client.get(f"{V1}/alerts").json()["count"] == 0
    [newest, *_rest] = client.get(f"{V1}/suppressions?alert={world.alert.pk}").json()["results"]
    assert (newest["resource_name"], newest["reason"], newest["author"]) == ("front", "test door", analyst.username)
    assert newest["expires_at"] == "2100-01-01T00:00:00Z"

    shown = client.post(f"{alert}/unsuppress", {"findings": [world.front.pk, world.back.pk]}).json()
    assert (shown["state"], shown["affected"], shown["suppressed"]) == ("open", 2, 0)
    actions = [entry["action"] for entry in shown["timeline"][:2]]
    assert actions == ["alert.unsuppressed", "alert.suppressed"]


def test_a_resource_fixed_by_hand_is_found_right_by_a_recheck(world: SimpleNamespace, analyst: User, api: Any) -> None:
    world.cloud.doors |= {"front": False}
    del world.cloud.doors["back"]

    both = [world.front.pk, world.back.pk]
    answer = api(analyst).post(f"{V1}/alerts/{world.alert.pk}/recheck", {"findings": both})

    assert answer.json() == {"closed": 1, "still": 0, "gone": 1, "problems": []}
    assert api(analyst).get(f"{V1}/alerts/{world.alert.pk}").json()["state"] == "resolved"


def test_a_fix_is_planned_read_applied_and_undone(world: SimpleNamespace, remediator: User, api: Any) -> None:
    client, asked = api(remediator), {"findings": [world.front.pk], "remediation": "toy.close"}

    planned = client.post(f"{V1}/alerts/{world.alert.pk}/plan", asked)
    assert planned.status_code == 201
    plan = planned.json()
    assert (plan["state"], plan["permissions"]) == ("planned", [{"action": "toy:SetDoor", "resource": "*"}])
    [step] = plan["steps"]
    assert (step["before"], step["after"], step["state"]) == ({"Open": True}, {"Open": False}, "pending")
    assert step["call"]["body"] == {"door": "front", "open": False}
    assert step["inverse"]["body"] == {"door": "front", "open": True}

    change = f"{V1}/changes/{plan['id']}"
    answer = client.post(f"{change}/apply", {"digest": plan["digest"], "reason": "rain"})
    queued = answer.json()
    assert (answer.status_code, queued["state"]) == (202, "approved")
    assert (queued["approved_by"], queued["reason"]) == (remediator.username, "rain")
    assert world.cloud.doors["front"] is True
    apply_or_undo(plan["id"])
    assert client.get(change).json()["state"] == "verified"
    assert world.cloud.doors["front"] is False
    again = client.post(f"{change}/apply", {"digest": plan["digest"], "reason": "rain"})
    assert (again.status_code, "already" in again.json()["change"][0]) == (409, True)

    answer = client.post(f"{change}/undo", {"reason": "air"})
    queued = answer.json()
    assert (answer.status_code, queued["state"]) == (202, "undo_queued")
    assert (queued["undo_by"], queued["undo_reason"]) == (remediator.username, "air")
    apply_or_undo(plan["id"])
    assert client.get(change).json()["state"] == "undone"
    assert world.cloud.doors["front"] is True
    assert client.get(f"{V1}/alerts/{world.alert.pk}").json()["state"] == "open"
    assert {"change.planned", "change.approved", "change.verified", "change.undone"} <= set(
        Entry.objects.filter(target_type="change", target_id=str(plan["id"])).values_list("action", flat=True)
    )


def test_a_plan_that_no_longer_fits_is_refused_and_says_so(world: SimpleNamespace, remediator: User, api: Any) -> None:
    world.cloud.doors["front"] = False

    change = f"{V1}/changes/{world.change.pk}"
    api(remediator).post(f"{change}/apply", {"digest": world.change.digest, "reason": "rain"})
    apply_or_undo(world.change.pk)

    shown = api(remediator).get(change).json()
    assert shown["state"] == "refused"
    assert "has changed since this was planned" in shown["outcome"]


def test_a_fix_is_told_what_it_asks_for(world: SimpleNamespace, remediator: User, api: Any) -> None:
    client, plan = api(remediator), f"{V1}/alerts/{world.alert.pk}/plan"
    asked = {"findings": [world.front.pk], "remediation": "toy.lock"}

    for inputs, said in (
        ({}, {"maker": ["Maker is missing."]}),
        ({"maker": "Yale", "colour": "red"}, {"colour": ["This fix does not ask for “colour”."]}),
    ):
        refused = client.post(plan, {**asked, "inputs": inputs})
        assert (refused.status_code, refused.json()) == (409, said)
    made = client.post(plan, {**asked, "inputs": {"maker": "Yale"}}).json()

    assert made["inputs"] == {"maker": "Yale"}
    assert (made["steps"][0]["wait"]["path"], made["steps"][0]["wait"]["until"]) == ("State", ["ready"])
    assert made["steps"][1]["wait"] is None


def test_suppressing_a_detection_archives_it_only_where_one_asks_for_it(
    report: House, everyone: dict[str, User], api: Any
) -> None:
    suppress = f"{V1}/alerts/{report.alert.pk}/suppress"
    asked = {"findings": [report.alert.findings.get().pk], "reason": "we know"}

    for role, status in (("stranger", 404), ("viewer", 403), ("analyst", 403)):
        assert api(everyone[role]).post(suppress, {**asked, "archive": True}).status_code == status, role
    assert api(everyone["analyst"]).post(suppress, asked).json()["state"] == "suppressed"
    assert not Change.objects.exists()
    assert api(everyone["remediator"]).post(suppress, {**asked, "archive": True}).status_code == 200
    change = Change.objects.get()
    assert (change.state, change.approved_by) == ("approved", everyone["remediator"])
    apply_or_undo(change.pk)
    assert report.cloud.doors["front"] is False

    unsuppress = f"{V1}/alerts/{report.alert.pk}/unsuppress"
    shown = api(everyone["remediator"]).post(unsuppress, {"findings": asked["findings"]}).json()
    assert shown["state"] == "open"
    apply_or_undo(change.pk)
    assert report.cloud.doors["front"] is True
