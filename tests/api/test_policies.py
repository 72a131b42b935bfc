"""Policies of one's own and settings of rules over the API."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from nephoscope.accounts.models import Account, User
from nephoscope.policies.models import Policy, Rejudging, RuleSetting

pytestmark = pytest.mark.django_db

POLICIES, SETTINGS = "/api/v1/policies", "/api/v1/rule-settings"
KEYS = "aws.iam.key_rotation"


@pytest.fixture
def admin(api: Any, administrator: User) -> Any:
    return api(administrator)


def test_a_policy_is_copied_changed_and_deleted(admin: Any) -> None:
    made = admin.post(POLICIES, {"name": "Ours", "based_on": "aws_cis_5.0"}, format="json").json()
    assert (made["id"], made["own"], made["based_on"], made["tags"]) == ("own_ours", True, "aws_cis_5.0", {})
    address = f"{POLICIES}/own_ours"
    added = admin.post(f"{address}/rules", {"rule": "aws.acm.expiry"}, format="json").json()
    assert added["controls"][-1] == {
        "id": "added",
        "title": "Added rules",
        "rules": ["aws.acm.expiry"],
        "manual": False,
        "demands": {},
    }
    assert admin.delete(f"{address}/rules/aws.acm.expiry").json()["controls"] == made["controls"]
    renamed = admin.patch(address, {"name": "Mine", "tags": {"env": "prod"}}, format="json").json()
    assert (renamed["id"], renamed["name"], renamed["tags"]) == ("own_ours", "Mine", {"env": "prod"})
    assert admin.get(address).json() == renamed
    assert admin.delete(address).status_code == 204
    assert admin.get(address).status_code == 404


def test_a_plugins_policy_can_be_scoped_and_is_not_changed(admin: Any, account: Account) -> None:
    address = f"{POLICIES}/aws_cis_5.0"
    assert admin.patch(address, {"tags": {"env": "prod"}}, format="json").json()["tags"] == {"env": "prod"}
    for answer in (
        admin.patch(address, {"name": "Mine"}, format="json"),
        admin.delete(address),
        admin.post(f"{address}/rules", {"rule": "aws.acm.expiry"}, format="json"),
        admin.delete(f"{address}/rules/{KEYS}"),
    ):
        assert answer.status_code == 409
        assert answer.json() == {
            "policy": ["This policy comes from a plugin and is read-only. Clone it and change the clone."]
        }
    assert not Policy.objects.exists()


def test_a_policy_in_use_is_not_deleted_and_says_where(admin: Any, account: Account) -> None:
    admin.post(POLICIES, {"name": "Ours", "based_on": "aws_cis_5.0"}, format="json")
    admin.patch(f"/api/v1/accounts/{account.pk}", {"policies": ["own_ours"]}, format="json")
    answer = admin.delete(f"{POLICIES}/own_ours")
    assert answer.status_code == 409
    assert answer.json() == {"policy": ["Ours applies to prod. Remove it there first."]}


def test_tags_of_an_account_are_set_and_bring_policies(admin: Any, account: Account) -> None:
    address = f"/api/v1/accounts/{account.pk}"
    admin.patch(address, {"policies": ["aws_fsbp"]}, format="json")
    admin.patch(f"{POLICIES}/aws_cis_5.0", {"tags": {"env": "prod"}}, format="json")
    Rejudging.objects.all().delete()
    assert admin.patch(address, {"tags": {"env": "prod", "x": ""}}, format="json").json()["tags"] == {
        "env": "prod",
        "x": "",
    }
    assert Rejudging.objects.get().waiting
    standing = admin.get("/api/v1/compliance", {"account": account.pk, "policy": "aws_cis_5.0"}).json()["results"]
    assert [each["chosen"] for each in standing] == [True]
    wrong = admin.patch(address, {"tags": {"a<b": "c"}}, format="json")
    assert (wrong.status_code, list(wrong.json())) == (409, ["tags"])


def test_a_rule_is_set_and_what_was_set_is_taken_back(admin: Any, account: Account) -> None:
    asked = {"rule": KEYS, "account": account.pk, "severity": "critical", "parameters": {"days": 30}}
    made = admin.post(SETTINGS, asked, format="json")
    assert made.status_code == 201
    row = made.json()
    assert (row["account"], row["policy"], row["parameters"]) == (
        {"id": account.pk, "name": "prod"},
        None,
        {"days": 30},
    )
    assert row.pop("unmet") == []
    assert admin.get(SETTINGS, {"rule": KEYS}).json()["results"] == [row]
    assert admin.get(SETTINGS, {"off": True}).json()["count"] == 0
    assert admin.post(SETTINGS, {"rule": KEYS, "account": account.pk}, format="json").status_code == 204
    assert not RuleSetting.objects.exists()


def test_the_figures_of_a_control_are_told_and_what_is_set_laxer_than_those(admin: Any, account: Account) -> None:
    account.policies = ["aws_cis_5.0"]
    account.save()
    controls = {each["id"]: each for each in admin.get(f"{POLICIES}/aws_cis_5.0").json()["controls"]}
    assert controls["1.13"]["demands"] == {KEYS: {"days": 90}}
    made = admin.post(SETTINGS, {"rule": KEYS, "parameters": {"days": 365}}, format="json")
    assert made.json()["unmet"] == [
        {
            "policy": "aws_cis_5.0",
            "policy_name": "CIS Amazon Web Services Foundations 5.0",
            "control": "1.13",
            "title": controls["1.13"]["title"],
            "parameter": "days",
            "in_force": 365,
            "demanded": 90,
            "message": "“Maximum key age in days” is 365. This control requires 90, so a pass does not count.",
        }
    ]
    assert admin.post(SETTINGS, {"rule": KEYS, "parameters": {"days": 30}}, format="json").json()["unmet"] == []


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"rule": "no.such"}, 409, "rule"),
        ({"rule": KEYS, "severity": "dreadful"}, 400, "severity"),
        ({"rule": KEYS, "parameters": {"days": "many"}}, 400, "parameters"),
        ({"rule": KEYS, "parameters": {"days": -1}}, 409, "days"),
        ({"rule": KEYS, "parameters": {"day": 1}}, 409, "day"),
        ({"rule": KEYS, "off": True}, 409, "reason"),
        ({"rule": KEYS, "account": 999_999}, 409, "account"),
        ({"rule": KEYS, "policy": "aws_cis_5.0"}, 409, "policy"),
        ({"rule": KEYS, "strange": 1}, 400, "strange"),
        ({"severity": "low"}, 400, "rule"),
    ],
)
def test_a_wrong_setting_is_refused_by_the_name_of_the_field(
    admin: Any, body: dict[str, Any], status: int, field: str
) -> None:
    answer = admin.post(SETTINGS, body, format="json")
    assert (answer.status_code, list(answer.json())) == (status, [field])
    assert not RuleSetting.objects.exists()


def test_what_is_set_for_an_account_is_seen_by_those_who_see_the_account(
    api: Any, viewer: User, stranger: User, account: Account
) -> None:
    RuleSetting.objects.create(rule_id=KEYS, severity="low")
    RuleSetting.objects.create(rule_id=KEYS, severity="low", account=account)
    assert api(viewer).get(SETTINGS).json()["count"] == 2
    assert [each["account"] for each in api(stranger).get(SETTINGS).json()["results"]] == [None]


def test_a_rule_says_which_thresholds_it_has(admin: Any, world: SimpleNamespace) -> None:
    [days] = admin.get(f"/api/v1/rules/{KEYS}").json()["parameters"]
    assert (days["name"], days["kind"], days["default"], days["stricter"]) == ("days", "days", 90, "lower")
    assert admin.get("/api/v1/rules/toy.closed").json()["parameters"] == []
