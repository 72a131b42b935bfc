"""Who may do what: four roles, each of which may do all that the one before it may, and what a token narrows it to."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import TextChoices
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _


class Role(TextChoices):
    VIEWER = "viewer", _("Viewer")
    ANALYST = "analyst", _("Analyst")
    REMEDIATOR = "remediator", _("Remediator")
    ADMINISTRATOR = "administrator", _("Administrator")


class Scope(TextChoices):
    """How much of its user's role an API token may use."""

    READ = "read", _("Read")
    TRIAGE = "triage", _("Triage")
    CHANGE = "change", _("Change")
    ADMINISTER = "administer", _("Administer")


RANK = {role: rank for rank, role in enumerate(Role.values)}
_REACH = {scope: rank for rank, scope in enumerate(Scope.values)}

ACTS: dict[str, str] = {
    "view": Role.VIEWER,
    "profile": Role.VIEWER,
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
    """Whether an act of :data:`ACTS` is within the user's role, and within the scope of the token that is used.

    The API puts the token that a request was made with on its user; without one, the role alone counts.
    """
    return _has_role(user, ACTS[act]) and _within(user, needed_scope(act))


def sees_everything(user: Any) -> bool:
    """Whether the user sees all accounts, not only those granted. A token's scope limits acts, not what is seen."""
    return _has_role(user, Role.ADMINISTRATOR) and _within(user, Scope.READ)


def require(user: Any, act: str) -> None:
    """Raise PermissionDenied, in words, unless the user may."""
    if not may(user, act):
        raise PermissionDenied(refusal(user, act))


def refusal(user: Any, act: str) -> str:
    """Say what the user lacks for an act: the role, or a token with the scope."""
    if _has_role(user, ACTS[act]):
        return _t("This requires a token with the scope %(scope)s.") % {"scope": needed_scope(act).label}
    return _t("This requires the %(role)s role.") % {"role": Role(ACTS[act]).label}


def needed_scope(act: str) -> Scope:
    """Return the least scope of a token that may do an act. Reading changes nothing, not even one's own profile."""
    return Scope.TRIAGE if act == "profile" else Scope(Scope.values[RANK[ACTS[act]]])


def scopes_of(user: Any) -> list[Scope]:
    """Return the scopes that a user's new token may have: none beyond the role, nor beyond the token that is used."""
    return [scope for scope in Scope if _has_role(user, Role.values[_REACH[scope]]) and _within(user, scope)]


def _has_role(user: Any, role: str) -> bool:
    if not (user.is_authenticated and user.is_active):
        return False
    return bool(user.is_superuser) or RANK[user.role] >= RANK[role]


def _within(user: Any, needed: Scope) -> bool:
    return user.used_token is None or _REACH[user.used_token.scope] >= _REACH[needed]
