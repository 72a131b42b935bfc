"""Who may call what: the acts of :mod:`nephoscope.accounts.permissions`, as in the console."""

from __future__ import annotations

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from nephoscope.accounts.permissions import may


class RolePermission(BasePermission):
    """Looking needs ``look``; any other action needs what the viewset's ``acts`` names for it.

    An action that ``acts`` does not name is refused, so that forgetting one closes a door instead of opening it.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        action = getattr(view, "action", None) or request.method.lower()
        acts: dict[str, str] = getattr(view, "acts", {})
        looking = request.method in ("GET", "HEAD", "OPTIONS")
        act = acts.get(action, "look" if looking else "administer")
        return may(request.user, act)
