"""A scan judges only what something changed of: made visible by a message that only judging puts right."""

from __future__ import annotations

import pytest
from django.utils import timezone
from tests.scanning import SMALL, connect, scanned

from nephoscope.accounts.models import Account
from nephoscope.alerts.models import Alert, Finding
from nephoscope.audit.services import Actor
from nephoscope.judging.rechecks import recheck
from nephoscope.policies.models import JudgedType
from nephoscope.policies.rule_settings import Place, set_rule
from nephoscope_aws_simulator.testing import Cloud

pytestmark = pytest.mark.django_db

BUCKETS, KEYS = "AWS::S3::Bucket", "AWS::KMS::Key"
SERVICES = ["s3", "kms"]


@pytest.fixture
def scanned_once(small: Cloud, system: Actor) -> Account:
    """Scanned, and then the messages of all findings were overwritten."""
    account = connect(system, ["us-east-1"], SMALL)
    account.services = SERVICES
    account.save()
    scanned(account, system, services=[])
    overwrite()
    return account


def overwrite() -> None:
    Finding.objects.filter(verdict="fail").update(message="overwritten")


def judged_again() -> set[str]:
    """The types whose findings were judged since their messages were overwritten."""
    rows = Finding.objects.filter(verdict="fail", resource__type__in=[BUCKETS, KEYS])
    assert set(rows.values_list("resource__type", flat=True)) == {BUCKETS, KEYS}
    return set(rows.exclude(message="overwritten").values_list("resource__type", flat=True))


def test_what_is_as_it_was_is_not_judged_again_and_was_seen_all_the_same(scanned_once: Account, system: Actor) -> None:
    before = timezone.now()
    assert scanned(scanned_once, system, services=[]).state == "succeeded"
    assert judged_again() == set()
    assert not Alert.objects.filter(state="open", last_seen__lt=before).exists()


def test_one_changed_resource_has_its_type_judged_again(scanned_once: Account, system: Actor, small: Cloud) -> None:
    s3 = small.client("s3")
    s3.create_bucket(Bucket="newcomer")
    try:
        scanned(scanned_once, system, services=[])
    finally:
        s3.delete_bucket(Bucket="newcomer")
    assert judged_again() == {BUCKETS}


def test_a_rule_that_is_set_otherwise_has_its_type_judged_again(scanned_once: Account, system: Actor) -> None:
    place = Place(account=scanned_once)
    set_rule(system, "aws.kms.rotation", place, off=True, reason="for the test")
    scanned(scanned_once, system, services=[])
    assert KEYS in judged_again()


def test_a_recheck_makes_the_next_scan_judge_the_type(scanned_once: Account, system: Actor) -> None:
    alert = Alert.objects.filter(findings__resource__type=KEYS, state="open").first()
    assert alert
    recheck(system, alert, list(alert.findings.all())[:1])
    overwrite()
    scanned(scanned_once, system, services=[])
    assert judged_again() == {KEYS}


def test_a_scan_of_a_part_writes_no_type_down_that_it_did_not_read_everywhere(small: Cloud, system: Actor) -> None:
    account = connect(system, number=SMALL)
    scanned(account, system, services=["s3", "kms"], regions=["us-east-1"])
    assert set(JudgedType.objects.values_list("type", flat=True)) & {BUCKETS, KEYS} == {BUCKETS}


def test_other_code_judges_everything_again(scanned_once: Account, system: Actor) -> None:
    JudgedType.objects.update(content="of an older version")
    scanned(scanned_once, system, services=[])
    assert judged_again() == {BUCKETS, KEYS}
