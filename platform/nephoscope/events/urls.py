"""Where clouds tell of changes."""

from __future__ import annotations

from django.urls import path

from nephoscope.events import views

urlpatterns = [path("<slug:provider>/<slug:address>", views.receive, name="receive_event")]
