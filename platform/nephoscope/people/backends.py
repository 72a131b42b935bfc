"""Signing in, and Django's permission questions answered from roles."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.core.exceptions import PermissionDenied

from nephoscope.accounts.permissions import EVERYONE_SEES, may
from nephoscope.people import door

HIDDEN = {"accounts.view_user", "accounts.view_accountgroup"}
"""Models that only administrators look at."""


class RoleBackend(ModelBackend):
    """Answers Django's permission questions from the user's role, so that the admin follows the same four roles."""

    def authenticate(self, request: Any, username: Any = None, password: Any = None, **kwargs: Any) -> Any:
        """Return the user whose name and password these are.

        :raises PermissionDenied: too many passwords are being checked; the answer says so.
        """
        if not isinstance(username, str) or not isinstance(password, str) or door.printable(username) != username:
            return None  # the name of nobody, and one that the database could not even be asked about
        try:
            with door.hashing():
                return super().authenticate(request, username=username, password=password, **kwargs)
        except door.Busy:
            door.give_back(username, str(request.META.get("REMOTE_ADDR") or ""))
            request.axes_locked_out = request.too_busy = True
            raise PermissionDenied from None

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        app, _dot, codename = perm.partition(".")
        if may(user_obj, "administer"):
            return True
        return may(user_obj, "view") and codename.startswith("view_") and app in EVERYONE_SEES and perm not in HIDDEN

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        return may(user_obj, "administer") or (may(user_obj, "view") and app_label in EVERYONE_SEES)
