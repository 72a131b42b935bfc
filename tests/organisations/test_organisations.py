"""Organisations: members are found, connected, and kept in step as they come and go."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone
from django_q.models import OrmQ
from tests.scanning import connect

from nephoscope.accounts.models import Account, AccountGroup, User
from nephoscope.alerts.models import Alert
from nephoscope.audit.models import Entry
from nephoscope.audit.services import Actor
from nephoscope.connections.services import permissions_for, remove_account
from nephoscope.inventory.models import Scan
from nephoscope.operations.tasks import sync_organisation as task
from nephoscope.organisations.models import Member, Organisation
from nephoscope.organisations.services import (
    configure_organisation,
    create_organisation,
    remove_organisation,
    request_sync,
    setup_templates,
)
from nephoscope.organisations.sync import sync_due, sync_organisation
from nephoscope.policies.models import PolicyScope, Rejudging
from nephoscope.scans.services import start_due, start_scan
from nephoscope_aws_simulator.testing import Simulator

pytestmark = pytest.mark.django_db

MAIN = "123456789012"
WEBSHOP, ANALYTICS, SANDBOX = "northwind-webshop", "northwind-analytics", "northwind-sandbox"
CARRIERS, OLD = "northwind-carriers", "northwind-warehouse-2019"


@pytest.fixture
def numbers(aws: Simulator) -> dict[str, str]:
    listed = aws.client("organizations").list_accounts()["Accounts"]
    return {each["Name"]: each["Id"] for each in listed}


@pytest.fixture
def organisation(aws: Simulator, system: Actor, db: None) -> Organisation:
    """The simulated company's, read through its management account."""
    entered = {"external_id": "northwind-members"}
    return create_organisation(
        system, name="Northwind", account=connect(system), settings=entered, regions=["eu-west-1"]
    )


@pytest.fixture
def synced(organisation: Organisation, system: Actor) -> Organisation:
    sync_organisation(system, organisation)
    return organisation


@pytest.fixture
def newcomer(aws: Simulator) -> Iterator[str]:
    """The number of an account that joins, and is taken out again."""
    organizations = aws.client("organizations")
    made = organizations.create_account(AccountName="newcomer", Email="new@northwind.example")
    number = str(made["CreateAccountStatus"]["AccountId"])
    role_in(aws, number)
    yield number
    if number in {each["Id"] for each in organizations.list_accounts()["Accounts"]}:
        organizations.remove_account_from_organization(AccountId=number)


def role_in(aws: Simulator, number: str, name: str = "nephoscope-read") -> None:
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{MAIN}:user/simulator-administrator"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": "northwind-members"}},
    }
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    aws.client("iam", account=number).create_role(RoleName=name, AssumeRolePolicyDocument=trust)


def patch(aws: Simulator, number: str, **what: str) -> None:
    aws.control("patch", [{"kind": "organization_account", "id": number, **what}])


def standings(organisation: Organisation) -> dict[str, str]:
    return dict(organisation.members.with_standing().values_list("name", "standing"))


# -- Finding and connecting ----------------------------------------------------------------------------------------


def test_members_whose_role_is_there_are_connected_and_the_others_say_what_is_wrong(
    synced: Organisation, numbers: dict[str, str]
) -> None:
    assert standings(synced) == {
        "northwind-freight": "connected",
        WEBSHOP: "connected",
        ANALYTICS: "connected",
        SANDBOX: "connected",
        CARRIERS: "pending",
        OLD: "suspended",
    }
    account = Account.objects.get(name=WEBSHOP)
    assert account.number == numbers[WEBSHOP]
    assert account.settings["role_arn"] == f"arn:aws:iam::{numbers[WEBSHOP]}:role/nephoscope-read"
    assert account.settings["external_id"] == "northwind-members"
    assert account.tags == {"Environment": "production", "Team": "platform"}
    assert account.regions == ["eu-west-1"] and account.policies and account.verified_at
    assert account.verification["reading"]["principal"].endswith("assumed-role/nephoscope-read/nephoscope")
    member = synced.members.get(name=WEBSHOP)
    assert (member.path, member.account) == ("Workloads", account)
    assert "run the setup template for all members" in synced.members.get(name=CARRIERS).problem
    assert "%" not in synced.members.get(name=CARRIERS).problem
    connected = set(Entry.objects.filter(action="member.connected").values_list("account__name", flat=True))
    assert connected == {WEBSHOP, ANALYTICS, SANDBOX}


def test_the_management_account_is_linked_and_not_reached_by_the_members_role(synced: Organisation) -> None:
    member = synced.members.get(management=True)
    assert member.account == synced.account and member.given_name == ""
    assert synced.account.settings["role_arn"] == "" and synced.account.tags == {}


