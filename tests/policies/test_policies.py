"""Policies of one's own, rules that are set otherwise, and policies that tags bring."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from nephoscope.accounts import tags
from nephoscope.accounts.models import Account, User
from nephoscope.audit.models import Entry
from nephoscope.audit.services import Actor
from nephoscope.connections.services import configure_account, create_account
from nephoscope.domain import Framework, Parameter, Rule, TagLimits
from nephoscope.plugins import registry
from nephoscope.policies.models import Policy, Rejudging, RuleSetting
from nephoscope.policies.queries import EffectivePolicies, EffectiveRule, catalogue
from nephoscope.policies.rule_settings import EVERYWHERE, Place, lift, set_rule
from nephoscope.policies.services import (
    add_rule,
    configure_policy,
    create_policy,
    remove_policy,
    remove_rule,
    set_scope,
)
from nephoscope.testing import ToyCloud

pytestmark = pytest.mark.django_db

UNUSED, PORTS, IDLE = "aws.iam.unused_credentials", "aws.ec2.sg_high_risk_ports", "aws.iam.root_not_used"
CIS = "aws_cis_5.0"


@pytest.fixture
def own(system: Actor) -> Policy:
    return create_policy(system, name="Our CIS", description="As we do it", based_on=CIS)


def choose(account: Account, *policies: str) -> None:
    account.policies = list(policies)
    account.save()


def here(account: Account, rule: str) -> EffectiveRule:
    return EffectivePolicies.of(account).rule(registry().rules[rule])


def ids(policies: list[Framework]) -> list[str]:
    return [each.id for each in policies]


# -- Policies ------------------------------------------------------------------------------------------------------


def test_a_copy_has_the_controls_of_what_it_was_copied_from(own: Policy) -> None:
    copy, source = own.to_domain(), registry().frameworks[CIS]
    assert (own.key, copy.provider, copy.controls) == ("own_our_cis", "aws", source.controls)
    assert catalogue().policies[own.key] == copy
    assert Entry.objects.get().sentence == f"created the policy Our CIS as a copy of {source.name}"


def test_a_policy_without_rules_takes_the_first_one(system: Actor) -> None:
    empty = create_policy(system, name="Own rules", provider="aws")
    assert add_rule(system, empty, UNUSED).to_domain().rules == {UNUSED}
    [control] = Policy.objects.get().to_domain().controls
    assert (control.id, control.rules) == ("added", (UNUSED,))
    assert remove_rule(system, empty, UNUSED).to_domain().controls == ()


def test_a_rule_is_added_to_a_control_and_removed_from_all(system: Actor, own: Policy) -> None:
    first = own.controls[0]["id"]
    add_rule(system, own, PORTS, first)
    own = add_rule(system, own, PORTS)
    assert [each.id for each in own.to_domain().controls if PORTS in each.rules] == [first, "added"]
    own = remove_rule(system, own, PORTS)
    assert PORTS not in own.to_domain().rules
    title = registry().rules[PORTS].title
    assert Entry.objects.first().sentence == f"removed “{title}” from Our CIS"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("act", "field"),
    [
        (lambda actor, own: create_policy(actor, name="Our CIS", provider="aws"), "name"),
        (lambda actor, own: create_policy(actor, name=registry().frameworks[CIS].name, provider="aws"), "name"),
        (lambda actor, own: create_policy(actor, name="", provider="aws"), "name"),
        (lambda actor, own: create_policy(actor, name="Mars", provider="mars"), "provider"),
        (lambda actor, own: create_policy(actor, name="Copy", based_on="no-such"), "based_on"),
        (lambda actor, own: add_rule(actor, own, "no.such.rule"), "rule"),
        (lambda actor, own: add_rule(actor, own, PORTS, "99.99"), "control"),
        (lambda actor, own: remove_rule(actor, own, "no.such.rule"), "rule"),
        (lambda actor, own: set_scope(actor, "no-such", {"a": "b"}), "policy"),
        (lambda actor, own: set_scope(actor, CIS, {"a;b": "c"}), "tags"),
        (lambda actor, own: set_rule(actor, "no.such.rule", severity="low"), "rule"),
        (lambda actor, own: set_rule(actor, UNUSED, severity="dreadful"), "severity"),
        (lambda actor, own: set_rule(actor, UNUSED, parameters={"days": 0}), "days"),
        (lambda actor, own: set_rule(actor, UNUSED, parameters={"days": "45"}), "days"),
        (lambda actor, own: set_rule(actor, UNUSED, parameters={"weeks": 3}), "weeks"),
        (lambda actor, own: set_rule(actor, PORTS, parameters={"ports": [70_000]}), "ports"),
        (lambda actor, own: set_rule(actor, UNUSED, off=True), "reason"),
        (lambda actor, own: set_rule(actor, UNUSED, Place(policy=own), off=True, reason="no"), "off"),
        (lambda actor, own: set_rule(actor, "aws.acm.expiry", Place(policy=own), severity="low"), "rule"),
    ],
)
def test_what_is_wrong_is_refused_by_the_name_of_the_field(system: Actor, own: Policy, act: Any, field: str) -> None:
    before = list(Policy.objects.values()), RuleSetting.objects.count(), Entry.objects.count()
    with pytest.raises(ValidationError) as refused:
        act(system, own)
    assert list(refused.value.message_dict) == [field]
    assert (list(Policy.objects.values()), RuleSetting.objects.count(), Entry.objects.count()) == before


def test_a_policy_in_use_is_not_deleted(system: Actor, account: Account, own: Policy) -> None:
    choose(account, own.key)
    with pytest.raises(ValidationError, match="Our CIS applies to prod"):
        remove_policy(system, own)
    choose(account, CIS)
    account.tags = {"env": "prod"}
    account.save()
    set_scope(system, own.key, {"env": "prod"})
    with pytest.raises(ValidationError, match="Our CIS applies to prod"):
        remove_policy(system, own)
    set_scope(system, own.key, {})
    remove_policy(system, own)
    assert own.key not in catalogue().policies


def test_only_administrators_set_policies(everyone: dict[str, User], account: Account, own: Policy) -> None:
    acts: list[Any] = [
        lambda actor: configure_policy(actor, own, name="Renamed"),
        lambda actor: add_rule(actor, own, PORTS),
        lambda actor: remove_rule(actor, own, PORTS),
        lambda actor: set_scope(actor, CIS, {"env": "prod"}),
        lambda actor: set_rule(actor, UNUSED, Place(account=account), severity="low"),
        lambda actor: lift(actor, RuleSetting.objects.get()),
        lambda actor: create_policy(actor, name="Second", provider="aws"),
        lambda actor: remove_policy(actor, own),
    ]
    setting = RuleSetting.objects.create(rule_id=PORTS, severity="low")
    for role in ("viewer", "analyst", "remediator", "stranger"):
        for act in acts:
            with pytest.raises(PermissionDenied):
                act(Actor.of(everyone[role]))
    setting.delete()
    for act in acts:
        act(Actor.of(everyone["administrator"]))


# -- Where a policy applies ----------------------------------------------------------------------------------------


def test_a_policy_applies_by_choice_or_by_all_of_its_tags(system: Actor, account: Account, own: Policy) -> None:
    choose(account, CIS)
    set_scope(system, own.key, {"env": "prod", "tier": "1"})
    account.tags = {"env": "prod"}
    assert ids(catalogue().applied(account)) == [CIS]
    account.tags = {"env": "prod", "tier": "1", "owner": "ann"}
    assert ids(catalogue().applied(account)) == [CIS, own.key]
    assert ids(catalogue().by_tag(account)) == [own.key]


def test_tags_are_read_as_they_are_typed() -> None:
    assert tags.checked(tags.read("env = prod\n\n team=a=b \n"), None) == {"env": "prod", "team": "a=b"}
    assert tags.written({"env": "prod", "team": ""}) == "env=prod\nteam="
    for wrong in ("prod", "a=1\na=2"):
        with pytest.raises(ValidationError) as refused:
            tags.read(wrong)
        assert list(refused.value.message_dict) == ["tags"]


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"": "x"}, "a name of 1 to 5 characters"),
        ({"abcdef": "x"}, "a name of 1 to 5 characters"),
        ({"a": "x" * 10}, "a value of up to 9"),
        ({"a": "<b>"}, "A tag holds letters only: a=<b>"),
        ({"a": "x", "b": "x", "c": "x"}, "3 tags given. The limit is 2."),
        ({"a": 1}, "Enter tags as names and values."),
        (["a"], "Enter tags as names and values."),
        ({"a": "x", " a": "y"}, "The tag a is given twice."),
    ],
)
def test_tags_are_kept_within_the_limits_of_their_provider(wrong: Any, why: str) -> None:
    limits = TagLimits(2, 5, 9, "[a-z]*", "letters")
    with pytest.raises(ValidationError) as refused:
        tags.checked(wrong, limits)
    assert why in refused.value.message_dict["tags"][0]


def test_a_provider_without_limits_takes_what_can_be_kept() -> None:
    assert tags.checked({"größe <b>": "x" * 500}, None)
    for wrong in ({"a": "\x00"}, {"a" * 201: "x"}, {"a": "x" * 501}, {f"t{n}": "x" for n in range(101)}):
        with pytest.raises(ValidationError):
            tags.checked(wrong, None)


def test_a_policy_and_an_account_take_the_tags_that_their_provider_takes(
    system: Actor, account: Account, own: Policy, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert own.provider == account.provider == "aws"
    for refuse in (
        lambda: set_scope(system, own.key, {"env": "<b>"}),
        lambda: configure_account(system, account, tags={"env": "<b>"}),
    ):
        with pytest.raises(ValidationError, match="letters, digits, spaces and"):
            refuse()
    monkeypatch.setattr(type(registry().providers["aws"]), "tag_limits", None)
    assert set_scope(system, own.key, {"env": "<b>"}).tags == {"env": "<b>"}
    assert configure_account(system, account, tags={"env": "<b>"}).tags == {"env": "<b>"}


# -- Whose policy it is --------------------------------------------------------------------------------------------


def test_the_only_provider_need_not_be_named_and_of_several_one_must(
    system: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert create_policy(system, name="First").provider == "aws"
    assert create_account(system, name="first").provider == "aws"
    monkeypatch.setitem(registry().providers, "toy", ToyCloud())
    for refuse in (lambda: create_policy(system, name="Second"), lambda: create_account(system, name="second")):
        with pytest.raises(ValidationError) as refused:
            refuse()
        assert refused.value.message_dict == {"provider": ["Name one of: aws, toy."]}
    assert create_policy(system, name="Second", provider="toy").provider == "toy"
    with pytest.raises(ValidationError, match="No enabled plugin provides “moon”"):
        create_account(system, name="third", provider="moon")
    assert create_policy(system, name="Copy", based_on=CIS).provider == "aws", "as what it is a copy of"


# -- How rules are set ---------------------------------------------------------------------------------------------


def test_account_before_own_policy_before_everywhere_before_the_rule(
    system: Actor, account: Account, own: Policy
) -> None:
    choose(account, own.key)
    own = add_rule(system, own, UNUSED) if UNUSED not in own.to_domain().rules else own
    rule = registry().rules[UNUSED]
    assert here(account, UNUSED) == EffectiveRule(rule, rule.severity, {"days": 45})
    set_rule(system, UNUSED, EVERYWHERE, severity="low", parameters={"days": 60})
    assert here(account, UNUSED) == EffectiveRule(rule, "low", {"days": 60})  # type: ignore[arg-type]
    set_rule(system, UNUSED, Place(policy=own), parameters={"days": 90})
    assert here(account, UNUSED) == EffectiveRule(rule, "low", {"days": 90})  # type: ignore[arg-type]
    set_rule(system, UNUSED, Place(account=account), severity="critical", parameters={"days": 120})
    assert here(account, UNUSED) == EffectiveRule(rule, "critical", {"days": 120})  # type: ignore[arg-type]
    lift(system, RuleSetting.objects.get(account=account))
    assert here(account, UNUSED).parameters == {"days": 90}
    choose(account, "aws_fsbp")
    assert here(account, UNUSED).parameters == {"days": 60}, "an own policy that does not apply does not count"


def test_of_several_policies_the_highest_severity_and_the_stricter_value_count(
    system: Actor, account: Account, own: Policy
) -> None:
    second = create_policy(system, name="Second", based_on="aws_nephoscope")
    for rule in (UNUSED, PORTS, IDLE):
        if rule not in own.to_domain().rules:
            own = add_rule(system, own, rule)
    choose(account, own.key, second.key)
    set_rule(system, UNUSED, Place(policy=own), severity="high", parameters={"days": 90})
    set_rule(system, UNUSED, Place(policy=second), severity="low", parameters={"days": 30})
    assert (here(account, UNUSED).severity, here(account, UNUSED).parameters) == ("high", {"days": 30})
    set_rule(system, IDLE, Place(policy=own), parameters={"days": 180})
    assert here(account, IDLE).parameters == {"days": 180}, "longer is stricter here"
    set_rule(system, PORTS, Place(policy=own), parameters={"ports": [9999]})
    ports = here(account, PORTS).parameters["ports"]
    assert isinstance(ports, tuple) and {22, 9999} <= set(ports), "another policy holds it with the usual ports"
    choose(account, own.key)
    assert here(account, PORTS).parameters == {"ports": (9999,)}
    assert here(account, UNUSED).parameters == {"days": 90}


def test_a_rule_is_off_for_an_account_or_everywhere(system: Actor, account: Account) -> None:
    choose(account, "aws_nephoscope")
    other = Account.objects.create(name="other", provider="aws", number="2" * 12, policies=["aws_nephoscope"])

    def checked(which: Account) -> bool:
        return UNUSED in {each.rule.id for each in EffectivePolicies.of(which).rules}

    set_rule(system, UNUSED, Place(account=account), off=True, reason="no users here")
    assert (checked(account), checked(other)) == (False, True)
    set_rule(system, UNUSED, off=True, reason="single sign-on")
    assert (checked(account), checked(other)) == (False, False)
    set_rule(system, UNUSED, Place(account=account))
    set_rule(system, UNUSED)
    assert (checked(account), checked(other)) == (True, True)
    assert not RuleSetting.objects.exists()


def test_what_is_set_is_told_as_a_sentence_with_before_and_after(system: Actor, account: Account) -> None:
    title = registry().rules[UNUSED].title
    set_rule(system, UNUSED, severity="high", parameters={"days": 30})
    set_rule(system, UNUSED, Place(account=account), off=True, reason="no users here")
    off, changed = Entry.objects.all()[:2]
    assert changed.sentence == (
        f"changed “{title}” ({UNUSED}) in all accounts: severity from medium to high; days from 45 to 30"
    )
    assert (changed.before["severity"], changed.after["parameters"]) == ("", {"days": 30})
    assert (off.sentence, off.reason) == (f"turned off “{title}” ({UNUSED}) for prod", "no users here")
    assert off.account == account


def test_how_rules_are_set_is_read_in_a_few_queries(
    system: Actor, account: Account, own: Policy, django_assert_num_queries: Any
) -> None:
    set_rule(system, UNUSED, severity="high")
    Account.objects.create(name="other", provider="aws", number="2" * 12, policies=[own.key])
    with django_assert_num_queries(4):
        for each in EffectivePolicies.of_all(Account.objects.all()):
            assert each.rules


def test_a_value_that_a_rule_no_longer_takes_is_ignored(account: Account) -> None:
    RuleSetting.objects.create(rule_id=UNUSED, parameters={"days": 99_999, "gone": 1})
    assert here(account, UNUSED).parameters == {"days": 45}


# -- Parameters ----------------------------------------------------------------------------------------------------

RULES = [each for each in registry().rules.values() if each.parameters]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_title_does_not_name_a_value_that_can_be_set(rule: Rule) -> None:
    for each in rule.parameters:
        numbers = each.default if isinstance(each.default, tuple) else (each.default,)
        assert not {str(number) for number in numbers} & set(rule.title.split()), rule.title
        assert each.label and each.read(", ".join(map(str, numbers))) == each.default


def test_a_parameter_refuses_what_is_no_value_of_it() -> None:
    days, ports = Parameter("d", "D", "days", 3, "lower", most=9), Parameter("p", "P", "ports", (22,), "fewer")
    assert (days.read(" 7 "), ports.read("443, 80 80")) == (7, (80, 443))
    assert ports.strictest([(80, 443), (443,)]) == (443,)
    for parameter, text in ((days, "10"), (days, "1 2"), (days, "x"), (days, ""), (ports, "x"), (ports, "99999")):
        with pytest.raises(ValueError):
            parameter.read(text)
    with pytest.raises(ValueError):
        Parameter("d", "D", "days", 3, "more")


def test_other_policies_ask_for_one_judging_however_often_they_change(
    system: Actor, account: Account, own: Policy, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks() as woken:
        configure_account(system, account, policies=[CIS])
        configure_account(system, account, policies=[own.key])
        add_rule(system, own, PORTS)
        set_rule(system, UNUSED, severity="high")
        configure_account(system, account, name="renamed")
    assert len(woken) == 1
    assert Rejudging.objects.get().waiting
