"""Fixing a public bucket from an alert, through both roles of a simulated account, and taking it back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone
from tests.changes.working import apply, undo
from tests.conftest import use
from tests.scanning import connect, scanned

from nephoscope.accounts.models import Account, User
from nephoscope.accounts.queries import provider_of
from nephoscope.alerts.models import Alert, Finding
from nephoscope.audit.models import Entry
from nephoscope.audit.services import Actor
from nephoscope.changes.approvals import approve_change
from nephoscope.changes.models import Change
from nephoscope.changes.planning import plan_change
from nephoscope.changes.readiness import readiness
from nephoscope.changes.services import request_undo
from nephoscope.connections.services import setup_templates
from nephoscope.domain import Permission
from nephoscope.judging.rechecks import recheck
from nephoscope.surgery import open_writer
from nephoscope_aws.call import aws_call
from nephoscope_aws_simulator.testing import Cloud, Simulator

NUMBER = "777777777777"
BUCKET = "northwind-change-test"
FIX = "aws.s3.remove_public_access"
POLICY = """{
  "Version": "2012-10-17",
  "Statement": [{"Sid": "<b>Everyone</b>", "Effect": "Allow", "Principal": "*",
    "Action": "s3:GetObject",   "Resource": "arn:aws:s3:::northwind-change-test/*"}]
}"""

pytestmark = pytest.mark.django_db


@dataclass
class World:
    account: Account
    alert: Alert
    actor: Actor
    aws: Cloud

    @property
    def findings(self) -> list[Finding]:
        return list(self.alert.findings.filter(resource__name=BUCKET, failing_since__isnull=False))

    @property
    def policy(self) -> str:
        return str(self.aws.client("s3").get_bucket_policy(Bucket=BUCKET)["Policy"])

    def plan(self) -> Change:
        return plan_change(self.actor, self.alert, self.findings, FIX)

    def apply(self, change: Change) -> Change:
        return apply(self.actor, change)


@pytest.fixture(scope="module")
def cloud(company: Simulator) -> Cloud:
    """An account of its own, in which a scan finds one bucket."""
    return company.other(NUMBER)


@pytest.fixture(scope="module")
def roles(cloud: Cloud) -> dict[str, str]:
    """The settings of an account whose two stacks were deployed from the product's own CloudFormation templates."""
    account = Account(provider="aws")
    account.settings = provider_of(account).prepare({})
    client = cloud.client("cloudformation")
    with pytest.MonkeyPatch.context() as patch:
        use(patch, cloud)
        for writing, setting in ((False, "role_arn"), (True, "write_role_arn")):
            template = next(
                each.text for each in setup_templates(account, writing=writing) if each.id == "cloudformation"
            )
            client.create_stack(StackName=setting, TemplateBody=template, Capabilities=["CAPABILITY_NAMED_IAM"])
            outputs = client.describe_stacks(StackName=setting)["Stacks"][0]["Outputs"]
            account.settings[setting] = next(each["OutputValue"] for each in outputs if each["OutputKey"] == "RoleArn")
    return account.settings


@pytest.fixture
def reading_only(
    monkeypatch: pytest.MonkeyPatch, cloud: Cloud, roles: dict[str, str], system: Actor, remediator: User
) -> Iterator[World]:
    """A public bucket, found by a scan through the reading role; the account has no fix role."""
    use(monkeypatch, cloud)
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.delete_public_access_block(Bucket=BUCKET)
    s3.put_bucket_policy(Bucket=BUCKET, Policy=POLICY)
    account = connect(system, ["us-east-1"], NUMBER)
    account.settings = {**roles, "write_role_arn": ""}
    account.save()
    account.groups.set(remediator.account_groups.all())
    scanned(account, system, services=["s3"])
    yield World(account, Alert.objects.get(key="aws.s3.public_read"), Actor.of(remediator, "10.0.0.5"), cloud)
    s3.delete_bucket_policy(Bucket=BUCKET)
    s3.delete_bucket(Bucket=BUCKET)


@pytest.fixture
def world(reading_only: World, roles: dict[str, str]) -> World:
    account = reading_only.account
    account.settings, account.writing_verified_at = roles, timezone.now()
    account.save()
    reading_only.alert.refresh_from_db()
    return reading_only


def test_without_a_fix_role_the_fix_button_says_how_to_get_one(
    reading_only: World, remediator: User, viewer: User
) -> None:
    alert = reading_only.alert
    assert not readiness(remediator, alert).ready
    assert "Set up fixes" in readiness(remediator, alert).why
    assert "Remediator" in readiness(viewer, alert).why
    with pytest.raises(ValidationError):
        reading_only.plan()
    assert not Change.objects.exists()


def test_the_plan_shows_the_exact_call_the_diff_and_the_permissions_and_writes_nothing(world: World) -> None:
    change = world.plan()
    [step] = change.steps.all()
    assert step.call["label"] == "s3:PutBucketPolicy"
    assert step.before == POLICY
    assert json.loads(step.after)["Statement"][0]["Principal"] == {"AWS": "arn:aws:iam::777777777777:root"}
    assert {each["action"] for each in change.permissions} == {"s3:PutBucketPolicy"}
    assert {each["resource"] for each in change.permissions} == {f"arn:aws:s3:::{BUCKET}"}
    assert world.policy == POLICY


