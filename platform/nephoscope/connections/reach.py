"""Whether an account can be reached: what the last attempt said, and since when attempts fail."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from nephoscope.accounts.models import Account
from nephoscope.audit.actions.accounts import ACCOUNT_REACHED, ACCOUNT_UNREACHABLE
from nephoscope.audit.services import Actor, record
from nephoscope.domain.reasons import in_short


def _kind(writing: bool) -> str:
    return "writing" if writing else "reading"


@transaction.atomic
def note_unreachable(actor: Actor, account: Account, reason: str, *, writing: bool = False) -> None:
    """Keep why an attempt to reach the account failed; the first of several failures in a row is audited.

    An account that was never verified is pending, not unreachable: nothing is kept for it.
    """
    row, kind, reason = _locked(account), _kind(writing), in_short(reason)
    if row is None or not (row.writing_verified_at if writing else row.verified_at):
        return
    before = row.failures.get(kind)
    since = before["since"] if before else timezone.now().isoformat()
    _keep(account, row, row.failures | {kind: {"since": since, "reason": reason}})
    if not before:
        record(actor, ACCOUNT_UNREACHABLE, row, {"fixing": writing, "reason": reason}, account=row)


@transaction.atomic
def note_reached(actor: Actor, account: Account, *, writing: bool = False) -> None:
    """Forget that attempts failed, because one worked; audited where some did."""
    row, kind = _locked(account), _kind(writing)
    if row is None or kind not in row.failures:
        return
    _keep(account, row, {name: failure for name, failure in row.failures.items() if name != kind})
    record(actor, ACCOUNT_REACHED, row, {"fixing": writing}, account=row)


def _locked(account: Account) -> Account | None:
    """Return the stored account, unless it was removed meanwhile."""
    return Account.objects.select_for_update().filter(pk=account.pk).first()


def _keep(account: Account, row: Account, failures: dict[str, dict[str, str]]) -> None:
    row.failures = account.failures = failures
    row.save(update_fields=["failures"])