def test_a_second_sync_changes_nothing_and_tries_what_was_pending_again(
    aws: Simulator, synced: Organisation, system: Actor, numbers: dict[str, str]
) -> None:
    entries = Entry.objects.count()
    assert sync_organisation(system, synced).connected == 0
    assert Entry.objects.count() == entries and Account.objects.count() == 4
    role_in(aws, numbers[CARRIERS])
    try:
        assert sync_organisation(system, synced).connected == 1
    finally:
        aws.client("iam", account=numbers[CARRIERS]).delete_role(RoleName="nephoscope-read")
    member = synced.members.get(name=CARRIERS)
    assert member.account and member.problem == ""


def test_listing_takes_as_many_calls_as_it_says(aws: Simulator, organisation: Organisation, system: Actor) -> None:
    aws.control("calls/reset", {})
    sync_organisation(system, organisation)
    calls = {name: n for name, n in aws.control("calls")["operations"].items() if name.startswith("organizations:")}
    assert calls == {
        "organizations:DescribeOrganization": 1,
        "organizations:ListAccounts": 1,
        "organizations:ListRoots": 1,
        "organizations:ListAccountsForParent": 3,
        "organizations:ListOrganizationalUnitsForParent": 3,
        "organizations:ListTagsForResource": 6,
    }


def test_an_account_that_was_connected_by_hand_is_linked_and_never_changed(
    organisation: Organisation, system: Actor, numbers: dict[str, str]
) -> None:
    by_hand = Account.objects.create(
        name="shop",
        provider="aws",
        number=numbers[WEBSHOP],
        settings={"role_arn": "mine"},
        tags={"by": "hand"},
        verified_at=timezone.now(),
    )
    sync_organisation(system, organisation)
    assert organisation.members.get(name=WEBSHOP).account == by_hand
    by_hand.refresh_from_db()
    assert (by_hand.name, by_hand.settings, by_hand.tags) == ("shop", {"role_arn": "mine"}, {"by": "hand"})
    assert Entry.objects.filter(action="member.linked", account=by_hand).exists()


def test_a_name_that_is_taken_gets_the_number(
    organisation: Organisation, system: Actor, numbers: dict[str, str]
) -> None:
    Account.objects.create(name=WEBSHOP, provider="aws")
    sync_organisation(system, organisation)
    assert Account.objects.get(number=numbers[WEBSHOP]).name == f"{WEBSHOP} ({numbers[WEBSHOP]})"


def test_new_members_get_the_organisations_settings_and_a_first_scan_only_if_they_are_scanned_by_themselves(
    organisation: Organisation, system: Actor, group: AccountGroup
) -> None:
    configure_organisation(system, organisation, include=["Workloads"], policies=["aws_nephoscope"], groups=[group])
    sync_organisation(system, organisation)
    account = Account.objects.get(name=WEBSHOP)
    assert account.policies == ["aws_nephoscope"] and list(account.groups.all()) == [group]
    assert start_due() == 0 and account.next_scan_at is None
    configure_organisation(system, organisation, include=[], exclude=["Workloads/"], scan_every=24)
    sync_organisation(system, organisation)
    assert Account.objects.get(name=SANDBOX).scan_every == 24
    assert start_due() == 1
    assert [scan.account.name for scan in Scan.objects.all()] == [SANDBOX]


def test_units_that_are_excluded_are_shown_and_not_connected(organisation: Organisation, system: Actor) -> None:
    configure_organisation(system, organisation, exclude=["Sandbox"])
    sync_organisation(system, organisation)
    found = standings(organisation)
    assert found[SANDBOX] == found[CARRIERS] == "excluded" and found[WEBSHOP] == "connected"


def test_one_member_that_fails_stops_no_other(
    aws: Simulator, organisation: Organisation, system: Actor, numbers: dict[str, str]
) -> None:
    role = f"arn:aws:iam::{numbers[WEBSHOP]}:role/nephoscope-read"
    aws.control("deny", actions=["sts:AssumeRole"], resources=[role], error="InternalError")
    assert sync_organisation(system, organisation).connected == 2
    assert standings(organisation)[WEBSHOP] == "pending"
    assert organisation.members.get(name=WEBSHOP).problem


# -- Coming and going ----------------------------------------------------------------------------------------------


