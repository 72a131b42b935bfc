"""How the console looks: django-unfold's settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from nephoscope.accounts.permissions import may


def _static(path: str) -> Callable[[HttpRequest], str]:
    return lambda request: static(path)


def _administrator(request: HttpRequest) -> bool:
    return may(request.user, "administer")


def _page(title: Any, icon: str, view: str, **more: Any) -> dict[str, Any]:
    return {"title": title, "icon": icon, "link": reverse_lazy(f"admin:{view}"), **more}


_NAVIGATION = [
    {
        "items": [
            _page(_("Dashboard"), "space_dashboard", "index"),
            _page(_("Alerts"), "notifications", "alerts_alert_changelist"),
            _page(_("Suppressions"), "notifications_off", "alerts_suppression_changelist"),
            _page(_("Changes"), "build", "changes_change_changelist"),
            _page(_("Bulk changes"), "playlist_add_check", "changes_changeset_changelist"),
            _page(_("Automatic fixes"), "autorenew", "changes_automaticfix_changelist"),
            _page(_("Fixes"), "handyman", "fixes"),
        ]
    },
    {
        "title": _("Accounts"),
        "items": [
            _page(_("Accounts"), "cloud", "accounts_account_changelist"),
            _page(_("Organisations"), "account_tree", "organisations_organisation_changelist"),
            _page(_("Scans"), "radar", "inventory_scan_changelist"),
        ],
    },
    {
        "title": _("Inventory"),
        "items": [
            _page(_("Resources"), "category", "inventory_resource_changelist"),
            _page(_("Findings"), "fact_check", "alerts_finding_changelist"),
        ],
    },
    {
        "title": _("Checks"),
        "items": [
            _page(_("Compliance"), "verified", "compliance"),
            _page(_("Report schedules"), "schedule_send", "reports_reportschedule_changelist"),
            _page(_("Policies"), "policy", "policies"),
            _page(_("Rules"), "rule", "rules"),
        ],
    },
    {
        "title": _("Administration"),
        "items": [
            _page(_("Audit log"), "history", "audit_entry_changelist"),
            _page(_("API tokens"), "key", "tokens"),
            _page(_("Users"), "person", "accounts_user_changelist", permission=_administrator),
            _page(_("Account groups"), "group", "accounts_accountgroup_changelist", permission=_administrator),
            _page(_("Plugins"), "extension", "plugins", permission=_administrator),
        ],
    },
]

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Nephoscope",
    "SITE_HEADER": "Nephoscope",
    "SITE_URL": None,
    "SITE_ICON": _static("nephoscope/mark.svg"),
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": _static("nephoscope/mark.svg")}],
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "BORDER_RADIUS": "6px",
    "STYLES": [_static("nephoscope/console.css")],
    "SCRIPTS": [_static("nephoscope/console.js")],
    "DASHBOARD_CALLBACK": "nephoscope.console.pages.dashboard.context",
    "SIDEBAR": {"navigation": _NAVIGATION},
    "ACCOUNT": {
        "navigation": [
            {"title": _("My profile"), "link": reverse_lazy("admin:profile")},
            {"title": _("API tokens"), "link": reverse_lazy("admin:tokens")},
            {"title": _("Change password"), "link": reverse_lazy("admin:password_change")},
        ]
    },
    # A calm blue; 600 carries white text and 500 stands on the dark ground, both at a contrast of 4.5 or more.
    "COLORS": {
        "primary": {
            "50": "oklch(97.7% .013 236.6)",
            "100": "oklch(95.1% .026 236.8)",
            "200": "oklch(90.1% .058 230.9)",
            "300": "oklch(82.8% .111 230.3)",
            "400": "oklch(74.6% .14 232.7)",
            "500": "oklch(70% .13 237)",
            "600": "oklch(50% .12 242.7)",
            "700": "oklch(44.3% .11 240.8)",
            "800": "oklch(39.1% .09 240.9)",
            "900": "oklch(34% .08 242)",
            "950": "oklch(29.3% .066 243.2)",
        },
    },
}
