"""API tokens."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from knox.models import AuthToken

from nephoscope.audit.services import Actor
from nephoscope.console.kit.admin import page
from nephoscope.console.kit.once import keep, take
from nephoscope.people import services as people

MADE = "token"
"""What is shown once after it was made."""


def tokens(request: HttpRequest) -> HttpResponse:
    """List one's own API tokens; posted to, make one and show it this once."""
    user: Any = request.user
    actor = Actor.from_request(request)
    actor.require("view")
    if request.method == "POST":
        keep(request, MADE, people.issue_token(actor, user)[1])
        return redirect("admin:tokens")
    own = AuthToken.objects.filter(user=user).order_by("-created")
    return page(request, "console/tokens.html", _("API tokens"), tokens=own, made=take(request, MADE))


def revoke(request: HttpRequest, key: str) -> HttpResponse:
    """Revoke one of one's own tokens, named by how it begins."""
    actor = Actor.from_request(request)
    actor.require("view")
    if request.method == "POST":
        people.revoke_token(actor, get_object_or_404(AuthToken, user=request.user, token_key=key))
        messages.success(request, _("Token revoked."))
    return redirect("admin:tokens")
