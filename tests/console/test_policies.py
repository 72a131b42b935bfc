"""Policies and rules in the console: cloned, changed, scoped and set, by administrators only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from nephoscope.accounts.models import Account, User
from nephoscope.audit.services import Actor
from nephoscope.policies.models import Policy, PolicyScope, RuleSetting
from nephoscope.policies.rejudging import request as ask
from nephoscope.policies.services import create_policy

pytestmark = pytest.mark.django_db

SignIn = Callable[..., Client]
CIS, KEYS, EXPIRY = "aws_cis_5.0", "aws.iam.key_rotation", "aws.acm.expiry"


@pytest.fixture
def own(system: Actor) -> Policy:
    return create_policy(system, name="Ours <b>", based_on=CIS)


def at(name: str, *arguments: Any) -> str:
    return reverse(f"admin:{name}", args=arguments)


def acts(own: Policy) -> list[tuple[str, dict[str, str]]]:
    key = own.key
    return [
        (at("policy_new"), {"name": "Second"}),
        (at("policy_edit", key), {"name": "Renamed"}),
        (at("policy_add", key), {"rule": EXPIRY}),
        (at("policy_scope", CIS), {"tags": "env=prod"}),
        (at("policy_remove", key, KEYS), {}),
        (at("rule_set", KEYS), {"severity": "low"}),
        (at("policy_delete", key), {}),
    ]


@pytest.mark.parametrize("role", ["viewer", "analyst", "remediator", "stranger"])
def test_who_may_not_set_policies_sees_them_without_what_changes_them(
    role: str, everyone: dict[str, User], own: Policy, account: Account, sign_in: SignIn
) -> None:
    client = sign_in(everyone[role])
    for address in (at("policies"), at("policy", CIS), at("policy", own.key), at("rule", KEYS)):
        page = client.get(address)
        assert page.status_code == 200
        text = page.content.decode()
        assert not any(
            word in text for word in ("New policy", "Clone</a>", "Add rule", "Set for all accounts", "Delete")
        )
        assert (">prod<" in text) == (role != "stranger" and address == at("policy", CIS))
    for address, given in acts(own):
        assert client.post(address, given).status_code == 403, address
        assert client.get(address).status_code == 403, address
    assert (Policy.objects.count(), RuleSetting.objects.count(), PolicyScope.objects.count()) == (1, 0, 0)


def test_an_administrator_goes_through_every_act(administrator: User, own: Policy, sign_in: SignIn) -> None:
    client = sign_in(administrator)
    for address, given in acts(own):
        if "add" not in address:
            assert client.get(address).status_code == 200, address
        assert client.post(address, given).status_code == 302, address
    assert [each.name for each in Policy.objects.all()] == ["Second"]
    assert RuleSetting.objects.get().severity == "low"
    assert PolicyScope.objects.get().tags == {"env": "prod"}


def test_a_policy_of_a_plugin_says_how_to_change_it(administrator: User, sign_in: SignIn) -> None:
    client = sign_in(administrator)
    page = client.get(at("policy", CIS)).content.decode()
    assert "Clone it to change its rules" in page and f"{at('policy_new')}?based_on={CIS}" in page
    assert "Add rule" not in page
    form = client.get(at("policy_new"), {"based_on": CIS}).context["form"]
    assert form.initial["based_on"] == CIS and form.initial["name"].endswith("(custom)")
    made = client.post(at("policy_new"), {"name": "Mine", "based_on": CIS}, follow=True)
    assert made.context["own"].based_on == CIS
    for name in ("policy_edit", "policy_delete", "policy_add"):
        assert client.post(at(name, CIS), {"name": "x"}).status_code == 404


def test_markup_in_a_name_is_shown_as_text(administrator: User, own: Policy, account: Account, sign_in: SignIn) -> None:
    client = sign_in(administrator)
    for address in (at("policies"), at("policy", own.key), at("policy_delete", own.key), at("rule", KEYS)):
        text = client.get(address).content.decode()
        assert "Ours <b>" not in text and "Ours &lt;b&gt;" in text, address


def test_what_cannot_be_set_is_said_beside_its_field(administrator: User, own: Policy, sign_in: SignIn) -> None:
    client = sign_in(administrator)
    for address, given, field in (
        (at("rule_set", KEYS), {"days": "5000"}, "days"),
        (at("rule_set", KEYS), {"off": "on"}, "reason"),
        (at("rule_set", KEYS), {"severity": "dreadful"}, "severity"),
        (at("policy_new"), {"name": own.name}, "name"),
        (at("policy_scope", CIS), {"tags": "nonsense"}, "tags"),
    ):
        page = client.post(address, given)
        assert page.status_code == 200 and page.context["form"].errors[field], address
    assert client.get(at("rule_set", KEYS), {"account": "999"}).status_code == 404
    assert client.get(at("rule_set", KEYS), {"policy": "none"}).status_code == 404
    assert client.get(at("rule_set", "no.such")).status_code == 404


def test_a_rule_says_where_it_is_set_by_whom_and_why(
    administrator: User, viewer: User, account: Account, own: Policy, sign_in: SignIn
) -> None:
    client = sign_in(administrator)
    there = f"{at('rule_set', KEYS)}?account={account.pk}"
    client.post(there, {"off": "on", "reason": "keys are rotated elsewhere"})
    client.post(f"{at('rule_set', KEYS)}?policy={own.key}", {"days": "30"})
    assert "off" not in client.get(f"{at('rule_set', KEYS)}?policy={own.key}").context["form"].fields
    for page in (client.get(at("rule", KEYS)), sign_in(viewer).get(at("accounts_account_change", account.pk))):
        text = page.content.decode()
        assert "keys are rotated elsewhere" in text and "ada, <time" in text
    assert "neph-severity neph-medium" in client.get(at("rule", KEYS)).content.decode()
    assert client.get(there).context["form"].initial["reason"] == "keys are rotated elsewhere"
    client.post(there, {"lift": "1"})
    assert RuleSetting.objects.get().policy == own


def test_the_settings_of_an_account_offer_policies_by_family(
    administrator: User, account: Account, own: Policy, sign_in: SignIn, aws: Any
) -> None:
    client, address = sign_in(administrator), at("accounts_account_configure", account.pk)
    families = client.get(address).context["policies"]
    assert families[0][0] == "Custom" and "NIST" in dict(families)
    assert next(each.id for each, _on, _tagged in dict(families)["CIS"]) == "aws_cis_1.4"
    given = {
        "name": "prod",
        "regions": ["us-east-1"],
        "policies": [own.key],
        "tags": "env=prod\nteam = x",
        "configure": 1,
    }
    client.post(address, given)
    account.refresh_from_db()
    assert (account.policies, account.tags) == ([own.key], {"env": "prod", "team": "x"})
    page = client.post(address, given | {"tags": "nonsense"})
    assert page.context["errors"]["tags"] and page.context["tags"] == "nonsense"


def test_the_account_says_what_its_tags_bring_and_that_it_is_judged_again(
    viewer: User, account: Account, own: Policy, sign_in: SignIn
) -> None:
    account.tags, account.policies = {"env": "prod"}, [CIS]
    account.save()
    PolicyScope.objects.create(policy=own.key, tags={"env": "prod"})
    client, address = sign_in(viewer), at("accounts_account_change", account.pk)
    text = client.get(address).content.decode()
    assert "Policies by tag" in text and "env=prod" in text and "judged again" not in text
    ask([account])
    assert "re-evaluated without a new scan" in client.get(address).content.decode()
    assert "re-evaluating" in client.get(at("policy", own.key)).content.decode()


def test_policies_ask_the_same_number_of_questions_however_much_is_set(
    viewer: User, account: Account, own: Policy, sign_in: SignIn, django_assert_max_num_queries: Any
) -> None:
    client = sign_in(viewer)
    rows = [RuleSetting(rule_id=rule, policy=own, severity="low") for rule in own.to_domain().rules]
    RuleSetting.objects.bulk_create(rows)
    for address in (at("policies"), at("policy", own.key), at("rules")):
        with django_assert_max_num_queries(17):
            client.get(address)