def test_a_suspended_member_is_shown_and_not_scanned_until_it_is_back(
    aws: Simulator, synced: Organisation, system: Actor, numbers: dict[str, str]
) -> None:
    account = Account.objects.get(name=WEBSHOP)
    now = timezone.now()
    Account.objects.filter(pk=account.pk).update(next_scan_at=now, scan_every=24)
    alert = Alert.objects.create(
        account=account,
        key="x",
        severity="high",
        rank=1,
        title="x",
        state="open",
        affected=1,
        first_seen=now,
        last_seen=now,
        opened_at=now,
    )
    patch(aws, numbers[WEBSHOP], state="PENDING_CLOSURE")
    try:
        sync_organisation(system, synced)
    finally:
        patch(aws, numbers[WEBSHOP], state="ACTIVE")
    assert standings(synced)[WEBSHOP] == "suspended"
    assert start_due() == 0
    with pytest.raises(ValidationError, match="northwind-webshop is being closed in Northwind since"):
        start_scan(system, account, enqueue=False)
    alert.refresh_from_db()
    assert alert.state == "open"
    sync_organisation(system, synced)
    assert standings(synced)[WEBSHOP] == "connected"
    assert start_due() == 1
    assert [each.action for each in Entry.objects.filter(account=account, action__startswith="member.")] == [
        "member.returned",
        "member.suspended",
        "member.connected",
    ]


def test_a_member_that_left_is_kept_and_scanned_again_once_it_was_verified(
    aws: Simulator, organisation: Organisation, system: Actor, newcomer: str
) -> None:
    sync_organisation(system, organisation)
    account = Account.objects.get(number=newcomer)
    aws.client("organizations").remove_account_from_organization(AccountId=newcomer)
    sync_organisation(system, organisation)
    member = Member.objects.with_standing().get(number=newcomer)
    assert (member.standing, member.account) == ("left", account) and member.left_at == member.since
    with pytest.raises(ValidationError, match="newcomer left Northwind on"):
        start_scan(system, account, enqueue=False)
    assert Entry.objects.filter(action="member.left", account=account).count() == 1
    Account.objects.filter(pk=account.pk).update(verified_at=timezone.now())
    account.refresh_from_db()
    assert start_scan(system, account, enqueue=False).active


def test_names_and_tags_follow_unless_a_person_renamed_the_account(
    aws: Simulator, synced: Organisation, system: Actor, numbers: dict[str, str]
) -> None:
    Account.objects.filter(name=ANALYTICS).update(name="data")
    PolicyScope.objects.create(policy="aws_cis_6.0", tags={"Team": "shop"})
    for name in (WEBSHOP, ANALYTICS):
        patch(aws, numbers[name], name=f"{name}-new")
    organizations = aws.client("organizations")
    organizations.tag_resource(ResourceId=numbers[WEBSHOP], Tags=[{"Key": "Team", "Value": "shop"}])
    try:
        sync_organisation(system, synced)
    finally:
        for name in (WEBSHOP, ANALYTICS):
            patch(aws, numbers[name], name=name)
        organizations.tag_resource(ResourceId=numbers[WEBSHOP], Tags=[{"Key": "Team", "Value": "platform"}])
    renamed = Account.objects.get(number=numbers[WEBSHOP])
    assert (renamed.name, renamed.tags["Team"]) == (f"{WEBSHOP}-new", "shop")
    assert Account.objects.get(number=numbers[ANALYTICS]).name == "data"
    assert "updated the tags and the name of" in Entry.objects.get(action="account.followed").sentence
    judged_again = Rejudging.objects.values_list("account__number", flat=True)
    assert list(judged_again) == [numbers[WEBSHOP]], "its tags bring a policy"


def test_an_account_that_somebody_removed_here_does_not_come_back_by_itself(
    synced: Organisation, system: Actor
) -> None:
    remove_account(system, Account.objects.get(name=WEBSHOP))
    sync_organisation(system, synced)
    assert standings(synced)[WEBSHOP] == "removed"
    assert not Account.objects.filter(name=WEBSHOP).exists()


@pytest.mark.parametrize("action", ["organizations:ListAccounts", "organizations:ListTagsForResource"])
def test_a_listing_that_fails_changes_nothing_and_names_the_missing_permission(
    action: str, aws: Simulator, synced: Organisation, system: Actor
) -> None:
    before = (list(Member.objects.order_by("pk").values()), Entry.objects.count(), synced.synced_at)
    aws.control("deny", actions=[action])
    with pytest.raises(ValidationError, match=action):
        sync_organisation(system, synced)
    assert (list(Member.objects.order_by("pk").values()), Entry.objects.count(), synced.synced_at) == before
    assert action in synced.problem and not synced.syncing
    aws.control("reset-denials", {})
    sync_organisation(system, synced)
    assert synced.problem == ""


