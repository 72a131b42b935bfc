"""What is answered while the database or Redis is away: that, and when to come back."""

from __future__ import annotations

import sys

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.views import defaults

from nephoscope.api.kit.errors import Unavailable, unavailable
from nephoscope.logs import AWAY


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 503 where a store was away, and 500 for every other fault. Django's ``handler500``."""
    error = sys.exc_info()[1]
    if not isinstance(error, AWAY):
        return defaults.server_error(request)
    if request.path.startswith("/api/"):
        answer: HttpResponse = JsonResponse({"detail": unavailable(error)}, status=503)
    else:
        answer = HttpResponse(render_to_string("503.html", {"message": unavailable(error)}), status=503)
    answer["Retry-After"] = str(Unavailable.wait)
    return answer
