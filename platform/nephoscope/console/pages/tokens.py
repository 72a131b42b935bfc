"""API tokens."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from nephoscope.audit.services import Actor
from nephoscope.console.forms.tokens import TokenForm
from nephoscope.console.kit.admin import page
from nephoscope.console.kit.once import keep, take
from nephoscope.people import tokens as people

MADE = "token"
"""What is shown once after it was made."""


def tokens(request: HttpRequest) -> HttpResponse:
    """List one's own API tokens; posted to, make one and show it this once."""
    actor = Actor.from_request(request)
    actor.require("view")
    form = TokenForm(request.POST or None, user=request.user)
    if request.method == "POST" and form.is_valid():
        try:
            keep(request, MADE, people.issue_token(actor, **form.cleaned_data)[1])
            return redirect("admin:tokens")
        except ValidationError as error:
            form.refuse(error)
    made = take(request, MADE)
    return page(request, "console/tokens.html", _("API tokens"), form=form, made=made, **token_rows(request.user))


def token_rows(user: Any) -> dict[str, Any]:
    """Return what the table of a user's tokens shows."""
    return {"tokens": people.tokens_of(user), "now": timezone.now()}


def revoke(request: HttpRequest, key: str) -> HttpResponse:
    """Revoke one of one's own tokens, named by how it begins."""
    return revoked(request, request.user, key, reverse("admin:tokens"))


def revoked(request: HttpRequest, user: Any, key: str, back: str) -> HttpResponse:
    """Revoke a user's token when posted to, and go back."""
    if request.method == "POST":
        token = people.find_token(user, key)
        if token is None:
            raise Http404
        people.revoke_token(Actor.from_request(request), token)
        messages.success(request, _("%(name)s was revoked.") % {"name": token})
    return redirect(back)
