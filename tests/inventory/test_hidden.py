"""What gives access to an account stands in the account too, and nobody who only looks at the account reads it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from nephoscope.accounts.models import Account, User
from nephoscope.alerts.models import Finding
from nephoscope.audit.services import Actor
from nephoscope.domain import Resource as DomainResource
from nephoscope.inventory import store
from nephoscope.inventory.hidden import MARK
from nephoscope.inventory.models import Resource
from nephoscope.judging.services import judge_resources
from nephoscope.organisations.models import Member, Organisation

pytestmark = pytest.mark.django_db

READING, WRITING, OF_ALL = "e" * 32, "f" * 32, "o" * 32
ROLE = "AWS::IAM::Role"


def trusting(external_id: str, name: str = "nephoscope-read") -> DomainResource:
    """A role that anybody who knows the external ID may assume, which a rule finds and shows as evidence."""
    condition = {"StringEquals": {"sts:ExternalId": external_id}}
    statement = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole", "Condition": condition}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    properties = {
        "RoleName": name,
        "AssumeRolePolicyDocument": document,
        "Description": f"made with {external_id}",
        "Copy": json.dumps(document),
        "Names": {external_id: [external_id]},
    }
    arn = f"arn:aws:iam::123456789012:role/{name}"
    return DomainResource(ROLE, arn, name, "global", "123456789012", properties, {"id": external_id})


@pytest.fixture
def organisation(account: Account) -> Organisation:
    now = timezone.now()
    root = Account.objects.create(name="root", provider="aws", number="9" * 12)
    made = Organisation.objects.create(name="all", account=root, settings={"external_id": OF_ALL})
    Member.objects.create(
        organisation=made, account=account, number="1" * 12, name="one", state="active", since=now, seen_at=now
    )
    return made


def everywhere() -> str:
    """All that is stored of resources and findings."""
    stored = [*Resource.objects.values_list("name", "tags", "properties"), *Finding.objects.values_list("evidence")]
    return json.dumps(stored + list(Finding.objects.values_list("message")))


@pytest.mark.parametrize("external_id", [READING, WRITING, OF_ALL])
def test_no_external_id_by_which_an_account_is_reached_is_stored(
    account: Account, organisation: Organisation, external_id: str
) -> None:
    read = store.save(account, "iam", [trusting(external_id)])
    judge_resources(account, Actor.system(), read, ())
    assert external_id not in everywhere()
    role = Resource.objects.get(type=ROLE)
    statement = role.properties["AssumeRolePolicyDocument"]["Statement"][0]
    assert statement["Condition"] == {"StringEquals": {"sts:ExternalId": MARK}}, "that there is one can be seen"
    assert json.loads(role.properties["Copy"])["Statement"][0]["Condition"]["StringEquals"]["sts:ExternalId"] == MARK
    assert store.save(account, "iam", [trusting(external_id)]) == {role.pk}


def test_the_external_ids_of_others_are_kept_as_they_are(account: Account) -> None:
    store.save(account, "iam", [trusting("of-another-company")])
    assert "of-another-company" in everywhere()


def test_rules_judge_a_role_as_if_nothing_were_hidden(account: Account) -> None:
    for name, external_id in (("ours", READING), ("theirs", "of-another-company")):
        read = store.save(account, "iam", [trusting(external_id, name)])
        judge_resources(account, Actor.system(), read, ())
    verdicts = {
        name: sorted(Finding.objects.filter(resource__name=name).values_list("rule_id", "verdict"))
        for name in ("ours", "theirs")
    }
    assert verdicts["ours"] == verdicts["theirs"] != []


def test_what_was_stored_before_is_hidden_by_the_next_reading(account: Account) -> None:
    [pk] = store.save(account, "iam", [trusting(READING)])
    Resource.objects.filter(pk=pk).update(properties={"Description": READING}, digest="of before")
    store.save(account, "iam", [trusting(READING)])
    assert READING not in everywhere()


def test_a_short_one_is_hidden_where_it_is_all_there_is_and_leaves_other_texts_alone(account: Account) -> None:
    account.settings |= {"external_id": "role"}
    account.save()
    store.save(account, "iam", [trusting("role")])
    found = Resource.objects.get(type=ROLE).properties
    assert found["AssumeRolePolicyDocument"]["Statement"][0]["Condition"] == {"StringEquals": {"sts:ExternalId": MARK}}
    assert found["Description"] == "made with role"


def test_nobody_who_only_looks_reads_one_or_finds_its_role_by_it(
    account: Account, viewer: User, client: Client
) -> None:
    [pk] = store.save(account, "iam", [trusting(READING)])
    client.force_login(viewer)
    api = APIClient()
    api.force_authenticate(viewer)
    shown: list[Any] = [client.get(f"/inventory/resource/{pk}/change/"), api.get(f"/api/v1/resources/{pk}")]
    assert [answer.status_code for answer in shown] == [200, 200]
    assert not any(READING in answer.content.decode() for answer in shown)
    assert api.get("/api/v1/resources", {"q": "nephoscope-read"}).json()["count"] == 1
    for asked in (READING, READING[:10], f"id={READING}"):
        assert api.get("/api/v1/resources", {"q": asked}).json()["count"] == 0
