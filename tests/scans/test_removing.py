"""Removing an account stops all that goes on in it and hides it; it can be restored, or deleted for good."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from nephoscope.accounts.models import Account, User
from nephoscope.alerts.models import Alert, Suppression
from nephoscope.alerts.suppressions import suppress
from nephoscope.audit.models import Entry
from nephoscope.audit.services import Actor
from nephoscope.changes.models import Change
from nephoscope.changes.suppressing import expire_suppressions
from nephoscope.connections.services import create_account, verify_account
from nephoscope.events.receiving import receive
from nephoscope.events.services import switch_on
from nephoscope.inventory.models import Scan, Shard
from nephoscope.policies import rejudging
from nephoscope.policies.models import Rejudging
from nephoscope.scans.removing import delete_account, remove_account, restore_account
from nephoscope.scans.services import start_due, start_scan

AddAlert = Callable[..., Alert]


def refusal(act: Callable[[], object]) -> str:
    with pytest.raises(ValidationError) as caught:
        act()
    return " ".join(caught.value.messages)


def change(account: Account, alert: Alert, **more: object) -> Change:
    return Change.objects.create(account=account, alert=alert, remediation="x", title="x", digest="d", **more)


def test_a_removed_account_keeps_all_that_is_in_it_and_comes_back_with_it(
    account: Account, add_alert: AddAlert, administrator: User, viewer: User, system: Actor
) -> None:
    alert, actor = add_alert("aws.s3.public_read", "logs"), Actor.of(administrator)
    suppress(system, alert, list(alert.findings.all()), "known")
    remove_account(actor, account)
    for user in (administrator, viewer):
        assert not Account.objects.visible_to(user).exists()
        assert not Alert.objects.visible_to(user).exists() and not Suppression.objects.visible_to(user).exists()
    account.refresh_from_db()
    restore_account(actor, account)
    assert list(Alert.objects.visible_to(viewer)) == [alert]
    assert Suppression.objects.visible_to(viewer).get().reason == "known"
    said = Entry.objects.filter(account=account, action__startswith="account.").order_by("pk")
    assert [each.sentence for each in said] == [
        f"removed the account prod ({account.number})",
        f"restored the account prod ({account.number})",
    ]


def test_scans_events_and_judging_of_a_removed_account_stop_and_begin_again(
    account: Account, system: Actor, add_alert: AddAlert
) -> None:
    listener, _secret = switch_on(system, account)
    alert = add_alert("aws.s3.public_read", "logs")
    suppress(system, alert, list(alert.findings.all()), "known", timezone.now() + timedelta(hours=1))
    Suppression.objects.update(expires_at=timezone.now() - timedelta(hours=1))
    scan = start_scan(system, account, enqueue=False)
    remove_account(system, account)
    scan.refresh_from_db()
    assert scan.state == "cancelled" and not Shard.objects.filter(scan=scan, state="queued").exists()
    account.refresh_from_db()
    assert account.next_scan_at is None
    Account.objects.update(next_scan_at=timezone.now() - timedelta(minutes=1))
    assert start_due() == 0 and expire_suppressions() == 0
    assert rejudging.request([account]) == 0
    assert "Restore it first" in refusal(lambda: start_scan(system, account))
    assert "Restore it first" in refusal(lambda: verify_account(system, account))
    assert receive("aws", listener.address, "", b"{}").status == 401
    listener.refresh_from_db()
    assert listener.last_refused_at is None or "signature" in listener.last_refusal

    restore_account(system, account)
    account.refresh_from_db()
    assert bool(account.next_scan_at) == bool(account.scan_every)
    assert Rejudging.objects.filter(account=account).exists() and expire_suppressions() == 1
    assert start_scan(system, account, enqueue=False).state == "queued"


def test_it_is_not_removed_twice_nor_while_a_change_is_made_and_only_a_removed_one_is_restored(
    account: Account, add_alert: AddAlert, system: Actor
) -> None:
    made = change(account, add_alert(), state="applying")
    assert f"{made} of this account is in progress" in refusal(lambda: remove_account(system, account))
    assert "is not removed" in refusal(lambda: restore_account(system, account))
    assert "is not removed" in refusal(lambda: delete_account(system, account, name="prod"))
    Change.objects.update(state="verified")
    remove_account(system, account)
    assert "was removed already" in refusal(lambda: remove_account(system, account))


def test_deleting_for_good_takes_the_accounts_name_and_says_what_was_lost(
    account: Account, add_alert: AddAlert, system: Actor
) -> None:
    alert = add_alert("aws.s3.public_read", "logs", "assets")
    suppress(system, alert, list(alert.findings.all()[:1]), "known")
    Scan.objects.create(account=account, state="succeeded")
    change(account, alert)
    remove_account(system, account)
    for wrong in ("", "Prod", "another"):
        assert "Enter the account’s name, prod." in refusal(partial(delete_account, system, account, name=wrong))
    delete_account(system, account, name=" prod ")
    assert not Account.objects.exists() and not Alert.objects.exists() and not Change.objects.exists()
    entry = Entry.objects.get(action="account.deleted")
    assert "prod for good (alerts: 1, suppressions: 1, changes: 1, resources: 2, scans: 1)" in entry.sentence


def test_an_account_that_was_changed_is_removed_and_never_deleted(
    account: Account, add_alert: AddAlert, system: Actor
) -> None:
    change(account, add_alert(), state="verified", approved_at=timezone.now())
    remove_account(system, account)
    assert "has applied changes" in refusal(lambda: delete_account(system, account, name="prod"))
    restore_account(system, account)


def test_a_new_account_of_a_removed_ones_name_is_told_which_it_is(account: Account, system: Actor) -> None:
    remove_account(system, account)
    said = refusal(lambda: create_account(system, name="prod", provider="aws"))
    assert said.startswith("A removed account is named prod. Restore it, delete it for good, or choose another name.")


@pytest.mark.parametrize("role", ["viewer", "analyst", "remediator"])
def test_only_those_who_may_connect_accounts_remove_and_restore_them(
    role: str, account: Account, everyone: dict[str, User], system: Actor
) -> None:
    actor = Actor.of(everyone[role])
    with pytest.raises(PermissionDenied):
        remove_account(actor, account)
    remove_account(system, account)
    for act in (restore_account, lambda actor, account: delete_account(actor, account, name="prod")):
        with pytest.raises(PermissionDenied):
            act(actor, account)
    assert Account.objects.removed().get() == account
