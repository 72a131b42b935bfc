"""Policies and controls in several accounts together, as the dashboard and the policies' pages count them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.standing import LOGGED, POLICY, READ, Find

from nephoscope.accounts.models import Account
from nephoscope.compliance import queries as compliance
from nephoscope.compliance.scores import answered, by_rule, scores
from nephoscope.compliance.states import in_percent
from nephoscope.inventory.models import Scan

pytestmark = pytest.mark.django_db


def test_a_policy_has_the_score_that_compliance_gives_it(
    account: Account, find: Find, scanned: Callable[..., Scan]
) -> None:
    scanned()
    find(READ, "fail")
    find(LOGGED, "pass")
    account.refresh_from_db()
    found = scores([account])[POLICY.id]
    assert (found.score, found.passed, found.failed) == (compliance.detail(account, POLICY).score, 1, 2)


def test_a_control_has_its_worst_state_and_all_that_was_accepted(
    account: Account, find: Find, scanned: Callable[..., Scan]
) -> None:
    scanned()
    find(READ, "fail", "one", reason="a download")
    find(READ, "fail", "two", reason="a download")
    account.refresh_from_db()
    standing = {each.control.id: each.result for _policy, each in answered([account], READ)}
    assert standing == {"1": "Pass, 2 accepted", "3": "Pass, 2 accepted"}
    find(LOGGED, "fail")
    standing = {each.control.id: each.result for _policy, each in answered([account], READ)}
    assert standing == {"1": "Pass, 2 accepted", "3": "Fail, 2 accepted"}


def test_a_policy_that_was_not_judged_has_no_score(account: Account, find: Find, policy: object) -> None:
    find(READ, "pass")
    account.refresh_from_db()
    found = scores([account])[POLICY.id]
    assert (found.score, found.judged) == (None, [])
    assert [each.result for _policy, each in answered([account], READ)] == ["Not checked", "Not checked"]


def test_findings_are_counted_by_rule_and_an_error_is_unknown(account: Account, find: Find) -> None:
    for name, verdict in (("a", "pass"), ("b", "fail"), ("c", "unknown"), ("d", "error")):
        find(READ, verdict, name)
    find(READ, "fail", "e", reason="a download")
    assert by_rule([account])[READ] == {"passed": 1, "failed": 1, "accepted": 1, "unknown": 2}
    assert by_rule([])[READ]["passed"] == 0


def test_a_percentage_has_no_space_and_no_score_is_a_dash() -> None:
    assert (in_percent(7), in_percent(0), in_percent(None)) == ("7%", "0%", "—")
