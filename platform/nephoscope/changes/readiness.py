"""Whether a user can fix an alert from here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from nephoscope import domain
from nephoscope.accounts.models import Account
from nephoscope.accounts.permissions import may
from nephoscope.alerts.models import Alert
from nephoscope.changes.offers import responses_to
from nephoscope.connections.fix_access import allow_command, allows, denied
from nephoscope.plugins import registry


@dataclass(frozen=True, slots=True)
class OfferedFix:
    """A fix of an alert.

    ``allowed`` says whether the account's fix role allows it, None when that is not known. When it does not, ``why``
    says so, and ``command`` allows it where there is one.
    """

    remediation: domain.Remediation
    allowed: bool | None
    why: str = ""
    command: str = ""


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether an alert can be fixed from here by this user, and if not, why and what to do about it.

    ``lacks_role`` when nothing but a fix role is missing.
    """

    ready: bool
    why: str = ""
    fixes: list[OfferedFix] = field(default_factory=list)
    lacks_role: bool = False

    def why_not(self, remediation: domain.Remediation) -> str:
        """Say why one of the fixes cannot be planned by this user; nothing when it can."""
        offered = (each.why for each in self.fixes if each.remediation is remediation)
        return self.why or next(offered, "")


class FixNotAllowed(ValidationError):
    """The fix role does not allow a fix; ``offered`` says what allows it."""

    def __init__(self, offered: OfferedFix) -> None:
        super().__init__({"remediation": [offered.why]})
        self.offered = offered


def readiness(user: Any, alert: Alert) -> Readiness:
    """Say whether the user can fix the alert from here, and if not, why and what to do about it."""
    known = registry().remediations
    fixes = [offered(alert.account, known[id]) for id in responses_to(alert) if id in known]
    if not fixes and not alert.traits.by_rule:
        return Readiness(
            False, _("This is a detection, and no setting undoes what happened. Follow the vendor’s documentation.")
        )
    if not fixes:
        return Readiness(False, _("No automatic fix for this rule yet. Fix it manually as described."))
    if not may(user, "change"):
        return Readiness(False, _("Fixing requires the Remediator role."), fixes)
    if not alert.affected:
        return Readiness(False, _("No resources are affected any more."), fixes)
    if not alert.account.writing_verified_at:
        return Readiness(False, no_fix_role(alert.account), fixes, lacks_role=True)
    if all(each.allowed is False for each in fixes):
        return Readiness(False, fixes[0].why, fixes)
    return Readiness(True, "", fixes)


def offered(account: Account, fix: domain.Remediation, refused: str = "") -> OfferedFix:
    """Say whether the account's fix role allows a fix.

    :param refused: the permission that the cloud just said it does not allow.
    """
    if not account.writing_verified_at:
        return OfferedFix(fix, False, no_fix_role(account))
    if not (missing := [refused] if refused else denied(account, fix)):
        return OfferedFix(fix, allows(account, fix))
    message = _("The fix role does not allow %(group)s (%(permissions)s).")
    why = message % {"group": fix.group, "permissions": ", ".join(missing)}
    return OfferedFix(fix, False, why, allow_command(account, fix))


def require_allowed(account: Account, fix: domain.Remediation) -> None:
    """Raise ValidationError, which says what to do, when the account has no fix role, or that does not allow a fix."""
    if not account.writing_verified_at:
        raise ValidationError({"account": [no_fix_role(account)]})
    if (found := offered(account, fix)).allowed is False:
        raise FixNotAllowed(found)


def no_fix_role(account: Account) -> str:
    """Say that an account has no fix role, and where to set it up."""
    message = _("%(account)s has no fix role yet. Set it up on the account's page under “Set up fixes”.")
    return message % {"account": account.name}
