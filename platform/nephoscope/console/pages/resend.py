"""A form that could not be taken, shown with what it holds, to be sent again at the press of a button."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import Resolver404, resolve, reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from nephoscope.console.kit.admin import page
from nephoscope.people.kept_forms import FilledForm, filled_form, keep_form, take_form

ACTS: dict[str, Any] = {
    "add": gettext_lazy("Add"),
    "apply": gettext_lazy("Apply"),
    "cancel": gettext_lazy("Cancel"),
    "change": gettext_lazy("Change"),
    "configure": gettext_lazy("Change"),
    "connect": gettext_lazy("Connect"),
    "edit": gettext_lazy("Change"),
    "fixing": gettext_lazy("Set up fixes"),
    "plan": gettext_lazy("Plan a fix"),
    "recheck": gettext_lazy("Recheck"),
    "remove": gettext_lazy("Remove"),
    "revoke": gettext_lazy("Revoke an API token"),
    "scan": gettext_lazy("Scan now"),
    "send": gettext_lazy("Send now"),
    "suppress": gettext_lazy("Suppress"),
    "sync": gettext_lazy("Sync"),
    "undo": gettext_lazy("Undo"),
    "unsuppress": gettext_lazy("Unsuppress"),
    "verify": gettext_lazy("Verify"),
}
"""What the acts on a model's pages are called, by the last part of the address's name."""

PAGES: dict[str, Any] = {
    "events": gettext_lazy("Event-driven recheck"),
    "logout": gettext_lazy("Sign out"),
    "password_change": gettext_lazy("Change password"),
    "policy_add": gettext_lazy("Add a rule to a policy"),
    "policy_delete": gettext_lazy("Delete a policy"),
    "policy_edit": gettext_lazy("Change a policy"),
    "policy_new": gettext_lazy("New policy"),
    "policy_remove": gettext_lazy("Remove a rule from a policy"),
    "policy_scope": gettext_lazy("Change the tags of a policy"),
    "profile": gettext_lazy("My profile"),
    "revoke_token": gettext_lazy("Revoke an API token"),
    "rule_set": gettext_lazy("Change a rule"),
    "tokens": gettext_lazy("New API token"),
}
"""The same of pages that belong to no model, by the address's name."""


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form whose CSRF token is not the session's: most often one opened before the last sign-in.

    One that another site sent is refused and never shown ready to send.
    """
    if request.path.startswith("/api/"):
        return JsonResponse({"detail": _("CSRF verification failed.")}, status=403)
    signing_in = request.path == reverse("admin:login")
    if signing_in and request.user.is_authenticated:
        return redirect("admin:index")
    form = None if signing_in else filled_form(request)
    if form is None:
        return render(request, "console/not_sent.html", status=403)
    if not request.user.is_authenticated:
        return ask_to_sign_in(request, form)
    why = _("You signed in again after you opened it, so it was not sent.")
    return _shown(request, form, why, status=403)


def resend(request: HttpRequest, kept: uuid.UUID) -> HttpResponse:
    """Show, this once, a form that came without a session."""
    form = take_form(request, kept)
    if form is None:
        messages.info(request, _("That form is no longer kept. Fill it in again."))
        return redirect("admin:index")
    return _shown(request, form, _("Your session had ended, so it was not sent."))


def ask_to_sign_in(request: HttpRequest, form: FilledForm | None) -> HttpResponse:
    """Lead to the sign-in page, and from there to the form that came without a session, or to where it was sent."""
    kept = keep_form(request, form) if form else None
    if kept:
        said = _("You were signed out, so your form was not sent. Sign in to get it back.")
    else:
        said = _("You were signed out, so your form was not sent. Sign in and fill it in again.")
    messages.info(request, said)
    wanted = reverse("admin:resend", args=[kept]) if kept else request.get_full_path()
    return redirect_to_login(wanted, reverse("admin:login"))


def _shown(request: HttpRequest, form: FilledForm, why: str, status: int = 200) -> HttpResponse:
    return page(
        request,
        "console/resend.html",
        _("Send this form again?"),
        status=status,
        why=why,
        form=form,
        act=in_words(request, form.path),
        entered=_entered(form),
        secrets=[(name, _label(name)) for name in form.left_out],
    )


def in_words(request: HttpRequest, path: str) -> str:
    """Return what sending a form to an address does and to what, as far as the user may see that; empty if unknown."""
    try:
        found = resolve(path.partition("?")[0])
    except Resolver404:
        return ""
    name = found.url_name or ""
    if name in PAGES:
        return str(PAGES[name])
    for model, shown in admin.site._registry.items():
        act = name.removeprefix(f"{model._meta.app_label}_{model._meta.model_name}_")
        if act != name and act in ACTS:
            about = _named(request, shown, found.kwargs) or str(model._meta.verbose_name)
            return f"{ACTS[act]}: {about}"
    return ""


def _named(request: HttpRequest, shown: Any, arguments: dict[str, Any]) -> str:
    pk = arguments.get("pk") or arguments.get("object_id")
    try:
        return str(shown.named(shown.find(request, pk))) if pk else ""
    except (Http404, PermissionDenied):
        return ""


def _entered(form: FilledForm) -> list[tuple[str, str]]:
    """Return the fields by their names in words, several values of one in a row."""
    values: dict[str, list[str]] = {}
    for name, value in form.fields:
        values.setdefault(name, []).append(value)
    return [(_label(name), ", ".join(each for each in found if each)) for name, found in values.items()]


def _label(name: str) -> str:
    return capfirst(name.replace("_", " "))
