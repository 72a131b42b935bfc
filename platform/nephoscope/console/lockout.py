"""What somebody gets who guessed passwords too often: a page, or JSON where a program asked."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _


def locked_out(request: HttpRequest, original: HttpResponse | None = None, credentials: Any = None) -> HttpResponse:
    """Answer 429 and say when to come back."""
    if request.path.startswith("/api/"):
        answer: HttpResponse = JsonResponse(
            {"detail": _("Too many failed sign-in attempts. Wait and try again.")}, status=429
        )
    else:
        answer = render(request, "console/locked_out.html", status=429)
    answer["Retry-After"] = str(int(settings.AXES_COOLOFF_TIME.total_seconds()))
    return answer
