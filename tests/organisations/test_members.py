"""Members are found and connected, and kept in step as they come and go."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone
from tests.organisations.northwind import ANALYTICS, CARRIERS, OLD, SANDBOX, WEBSHOP, patch, role_in, standings

from nephoscope.accounts.models import Account, AccountGroup
from nephoscope.alerts.models import Alert
from nephoscope.audit.models import Entry
from nephoscope.audit.services import Actor
from nephoscope.inventory.models import Scan
from nephoscope.organisations.models import Member, Organisation
from nephoscope.organisations.services import (
    configure_organisation,
)
from nephoscope.organisations.sync import sync_organisation
from nephoscope.policies.models import PolicyScope, Rejudging
from nephoscope.scans.removing import remove_account, restore_account
from nephoscope.scans.services import start_due, start_scan
from nephoscope_aws_simulator.testing import Simulator

pytestmark = pytest.mark.django_db


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
    chosen = {"include": ["Workloads"], "policies": ["aws_nephoscope"], "groups": [group]}
    configure_organisation(system, organisation, scan_every=0, **chosen)
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
    start_due()
    assert not Scan.objects.filter(account__name=WEBSHOP).exists()
    with pytest.raises(ValidationError, match="northwind-webshop is pending closure in Northwind since"):
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
    assert not Account.objects.present().filter(name=WEBSHOP).exists()
    restore_account(system, Account.objects.get(name=WEBSHOP))
    assert standings(synced)[WEBSHOP] == "connected"


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
