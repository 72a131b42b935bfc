"""One's own profile."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from nephoscope.audit.services import Actor
from nephoscope.console.forms.people import ProfileForm
from nephoscope.console.kit.admin import page
from nephoscope.people import services as people


def profile(request: HttpRequest) -> HttpResponse:
    """Show what users may change of themselves; posted to, change it."""
    actor = Actor.from_request(request)
    actor.require("profile")
    form = ProfileForm(request.POST or None, initial={name: getattr(request.user, name) for name in people.OWN})
    if request.method == "POST" and form.is_valid():
        try:
            people.change_own_profile(actor, **form.cleaned_data)
        except ValidationError as error:
            form.refuse(error)
        else:
            messages.success(request, _("Saved."))
            return redirect("admin:profile")
    return page(request, "console/profile.html", _("My profile"), form=form)
