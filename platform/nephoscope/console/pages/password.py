"""One's own password."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.views import PasswordChangeView
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse_lazy

from nephoscope.audit.services import Actor
from nephoscope.console.forms.people import OwnPasswordForm


class OwnPassword(PasswordChangeView):
    form_class = OwnPasswordForm
    success_url = reverse_lazy("admin:password_change_done")

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"actor": Actor.from_request(self.request)}


def change_password(request: HttpRequest) -> HttpResponseBase:
    """Ask for the current password and a new one, and set that."""
    return OwnPassword.as_view(extra_context=admin.site.each_context(request))(request)
