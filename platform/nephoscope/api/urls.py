"""The addresses of the API."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, JsonResponse
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.routers import SimpleRouter

from nephoscope.api.accounts import Accounts
from nephoscope.api.alerts import Alerts
from nephoscope.api.audit import Entries
from nephoscope.api.automatic import AutomaticFixes, UpcomingFixes
from nephoscope.api.catalogue import Plugins, Providers, Rules
from nephoscope.api.changes import Changes
from nephoscope.api.changesets import ChangeSets
from nephoscope.api.compliance import Compliances
from nephoscope.api.findings import Findings
from nephoscope.api.fixes import Fixes, SecondApprovers
from nephoscope.api.health import HealthView
from nephoscope.api.organisations import Members, Organisations
from nephoscope.api.people import Groups, Me, Users
from nephoscope.api.policies import Policies, RuleSettings
from nephoscope.api.reports import ReportSchedules
from nephoscope.api.resources import Resources
from nephoscope.api.scans import Scans
from nephoscope.api.suppressions import Suppressions
from nephoscope.api.tokens import Tokens

ENDPOINTS: dict[str, Any] = {
    "tokens": Tokens,
    "users": Users,
    "groups": Groups,
    "accounts": Accounts,
    "organisations": Organisations,
    "members": Members,
    "scans": Scans,
    "resources": Resources,
    "alerts": Alerts,
    "findings": Findings,
    "suppressions": Suppressions,
    "compliance": Compliances,
    "report-schedules": ReportSchedules,
    "changes": Changes,
    "automatic-fixes": AutomaticFixes,
    "upcoming-fixes": UpcomingFixes,
    "fixes": Fixes,
    "second-approvers": SecondApprovers,
    "change-sets": ChangeSets,
    "audit": Entries,
    "providers": Providers,
    "policies": Policies,
    "rules": Rules,
    "rule-settings": RuleSettings,
    "plugins": Plugins,
}

router = SimpleRouter(trailing_slash=False)
for name, viewset in ENDPOINTS.items():
    router.register(name, viewset, basename=name)


@csrf_exempt
def nothing_here(request: HttpRequest, rest: str) -> JsonResponse:
    """Answer in JSON, where the console would send a program to its sign-in page."""
    return JsonResponse({"detail": _("There is nothing at %(path)s.") % {"path": request.path}}, status=404)


urlpatterns: list[URLPattern | URLResolver] = [
    path("", RedirectView.as_view(pattern_name="api-docs")),
    path("schema", SpectacularAPIView.as_view(), name="schema"),
    path("docs", login_required(SpectacularSwaggerSplitView.as_view()), name="api-docs"),
    path("v1/health", HealthView.as_view({"get": "show"}), name="health"),
    path("v1/me", Me.as_view({"get": "show", "patch": "change"}), name="me"),
    path("v1/", include(router.urls)),
    re_path(r"^(?P<rest>[\s\S]*)$", nothing_here),
]
