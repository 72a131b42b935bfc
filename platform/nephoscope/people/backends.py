"""Signing in, and Django's permission questions answered from roles."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend

from nephoscope.accounts.permissions import EVERYONE_SEES, may

HIDDEN = {"accounts.view_user", "accounts.view_accountgroup"}
"""Models that only administrators look at."""


class RoleBackend(ModelBackend):
    """Answers Django's permission questions from the user's role, so that the admin follows the same four roles."""

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        app, _dot, codename = perm.partition(".")
        if may(user_obj, "administer"):
            return True
        return may(user_obj, "view") and codename.startswith("view_") and app in EVERYONE_SEES and perm not in HIDDEN

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        return may(user_obj, "administer") or (may(user_obj, "view") and app_label in EVERYONE_SEES)
