"""A control passes only by the value that it demands: laxer ones are marked in every form, and score nothing."""

from __future__ import annotations

import csv
import html
import io
import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from django.db.models import F
from django.test import Client
from django.urls import reverse
from tests.compliance.test_report import texts
from tests.standing import Find

from nephoscope.accounts.models import Account, User
from nephoscope.alerts.exports import exported
from nephoscope.alerts.models import Finding
from nephoscope.audit.services import Actor
from nephoscope.compliance import pdf, report
from nephoscope.compliance.queries import detail
from nephoscope.compliance.standings import Compliance, ControlStanding, RuleStanding
from nephoscope.inventory.models import Scan
from nephoscope.plugins import registry
from nephoscope.policies.models import Policy, Rejudging
from nephoscope.policies.queries import catalogue
from nephoscope.policies.rule_settings import Place, set_rule
from nephoscope.policies.services import add_rule, create_policy

pytestmark = pytest.mark.django_db

LENGTH, ADMIN = "aws.iam.password_length", "aws.ec2.sg_admin_v4"
CIS, PCI, OLD_PCI, NIST = "aws_cis_5.0", "aws_pci_dss_4.0", "aws_pci_dss_3.2.1", "aws_nist_800_53_r5"
CONTROLS = {CIS: "1.7", PCI: "8.3.6", OLD_PCI: "8.2.3", NIST: "IA-5(1)"}
SAID = "“Minimum password length” is 8. This control requires 14, so a pass does not count."

Judge = Callable[..., None]


@pytest.fixture
def judge(system: Actor, account: Account, scanned: Callable[..., Scan], find: Find) -> Judge:
    """Set the rule's parameters everywhere, apply policies, and store a verdict of the rule."""

    def act(verdict: str, rule: str = LENGTH, /, *, policies: Any = (CIS,), reason: str = "", **values: Any) -> None:
        if values:
            set_rule(system, rule, parameters=values)
        account.policies = list(policies)
        account.save()
        scanned()
        find(rule, verdict, reason=reason)
        Rejudging.objects.update(judged_for=F("wanted_at"))

    return act


def stands(account: Account, policy: str, control: str) -> tuple[ControlStanding, RuleStanding]:
    found = next(each for each in standing(account, policy).controls if each.control.id == control)
    return found, next(each for each in found.rules if each.id in (LENGTH, ADMIN))


def standing(account: Account, policy: str) -> Compliance:
    account.refresh_from_db()
    return detail(account, catalogue().policies[policy])


# -- In every form -------------------------------------------------------------------------------------------------


@pytest.fixture
def lax(account: Account, judge: Judge) -> Compliance:
    """CIS, which requires 14 characters, where 8 are enough for the rule and the account passes it."""
    judge("pass", length=8)
    return standing(account, CIS)


def test_a_pass_by_a_laxer_value_is_unknown_and_scores_nothing(account: Account, lax: Compliance) -> None:
    control, rule = stands(account, CIS, "1.7")
    assert (control.state, rule.reasons, rule.remarks) == ("unknown", [SAID], [])
    assert lax.score is None and lax.counts["pass"] == 0


def test_csv_says_so_beside_the_control(lax: Compliance) -> None:
    rows = csv.DictReader(io.StringIO(report.as_csv(lax).decode()))
    [row] = [row for row in rows if row["control"] == "1.7"]
    assert (row["state"], row["result"], row["threshold"]) == ("unknown", "Unknown", SAID)
    assert row["not known because"] == SAID


def test_json_names_the_value_in_force_and_the_demanded_one(lax: Compliance) -> None:
    controls: list[Mapping[str, object]] = json.loads(report.as_json(lax))["controls"]
    [control] = [each for each in controls if each["id"] == "1.7"]
    assert control["state"] == "unknown"
    assert control["rules"][0]["thresholds"] == [  # type: ignore[index]
        {
            "parameter": "length",
            "in_force": 8,
            "demanded": 14,
            "demanded_by": "control",
            "laxer": True,
            "message": SAID,
        }
    ]


def test_pdf_says_so_at_the_control_and_among_what_is_not_known(lax: Compliance) -> None:
    assert texts(pdf.story(lax)).count(SAID) == 2


# -- What is demanded ----------------------------------------------------------------------------------------------


def test_each_framework_is_judged_by_its_own_figure_and_else_by_the_default(account: Account, judge: Judge) -> None:
    judge("pass", policies=tuple(CONTROLS), length=8)
    found = {policy: stands(account, policy, control) for policy, control in CONTROLS.items()}
    assert {policy: str(control.state) for policy, (control, _rule) in found.items()} == {
        CIS: "unknown",
        PCI: "unknown",
        OLD_PCI: "pass",
        NIST: "unknown",
    }
    assert "This control requires 12" in found[PCI][1].reasons[0]
    assert "The default is 14" in found[NIST][1].reasons[0]


def test_a_failure_by_a_laxer_value_fails(account: Account, judge: Judge) -> None:
    judge("fail", length=8)
    control, rule = stands(account, CIS, "1.7")
    assert (control.state, rule.remarks) == ("fail", [SAID])


def test_a_failure_by_a_stricter_value_fails_and_says_so(account: Account, judge: Judge) -> None:
    judge("fail", length=20)
    control, rule = stands(account, CIS, "1.7")
    assert control.state == "fail"
    assert rule.remarks == ["“Minimum password length” is 20. This control requires only 14."]


def test_a_failure_by_a_default_that_is_stricter_than_the_framework_says_so(account: Account, judge: Judge) -> None:
    judge("fail", policies=(PCI, NIST))
    assert "requires only 12" in stands(account, PCI, "8.3.6")[1].remarks[0]
    assert stands(account, NIST, "IA-5(1)")[1].thresholds == []


