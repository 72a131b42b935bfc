"""What somebody gets who guessed passwords too often: a page, or JSON where a program asked."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from nephoscope.people.door import WINDOW


def locked_out(request: HttpRequest, original: HttpResponse | None = None, credentials: Any = None) -> HttpResponse:
    """Answer 429, or 503 while too many passwords are being checked, and say when to come back."""
    busy = getattr(request, "too_busy", False)
    status = 503 if busy else 429
    if request.path.startswith("/api/"):
        said = _("Too many failed sign-in attempts. Wait and try again.")
        if busy:
            said = _("Too many sign-ins at the moment. Wait a few seconds and try again.")
        answer: HttpResponse = JsonResponse({"detail": said}, status=status)
    else:
        answer = render(request, "console/locked_out.html", {"busy": busy}, status=status)
    answer["Retry-After"] = str(5 if busy else getattr(request, "retry_after", WINDOW.seconds))
    answer["Cache-Control"] = "no-store"
    return answer
