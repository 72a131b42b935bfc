"""Compliance: every account by every policy, one of those in detail, and the same as a file."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from nephoscope import domain
from nephoscope.accounts.models import Account
from nephoscope.accounts.permissions import require
from nephoscope.alerts.queries import ids
from nephoscope.api.compliance import download
from nephoscope.compliance import queries as compliance
from nephoscope.compliance.report import FORMS
from nephoscope.compliance.snapshots import DAYS, trend
from nephoscope.compliance.states import ControlState
from nephoscope.console.kit.admin import page
from nephoscope.policies.queries import catalogue, policies_for


def matrix(request: HttpRequest) -> HttpResponse:
    """Show the score of each account by each policy."""
    require(request.user, "view")
    visible = list(Account.objects.visible_to(request.user))
    wanted, policy = ids(request.GET.get("account", "")), request.GET.get("policy", "")
    accounts = [each for each in visible if not wanted or each.pk in wanted]
    known = catalogue().policies.values()
    policies = [each for each in known if policy in ("", each.id)]
    cells = {(each.account.pk, each.policy.id): each for each in compliance.matrix(accounts, policies)}
    rows = [(each, [cells.get((account.pk, each.id)) for account in accounts]) for each in policies]
    effective = [row for row in rows if any(cell and cell.chosen for cell in row[1])]
    others = [row for row in rows if row not in effective]
    return page(
        request,
        "console/compliance.html",
        _("Compliance"),
        accounts=accounts,
        rows=rows,
        effective=effective,
        others=others,
        visible=visible,
        all_policies=known,
        account=wanted[0] if wanted else "",
        policy=policy,
        narrowed=bool(wanted or policy),
    )


def _asked(request: HttpRequest, account_id: int, policy_id: str) -> tuple[Account, domain.Framework]:
    require(request.user, "view")
    account = Account.objects.visible_to(request.user).filter(pk=account_id).first()
    policy = next((each for each in (policies_for(account) if account else ()) if each.id == policy_id), None)
    if account is None or policy is None:
        raise Http404
    return account, policy


def detail(request: HttpRequest, account_id: int, policy_id: str) -> HttpResponse:
    """Show the controls of one account by one policy, those of one state when asked, down to the resources."""
    account, policy = _asked(request, account_id, policy_id)
    found = compliance.detail(account, policy)
    state = request.GET.get("state", "")
    shown = [each for each in found.controls if state in ("", each.state)]
    states = [(ControlState(key), count) for key, count in found.counts.items() if count]
    days = trend(found)
    today = timezone.localdate()
    return page(
        request,
        "console/compliance_detail.html",
        f"{policy.name}: {account.name}",
        found=found,
        state=state,
        controls=shown,
        states=states,
        forms=FORMS,
        days=days,
        bars=_bars(days, today),
        width=DAYS * 10,
        first_day=today - timedelta(days=DAYS - 1),
    )


def _bars(days: list[tuple[date, int | None]], today: date) -> list[dict[str, Any]]:
    """Return the trend as bars, each at its day; a day is ten units wide, and none is drawn for a single day."""
    first = today - timedelta(days=DAYS - 1)
    drawn = []
    for day, score in days if len(days) > 1 else ():
        height = max(2, score or 0)
        drawn.append({"day": day, "score": score, "x": (day - first).days * 10, "y": 100 - height, "height": height})
    return drawn


def export(request: HttpRequest, account_id: int, policy_id: str, form: str) -> HttpResponse:
    """Answer with the file."""
    account, policy = _asked(request, account_id, policy_id)
    if form not in FORMS:
        raise Http404
    return download(compliance.detail(account, policy), form)
