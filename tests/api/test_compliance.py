"""Compliance over the API: the scores, the files, and who gets them."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from nephoscope.accounts.models import Account, User
from nephoscope.audit.services import Actor
from nephoscope.compliance.snapshots import record
from nephoscope.inventory.models import JUDGE, Shard
from nephoscope.policies.rule_settings import set_rule

pytestmark = pytest.mark.django_db

FILES = "/api/v1/compliance/export"


@pytest.fixture
def judged(world: SimpleNamespace) -> SimpleNamespace:
    """The world after a scan that read everything."""
    Shard.objects.filter(scan=world.scan).update(state="done")
    record(world.scan)
    return world


def asked(world: SimpleNamespace, **more: Any) -> dict[str, Any]:
    return {"account": world.account.pk, "policy": "toy-policy", **more}


def test_a_score_with_its_controls_by_state(judged: SimpleNamespace, viewer: User, api: Any) -> None:
    [row] = api(viewer).get("/api/v1/compliance", asked(judged)).json()["results"]
    assert row["account"] == {"id": judged.account.pk, "name": "prod"}
    assert row["policy"] == {"id": "toy-policy", "name": "Toy policy"}
    assert (row["score"], row["controls"]["fail"], row["accepted"], row["unread"]) == (0, 1, 1, [])
    assert row["chosen"] and row["judged_at"] and row["not_checked_because"] == ""


def test_other_accounts_and_policies_are_left_out(judged: SimpleNamespace, viewer: User, api: Any) -> None:
    for narrow in ({"account": 999_999}, {"policy": "no-such"}):
        assert api(viewer).get("/api/v1/compliance", narrow).json()["count"] == 0


def test_before_any_scan_it_says_why_there_is_no_score(world: SimpleNamespace, viewer: User, api: Any) -> None:
    [row] = api(viewer).get("/api/v1/compliance").json()["results"]
    assert row["score"] is None and row["judged_at"] is None and "not been fully scanned" in row["not_checked_because"]
    assert Shard.objects.filter(service=JUDGE).exists()


@pytest.mark.parametrize(
    ("form", "type", "begins"),
    [
        ("csv", "text/csv; charset=utf-8", b"account,"),
        ("json", "application/json", b"{"),
        ("pdf", "application/pdf", b"%PDF-"),
    ],
)
def test_each_form_for_everyone_who_sees_the_account(
    form: str, type: str, begins: bytes, judged: SimpleNamespace, everyone: dict[str, User], api: Any
) -> None:
    for role, user in everyone.items():
        answer = api(user).get(f"{FILES}/{form}", asked(judged))
        if role == "stranger":
            assert (answer.status_code, answer.json()) == (404, {"detail": f"There is no account {judged.account.pk}."})
            continue
        assert (answer.status_code, answer["Content-Type"]) == (200, type), role
        assert answer.content.startswith(begins)
        assert f'.{form}"' in answer["Content-Disposition"]
    assert api().get(f"{FILES}/{form}", asked(judged)).status_code == 401


def test_the_json_leads_down_to_the_resource(judged: SimpleNamespace, viewer: User, api: Any) -> None:
    found = json.loads(api(viewer).get(f"{FILES}/json", asked(judged)).content)
    [rule] = found["controls"][0]["rules"]
    assert [each["name"] for each in rule["failed"]] == ["front"]
    assert [each["reason"] for each in rule["accepted"]] == ["nobody comes there"]


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        ("", {"acount": "1"}),
        ("", {"account": "x"}),
        ("/export/csv", {}),
        ("/export/csv", {"account": "1"}),
        ("/export/csv", {"account": "1", "policy": "x", "state": "fail"}),
    ],
)
def test_wrong_parameters_are_refused_by_name(path: str, wrong: dict[str, str], viewer: User, api: Any) -> None:
    assert api(viewer).get(f"/api/v1/compliance{path}", wrong).status_code == 400


def test_what_there_is_not_is_not_found(judged: SimpleNamespace, viewer: User, api: Any) -> None:
    assert api(viewer).get(f"{FILES}/csv", asked(judged, policy="aws_cis_5.0")).status_code == 404
    assert api(viewer).get(f"{FILES}/doc", asked(judged)).status_code == 404


def test_a_control_that_passes_by_a_laxer_value_is_unknown_and_names_both_values(
    account: Account, scanned: Any, find: Any, system: Actor, viewer: User, api: Any
) -> None:
    set_rule(system, "aws.iam.password_length", parameters={"length": 8})
    account.policies = ["aws_cis_5.0"]
    account.save()
    scanned()
    find("aws.iam.password_length", "pass")
    asked = {"account": account.pk, "policy": "aws_cis_5.0"}
    [row] = api(viewer).get("/api/v1/compliance", asked).json()["results"]
    assert (row["score"], row["controls"]["pass"], row["controls"]["unknown"]) == (None, 0, 1)
    controls = json.loads(api(viewer).get(f"{FILES}/json", asked).content)["controls"]
    [control] = [each for each in controls if each["state"] == "unknown"]
    [threshold] = control["rules"][0]["thresholds"]
    assert (control["id"], threshold["in_force"], threshold["demanded"], threshold["laxer"]) == ("1.7", 8, 14, True)
