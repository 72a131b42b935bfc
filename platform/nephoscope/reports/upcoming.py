"""Telling people by mail, once a day, what is about to be fixed automatically in their accounts."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import timedelta
from smtplib import SMTPException

from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from nephoscope.accounts.models import Account, User
from nephoscope.accounts.permissions import sees_everything
from nephoscope.changes.automatic_models import AutomaticFix, FixNotice
from nephoscope.queue.dispatch import dispatch
from nephoscope.reports.making import accounts_of
from nephoscope.reports.models import ReportSchedule, UpcomingMail
from nephoscope.reports.sending import address as page_address
from nephoscope.reports.sending import is_on

log = logging.getLogger(__name__)

EVERY = timedelta(days=1)

NAMED = 50
"""Resources that a mail names; the rest are counted."""


def wake_due() -> bool:
    """Wake a worker if anybody is to be told; run every minute by the queue. Returns whether one was woken."""
    if not is_on() or not _untold().exists():
        return False
    dispatch("mail_upcoming", name="upcoming automatic fixes")
    return True


def send() -> int:
    """Mail what is upcoming in the accounts whose people were not told in the last day; return how many mails.

    Nothing is sent twice: what could not be sent is part of the next day's mail.
    """
    by_address = defaultdict[str, list[Account]](list)
    for account in _taken():
        for address in _addresses(account):
            by_address[address].append(account)
    return sum(_mailed(address, accounts) for address, accounts in by_address.items())


def _upcoming() -> QuerySet[FixNotice]:
    return FixNotice.objects.upcoming().filter(automatic__in=AutomaticFix.objects.in_force())


def _untold() -> QuerySet[Account]:
    """Select the accounts whose people are to be told now."""
    told = UpcomingMail.objects.filter(account=OuterRef("pk"), sent_at__gt=timezone.now() - EVERY)
    notices = _upcoming().filter(account=OuterRef("pk"))
    return Account.objects.present().filter(Exists(notices), ~Exists(told)).order_by("pk")


@transaction.atomic
def _taken() -> list[Account]:
    """Return those accounts, marked as told, so that nobody else takes them."""
    taken = list(_untold().select_for_update(skip_locked=True))
    for account in taken:
        UpcomingMail.objects.update_or_create(account=account, defaults={"sent_at": timezone.now()})
    return taken


def _addresses(account: Account) -> list[str]:
    """Return who gets reports of the account by mail, or where nobody does, the administrators."""
    schedules = ReportSchedule.objects.filter(active=True, owner__is_active=True).select_related("owner")
    found = [address for each in schedules if account in accounts_of(each) for address in each.mail_to]
    users = User.objects.filter(is_active=True).exclude(email="")
    return list(dict.fromkeys(found or [user.email for user in users if sees_everything(user)]))


def _mailed(address: str, accounts: Sequence[Account]) -> bool:
    rows = _upcoming().filter(account__in=accounts).select_related("account", "automatic", "alert")
    notices = list(rows.order_by("account__name", "due_at", "pk"))
    if not notices:
        return False
    subject = ngettext("%(n)s upcoming automatic fix", "%(n)s upcoming automatic fixes", len(notices))
    headers = {"Auto-Submitted": "auto-generated"}
    message = EmailMessage(subject % {"n": len(notices)}, _body(notices), to=[address], headers=headers)
    try:
        message.send()
    except (SMTPException, OSError):
        log.warning("the upcoming automatic fixes were not mailed", exc_info=True)
        return False
    return True


def _body(notices: Sequence[FixNotice]) -> str:
    page = page_address(reverse("admin:changes_fixnotice_changelist"))
    said = _("Nephoscope will change these resources unless someone objects: %(where)s")
    return "\n".join([said % {"where": page}, "", *_lines(notices)]) + "\n"


def _lines(notices: Sequence[FixNotice]) -> Iterator[str]:
    for each in notices[:NAMED]:
        words = {
            "day": date_format(timezone.localtime(each.due_at), "j F Y, H:i e"),
            "name": each.resource_name,
            "account": each.account.name,
            "alert": each.alert.title,
            "fix": each.automatic.title,
        }
        yield _("- %(day)s: %(name)s in %(account)s (%(alert)s): %(fix)s") % words
    if (more := len(notices) - NAMED) > 0:
        yield ngettext("and %(n)s more", "and %(n)s more", more) % {"n": more}
