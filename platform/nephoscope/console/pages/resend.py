"""A form that could not be taken, shown with what it holds, to be sent again at the press of a button."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from nephoscope.console.kit.admin import come_from, page
from nephoscope.console.pages.resend_words import entered, in_words, label_of
from nephoscope.people.kept_forms import FilledForm, filled_form, keep_form, take_form


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form whose CSRF token is not the session's: most often one opened before the last sign-in.

    One that another site sent is refused and never shown ready to send.
    """
    if request.path.startswith("/api/"):
        return JsonResponse({"detail": _("CSRF verification failed.")}, status=403)
    signing_in = request.path == reverse("admin:login")
    if signing_in and request.user.is_authenticated:
        return redirect(come_from(request) or "admin:index")
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
        _("Send this form now?"),
        status=status,
        why=why,
        form=form,
        act=in_words(request, form.path),
        entered=entered(request, form),
        secrets=[(name, label_of(name)) for name in form.left_out],
    )
