"""Asking that what is stored of accounts is judged again. It is done by :mod:`nephoscope.judging.rejudging`.

The truth is a row per account; the queue only wakes workers. A request locks that row in the transaction of the change
that it is for, so a worker that takes the row sees that change, or finds the row asking again when it is done.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from functools import partial

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from nephoscope.accounts.models import Account
from nephoscope.policies.models import JudgedType, Rejudging
from nephoscope.queue import lease
from nephoscope.queue.dispatch import dispatch

OVERDUE = timedelta(minutes=1)
"""After this, a request that nobody works on is put into the queue again."""


def request(accounts: Iterable[Account]) -> int:
    """Ask that these accounts are judged again; call it in the transaction of the change. Returns how many.

    However many changes there are, one task waits per account.
    """
    wanted = {each.pk: each for each in accounts if each.verified_at and not each.removed_at}
    connected = sorted(wanted.values(), key=lambda each: each.pk)
    JudgedType.objects.filter(account__in=connected).delete()
    for account in connected:
        with transaction.atomic():
            now = timezone.now()
            row, made = Rejudging.objects.select_for_update().get_or_create(
                account=account, defaults={"wanted_at": now}
            )
            waited, row.wanted_at = not made and row.waiting, now
            row.save(update_fields=["wanted_at"])
            if not waited:
                transaction.on_commit(partial(wake, account.pk))
    return len(connected)


def wake(account_id: int) -> None:
    """Ask the queue for a worker; one that finds nothing to do ends at once."""
    dispatch("rejudge", account_id, name=f"judge account {account_id} again")


def waiting(rows: QuerySet[Rejudging]) -> QuerySet[Rejudging]:
    """Select the requests that what is stored was not judged for yet."""
    return rows.filter(Q(judged_for=None) | Q(judged_for__lt=F("wanted_at")))


def wake_waiting() -> int:
    """Wake workers for what waits and nobody works on: its worker died, or a scan was under way.

    Run every minute by the queue; returns how many were woken.
    """
    idle = waiting(Rejudging.objects.filter(account__removed_at=None)).filter(
        lease.free(), wanted_at__lt=timezone.now() - OVERDUE
    )
    accounts = list(idle.values_list("account_id", flat=True))
    for account in accounts:
        wake(account)
    return len(accounts)
