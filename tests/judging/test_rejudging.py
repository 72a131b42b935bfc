"""What is stored is judged again after a change, without a scan, and never against one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from django_q.models import OrmQ

from nephoscope.accounts.models import Account
from nephoscope.accounts.queries import parts_of
from nephoscope.alerts.models import Alert, ComplianceDay, Finding
from nephoscope.alerts.suppressions import suppress
from nephoscope.audit.models import Entry
from nephoscope.audit.services import Actor
from nephoscope.compliance import queries as compliance
from nephoscope.compliance.states import ControlState
from nephoscope.domain import Resource as DomainResource
from nephoscope.inventory import store
from nephoscope.inventory.models import JUDGE, Resource, Scan, Shard
from nephoscope.judging import rejudging
from nephoscope.judging.services import judge_scan
from nephoscope.policies import rejudging as requests
from nephoscope.policies.models import Policy, Rejudging
from nephoscope.policies.rule_settings import Place, set_rule
from nephoscope.policies.services import add_rule, create_policy, remove_rule

pytestmark = pytest.mark.django_db

BUCKET, KEY = "AWS::S3::Bucket", "AWS::IAM::AccessKey"
VERSIONING, ROTATION, TRAIL = "aws.s3.versioning", "aws.iam.key_rotation", "aws.cloudtrail.bucket_public"
OFF = {"VersioningConfiguration": None}

Add = Callable[..., Resource]


@pytest.fixture
def policy(account: Account, system: Actor) -> Policy:
    """An own policy with one rule, that applies to an account of which everything was read once."""
    policy = add_rule(system, create_policy(system, name="Ours", provider="aws"), VERSIONING)
    account.policies = [policy.key]
    account.save()
    return policy


def scanned(account: Account, *failed: str, state: str = "succeeded") -> Scan:
    """Write down and judge a scan that read every part but those of these services."""
    scan = Scan.objects.create(account=account, state="running", whole=True)
    for service, region in parts_of(account):
        done = "failed" if service.id in failed else "done"
        Shard.objects.create(scan=scan, service=service.id, region=region, state=done, error="timed out")
    Shard.objects.create(scan=scan, service=JUDGE, region="global", state="done")
    judge_scan(scan, still_wanted=lambda: True)
    Scan.objects.filter(pk=scan.pk).update(state=state)
    return scan


def key_of(days: int) -> dict[str, Any]:
    made = (timezone.now() - timedelta(days=days)).isoformat()
    return {"UserName": "ann", "Status": "Active", "Observed": {"CreateDate": made}}


def test_a_rule_that_is_added_finds_what_is_stored_and_one_that_is_removed_closes(
    account: Account, policy: Policy, add_resource: Add, system: Actor
) -> None:
    add_resource(BUCKET, "logs", OFF)
    add_resource(KEY, "AKIA1", key_of(400), service="iam", region="global")
    scanned(account)
    assert [each.key for each in Alert.objects.all()] == [VERSIONING]
    add_rule(system, policy, ROTATION)
    assert rejudging.rejudge(account.pk) == 1
    assert Alert.objects.get(key=ROTATION).state == "open"
    remove_rule(system, policy, VERSIONING)
    assert rejudging.rejudge(account.pk) == 1
    assert Alert.objects.get(key=VERSIONING).state == "resolved"
    assert "no longer checked" in Entry.objects.filter(action="alert.left").latest("id").sentence
    assert rejudging.rejudge(account.pk) == 0, "nothing waits any more"


def test_a_threshold_changes_the_verdict_and_the_message_names_it(
    account: Account, policy: Policy, add_resource: Add, system: Actor
) -> None:
    add_rule(system, policy, ROTATION)
    add_resource(KEY, "AKIA1", key_of(100), service="iam", region="global")
    scanned(account)
    assert Finding.objects.get(rule_id=ROTATION).message.endswith("is 100 days old; the limit is 90 days")
    set_rule(system, ROTATION, Place(account=account), parameters={"days": 180})
    rejudging.rejudge(account.pk)
    assert (Finding.objects.get(rule_id=ROTATION).verdict, Alert.objects.get().state) == ("pass", "resolved")
    set_rule(system, ROTATION, Place(account=account), parameters={"days": 30})
    rejudging.rejudge(account.pk)
    assert Finding.objects.get(rule_id=ROTATION).message.endswith("the limit is 30 days")
    assert Alert.objects.get().state == "open"


def test_a_severity_reaches_the_alert_and_is_taken_back(
    account: Account, policy: Policy, add_resource: Add, system: Actor
) -> None:
    add_resource(BUCKET, "logs", OFF)
    scanned(account)
    usual = Alert.objects.get().severity
    set_rule(system, VERSIONING, Place(policy=policy), severity="critical")
    rejudging.rejudge(account.pk)
    assert (Alert.objects.get().severity, Alert.objects.get().rank) == ("critical", 0)
    suppress(system, Alert.objects.get(), Finding.objects.all(), "test")
    assert Alert.objects.get().severity == "critical", "no other act takes it back"
    set_rule(system, VERSIONING, Place(policy=policy))
    rejudging.rejudge(account.pk)
    assert Alert.objects.get().severity == usual
    assert "to critical" in Entry.objects.filter(action="alert.graded").earliest("id").sentence


def test_a_rule_that_was_off_comes_back_under_its_suppression(
    account: Account, policy: Policy, add_resource: Add, system: Actor
) -> None:
    add_resource(BUCKET, "logs", OFF)
    scanned(account)
    suppress(system, Alert.objects.get(), Finding.objects.all(), "test bucket")
    set_rule(system, VERSIONING, Place(account=account), off=True, reason="not ours")
    rejudging.rejudge(account.pk)
    assert (Alert.objects.get().state, Finding.objects.count()) == ("resolved", 0)
    [control] = compliance.detail(account, policy.to_domain()).controls
    assert (control.state, control.rules[0].off) == (ControlState.NOT_CHECKED, "not ours")
    set_rule(system, VERSIONING, Place(account=account))
    rejudging.rejudge(account.pk)
    assert (Alert.objects.get().state, Alert.objects.get().suppressed) == ("suppressed", 1)


def test_what_the_last_scan_could_not_read_is_left_as_it_is(
    account: Account, policy: Policy, add_resource: Add, system: Actor
) -> None:
    add_rule(system, policy, ROTATION)
    add_resource(BUCKET, "logs", OFF)
    add_resource(KEY, "AKIA1", key_of(100), service="iam", region="global")
    scanned(account)
    hidden = DomainResource.unreadable(BUCKET, "global", account.number, permission="s3:ListAllMyBuckets", reason="no")
    store.save(account, "s3", [hidden])
    Resource.objects.filter(name="logs").update(properties={"VersioningConfiguration": {"Status": "Enabled"}})
    scanned(account, "iam", state="partial")
    set_rule(system, ROTATION, parameters={"days": 180})
    rejudging.rejudge(account.pk)
    assert {each.key: each.state for each in Alert.objects.all()} == {VERSIONING: "open", ROTATION: "open"}


def test_a_type_that_was_not_read_is_not_known_as_a_neighbour(
    account: Account, policy: Policy, add_resource: Add, system: Actor
) -> None:
    trail = {"TrailName": "main", "S3BucketName": "logs", "IsMultiRegionTrail": True, "IsLogging": True}
    add_resource("AWS::CloudTrail::Trail", "main", trail, service="cloudtrail", region="us-east-1")
    scanned(account, "s3", state="partial")
    add_rule(system, policy, TRAIL)
    rejudging.rejudge(account.pk)
    found = Finding.objects.get(rule_id=TRAIL)
    assert found.verdict == "unknown" and "S3 could not be read: timed out" in found.message


def test_it_waits_for_a_scan_which_answers_it(
    account: Account, policy: Policy, add_resource: Add, system: Actor
) -> None:
    add_resource(BUCKET, "logs", OFF)
    scan = scanned(account, state="running")
    set_rule(system, VERSIONING, severity="low")
    assert rejudging.rejudge(account.pk) == 0
    assert Rejudging.objects.get().waiting
    judge_scan(scan, still_wanted=lambda: True)
    assert Alert.objects.get().severity == "low"
    assert not Rejudging.objects.get().waiting, "a scan of the whole account judged by the change"


def test_a_scan_that_begins_meanwhile_stops_it_before_it_writes(
    account: Account, policy: Policy, add_resource: Add, system: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_resource(BUCKET, "logs", OFF)
    scanned(account)
    remove_rule(system, policy, VERSIONING)
    scans = iter([1])
    monkeypatch.setattr(rejudging, "_newest_scan", lambda account: next(scans, 2))
    assert rejudging.rejudge(account.pk) == 0
    assert Alert.objects.get().state == "open"
    row = Rejudging.objects.get()
    assert row.waiting and row.lease_until is None


def test_a_change_made_while_it_judges_is_judged_as_well(
    account: Account, policy: Policy, add_resource: Add, system: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_resource(BUCKET, "logs", OFF)
    scanned(account)
    set_rule(system, VERSIONING, severity="high")
    judged, judge = [], rejudging._judge_stored

    def meanwhile(*arguments: Any) -> bool:
        done = judge(*arguments)
        if not judged:
            set_rule(system, VERSIONING, severity="low")
        judged.append(done)
        return done

    monkeypatch.setattr(rejudging, "_judge_stored", meanwhile)
    assert rejudging.rejudge(account.pk) == 2
    assert Alert.objects.get().severity == "low"


def test_it_is_taken_by_one_worker_and_again_when_that_one_died(account: Account, policy: Policy) -> None:
    requests.request([account])
    Rejudging.objects.update(lease_until=timezone.now() + timedelta(minutes=1))
    assert rejudging.rejudge(account.pk) == 0
    Rejudging.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    OrmQ.objects.all().delete()
    assert requests.wake_waiting() == 0, "it was asked for a moment ago"
    Rejudging.objects.update(wanted_at=timezone.now() - timedelta(minutes=2))
    assert (requests.wake_waiting(), OrmQ.objects.count()) == (1, 1)
    assert rejudging.rejudge(account.pk) == 1
    assert requests.wake_waiting() == 0


def test_the_day_of_compliance_follows(account: Account, policy: Policy, add_resource: Add, system: Actor) -> None:
    add_resource(BUCKET, "logs", OFF)
    scanned(account)
    second = add_rule(system, create_policy(system, name="Second", provider="aws"), VERSIONING)
    account.policies = [policy.key, second.key]
    account.save()
    assert compliance.detail(account, second.to_domain()).why_not
    requests.request([account])
    rejudging.rejudge(account.pk)
    assert compliance.detail(account, second.to_domain()).counts["fail"] == 1
    assert set(ComplianceDay.objects.values_list("policy", "failed")) == {(policy.key, 1), (second.key, 1)}


def test_a_pending_account_is_not_judged(account: Account) -> None:
    account.verified_at = None
    assert requests.request([account]) == 0
    assert rejudging.rejudge(account.pk) == 0
