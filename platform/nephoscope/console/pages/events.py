"""An account's page about recheck on events: switch it on, the steps in the cloud, what came in."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from nephoscope.accounts.models import Account
from nephoscope.accounts.permissions import may
from nephoscope.audit.services import Actor
from nephoscope.console.kit.admin import attempt, page
from nephoscope.console.kit.once import keep, take
from nephoscope.events import services
from nephoscope.events.models import WAITING
from nephoscope.plugins import registry

SECRET = "events"
"""What is shown once after it was made."""

SHOWN = 50
"""Events that the page lists."""


def account_context(account: Account) -> dict[str, Any]:
    """Gather what the account's own page says about its events."""
    listener = services.listener_of(account)
    return {
        "events": listener,
        "events_offered": services.offered(account),
        "events_waiting": listener.deliveries.filter(state__in=WAITING).count() if listener else 0,
    }


def _account(request: HttpRequest, account_id: int) -> tuple[Actor, Account]:
    actor = Actor.from_request(request)
    actor.require("view")
    account = Account.objects.visible_to(request.user).filter(pk=account_id).first()
    if account is None:
        raise Http404
    return actor, account


def show(request: HttpRequest, account_id: int) -> HttpResponse:
    """Show how it stands, and a new secret this once; posted to, do one of the three acts."""
    actor, account = _account(request, account_id)
    if request.method == "POST":
        return _act(request, actor, account)
    secret = take(request, SECRET)
    listener, source, allowed = services.listener_of(account), services.source_of(account), may(request.user, "connect")
    crumbs = [
        (_("Accounts"), reverse("admin:accounts_account_changelist")),
        (account.name, reverse("admin:accounts_account_change", args=[account.pk])),
        (_("Event-driven recheck"), request.path),
    ]
    services_known = {each.id: each.name for provider in registry().providers.values() for each in provider.services}
    deliveries = [
        (each, list(dict.fromkeys(one.name or services_known.get(one.service, one.service) for one in each.wanted)))
        for each in (listener.deliveries.all()[:SHOWN] if listener else ())
    ]
    return page(
        request,
        "console/events.html",
        _("Event-driven recheck"),
        account=account,
        crumbs=crumbs,
        secret=secret,
        setup_templates=services.setup_templates(listener, request.build_absolute_uri("/"))
        if listener and allowed
        else [],
        endpoint=services.endpoint(listener, request.build_absolute_uri("/")) if listener and allowed else "",
        deliveries=deliveries,
        asked=request.GET.get("ask", ""),
        steps=source.steps if source else (),
        secure=request.is_secure(),
        **account_context(account),
    )


def _act(request: HttpRequest, actor: Actor, account: Account) -> HttpResponse:
    acts, asked = {"on": services.switch_on, "rotate": services.rotate}, request.POST.get("act", "")
    if act := acts.get(asked):
        if done := attempt(request, lambda: act(actor, account)):
            keep(request, SECRET, done[1])
    elif asked == "off" and attempt(request, lambda: _off(actor, account)):
        messages.success(
            request,
            _("Event-driven recheck is off. You can delete what the setup templates created in the account."),
        )
        return redirect("admin:accounts_account_change", account.pk)
    return redirect("admin:events", account.pk)


def _off(actor: Actor, account: Account) -> bool:
    services.switch_off(actor, account)
    return True


def setup_template(request: HttpRequest, account_id: int, id: str) -> HttpResponse:
    """Answer with one of the ready things as a file."""
    actor, account = _account(request, account_id)
    actor.require("connect")
    listener = services.listener_of(account)
    for each in services.setup_templates(listener, request.build_absolute_uri("/")) if listener else ():
        if each.id == id:
            headers = {"Content-Disposition": f'attachment; filename="{each.filename}"'}
            return HttpResponse(each.text, content_type="text/plain; charset=utf-8", headers=headers)
    raise Http404
