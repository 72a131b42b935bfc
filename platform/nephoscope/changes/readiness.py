"""Whether a user can fix an alert from here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from nephoscope import domain
from nephoscope.accounts.models import Account
from nephoscope.accounts.permissions import may
from nephoscope.alerts.models import Alert
from nephoscope.plugins import registry


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether an alert can be fixed from here by this user, and if not, why and what to do about it."""

    ready: bool
    why: str = ""
    remediations: list[domain.Remediation] = field(default_factory=list)


def readiness(user: Any, alert: Alert) -> Readiness:
    """Say whether the user can fix the alert from here, and if not, why and what to do about it."""
    rule = alert.rule
    known = registry().remediations
    fixes = [known[id] for id in (rule.remediations if rule else ()) if id in known]
    if not alert.traits.by_rule:
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
        return Readiness(False, no_fix_role(alert.account), fixes)
    return Readiness(True, "", fixes)


def why_no_fixes(account: Account) -> str:
    """Say why nothing in an account can be fixed from here; nothing when it can."""
    return "" if account.writing_verified_at else no_fix_role(account)


def no_fix_role(account: Account) -> str:
    """Say that an account has no fix role, and where to set it up."""
    message = _("%(account)s has no fix role yet. Set it up on the account's page under “Set up fixes”.")
    return message % {"account": account.name}
