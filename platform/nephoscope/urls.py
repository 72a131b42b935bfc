"""All addresses: the console at /, the API under /api/."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("api/", include("nephoscope.api.urls")),
    path("", admin.site.urls),
]