# -- In step -------------------------------------------------------------------------------------------------------


def test_each_organisation_is_synced_hourly_by_the_queue_and_one_sync_at_a_time(
    organisation: Organisation, system: Actor
) -> None:
    assert sync_due() == 1
    assert sync_due() == 0
    assert OrmQ.objects.count() == 1
    organisation.refresh_from_db()
    assert timedelta(minutes=53) < organisation.next_sync_at - timezone.now() < timedelta(minutes=67)
    Organisation.objects.update(lease_until=timezone.now() + timedelta(minutes=1))
    with pytest.raises(ValidationError, match="under way"):
        sync_organisation(system, organisation)
    organisation.refresh_from_db()
    with pytest.raises(ValidationError, match="under way"):
        request_sync(system, organisation)
    task(organisation.pk)
    assert not organisation.members.exists()
    Organisation.objects.update(lease_until=timezone.now() - timedelta(minutes=1))
    task(organisation.pk)
    assert organisation.members.count() == 6


# -- Who and what --------------------------------------------------------------------------------------------------


def test_only_who_may_connect_accounts_connects_syncs_and_removes(
    synced: Organisation, everyone: dict[str, User], group: AccountGroup
) -> None:
    spare = Account.objects.get(name=WEBSHOP)
    for role in ("viewer", "analyst", "remediator", "stranger"):
        actor = Actor.of(everyone[role])
        for act in (
            lambda actor: create_organisation(actor, name="x", account=spare),
            lambda actor: configure_organisation(actor, synced, name="x"),
            lambda actor: request_sync(actor, synced),
            lambda actor: sync_organisation(actor, synced),
            lambda actor: remove_organisation(actor, synced),
        ):
            with pytest.raises(PermissionDenied):
                act(actor)
    request_sync(Actor.of(everyone["administrator"]), synced)
    spare.groups.add(group)
    seen = {
        role: set(Member.objects.visible_to(user).values_list("name", flat=True)) for role, user in everyone.items()
    }
    assert seen["viewer"] == seen["analyst"] == {WEBSHOP} and seen["stranger"] == set()
    assert len(seen["administrator"]) == 6
    shown = [role for role, user in everyone.items() if Organisation.objects.visible_to(user).exists()]
    assert shown == ["viewer", "analyst", "remediator", "administrator"]


@pytest.mark.parametrize(
    ("entered", "field"),
    [
        ({"settings": {"role_name": "a b"}}, "role_name"),
        ({"settings": {"role_path": "x"}}, "role_path"),
        ({"settings": {"write_role_name": "x" * 65}}, "write_role_name"),
        ({"settings": {"write_role_name": "nephoscope-read"}}, "write_role_name"),
        ({"settings": {"external_id": "$(id)"}}, "external_id"),
        ({"settings": {"weather": "fine"}}, "weather"),
        ({"policies": ["no"]}, "policies"),
        ({"regions": ["no"]}, "regions"),
        ({"scan_every": 999}, "scan_every"),
        ({"name": " "}, "name"),
        ({"include": ["x", "y" * 501]}, "include"),
    ],
)
def test_what_cannot_be_is_refused_on_its_field_and_nothing_is_saved(
    entered: dict[str, Any], field: str, aws: Simulator, system: Actor
) -> None:
    account = connect(system)
    with pytest.raises(ValidationError) as caught:
        create_organisation(system, **{"name": "Northwind", "account": account, **entered})
    assert list(caught.value.message_dict) == [field]
    assert not Organisation.objects.exists()


def test_an_account_is_of_one_organisation_and_stays_while_that_is_read_through_it(
    organisation: Organisation, system: Actor
) -> None:
    with pytest.raises(ValidationError, match="read through this account already"):
        create_organisation(system, name="Again", account=organisation.account)
    with pytest.raises(ValidationError, match="remove that first"):
        remove_account(system, organisation.account)
    sync_organisation(system, organisation)
    remove_organisation(system, organisation)
    assert Account.objects.count() == 4 and not Member.objects.exists()
    pending = Account.objects.create(name="pending", provider="aws")
    with pytest.raises(ValidationError, match="Verify the connection"):
        create_organisation(system, name="Again", account=pending)


def test_the_account_that_lists_needs_more_permissions_and_members_do_not(organisation: Organisation) -> None:
    listing = {"organizations:ListAccounts", "organizations:ListTagsForResource"}
    assert listing <= set(permissions_for(organisation.account, writing=False))
    assert not listing & set(permissions_for(Account(provider="aws"), writing=False))
    assert all("organizations:ListTags" not in kit.text for kit in setup_templates(organisation))
