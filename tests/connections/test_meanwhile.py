"""What was done to an account while another act waited for its cloud stands: that act writes only what it changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from nephoscope.accounts.models import Account, AccountGroup, User
from nephoscope.audit.services import Actor
from nephoscope.connections.services import configure_account, verify_account
from nephoscope.inventory.models import Scan
from nephoscope.people.services import configure_user, save_group
from nephoscope.policies.services import add_rule, configure_policy, create_policy
from nephoscope.scans.removing import delete_account, remove_account
from nephoscope.scans.services import start_scan

pytestmark = pytest.mark.django_db

Act = Callable[[Actor, Account], Any]


def verify(actor: Actor, account: Account) -> Any:
    return verify_account(actor, account)


def change_the_connection(actor: Actor, account: Account) -> Any:
    return verify_account(actor, account, {"role": "role/other"})


def verify_fixes(actor: Actor, account: Account) -> Any:
    return verify_account(actor, account, writing=True)


def rename(actor: Actor, account: Account) -> Any:
    return configure_account(actor, account, name="renamed", scan_every=7)


def choose_regions(actor: Actor, account: Account) -> Any:
    return configure_account(actor, account, regions=["north", "south"])


def scan(actor: Actor, account: Account) -> Any:
    return start_scan(actor, account, enqueue=False)


every_act = pytest.mark.parametrize("act", [verify, change_the_connection, verify_fixes, rename, choose_regions, scan])


@every_act
def test_an_account_that_was_removed_meanwhile_stays_removed(act: Act, toy_account: Account, system: Actor) -> None:
    loaded = Account.objects.get(pk=toy_account.pk)
    remove_account(system, toy_account)
    before = Account.objects.values().get(pk=toy_account.pk)
    with pytest.raises(ValidationError, match="was removed"):
        act(system, loaded)
    assert Account.objects.values().get(pk=toy_account.pk) == before and before["removed_at"]
    assert not Scan.objects.exists()


@every_act
def test_an_account_that_was_deleted_meanwhile_is_no_error_of_ours(
    act: Act, toy_account: Account, system: Actor
) -> None:
    loaded = Account.objects.get(pk=toy_account.pk)
    remove_account(system, toy_account)
    delete_account(system, toy_account, name=toy_account.name)
    with pytest.raises(ValidationError, match="was deleted"):
        act(system, loaded)


@every_act
def test_what_was_set_meanwhile_is_not_overwritten(act: Act, toy_account: Account, system: Actor) -> None:
    loaded = Account.objects.get(pk=toy_account.pk)
    configure_account(system, toy_account, tags={"env": "prod"})
    Account.objects.filter(pk=toy_account.pk).update(failures={"other": {}})
    act(system, loaded)
    stored = Account.objects.get(pk=toy_account.pk)
    assert (stored.tags, stored.failures) == ({"env": "prod"}, {"other": {}})


@pytest.mark.parametrize("act", [verify, change_the_connection, verify_fixes])
def test_a_connection_that_was_changed_meanwhile_is_verified_anew(
    act: Act, toy_account: Account, system: Actor
) -> None:
    loaded = Account.objects.get(pk=toy_account.pk)
    verify_account(system, toy_account, {"role": "role/newer"})
    with pytest.raises(ValidationError, match="changed meanwhile"):
        act(system, loaded)
    assert Account.objects.get(pk=toy_account.pk).settings["role"] == "role/newer"


def test_rows_that_others_changed_meanwhile_keep_that(system: Actor, analyst: User, group: AccountGroup) -> None:
    """Each is loaded, then set by somebody else, then set by who loaded it."""
    policy = create_policy(system, name="Ours", provider="aws")
    loaded: Any = [type(row).objects.get(pk=row.pk) for row in (policy, analyst, group)]
    add_rule(system, policy, "aws.s3.public_read")
    User.objects.filter(pk=analyst.pk).update(last_name="Meanwhile", password="new")
    AccountGroup.objects.filter(pk=group.pk).update(description="Meanwhile")
    configure_policy(system, loaded[0], name="Theirs")
    configure_user(system, loaded[1], email="a@example.com")
    save_group(system, loaded[2], name="Theirs")
    policy.refresh_from_db()
    assert (policy.name, policy.to_domain().rules) == ("Theirs", {"aws.s3.public_read"})
    assert User.objects.filter(email="a@example.com", last_name="Meanwhile", password="new").exists()
    assert AccountGroup.objects.filter(name="Theirs", description="Meanwhile").exists()


def test_a_row_that_was_deleted_meanwhile_does_not_come_back(system: Actor, group: AccountGroup) -> None:
    loaded = AccountGroup.objects.get(pk=group.pk)
    group.delete()
    with pytest.raises(ValidationError, match="was deleted"):
        save_group(system, loaded, name="Theirs")
    assert not AccountGroup.objects.exists()
