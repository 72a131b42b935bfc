"""All addresses: the console at /, the API under /api/, and the one that clouds send events to."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("api/", include("nephoscope.api.urls")),
    path("events/", include("nephoscope.events.urls")),
    path("", admin.site.urls),
]
