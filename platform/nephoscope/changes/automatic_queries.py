"""What is asked of automatic fixes: what they are to fix, what is due, and what keeps a resource back."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from nephoscope.accounts.models import Account
from nephoscope.accounts.queries import provider_of
from nephoscope.alerts.models import Finding, VerdictChoice
from nephoscope.changes.automatic_models import AutomaticFix, FixNotice
from nephoscope.changes.models import Change
from nephoscope.inventory.models import Resource

HOUR = timedelta(hours=1)
"""What the limit of automatic fixes is counted over."""


def to_fix(rule: str, accounts: Iterable[Account]) -> QuerySet[Finding]:
    """Select what fails a rule in these accounts, for which nobody objected to an automatic fix or undid one."""
    rows = Finding.objects.filter(
        rule_id=rule,
        account__in=accounts,
        account__removed_at=None,
        verdict=VerdictChoice.FAIL,
        failing_since__isnull=False,
        suppression=None,
        resource__gone_at=None,
        alert__isnull=False,
    )
    given = FixNotice.objects.filter(account=OuterRef("account"), resource_id=OuterRef("resource__resource_id"))
    return rows.exclude(Exists(given.filter(_by_a_person(), automatic__rule=rule)))


def _by_a_person() -> Q:
    """Select the notices whose resource is never fixed automatically again: somebody objected, or undid the change."""
    return Q(objected_at__isnull=False) | Q(change__undo_requested_at__isnull=False)


def still_failing() -> Exists:
    """Whether what a notice was given for fails still, all the time since, and counts."""
    rows = Finding.objects.filter(pk=OuterRef("finding"), failing_since=OuterRef("failing_since"))
    return Exists(rows.filter(suppression=None, resource__gone_at=None))


def due() -> QuerySet[FixNotice]:
    """Select what is to be fixed now. All conditions are on columns of the notices, or in subqueries."""
    now = timezone.now()
    return FixNotice.objects.filter(
        Q(retry_at=None) | Q(retry_at__lte=now),
        still_failing(),
        change=None,
        objected_at=None,
        due_at__lte=now,
        automatic__in=AutomaticFix.objects.in_force(),
        account__in=Account.objects.present(),
        finding__in=Finding.objects.filter(verdict=VerdictChoice.FAIL),
    )


def managed(resource: Resource) -> str:
    """Say which stack or tool manages the resource by its stored tags, so that it is not fixed; or nothing."""
    writing = provider_of(resource.account).writing
    return held_for(writing.managed_by(resource.to_domain()) if writing else "")


def held_for(manager: str) -> str:
    """Say that who manages a resource keeps it from being fixed automatically; nothing where nobody does."""
    said = _("It is managed by %(manager)s, so it is not fixed automatically.")
    return said % {"manager": manager} if manager else ""


def most_an_hour() -> int:
    """Return how many resources of an account are fixed automatically within an hour."""
    return int(settings.NEPHOSCOPE_AUTOMATIC_FIXES_PER_HOUR)


def limited_until(account: Account) -> datetime | None:
    """Return until when the limit keeps all more in the account from being fixed automatically; None if it does not."""
    made = Change.objects.filter(account=account, automatic__isnull=False, approved_at__gt=timezone.now() - HOUR)
    newest: list[Any] = list(made.order_by("-approved_at").values_list("approved_at", flat=True)[: most_an_hour()])
    if len(newest) < most_an_hour():
        return None
    return (newest[-1] if newest else timezone.now()) + HOUR


def limited() -> str:
    """Say that the limit keeps it back for now."""
    said = ngettext(
        "At most %(n)s resource of an account is fixed automatically within an hour; it waits.",
        "At most %(n)s resources of an account are fixed automatically within an hour; it waits.",
        most_an_hour(),
    )
    return said % {"n": most_an_hour()}
