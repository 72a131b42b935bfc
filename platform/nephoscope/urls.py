"""All addresses: the console at /, the API under /api/, and the one that clouds send events to."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

from nephoscope.api.event_endpoint import receive
from nephoscope.api.liveness import alive

urlpatterns = [
    path("api/", include("nephoscope.api.urls")),
    path("events/<slug:provider>/<slug:address>", receive, name="receive_event"),
    path("healthz", alive, name="healthz"),
    path("", admin.site.urls),
]

handler500 = "nephoscope.console.pages.outage.server_error"
