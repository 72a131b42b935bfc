"""No form is lost: neither to a session that ended nor to the Back button."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.cache import patch_cache_control

from nephoscope.console.kit.admin import come_from, shows_secret
from nephoscope.console.pages.resend import ask_to_sign_in
from nephoscope.people.kept_forms import filled_form

_OPEN = {"login", "logout", "resend", None}
"""Addresses of the console whose forms are not kept; None is what has no name: no page."""


class KeepForms:
    """Keeps a form that comes without a session, and lets pages be come back to as they were left."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = self.get_response(request)
        if _of_console(request) and request.method == "GET" and not shows_secret(request):
            _let_come_back(answer)
        elif request.method == "POST" and request.path == reverse("admin:logout"):
            # What the cache holds of the pages that were seen ends with the session.
            answer["Clear-Site-Data"] = '"cache"'
        return answer

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        found = request.resolver_match
        if found is None or found.app_name != "admin":
            return None
        if found.url_name == "login" and request.method == "GET" and admin.site.has_permission(request):
            # Signed in meanwhile, in another tab: Django would forget where this one was going.
            wanted = come_from(request)
            return redirect(wanted) if wanted else None
        if found.url_name in _OPEN or request.method != "POST" or request.user.is_authenticated:
            return None
        return ask_to_sign_in(request, filled_form(request))


def _of_console(request: HttpRequest) -> bool:
    return request.resolver_match is not None and request.resolver_match.app_name == "admin"


def _let_come_back(answer: HttpResponse) -> None:
    """Have the browser ask anew for every visit, but not for Back: after ``no-store`` it forgets a filled form."""
    if "no-store" in answer.get("Cache-Control", "") and answer.get("Content-Type", "").startswith("text/html"):
        del answer["Cache-Control"]
        patch_cache_control(answer, private=True, no_cache=True, max_age=0)
