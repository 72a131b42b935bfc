"""Removing accounts, which stops all that goes on in them; restoring them, and deleting them for good.

What is in a removed account is kept, and hidden with it: :meth:`nephoscope.accounts.models.AccountQuerySet.visible_to`.
"""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from nephoscope.accounts.models import Account
from nephoscope.alerts.models import Suppression
from nephoscope.audit.actions.accounts import ACCOUNT_DELETED, ACCOUNT_REMOVED, ACCOUNT_RESTORED
from nephoscope.audit.services import Actor, record
from nephoscope.changes.models import QUEUED, UNDER_WAY, Change
from nephoscope.connections.services import next_scan
from nephoscope.inventory.models import ACTIVE, Scan, ShardState
from nephoscope.policies import rejudging
from nephoscope.scans.services import finish_if_over


@transaction.atomic
def remove_account(actor: Actor, account: Account) -> None:
    """Stop the account's scans, events and schedule, and hide it with all that is in it. Nothing is deleted.

    :raises ValidationError: a change of it is queued or under way; or an organisation is read through it.
    """
    actor.require("connect")
    account = _locked(account)
    if account.removed_at:
        raise ValidationError({"account": [_("%(name)s was removed already.") % {"name": account.name}]})
    if hasattr(account, "organisation"):
        message = _("The organisation %(name)s is read through this account. Remove the organisation first.")
        raise ValidationError({"account": [message % {"name": account.organisation.name}]})
    if change := Change.objects.filter(account=account, state__in=[*QUEUED, *UNDER_WAY]).first():
        message = _("%(change)s of this account is in progress; wait until it finishes, or withdraw it.")
        raise ValidationError({"account": [message % {"change": change}]})
    account.removed_at, account.next_scan_at = timezone.now(), None
    account.save(update_fields=["removed_at", "next_scan_at"])
    _stop_scan(account)
    record(actor, ACCOUNT_REMOVED, account, {"number": account.number}, account=account)


@transaction.atomic
def restore_account(actor: Actor, account: Account) -> None:
    """Bring a removed account back as it was, and have it judged by the policies as they are now.

    :raises ValidationError: it was not removed.
    """
    actor.require("connect")
    account = _removed(account)
    account.removed_at = None
    account.next_scan_at = next_scan(account.scan_every) if account.verified_at else None
    account.save(update_fields=["removed_at", "next_scan_at"])
    record(actor, ACCOUNT_RESTORED, account, {"number": account.number}, account=account)
    rejudging.request([account])


def lost(account: Account) -> dict[str, int]:
    """Return how much of each kind is in the account, and goes with it when it is deleted for good."""
    return {
        "alerts": account.alerts.count(),
        "suppressions": Suppression.objects.filter(alert__account=account).count(),
        "changes": Change.objects.filter(account=account).count(),
        "resources": account.resources.count(),
        "scans": account.scans.count(),
    }


def why_kept(account: Account) -> str:
    """Say why the account cannot be deleted for good, or nothing."""
    if Change.objects.filter(account=account, approved_at__isnull=False).exists():
        return _("Nephoscope has applied changes to this account. It is kept so that they can be undone.")
    return ""


@transaction.atomic
def delete_account(actor: Actor, account: Account, *, name: str) -> None:
    """Forget a removed account with all that is in it; the audit log keeps what was done to it.

    :param name: the account's, as the person typed it to confirm.
    :raises ValidationError: another name; it was not removed first; or changes were applied to it, which are kept as
        evidence.
    """
    actor.require("connect")
    account = _removed(account)
    if why := why_kept(account):
        raise ValidationError({"account": [why]})
    if name.strip() != account.name:
        raise ValidationError({"name": [_("Enter the account’s name, %(name)s.") % {"name": account.name}]})
    record(actor, ACCOUNT_DELETED, account, {"number": account.number, **lost(account)}, account=account)
    Change.objects.filter(account=account).delete()
    account.delete()


def _locked(account: Account) -> Account:
    return Account.objects.select_for_update().get(pk=account.pk)


def _removed(account: Account) -> Account:
    locked = _locked(account)
    if not locked.removed_at:
        raise ValidationError({"account": [_("%(name)s is not removed.") % {"name": account.name}]})
    return locked


def _stop_scan(account: Account) -> None:
    """Cancel the scan that is queued or running; what it has not finished reading closes nothing."""
    for scan in Scan.objects.select_for_update().filter(account=account, state__in=ACTIVE):
        scan.cancel_requested = True
        scan.save(update_fields=["cancel_requested"])
        scan.shards.filter(state=ShardState.QUEUED).update(state=ShardState.CANCELLED)
        finish_if_over(scan)
