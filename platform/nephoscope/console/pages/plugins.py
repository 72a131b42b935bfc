"""The list of plugins."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from nephoscope.accounts.permissions import require
from nephoscope.console.kit.admin import page
from nephoscope.plugins import registry


def plugins(request: HttpRequest) -> HttpResponse:
    """List the plugins that were found, and what each contributes."""
    require(request.user, "administer")
    shown = sorted(registry().load_all().infos.values(), key=lambda info: (not info.enabled, info.name))
    return page(request, "console/plugins.html", _("Plugins"), plugins=shown)
