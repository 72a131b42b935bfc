"""What changes need a second approver for: everyone reads it, administrators ask for it and drop it again."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from nephoscope.accounts.models import Account
from nephoscope.accounts.permissions import require
from nephoscope.alerts.models import SeverityChoice
from nephoscope.alerts.queries import ids
from nephoscope.audit.services import Actor
from nephoscope.changes.approvals import drop_second_approver, require_second_approver
from nephoscope.changes.models import SecondApproval
from nephoscope.console.kit.admin import attempt, come_from, page
from nephoscope.plugins import registry


def title_of(row: SecondApproval) -> str:
    """Return what a row is about, as people call it: the fix's title, the account's name, the severity."""
    fix = registry().remediations.get(row.remediation)
    return fix.title if fix else str(row)


def listed(request: HttpRequest) -> HttpResponse:
    """List where a second approver is required."""
    require(request.user, "view")
    rows = list(SecondApproval.objects.visible_to(request.user).select_related("account", "set_by"))
    taken = {(row.remediation, row.account_id, row.severity) for row in rows}
    fixes = sorted(registry().remediations.values(), key=lambda fix: fix.title)
    return page(
        request,
        "console/second_approvers.html",
        _("Second approvers"),
        crumbs=[(_("Fixes"), reverse("admin:fixes")), (_("Second approvers"), "")],
        rows=[(row, title_of(row)) for row in rows],
        severities=[each for each in SeverityChoice.choices if ("", None, each[0]) not in taken],
        accounts=[each for each in Account.objects.visible_to(request.user) if ("", each.pk, "") not in taken],
        fixes=[each for each in fixes if (each.id, None, "") not in taken],
    )


def ask(request: HttpRequest) -> HttpResponse:
    """Say what a second approver means for what the address names; posted to, require one."""
    actor = Actor.from_request(request)
    actor.require("administer")
    given = _given(request)
    row = SecondApproval(**given)
    try:
        row.full_clean(exclude=["set_by"])
    except ValidationError as error:
        for message in error.messages:
            messages.error(request, message)
        return _back(request)
    if request.method == "POST":
        if attempt(request, lambda: require_second_approver(actor, **given)):
            messages.success(request, _("Changes of “%s” now need a second approver.") % title_of(row))
        return _back(request)
    return _confirm(request, row, _("Require a second approver"))


def drop(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask whether no second approver is required any more; posted to, drop it."""
    actor = Actor.from_request(request)
    actor.require("administer")
    row = get_object_or_404(SecondApproval, pk=pk)
    if request.method == "POST":
        name = title_of(row)
        drop_second_approver(actor, row)
        messages.success(request, _("Changes of “%s” no longer need a second approver.") % name)
        return _back(request)
    return _confirm(request, row, _("Stop requiring a second approver"))


def _given(request: HttpRequest) -> dict[str, Any]:
    """Return what the address names: ``?fix=ID``, ``?account=3`` or ``?severity=high``."""
    wanted = request.GET.get("account", "")
    account = Account.objects.visible_to(request.user).filter(pk__in=ids(wanted)[:1]).first() if wanted else None
    if wanted and account is None:
        raise Http404
    fix, severity = (request.GET.get(name, "").replace("\x00", "") for name in ("fix", "severity"))
    return {"remediation": fix, "account": account, "severity": severity}


def _confirm(request: HttpRequest, row: SecondApproval, title: str) -> HttpResponse:
    return page(
        request,
        "console/second_approver.html",
        title,
        crumbs=[(_("Second approvers"), reverse("admin:second_approvers")), (title, "")],
        row=row,
        name=title_of(row),
        back=come_from(request) or reverse("admin:second_approvers"),
    )


def _back(request: HttpRequest) -> HttpResponse:
    return redirect(come_from(request) or "admin:second_approvers")
