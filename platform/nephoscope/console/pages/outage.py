"""What is answered while the database is away: that, and when to come back."""

from __future__ import annotations

import sys

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.views import defaults

from nephoscope.api.kit.errors import DATABASE_AWAY, Unavailable, unavailable


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 503 where the database was away, and 500 for every other fault. Django's ``handler500``."""
    if not isinstance(sys.exc_info()[1], DATABASE_AWAY):
        return defaults.server_error(request)
    if request.path.startswith("/api/"):
        answer: HttpResponse = JsonResponse({"detail": unavailable()}, status=503)
    else:
        answer = HttpResponse(render_to_string("503.html", {"message": unavailable()}), status=503)
    answer["Retry-After"] = str(Unavailable.wait)
    return answer
