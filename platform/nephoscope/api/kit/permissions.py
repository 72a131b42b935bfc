"""Who may call what: the acts of :mod:`nephoscope.accounts.permissions`, as in the console."""

from __future__ import annotations

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from nephoscope.accounts.permissions import may, refusal


class RolePermission(BasePermission):
    """Looking needs ``view``; any other action needs what the viewset's ``acts`` names for it.

    An action that ``acts`` does not name is refused, so that forgetting one closes a door instead of opening it.
    """

    message: str

    def has_permission(self, request: Request, view: Any) -> bool:
        action = getattr(view, "action", None)
        if action is None and not hasattr(view, (request.method or "").lower()):
            # No handler runs: DRF answers that the method is not allowed, to those who may look at all.
            return may(request.user, "view")
        acts: dict[str, str] = getattr(view, "acts", {})
        looking = request.method in ("GET", "HEAD", "OPTIONS")
        act = acts.get(action or (request.method or "").lower(), "view" if looking else "administer")
        self.message = refusal(request.user, act)
        return may(request.user, act)
