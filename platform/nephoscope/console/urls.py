"""The pages that belong to no model, inside the admin's addresses."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.urls import URLPattern, path
from django.views.decorators.http import require_safe

from nephoscope.console.pages import (
    automatic,
    compliance,
    events,
    fixes,
    password,
    plugins,
    policies,
    profile,
    resend,
    rules,
    second_approvers,
    tokens,
)


def extra_urls() -> list[URLPattern]:
    """Return the addresses; django-unfold's site adds them to its own."""
    guard = admin.site.admin_view

    def look(view: Any) -> Any:
        """Guard a page that is only looked at: nothing is posted to it."""
        return guard(require_safe(view))

    return [
        path("policies/", look(policies.listed), name="policies"),
        path("policies/new/", guard(policies.new), name="policy_new"),
        path("policies/<str:policy_id>/", look(policies.shown), name="policy"),
        path("policies/<str:policy_id>/edit/", guard(policies.edit), name="policy_edit"),
        path("policies/<str:policy_id>/delete/", guard(policies.delete), name="policy_delete"),
        path("policies/<str:policy_id>/scope/", guard(policies.scope), name="policy_scope"),
        path("policies/<str:policy_id>/add/", guard(policies.add), name="policy_add"),
        path("policies/<str:policy_id>/remove/<str:rule_id>/", guard(policies.remove), name="policy_remove"),
        path("compliance/", look(compliance.matrix), name="compliance"),
        path("compliance/<int:account_id>/<str:policy_id>/", look(compliance.detail), name="compliance_detail"),
        path(
            "compliance/<int:account_id>/<str:policy_id>/<slug:form>/",
            look(compliance.export),
            name="compliance_export",
        ),
        path("accounts/account/<int:account_id>/events/", guard(events.show), name="events"),
        path(
            "accounts/account/<int:account_id>/events/setup/<slug:id>/",
            look(events.setup_template),
            name="events_setup",
        ),
        path("rules/", look(rules.listed), name="rules"),
        path("rules/<str:rule_id>/", look(rules.shown), name="rule"),
        path("rules/<str:rule_id>/set/", guard(rules.set_rule), name="rule_set"),
        path("rules/<str:rule_id>/automatic/", guard(automatic.switch), name="rule_automatic"),
        path("fixes/", look(fixes.shown_list), name="fixes"),
        path("fixes/<str:fix_id>/", look(fixes.shown), name="fix"),
        path("second-approvers/", look(second_approvers.listed), name="second_approvers"),
        path("second-approvers/require/", guard(second_approvers.ask), name="second_approver_require"),
        path("second-approvers/<int:pk>/drop/", guard(second_approvers.drop), name="second_approver_drop"),
        path("plugins/", look(plugins.plugins), name="plugins"),
        path("password_change/", guard(password.change_password), name="password_change"),
        path("profile/", guard(profile.profile), name="profile"),
        path("resend/<uuid:kept>/", guard(resend.resend), name="resend"),
        path("tokens/", guard(tokens.tokens), name="tokens"),
        path("tokens/<str:key>/revoke/", guard(tokens.revoke), name="revoke_token"),
    ]
