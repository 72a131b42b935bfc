"""The pages that belong to no model, inside the admin's addresses."""

from __future__ import annotations

from django.contrib import admin
from django.urls import URLPattern, path

from nephoscope.console.pages import compliance, events, plugins, policies, profile, resend, rules, tokens


def extra_urls() -> list[URLPattern]:
    """Return the addresses; django-unfold's site adds them to its own."""
    guard = admin.site.admin_view
    return [
        path("policies/", guard(policies.listed), name="policies"),
        path("policies/new/", guard(policies.new), name="policy_new"),
        path("policies/<str:policy_id>/", guard(policies.shown), name="policy"),
        path("policies/<str:policy_id>/edit/", guard(policies.edit), name="policy_edit"),
        path("policies/<str:policy_id>/delete/", guard(policies.delete), name="policy_delete"),
        path("policies/<str:policy_id>/scope/", guard(policies.scope), name="policy_scope"),
        path("policies/<str:policy_id>/add/", guard(policies.add), name="policy_add"),
        path("policies/<str:policy_id>/remove/<str:rule_id>/", guard(policies.remove), name="policy_remove"),
        path("compliance/", guard(compliance.matrix), name="compliance"),
        path("compliance/<int:account_id>/<str:policy_id>/", guard(compliance.detail), name="compliance_detail"),
        path(
            "compliance/<int:account_id>/<str:policy_id>/<slug:form>/",
            guard(compliance.export),
            name="compliance_export",
        ),
        path("accounts/account/<int:account_id>/events/", guard(events.show), name="events"),
        path(
            "accounts/account/<int:account_id>/events/setup/<slug:id>/",
            guard(events.setup_template),
            name="events_setup",
        ),
        path("rules/", guard(rules.listed), name="rules"),
        path("rules/<str:rule_id>/", guard(rules.shown), name="rule"),
        path("rules/<str:rule_id>/set/", guard(rules.set_rule), name="rule_set"),
        path("plugins/", guard(plugins.plugins), name="plugins"),
        path("profile/", guard(profile.profile), name="profile"),
        path("resend/<uuid:kept>/", guard(resend.resend), name="resend"),
        path("tokens/", guard(tokens.tokens), name="tokens"),
        path("tokens/<str:key>/revoke/", guard(tokens.revoke), name="revoke_token"),
    ]
