"""What is asked about organisations."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, QuerySet
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from nephoscope.accounts.models import Account
from nephoscope.organisations.models import Member, Organisation, StateChoice


def resting_accounts() -> QuerySet[Any]:
    """Return the ids of the accounts that no scan may start for, as a subquery."""
    ids: QuerySet[Any] = Member.objects.all().resting().values("account")
    return ids


def why_resting(account: Account) -> str:
    """Say why no scan of the account may start; nothing when one may."""
    member = Member.objects.filter(account=account).resting().select_related("organisation").order_by("-since").first()
    if member is None:
        return ""
    given = {
        "name": account.name,
        "organisation": member.organisation.name,
        "state": _state(member),
        "date": date_format(localtime(member.since), "j M Y"),
    }
    if member.left_at:
        message = _("%(name)s left %(organisation)s on %(date)s. Verify its connection to scan it again.")
    else:
        message = _("%(name)s is %(state)s in %(organisation)s since %(date)s, and cannot be scanned until it is back.")
    return message % given


def _state(member: Member) -> str:
    return str(StateChoice(member.state).label).lower()


def counted(organisation: Organisation, user: Any) -> dict[str, int]:
    """Return how many members that the user may see stand where, by :class:`Standing`; nothing for none."""
    rows = Member.objects.filter(organisation=organisation).visible_to(user).with_standing()
    found = rows.order_by().values("standing").annotate(n=Count("pk"))
    return {each["standing"]: each["n"] for each in found}
