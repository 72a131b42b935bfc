"""One score of a policy on every page, accepted failures wherever a control stands, and thresholds of one's own."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from tests.standing import LOGGED, POLICY, READ, Find

from nephoscope.accounts.models import Account, User
from nephoscope.alerts.models import Alert
from nephoscope.audit.services import Actor
from nephoscope.inventory.models import Scan
from nephoscope.policies.rule_settings import Place, set_rule
from nephoscope.policies.services import create_policy

pytestmark = pytest.mark.django_db

SignIn = Callable[..., Client]
LENGTH, CIS = "aws.iam.password_length", "aws_cis_5.0"


def at(name: str, *arguments: object) -> str:
    return reverse(f"admin:{name}", args=arguments)


def text(client: Client, address: str) -> str:
    """Return what a page says, without its markup."""
    page = client.get(address)
    assert page.status_code == 200, address
    body = re.sub(r"(?s)<(script|style|option).*?</\1>", "", page.content.decode())
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", body)).split())


@pytest.fixture
def half(account: Account, find: Find, scanned: Callable[..., Scan]) -> Account:
    """An account with a score of 33 percent by controls, of which one passes and two fail; by findings it is 25."""
    scanned()
    find(LOGGED, "pass")
    for name in ("a", "b", "c"):
        find(READ, "fail", name)
    return account


def test_every_page_says_the_same_score(half: Account, viewer: User, sign_in: SignIn) -> None:
    client = sign_in(viewer)
    for address in (
        at("index"),
        at("policies"),
        at("policy", POLICY.id),
        at("compliance"),
        at("compliance_detail", half.pk, POLICY.id),
    ):
        assert set(re.findall(r"\d+ ?%", text(client, address))) == {"33%"}, address
    for address in (at("policies"), at("policy", POLICY.id)):
        page = client.get(address).content.decode()
        assert f'href="{at("compliance")}?policy={POLICY.id}"><b>33%</b>' in page
    assert "1 controls pass, 2 fail, 1 unknown in 1 account" in text(client, at("policy", POLICY.id))


def test_who_sees_no_account_sees_no_score(half: Account, stranger: User, sign_in: SignIn) -> None:
    client = sign_in(stranger)
    for address in (at("policies"), at("policy", POLICY.id), at("rule", READ)):
        assert "%" not in text(client, address) and "Fail," not in text(client, address)


def test_a_policy_that_nothing_was_judged_by_has_no_number(
    account: Account, policy: object, viewer: User, sign_in: SignIn
) -> None:
    client = sign_in(viewer)
    row = next(each for each in client.get(at("policies")).context["policies"] if each[0] == policy)
    assert row[1].score is None and "Made-up <b>policy</b> & co aws 7 3 1 — — — —" in text(client, at("policies"))
    assert "controls pass" not in text(client, at("policy", POLICY.id))


def test_accepted_failures_are_named_wherever_the_control_stands(
    account: Account, find: Find, scanned: Callable[..., Scan], viewer: User, sign_in: SignIn
) -> None:
    scanned()
    finding = find(READ, "fail", reason="a download")
    client = sign_in(viewer)
    for address in (
        at("rule", READ),
        at("policy", POLICY.id),
        at("alerts_alert_change", Alert.objects.get().pk),
        at("compliance_detail", account.pk, POLICY.id),
    ):
        assert "Pass, 1 accepted" in text(client, address), address
    assert "2 pass , 0 fail , 1 unknown , 1 accepted" in text(client, at("compliance"))
    assert "0 pass, 0 fail, 1 accepted, 0 unknown" in text(client, at("rule", READ))
    link = f"{at('alerts_finding_changelist')}?standing=accepted&rule={READ}"
    for address in (at("rules"), at("policy", POLICY.id)):
        assert f'href="{link}">1<'.replace("&", "&amp;") in client.get(address).content.decode()
    assert [row.pk for row in client.get(link).context["cl"].result_list] == [finding.pk]


def test_an_alert_leads_to_its_controls_in_its_account(half: Account, viewer: User, sign_in: SignIn) -> None:
    page = sign_in(viewer).get(at("alerts_alert_change", Alert.objects.get().pk)).content.decode()
    assert f'href="{at("compliance_detail", half.pk, POLICY.id)}#control-1"' in page


def test_the_scores_of_an_account_that_is_not_current_carry_its_mark(
    half: Account, viewer: User, sign_in: SignIn
) -> None:
    Scan.objects.create(account=half, state="failed")
    client = sign_in(viewer)
    for address in (at("policies"), at("policy", POLICY.id), at("rules"), at("rule", READ)):
        assert "Last scan failed" in text(client, address), address


# -- Thresholds of one's own ---------------------------------------------------------------------------------------


@pytest.fixture
def lax(system: Actor, account: Account, find: Find, scanned: Callable[..., Scan]) -> Account:
    """An account that passes by 8 characters where CIS requires 14."""
    set_rule(system, LENGTH, parameters={"length": 8})
    account.policies = [CIS]
    account.save()
    scanned()
    find(LENGTH, "pass")
    return account


def test_a_control_that_passes_too_easily_says_so_on_every_page(lax: Account, viewer: User, sign_in: SignIn) -> None:
    client, said = (
        sign_in(viewer),
        "“Minimum password length” is 8. This control requires 14, so a pass does not count.",
    )
    detail = text(client, at("compliance_detail", lax.pk, CIS))
    assert "Unknown 1.7 Passwords have at least 14 characters" in detail and f"Unknown: {said}" in detail
    assert said in text(client, at("policy", CIS)) and "8 (this control requires 14)" in text(client, at("policy", CIS))
    rule = text(client, at("rule", LENGTH))
    assert f"{said} CIS Amazon Web Services Foundations 5.0 1.7" in rule
    assert "CIS Amazon Web Services Foundations 5.0 1.7: Unknown" in rule


def test_saving_a_laxer_value_names_the_controls_that_do_not_pass_then(
    account: Account, administrator: User, sign_in: SignIn
) -> None:
    account.policies = [CIS, "aws_pci_dss_4.0"]
    account.save()
    client, address = sign_in(administrator), at("rule_set", LENGTH)
    warned = "does not count for them: CIS Amazon Web Services Foundations 5.0 1.7."
    assert warned in unescape(client.post(address, {"length": "13"}, follow=True).content.decode()).replace(
        ", PCI DSS 4.0 8.3.1", ""
    )
    assert "does not count for them" not in client.post(address, {"length": "14"}, follow=True).content.decode()
    assert "PCI DSS 4.0 8.3.6" in client.post(address, {"length": "8"}, follow=True).content.decode()


def test_many_controls_are_named_up_to_ten(account: Account, administrator: User, sign_in: SignIn) -> None:
    page = sign_in(administrator).post(at("rule_set", LENGTH), {"length": "6"}, follow=True).content.decode()
    assert re.search(r"does not count for them: .* and \d+ more\.", page)


def test_a_policy_of_ones_own_is_warned_of_as_well(
    system: Actor, account: Account, administrator: User, sign_in: SignIn
) -> None:
    own = create_policy(system, name="Ours", based_on=CIS)
    account.policies = [own.key]
    account.save()
    address = f"{at('rule_set', LENGTH)}?policy={own.key}"
    page = sign_in(administrator).post(address, {"length": "8"}, follow=True).content.decode()
    assert "does not count for them: Ours 1.7." in page and "8 (this control requires 14)" in page


def test_what_another_account_sets_is_not_told_to_who_does_not_see_it(
    system: Actor, account: Account, stranger: User, viewer: User, sign_in: SignIn
) -> None:
    set_rule(system, LENGTH, Place(account=account), parameters={"length": 8})
    assert "so a pass does not count" in text(sign_in(viewer), at("rule", LENGTH))
    assert "so a pass does not count" not in text(sign_in(stranger), at("rule", LENGTH))


def test_pages_ask_the_same_number_of_questions_however_many_accounts_and_findings_there_are(
    lax: Account, find: Find, administrator: User, sign_in: SignIn
) -> None:
    client = sign_in(administrator)
    alert = find(READ, "fail", "first").alert
    assert alert
    pages = (at("policies"), at("policy", CIS), at("rule", LENGTH), at("rules"), at("alerts_alert_change", alert.pk))

    def asked() -> list[int]:
        counted = []
        for address in pages:
            with CaptureQueriesContext(connection) as seen:
                assert client.get(address).status_code == 200
            counted.append(len(seen))
        return counted

    before = asked()
    Account.objects.bulk_create(
        Account(name=f"a{n}", provider="aws", number=f"{n:012}", regions=["eu-west-1"], policies=[CIS])
        for n in range(5)
    )
    for n in range(20):
        find(READ, "fail", f"b{n}")
    assert all(now <= then for now, then in zip(asked(), before, strict=True))