def test_a_fix_is_applied_verified_closed_and_undone_byte_for_byte(world: World) -> None:
    change = world.apply(world.plan())
    assert (change.state, change.outcome) == ("verified", "Applied and verified: the resources now pass.")
    assert json.loads(world.policy)["Statement"][0]["Principal"] == {"AWS": "arn:aws:iam::777777777777:root"}
    assert world.findings == []
    change = undo(world.actor, change)
    assert change.state == "undone"
    assert world.policy == POLICY
    assert len(world.findings) == 1
    actions = list(Entry.objects.filter(target_type="change").order_by("id").values_list("action", flat=True))
    assert actions == [
        "change.planned",
        "change.approved",
        "change.verified",
        "change.undo_requested",
        "change.undone",
    ]
    approved = Entry.objects.get(action="change.approved")
    assert (approved.actor, approved.address, approved.reason) == ("rémi", "10.0.0.5", "nobody needs this")


def test_a_policy_that_changed_since_the_plan_is_not_touched(world: World) -> None:
    change = world.plan()
    newer = POLICY.replace("s3:GetObject", "s3:ListBucket").replace("-test/*", "-test")
    world.aws.client("s3").put_bucket_policy(Bucket=BUCKET, Policy=newer)
    change = world.apply(change)
    assert change.state == "refused"
    assert "changed since" in change.outcome
    assert world.policy == newer
    assert world.aws.client("s3").get_bucket_policy(Bucket=BUCKET)["Policy"] == newer


def test_an_undo_leaves_alone_what_somebody_changed_since(world: World) -> None:
    change = world.apply(world.plan())
    theirs = world.policy.replace("s3:GetObject", "s3:GetObjectVersion")
    world.aws.client("s3").put_bucket_policy(Bucket=BUCKET, Policy=theirs)
    change = undo(world.actor, change)
    assert world.policy == theirs
    assert change.state == "verified"
    assert "changed by somebody else since; nothing was undone" in change.outcome
    assert Entry.objects.get(action="change.undo_refused").reason == "somebody needs it"


@pytest.mark.parametrize(
    ("digest", "reason", "field"), [("", "why", "digest"), ("0" * 64, "why", "digest"), (None, " ", "reason")]
)
def test_only_the_plan_that_was_shown_is_applied_and_only_with_a_reason(
    world: World, digest: str | None, reason: str, field: str
) -> None:
    change = world.plan()
    with pytest.raises(ValidationError) as caught:
        approve_change(world.actor, change, digest=change.digest if digest is None else digest, reason=reason)
    assert field in caught.value.message_dict
    assert world.policy == POLICY


def test_a_plan_that_was_altered_in_the_database_is_refused(world: World) -> None:
    change = world.plan()
    change.steps.update(after="{}")
    with pytest.raises(ValidationError, match="changed since it was shown"):
        world.apply(change)
    assert world.policy == POLICY


def test_a_change_is_applied_once(world: World) -> None:
    change = world.apply(world.plan())
    with pytest.raises(ValidationError, match="already"):
        world.apply(change)


def test_an_analyst_may_neither_plan_approve_nor_undo(world: World, analyst: User) -> None:
    change, actor = world.plan(), Actor.of(analyst)
    with pytest.raises(PermissionDenied):
        plan_change(actor, world.alert, world.findings, FIX)
    with pytest.raises(PermissionDenied):
        approve_change(actor, change, digest=change.digest, reason="why")
    with pytest.raises(PermissionDenied):
        request_undo(actor, change, reason="why")
    assert world.policy == POLICY


def test_a_refused_write_fails_the_step_says_why_and_leaves_the_alert_open(world: World) -> None:
    change = world.plan()
    world.aws.control("deny", actions=["s3:PutBucketPolicy"])
    change = world.apply(change)
    [step] = change.steps.all()
    assert (change.state, step.state) == ("failed", "failed")
    assert "s3:PutBucketPolicy" in step.error
    assert world.policy == POLICY
    assert len(world.findings) == 1


def test_a_plan_may_touch_only_so_many_resources(world: World, settings: Any) -> None:
    settings.NEPHOSCOPE_MAX_RESOURCES_PER_PLAN = 0
    with pytest.raises(ValidationError, match="at most 0"):
        world.plan()


def test_fixing_by_hand_and_rechecking_closes_without_a_scan(world: World) -> None:
    world.aws.client("s3").delete_bucket_policy(Bucket=BUCKET)
    result = recheck(world.actor, world.alert, world.findings)
    assert (result.closed, result.still, result.problems) == (1, 0, [])
    assert world.findings == []
    world.aws.client("s3").put_bucket_policy(Bucket=BUCKET, Policy=POLICY)


def test_a_recheck_that_is_denied_says_so_and_closes_nothing(world: World) -> None:
    world.aws.control("deny", actions=["s3:GetBucketPolicy"])
    result = recheck(world.actor, world.alert, world.findings)
    assert (result.closed, result.still) == (0, 1)
    assert "s3:GetBucketPolicy" in result.problems[0] or "denied" in result.problems[0]
    assert len(world.findings) == 1
    assert world.findings[0].verdict == "unknown"
    assert world.findings[0].permission == "s3:GetBucketPolicy"


def test_the_fix_roles_session_can_do_nothing_but_the_plan(world: World) -> None:
    allowed = Permission("s3:PutBucketPolicy", f"arn:aws:s3:::{BUCKET}")
    writer = open_writer(provider_of(world.account), world.account.connection, [allowed])
    other = {"Bucket": "northwind-returns-photos", "Policy": POLICY}
    for call, why in (
        (aws_call("s3", "put_bucket_policy", other, allowed, region="us-east-1"), "no session policy allows"),
        (aws_call("s3", "delete_bucket", {"Bucket": BUCKET}, allowed, region="us-east-1"), "no identity-based policy"),
    ):
        with pytest.raises(Exception, match=why):
            writer.write(call)
