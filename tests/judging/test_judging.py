"""What opens, what closes, and what may not close."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from nephoscope.accounts.models import Account
from nephoscope.alerts.models import Alert, AlertState, Finding
from nephoscope.alerts.suppressions import suppress
from nephoscope.audit.models import Entry
from nephoscope.audit.services import Actor
from nephoscope.domain import Resource as DomainResource
from nephoscope.domain import unknown
from nephoscope.inventory import store
from nephoscope.inventory.models import JUDGE, Resource, Scan, Shard, ShardState
from nephoscope.judging import services as judging
from nephoscope.judging.services import judge_resources, judge_scan
from nephoscope.policies.models import Policy
from nephoscope.policies.services import add_rule, create_policy, remove_rule

BUCKET = "AWS::S3::Bucket"
VERSIONING = "aws.s3.versioning"
ON, OFF = {"VersioningConfiguration": {"Status": "Enabled"}}, {"VersioningConfiguration": None}
HIDDEN = {"VersioningConfiguration": unknown("access denied", "s3:GetBucketVersioning")}

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def only_versioning(account: Account, system: Actor) -> Policy:
    """One rule is enough to see what opens and closes."""
    policy = add_rule(system, create_policy(system, name="One rule", provider="aws"), VERSIONING)
    account.policies = [policy.key]
    account.save()
    return policy


def scanned(account: Account, shards: dict[tuple[str, str], str] | None = None) -> None:
    """Judge as the last part of a scan with these shards (all succeeded: only S3)."""
    scan = Scan.objects.create(account=account, state="running")
    for (service, region), state in (shards or {("s3", "global"): "done"}).items():
        Shard.objects.create(
            scan=scan, service=service, region=region, state=state, error="" if state == "done" else "x"
        )
    Shard.objects.create(scan=scan, service=JUDGE, region="global", state="running")
    judge_scan(scan, still_wanted=lambda: True)
    Scan.objects.filter(pk=scan.pk).update(state="succeeded")


def the_alert() -> Alert:
    return Alert.objects.get(key=VERSIONING)


def test_a_failing_resource_opens_an_alert_with_its_evidence(
    account: Account, add_resource: Callable[..., Any]
) -> None:
    add_resource(BUCKET, "logs", OFF)
    scanned(account)
    alert, finding = the_alert(), Finding.objects.get()
    assert (alert.state, alert.affected, alert.severity) == ("open", 1, "low")
    assert finding.alert == alert
    assert finding.evidence[0]["path"] == "VersioningConfiguration"
    assert Entry.objects.filter(action="alert.opened", target_id=str(alert.pk)).count() == 1


def test_a_resource_that_is_right_again_closes_the_alert_and_a_later_failure_reopens_it(
    account: Account, add_resource: Callable[..., Any]
) -> None:
    for properties, state in ((OFF, "open"), (ON, "resolved"), (OFF, "open")):
        add_resource(BUCKET, "logs", properties)
        scanned(account)
        assert the_alert().state == state
    actions = list(Entry.objects.filter(action__startswith="alert").order_by("id").values_list("action", flat=True))
    assert actions == ["alert.opened", "alert.left", "alert.resolved", "alert.reopened"]


def test_judging_the_same_twice_changes_and_records_nothing(account: Account, add_resource: Callable[..., Any]) -> None:
    add_resource(BUCKET, "logs", OFF)
    scanned(account)
    before = (Finding.objects.get().changed_at, Entry.objects.count())
    scanned(account)
    assert (Finding.objects.get().changed_at, Entry.objects.count()) == before


def test_postgresql_counts_its_rows_anew_when_much_was_written(
    account: Account, add_resource: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judging, "MANY", 3)
    for number in range(5):
        add_resource(BUCKET, f"logs-{number}", OFF)
    scanned(account)
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples FROM pg_class WHERE oid = 'alerts_finding'::regclass")
        assert cursor.fetchone() == (Finding.objects.count(),)


def test_what_cannot_be_read_any_more_is_unknown_and_closes_nothing(
    account: Account, add_resource: Callable[..., Any]
) -> None:
    add_resource(BUCKET, "logs", OFF)
    scanned(account)
    add_resource(BUCKET, "logs", HIDDEN)
    scanned(account)
    finding = Finding.objects.get()
    assert (finding.verdict, finding.permission) == ("unknown", "s3:GetBucketVersioning")
    assert finding.failing_since is not None
    assert finding.evidence, "the evidence of the last failure is kept"
    assert the_alert().state == "open"


def test_an_unknown_finding_opens_no_alert(account: Account, add_resource: Callable[..., Any]) -> None:
    add_resource(BUCKET, "logs", HIDDEN)
    scanned(account)
    assert Finding.objects.get().verdict == "unknown"
    assert not Alert.objects.exists()


def test_a_resource_that_is_gone_closes_with_its_own_reason(account: Account, add_resource: Callable[..., Any]) -> None:
    row = add_resource(BUCKET, "logs", OFF)
    scanned(account)
    Resource.objects.filter(pk=row.pk).update(gone_at=timezone.now())
    scanned(account)
    assert the_alert().state == AlertState.RESOLVED
    assert "(gone)" in Entry.objects.get(action="alert.left").sentence


def test_a_part_that_failed_closes_nothing(account: Account, add_resource: Callable[..., Any]) -> None:
    add_resource(BUCKET, "logs", OFF)
    scanned(account)
    add_resource(BUCKET, "logs", ON)
    scanned(account, {("s3", "global"): "failed", ("iam", "global"): "done"})
    assert the_alert().state == "open"


def test_resources_whose_listing_was_hidden_are_not_judged_from_memory(
    account: Account, add_resource: Callable[..., Any]
) -> None:
    add_resource(BUCKET, "logs", OFF)
    scanned(account)
    Resource.objects.filter(name="logs").update(properties=ON)
    hidden = DomainResource.unreadable(BUCKET, "global", account.number, permission="s3:ListAllMyBuckets", reason="no")
    store.save(account, "s3", [hidden])
    scanned(account)
    assert the_alert().state == "open"
    stand_in = Finding.objects.get(verdict="unknown")
    assert stand_in.permission == "s3:ListAllMyBuckets"


def test_where_one_resource_could_not_be_told_by_its_id_the_others_are_judged(
    account: Account, add_resource: Callable[..., Any]
) -> None:
    add_resource(BUCKET, "logs", ON)
    scanned(account)
    one = DomainResource.unreadable(BUCKET, "global", account.number, permission="", reason="it has no name", one=True)
    store.save(account, "s3", [one])
    add_resource(BUCKET, "logs", OFF)
    scanned(account)
    assert Finding.objects.get(resource__name="logs").verdict == "fail"
    assert "it has no name" in Finding.objects.get(verdict="unknown").message


def test_a_rule_that_no_policy_names_any_more_closes_its_alert(
    account: Account, add_resource: Callable[..., Any], system: Actor, only_versioning: Policy
) -> None:
    add_resource(BUCKET, "logs", OFF)
    scanned(account)
    remove_rule(system, only_versioning, VERSIONING)
    scanned(account)
    assert the_alert().state == "resolved"
    assert "no longer checked" in Entry.objects.get(action="alert.left").sentence


def test_a_suppression_holds_over_scans_and_over_the_rebirth_of_its_resource(
    account: Account, add_resource: Callable[..., Any], system: Actor
) -> None:
    row = add_resource(BUCKET, "logs", OFF)
    scanned(account)
    suppress(system, the_alert(), Finding.objects.all(), "test bucket")
    scanned(account)
    assert (the_alert().state, the_alert().suppressed) == ("suppressed", 1)
    Resource.objects.filter(pk=row.pk).update(gone_at=timezone.now())
    scanned(account)
    assert the_alert().state == "resolved"
    add_resource(BUCKET, "logs", OFF)
    scanned(account)
    assert (the_alert().state, the_alert().affected) == ("suppressed", 0)


def test_a_recheck_of_one_resource_leaves_the_others_alone(account: Account, add_resource: Callable[..., Any]) -> None:
    first, _second = add_resource(BUCKET, "a", OFF), add_resource(BUCKET, "b", OFF)
    scanned(account)
    add_resource(BUCKET, "a", ON)
    Resource.objects.filter(name="b").update(properties=ON)
    judge_resources(account, Actor.system("test"), [first.pk], [])
    assert (the_alert().state, the_alert().affected) == ("open", 1)


def test_an_unchanged_resource_is_not_written_again(account: Account, add_resource: Callable[..., Any]) -> None:
    row = add_resource(BUCKET, "logs", OFF)
    with connection.cursor() as cursor:
        cursor.execute("SELECT xmin FROM inventory_resource")
        before = cursor.fetchone()
        assert add_resource(BUCKET, "logs", OFF).pk == row.pk
        cursor.execute("SELECT xmin FROM inventory_resource")
        assert cursor.fetchone() == before


def test_names_that_no_database_holds_are_stored_without_harm(add_resource: Callable[..., Any]) -> None:
    row = add_resource(BUCKET, "odd", {"BucketName": "a\0b\ud800c", "Policy": {"Sid\0": "<script>"}})
    assert row.properties["BucketName"] == "a�b?c"
    assert row.properties["Policy"] == {"Sid�": "<script>"}
    assert digest_is_stable(row, add_resource)


def digest_is_stable(row: Resource, add_resource: Callable[..., Any]) -> bool:
    again = add_resource(BUCKET, "odd", {"BucketName": "a\0b\ud800c", "Policy": {"Sid\0": "<script>"}})
    return bool(again.changed_at == row.changed_at)


def test_two_accounts_keep_their_resources_apart(account: Account, add_resource: Callable[..., Any]) -> None:
    other = Account.objects.create(
        name="dev",
        provider="aws",
        number="210987654321",
        policies=account.policies,
        regions=["eu-west-1"],
        verified_at=timezone.now(),
    )
    add_resource(BUCKET, "logs", OFF)
    bucket = DomainResource(BUCKET, "arn:aws:s3:::logs", "logs", "eu-west-1", other.number, ON)
    store.save(other, "s3", [bucket])
    scanned(account)
    scanned(other)
    assert [(each.account.name, each.verdict) for each in Finding.objects.order_by("account__name")] == [
        ("dev", "pass"),
        ("prod", "fail"),
    ]


def test_the_state_of_a_shard_that_was_cancelled_is_no_reading(
    account: Account, add_resource: Callable[..., Any]
) -> None:
    add_resource(BUCKET, "logs", OFF)
    scanned(account)
    add_resource(BUCKET, "logs", ON)
    scanned(account, {("s3", "global"): ShardState.CANCELLED})
    assert the_alert().state == "open"
