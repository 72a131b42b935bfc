"""How accounts stand by policies: states, scores, days."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from tests.standing import LOGGED, POLICY, READ, Find

from nephoscope import domain
from nephoscope.accounts.models import Account
from nephoscope.accounts.queries import parts_of
from nephoscope.alerts.models import ComplianceDay
from nephoscope.compliance import queries as compliance
from nephoscope.compliance.snapshots import trend
from nephoscope.compliance.states import Standing
from nephoscope.inventory.models import JUDGE, Scan, Shard
from nephoscope.judging.services import judge_scan
from nephoscope.plugins import registry

pytestmark = pytest.mark.django_db


def states(account: Account) -> dict[str, str]:
    account.refresh_from_db()
    return {each.control.id: each.state.value for each in compliance.detail(account, POLICY).controls}


def test_each_control_has_the_state_that_its_findings_give_it(
    account: Account, find: Find, scanned: Callable[..., Scan]
) -> None:
    scanned()
    find(READ, "fail")
    find(LOGGED, "pass")
    assert states(account) == {
        "1": "fail",
        "2": "pass",
        "3": "fail",
        "4": "manual",
        "5": "not_covered",
        "6": "not_covered",
        "7": "unknown",
    }
    found = compliance.detail(account, POLICY)
    assert found.score == 33
    assert found.counts == {
        "fail": 2,
        "unknown": 1,
        "pass": 1,
        "no_resources": 0,
        "manual": 1,
        "not_covered": 2,
        "not_checked": 0,
    }


@pytest.mark.parametrize("verdict", ["unknown", "error"])
def test_what_is_not_known_never_passes(
    verdict: str, account: Account, find: Find, scanned: Callable[..., Scan]
) -> None:
    scanned()
    find(READ, "pass", "one")
    find(READ, verdict, "two", permission="s3:GetBucketPolicy")
    find(LOGGED, "pass", "one")
    assert states(account) | {"4": "", "5": "", "6": ""} == {
        "1": "unknown",
        "2": "pass",
        "3": "unknown",
        "4": "",
        "5": "",
        "6": "",
        "7": "unknown",
    }
    assert compliance.detail(account, POLICY).score == 100
    find(READ, "fail", "three")
    assert states(account)["1"] == "fail"


def test_a_failure_that_became_unknown_still_fails(account: Account, find: Find, scanned: Callable[..., Scan]) -> None:
    scanned()
    find(READ, "unknown", failing_since=timezone.now())
    assert states(account)["1"] == "fail"


def test_a_suppressed_failure_is_accepted_and_fails_nothing(
    account: Account, find: Find, scanned: Callable[..., Scan]
) -> None:
    scanned()
    find(READ, "fail", reason="a public download")
    found = compliance.detail(account, POLICY)
    assert states(account)["1"] == "pass"
    assert (found.controls[0].accepted, found.accepted, found.score) == (1, 1, 100)
    [row] = found.controls[0].rules[0].findings[Standing.ACCEPTED]
    assert row.suppression.reason == "a public download"


def test_rules_that_ran_on_nothing_say_so_and_neither_pass_nor_count(
    account: Account, scanned: Callable[..., Scan]
) -> None:
    scanned()
    assert states(account)["1"] == "no_resources"
    assert compliance.detail(account, POLICY).score is None


def test_a_part_that_was_not_read_keeps_its_controls_from_passing(
    account: Account, find: Find, scanned: Callable[..., Scan]
) -> None:
    scanned("s3")
    find(READ, "pass")
    found = compliance.detail(account, POLICY)
    assert states(account)["1"] == states(account)["2"] == "unknown"
    assert found.unread and "S3" in found.unread[0]
    find(LOGGED, "fail")
    assert states(account)["2"] == "fail"
    scanned(services=("s3",))
    assert states(account)["1"] == "pass"


def test_a_part_that_no_scan_ever_read_is_not_known(account: Account, find: Find, scanned: Callable[..., Scan]) -> None:
    scanned()
    Shard.objects.filter(service="s3").delete()
    find(READ, "pass")
    assert states(account)["1"] == "unknown"


def test_a_scan_that_was_not_judged_changes_nothing(account: Account, find: Find, scanned: Callable[..., Scan]) -> None:
    scanned()
    find(READ, "pass")
    lost = Scan.objects.create(account=account, state="failed")
    for service in ("s3", JUDGE):
        Shard.objects.create(scan=lost, service=service, region="global", state="failed")
    assert states(account)["1"] == "pass"
    assert compliance.detail(account, POLICY).last_scan == lost


def test_an_account_without_a_scan_or_without_the_policy_is_not_checked(
    account: Account, find: Find, scanned: Callable[..., Scan]
) -> None:
    find(READ, "pass")
    assert states(account) == {
        "1": "not_checked",
        "2": "not_checked",
        "3": "not_checked",
        "4": "manual",
        "5": "not_covered",
        "6": "not_covered",
        "7": "not_checked",
    }
    scanned()
    Account.objects.update(policies=[])
    assert states(account)["1"] == "not_checked"
    assert "not selected" in compliance.detail(account, POLICY).why_not


def test_a_policy_chosen_since_is_judged_by_a_scan_of_everything_only(
    account: Account, find: Find, scanned: Callable[..., Scan]
) -> None:
    find(READ, "pass")
    Account.objects.update(policies=[])
    account.refresh_from_db()
    scanned()
    Account.objects.update(policies=[POLICY.id])
    account.refresh_from_db()
    assert states(account)["1"] == "not_checked"
    scanned(services=("s3",))
    assert states(account)["1"] == "not_checked"
    scanned()
    assert states(account)["1"] == "pass"


def test_a_policy_that_was_put_down_and_taken_up_again_is_not_checked_until_it_is_judged(
    account: Account, find: Find, scanned: Callable[..., Scan]
) -> None:
    other = next(iter(registry().frameworks))
    account.policies = [POLICY.id, other]
    account.save()
    scanned()
    account.policies = [other]
    account.save()
    scanned()
    account.policies = [POLICY.id, other]
    account.save()
    assert states(account)["2"] == "not_checked"


# -- Days ----------------------------------------------------------------------------------------------------------


def test_the_end_of_judging_writes_the_day_once(account: Account, add_resource: Any, policy: domain.Framework) -> None:
    add_resource("AWS::S3::Bucket", "logs", {"VersioningConfiguration": None})
    for status in (None, {"Status": "Enabled"}):
        add_resource("AWS::S3::Bucket", "logs", {"VersioningConfiguration": status})
        scan = Scan.objects.create(account=account, state="running", whole=True)
        for service, region in parts_of(account):
            Shard.objects.create(scan=scan, service=service.id, region=region, state="done")
        Shard.objects.create(scan=scan, service=JUDGE, region="global", state="running")
        judge_scan(scan, still_wanted=lambda: True)
        Scan.objects.filter(pk=scan.pk).update(state="succeeded")
        [day] = ComplianceDay.objects.all()
        assert (day.policy, day.day) == (POLICY.id, timezone.now().date())
        assert (day.failed > 0) is (status is None)
    assert states(account)["2"] == "pass"


def test_the_trend_is_the_score_of_each_day(account: Account, policy: domain.Framework) -> None:
    for ago, passed, failed in ((100, 0, 9), (2, 1, 1), (1, 0, 0), (0, 3, 1)):
        now = timezone.now() - timedelta(days=ago)
        ComplianceDay.objects.create(
            account=account, policy=POLICY.id, day=now.date(), judged_at=now, passed=passed, failed=failed, unknown=0
        )
    assert [score for _day, score in trend(compliance.detail(account, POLICY))] == [50, None, None], (
        "nothing stands today"
    )


def test_the_number_of_queries_does_not_grow(
    account: Account, find: Find, scanned: Callable[..., Scan], django_assert_num_queries: Any
) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as seen:
            compliance.matrix(Account.objects.all(), registry().frameworks.values())
        return len(seen)

    scanned()
    find(READ, "fail")
    before = asked()
    Account.objects.bulk_create(
        Account(name=f"a{n}", provider="aws", number=f"{n:012}", regions=["eu-west-1"], policies=[POLICY.id])
        for n in range(5)
    )
    for n in range(30):
        find(READ, "fail", f"b{n}")
    assert asked() == before <= 11
    with django_assert_num_queries(11):
        found = compliance.detail(account, POLICY)
    rule = found.controls[0].rules[0]
    assert [(len(rows), more) for _standing, rows, more in rule.shown] == [(compliance.SHOWN, 31 - compliance.SHOWN)]
