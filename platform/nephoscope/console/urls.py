"""The pages that belong to no model, inside the admin's addresses."""

from __future__ import annotations

from django.contrib import admin
from django.urls import URLPattern, path

from nephoscope.console import views
from nephoscope.console.pages import compliance, events


def extra_urls() -> list[URLPattern]:
    """Return the addresses; django-unfold's site adds them to its own."""
    guard = admin.site.admin_view
    return [
        path("policies/", guard(views.policies), name="policies"),
        path("policies/<str:policy_id>/", guard(views.policy), name="policy"),
        path("compliance/", guard(compliance.matrix), name="compliance"),
        path("compliance/<int:account_id>/<str:policy_id>/", guard(compliance.detail), name="compliance_detail"),
        path(
            "compliance/<int:account_id>/<str:policy_id>/<slug:form>/",
            guard(compliance.export),
            name="compliance_export",
        ),
        path("accounts/account/<int:account_id>/events/", guard(events.show), name="events"),
        path("accounts/account/<int:account_id>/events/kit/<slug:kit>/", guard(events.kit), name="events_kit"),
        path("rules/", guard(views.rules), name="rules"),
        path("rules/<str:rule_id>/", guard(views.rule), name="rule"),
        path("plugins/", guard(views.plugins), name="plugins"),
        path("tokens/", guard(views.tokens), name="tokens"),
        path("tokens/<str:key>/revoke/", guard(views.revoke), name="revoke_token"),
    ]
