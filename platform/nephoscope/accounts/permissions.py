"""Who may do what: four roles, each of which may do all that the one before it may."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Role(TextChoices):
    VIEWER = "viewer", _("Viewer")
    ANALYST = "analyst", _("Analyst")
    REMEDIATOR = "remediator", _("Remediator")
    ADMINISTRATOR = "administrator", _("Administrator")


RANK = {role: rank for rank, role in enumerate(Role.values)}

ACTS: dict[str, str] = {
    "view": Role.VIEWER,
    "suppress": Role.ANALYST,
    "recheck": Role.ANALYST,
    "scan": Role.ANALYST,
    "schedule": Role.ANALYST,
    "change": Role.REMEDIATOR,
    "set_policies": Role.ADMINISTRATOR,
    "connect": Role.ADMINISTRATOR,
    "administer": Role.ADMINISTRATOR,
}
"""Every act that needs a right, and the least role that has it."""

EVERYONE_SEES = {"accounts", "organisations", "inventory", "alerts", "changes", "reports", "audit"}
"""Apps whose objects every role may look at, each user only those of the accounts granted (``visible_to``)."""


def may(user: Any, act: str) -> bool:
    """Whether the user's role includes an act of :data:`ACTS`."""
    if not (user.is_authenticated and user.is_active):
        return False
    return bool(user.is_superuser) or RANK[user.role] >= RANK[ACTS[act]]


def require(user: Any, act: str) -> None:
    """Raise PermissionDenied, in words, unless the user may."""
    if not may(user, act):
        raise PermissionDenied(_("This requires the %(role)s role.") % {"role": Role(ACTS[act]).label})
