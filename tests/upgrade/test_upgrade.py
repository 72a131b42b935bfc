"""A database of release 0.1.0, as its tables were, is migrated and goes on being worked with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.utils import DatabaseError
from django.test import Client
from django.urls import reverse
from tests.upgrade.recorded import database_of, state

from nephoscope.accounts.models import User
from nephoscope.alerts import queries
from nephoscope.alerts.models import Alert, Finding
from nephoscope.audit.chain import first_broken
from nephoscope.audit.models import Entry
from nephoscope.audit.services import Actor
from nephoscope.changes.models import Change
from nephoscope.changes.services import UNDOABLE
from nephoscope.changes.suppressing import unsuppress
from nephoscope.inventory.models import Resource
from nephoscope.organisations.models import Organisation
from nephoscope_aws.call import AwsCall

OLD = state("0.1.0")


@pytest.fixture(scope="module", autouse=True)
def upgraded(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Make a database with the old schema and rows, migrate it, and have this module's tests work on it."""
    with django_db_blocker.unblock(), database_of(OLD):
        yield


@pytest.fixture(autouse=True)
def rolled_back(upgraded: None) -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture
def admin() -> Client:
    client = Client()
    client.force_login(User.objects.get(username="ada"))
    return client


def test_every_row_is_still_there() -> None:
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        counted = {}
        for table in set(OLD["tables"]) & set(tables):
            cursor.execute(f'SELECT count(*) FROM "{table}"')
            counted[table] = cursor.fetchone()[0]
    assert counted == {table: OLD["tables"][table]["rows"].count("\n") for table in counted}
    assert set(OLD["tables"]) - set(tables) == {"alerts_incidentcursor"}, "renamed"


def test_the_audit_log_is_whole_goes_on_and_cannot_be_altered() -> None:
    assert first_broken() is None
    alert = Alert.objects.get(key="aws.s3.public_write")
    unsuppress(Actor.of(User.objects.get(username="anna")), alert, alert.findings.all())
    assert first_broken() is None
    for altered in (
        lambda: Entry.objects.filter(pk=1).update(actor="nobody"),
        lambda: Entry.objects.get(pk=1).delete(),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            altered()


def test_what_guardduty_found_is_a_threat_and_found_by_kind_and_by_source() -> None:
    threats = set(Alert.objects.filter(kind="threat", source="GuardDuty"))
    assert len(threats) == 3
    assert set(queries.FILTERS["kind"](Alert.objects.all(), "threat")) == threats
    assert set(queries.FILTERS["source"](Alert.objects.all(), "GuardDuty")) == threats
    assert Finding.objects.filter(rule_id="threat", alert__in=threats).count() == 3
    assert set(Alert.objects.exclude(kind="threat").values_list("kind", "source")) == {("security", "")}


def test_suppressions_stand_and_can_be_taken_back() -> None:
    suppressed = Alert.objects.filter(state="suppressed")
    assert suppressed.count() == 3
    anna = Actor.of(User.objects.get(username="anna"))
    for alert in suppressed:
        assert set(alert.findings.filter(suppression__lifted_at=None).values_list("suppression__alert", flat=True)) == {
            alert.pk
        }
        unsuppress(anna, alert, alert.findings.all())
        alert.refresh_from_db()
        assert (alert.state, alert.suppressed) == ("open", 0)


def test_what_could_not_be_listed_has_columns_for_it() -> None:
    found = Resource.objects.filter(unlisted=True).values_list("type", "region", "share")
    assert set(found) == {
        ("AWS::SQS::Queue", "us-east-1", 0),
        ("AWS::S3::Bucket", "global", 0),
        ("AWS::S3::Bucket", "global", 1),
    }
    assert not Resource.objects.filter(resource_id__startswith="unreadable").exists()


def test_the_organisation_is_reached_as_before() -> None:
    assert Organisation.objects.get().settings == {
        "role_name": "nephoscope-read",
        "role_path": "/",
        "external_id": "oooooooooooooooooooo",
        "write_role_name": "nephoscope-fix",
        "write_external_id": "946646321fcca0806daa7df43f426de9",
    }


def test_the_applied_change_is_shown_with_its_calls_and_can_be_undone(admin: Client) -> None:
    change = Change.objects.get(state="verified")
    [step] = change.steps.all()
    for call, principal in ((step.call, "123456789012:root"), (step.inverse, '"*"')):
        assert call["label"] == "s3:PutBucketPolicy"
        made = AwsCall(**call["body"])
        assert (made.service, made.operation, made.region) == ("s3", "put_bucket_policy", "eu-west-1")
        assert principal in made.parameters["Policy"]
        assert [each["action"] for each in call["permissions"]] == ["s3:PutBucketPolicy"]
    assert change.state in UNDOABLE
    page = admin.get(reverse("admin:changes_change_change", args=[change.pk])).content.decode()
    assert "s3:PutBucketPolicy" in page and 'name="reason"' in page


def test_the_change_that_was_only_planned_is_refused_in_words(admin: Client) -> None:
    change = Change.objects.get(pk=10)
    assert (change.state, change.finished_at is None) == ("refused", False)
    assert "plan again" in change.outcome
    assert "plan again" in admin.get(reverse("admin:changes_change_change", args=[change.pk])).content.decode()


PAGES = [
    ("index", []),
    ("alerts_alert_changelist", []),
    ("alerts_alert_change", [1]),
    ("alerts_alert_change", [10]),
    ("changes_change_changelist", []),
    ("changes_change_change", [9]),
    ("audit_entry_changelist", []),
    ("audit_entry_change", [1]),
    ("accounts_account_change", [1]),
    ("organisations_organisation_change", [1]),
    ("inventory_resource_changelist", []),
    ("inventory_scan_changelist", []),
    ("compliance", []),
    ("reports_reportschedule_changelist", []),
]


@pytest.mark.parametrize(("page", "of"), PAGES, ids=lambda each: each if isinstance(each, str) else "")
def test_the_pages_open(admin: Client, page: str, of: list[int]) -> None:
    assert admin.get(reverse(f"admin:{page}", args=of)).status_code == 200
