"""Organisations: who connects them, what can be entered, and when they are synced."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone
from django_q.models import OrmQ
from tests.organisations.northwind import WEBSHOP
from tests.scanning import connect

from nephoscope.accounts.models import Account, AccountGroup, User
from nephoscope.audit.services import Actor
from nephoscope.connections.services import permissions_for
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
from nephoscope.scans.removing import remove_account
from nephoscope_aws_simulator.testing import Simulator

pytestmark = pytest.mark.django_db


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
    with pytest.raises(ValidationError, match="already running"):
        sync_organisation(system, organisation)
    organisation.refresh_from_db()
    with pytest.raises(ValidationError, match="already running"):
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
    with pytest.raises(ValidationError, match="already read through this account"):
        create_organisation(system, name="Again", account=organisation.account)
    with pytest.raises(ValidationError, match="Remove the organisation first"):
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
