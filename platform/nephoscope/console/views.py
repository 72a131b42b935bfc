"""Policies, rules, plugins and API tokens."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from knox.models import AuthToken

from nephoscope.accounts import people
from nephoscope.accounts.permissions import demand
from nephoscope.alerts.models import SeverityChoice
from nephoscope.alerts.queries import scores
from nephoscope.audit.services import Actor
from nephoscope.console.base import page
from nephoscope.console.pages.alert import steps
from nephoscope.plugins import registry


def policies(request: HttpRequest) -> HttpResponse:
    """List the frameworks with their scores."""
    demand(request.user, "look")
    found = scores(request.user)
    shown = [(each, found.of(each)) for each in registry().frameworks.values()]
    return page(request, "console/policies.html", _("Policies"), policies=shown)


def policy(request: HttpRequest, policy_id: str) -> HttpResponse:
    """Show a framework's controls, the rules that answer each, and how those stand."""
    demand(request.user, "look")
    framework = registry().frameworks.get(policy_id)
    if framework is None:
        raise Http404
    found, known = scores(request.user), registry().rules
    controls = [
        (control, [(known[id], found.over([id])) for id in control.rules if id in known])
        for control in framework.controls
    ]
    return page(request, "console/policy.html", framework.name, policy=framework, score=found.of(framework),
                controls=controls)  # fmt: skip


def rules(request: HttpRequest) -> HttpResponse:
    """List the rules that the enabled plugins bring."""
    demand(request.user, "look")
    wanted, severity = request.GET.get("q", "").strip().lower(), request.GET.get("severity", "")
    found = scores(request.user)
    shown = [
        (each, found.over([each.id]))
        for each in registry().rules.values()
        if wanted in f"{each.id} {each.title}".lower() and severity in ("", each.severity)
    ]
    return page(request, "console/rules.html", _("Rules"), rules=shown, severities=SeverityChoice.choices,
                wanted=request.GET.get("q", ""), severity=severity, narrowed=bool(wanted or severity))  # fmt: skip


def rule(request: HttpRequest, rule_id: str) -> HttpResponse:
    """Show what a rule checks, why, and how it is fixed by hand."""
    demand(request.user, "look")
    found = registry().rules.get(rule_id)
    if found is None:
        raise Http404
    fixes = [registry().remediations[id] for id in found.remediations if id in registry().remediations]
    return page(request, "console/rule.html", found.title, rule=found, steps=steps(found.fix), fixes=fixes,
                answers=registry().answers.get(found.id, ()), score=scores(request.user).over([found.id]))  # fmt: skip


def plugins(request: HttpRequest) -> HttpResponse:
    """List the plugins that were found, and what each contributes."""
    demand(request.user, "administer")
    shown = sorted(registry().infos.values(), key=lambda info: (not info.enabled, info.name))
    return page(request, "console/plugins.html", _("Plugins"), plugins=shown)


def tokens(request: HttpRequest) -> HttpResponse:
    """List one's own API tokens; posted to, make one and show it this once."""
    user: Any = request.user
    actor = Actor.from_request(request)
    actor.demand("look")
    made = people.issue_token(actor, user)[1] if request.method == "POST" else ""
    own = AuthToken.objects.filter(user=user).order_by("-created")
    return page(request, "console/tokens.html", _("API tokens"), tokens=own, made=made)


def revoke(request: HttpRequest, key: str) -> HttpResponse:
    """Revoke one of one's own tokens, named by how it begins."""
    actor = Actor.from_request(request)
    actor.demand("look")
    if request.method == "POST":
        people.revoke_token(actor, get_object_or_404(AuthToken, user=request.user, token_key=key))
        messages.success(request, _("The token is worthless from now on."))
    return redirect("admin:tokens")
