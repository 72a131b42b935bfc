"""Whether what a plan was made and approved for still holds: asked at its approval and right before its first write.

A fix is refused once its finding was suppressed or has closed, its resource is gone, its rule is off, is in no policy
of the account or is set otherwise, or its account has no fix role; an automatic one also once that is off. Archiving is
refused once its suppression has ended.
Undoing asks nothing of this: putting back is always possible for those who may change.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from nephoscope import domain
from nephoscope.accounts.models import Account
from nephoscope.accounts.permissions import may
from nephoscope.alerts.models import Alert, Finding, Suppression
from nephoscope.audit.canonical import as_stored
from nephoscope.changes.models import Change
from nephoscope.policies.queries import EffectivePolicies


def require_standing(change: Change) -> None:
    """Raise ValidationError, which says what no longer holds. The caller has read the account and the change again."""
    account = change.account
    if not account.writing_verified_at:
        _refuse(_("%(account)s has no fix role any more; nothing was changed.") % {"account": account.name})
    if change.automatic and change.automatic.off_at:
        values = {"fix": change.automatic, "day": _day(change.automatic.off_at)}
        _refuse(_("The automatic fix %(fix)s was switched off on %(day)s; nothing was changed.") % values)
    if change.suppression_id:
        _require_suppression(Suppression.objects.get(pk=change.suppression_id))
        return
    if change.alert.traits.by_rule:
        _require_rule(change)
    for resource_id, name in dict(change.steps.values_list("resource_id", "resource_name")).items():
        _require_finding(change, resource_id, name)


def require_right(user: Any, account: Account) -> None:
    """Raise ValidationError unless the user who asked for it, a while ago, may still change the account."""
    values = {"user": user, "account": account.name}
    if user is None:
        _refuse(_("The user who approved this was deleted; nothing was changed."))
    if not user.is_active:
        _refuse(_("%(user)s was deactivated; nothing was changed.") % values)
    if not may(user, "change"):
        _refuse(_("%(user)s no longer has the Remediator role; nothing was changed.") % values)
    if not Account.objects.visible_to(user).filter(pk=account.pk).exists():
        _refuse(_("%(user)s no longer has access to %(account)s; nothing was changed.") % values)


def parameters_of(alert: Alert) -> dict[str, domain.Value]:
    """Return the parameters of an alert's rule as they are set for its account; none for a detection."""
    return dict(EffectivePolicies.of(alert.account).rule(alert.rule).parameters) if alert.rule else {}


def _require_rule(change: Change) -> None:
    policies, rule = EffectivePolicies.of(change.account), change.alert.rule
    values = {"rule": rule.title if rule else change.alert.key, "account": change.account.name}
    if rule is None:
        _refuse(_("The rule “%(rule)s” is no longer available; nothing was changed.") % values)
    elif off := policies.off(rule.id):
        said = _("The rule “%(rule)s” was turned off on %(day)s by %(user)s; nothing was changed.")
        _refuse(said % {**values, "day": _day(off.set_at), "user": off.set_by})
    elif not policies.holds(rule.id):
        _refuse(_("The rule “%(rule)s” is in no policy of %(account)s any more; nothing was changed.") % values)
    elif change.parameters not in (None, as_stored(dict(policies.rule(rule).parameters))):
        said = _("The parameters of the rule “%(rule)s” have changed since this was planned; nothing was changed.")
        _refuse(f"{said % values} {_('Plan again.')}")


def _require_finding(change: Change, resource_id: str, name: str) -> None:
    """Raise unless the resource still fails the rule. What was suppressed when it was planned was planned knowingly."""
    values = {"name": name or resource_id}
    rows = Finding.objects.filter(alert=change.alert, resource__resource_id=resource_id, failing_since__isnull=False)
    finding = rows.select_related("resource", "suppression__author").first()
    if finding is None or finding.resource.gone_at:
        _refuse(_("%(name)s is no longer affected or is gone; nothing was changed.") % values)
    elif (suppression := finding.suppression) and suppression.created_at > change.planned_at:
        values |= {"day": _day(suppression.created_at), "user": str(suppression.author or "—")}
        _refuse(_("The finding for %(name)s was suppressed on %(day)s by %(user)s; nothing was changed.") % values)


def _require_suppression(suppression: Suppression) -> None:
    ended = suppression.lifted_at or suppression.expires_at
    if ended and ended <= timezone.now():
        values = {"name": suppression.resource_name, "day": _day(ended)}
        _refuse(_("The suppression of %(name)s ended on %(day)s; nothing was changed.") % values)


def _day(at: datetime) -> str:
    return timezone.localtime(at).date().isoformat()


def _refuse(why: str) -> None:
    raise ValidationError({"change": [why]})