def test_a_pass_by_a_stricter_value_is_a_pass_without_a_word(account: Account, judge: Judge) -> None:
    judge("pass", length=20)
    control, rule = stands(account, CIS, "1.7")
    assert (control.state, rule.thresholds) == ("pass", [])


def test_what_was_accepted_is_accepted_by_any_value(account: Account, judge: Judge) -> None:
    judge("fail", length=8, reason="legacy")
    control, _rule = stands(account, CIS, "1.7")
    assert (control.state, control.result) == ("pass", "Pass, 1 accepted")


def test_ports_that_are_not_looked_for_are_missed_whatever_else_is(account: Account, judge: Judge) -> None:
    judge("pass", ADMIN, ports=[22, 5900])
    control, rule = stands(account, CIS, "5.3")
    assert control.state == "unknown"
    assert rule.reasons == [
        "“Remote administration ports” is 22, 5900. This control requires 22, 3389, so a pass does not count."
    ]


def test_an_account_that_asks_for_the_demanded_value_passes(system: Actor, account: Account, judge: Judge) -> None:
    set_rule(system, LENGTH, Place(account=account), parameters={"length": 14})
    judge("pass", length=8)
    assert stands(account, CIS, "1.7")[0].state == "pass"


def test_an_export_names_no_control_that_a_pass_by_a_laxer_value_does_not_answer(lax: Compliance) -> None:
    [found] = exported(Finding.objects.filter(rule_id=LENGTH))
    assert found.verdict == "pass" and found.controls == ()


def test_the_page_of_a_finding_that_passes_by_a_laxer_value_says_so(
    lax: Compliance, viewer: User, client: Client
) -> None:
    client.force_login(viewer)
    page = client.get(reverse("admin:alerts_finding_change", args=[Finding.objects.get(rule_id=LENGTH).pk]))
    assert SAID in html.unescape(page.content.decode())


def test_a_rule_that_is_switched_off_passes_no_control(system: Actor, account: Account, judge: Judge) -> None:
    judge("pass")
    assert stands(account, CIS, "1.7")[0].state == "pass"
    set_rule(system, LENGTH, Place(account=account), off=True, reason="we have another check")
    Rejudging.objects.update(judged_for=F("wanted_at"))
    control, rule = stands(account, CIS, "1.7")
    assert control.state == "not_checked" and "we have another check" in rule.reasons[0]


def test_a_value_put_back_counts_only_once_it_was_judged_by(
    system: Actor, account: Account, lax: Compliance, judge: Judge
) -> None:
    set_rule(system, LENGTH, parameters={"length": 14})
    control, rule = stands(account, CIS, "1.7")
    assert control.state == "unknown" and standing(account, CIS).score is None
    assert rule.reasons == ["it is being re-evaluated after a change of policies or rules"]
    Rejudging.objects.update(judged_for=F("wanted_at"))
    assert stands(account, CIS, "1.7")[0].state == "pass"


# -- Policies of one's own -----------------------------------------------------------------------------------------


@pytest.fixture
def clone(system: Actor) -> Policy:
    return create_policy(system, name="Our CIS", based_on=CIS)


def test_a_clone_keeps_the_figures_and_its_own_setting_does_not_lower_them(
    system: Actor, account: Account, clone: Policy, judge: Judge
) -> None:
    assert clone.to_domain().controls == registry().frameworks[CIS].controls
    set_rule(system, LENGTH, Place(policy=clone), parameters={"length": 8})
    judge("pass", policies=(clone.key,))
    control, rule = stands(account, clone.key, "1.7")
    assert (control.state, rule.reasons) == ("unknown", [SAID])


def test_the_stricter_setting_of_a_policy_is_its_demand(
    system: Actor, account: Account, clone: Policy, judge: Judge
) -> None:
    set_rule(system, LENGTH, Place(policy=clone), parameters={"length": 20})
    set_rule(system, LENGTH, Place(account=account), parameters={"length": 16})
    judge("pass", policies=(clone.key, CIS))
    assert "requires 20" in stands(account, clone.key, "1.7")[1].reasons[0]
    assert stands(account, CIS, "1.7")[0].state == "pass"


def test_a_policy_of_ones_own_without_figures_demands_what_is_set_for_it(
    system: Actor, account: Account, judge: Judge
) -> None:
    own = add_rule(system, create_policy(system, name="Ours", provider="aws"), LENGTH)
    set_rule(system, LENGTH, Place(policy=own), parameters={"length": 10})
    judge("pass", policies=(own.key,))
    assert stands(account, own.key, "added")[0].state == "pass"
    set_rule(system, LENGTH, Place(account=account), parameters={"length": 9})
    assert stands(account, own.key, "added")[0].state == "unknown"


def test_a_figure_that_the_rule_no_longer_takes_is_none(account: Account, clone: Policy, judge: Judge) -> None:
    for control in clone.controls:
        control["demands"] = {LENGTH: {"length": 500, "gone": 1}} if control["id"] == "1.7" else {}
    clone.save()
    judge("pass", policies=(clone.key,), length=8)
    assert "The default is 14" in stands(account, clone.key, "1.7")[1].reasons[0]


def test_a_policy_that_was_cloned_before_there_were_figures_is_judged_by_the_defaults(
    account: Account, clone: Policy, judge: Judge
) -> None:
    for control in clone.controls:
        del control["demands"]
    clone.save()
    judge("pass", policies=(clone.key,), length=8)
    assert stands(account, clone.key, "1.7")[0].state == "unknown"
