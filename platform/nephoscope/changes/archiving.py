"""Telling the cloud that a detection was suppressed here, or is no longer."""

from __future__ import annotations

from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from nephoscope.accounts.permissions import may
from nephoscope.alerts import suppressions
from nephoscope.alerts.models import Alert, Finding, Suppression
from nephoscope.audit.services import Actor
from nephoscope.changes.models import ChangeState
from nephoscope.changes.services import UNDOABLE, apply_change, fixes_of, plan_change, undo_change
from nephoscope.plugins import registry


def archive(actor: Actor, alert: Alert, findings: Sequence[Finding], *, archive: bool = True) -> list[str]:
    """Archive suppressed detections in the cloud as well, or take that back; return what was not done, in words.

    That is a write in the cloud: nothing is written for who may not apply changes, nor in an account without a fix
    role. What was suppressed here stays so, whatever the cloud says.
    """
    if alert.traits.by_rule or not alert.account.writing_verified_at or not findings:
        return []
    if not any(id in registry().remediations for id in fixes_of(alert)):
        return []
    if actor.user is not None and not may(actor.user, "change"):
        message = _("Not archived in %(source)s: that takes a remediator.")
        if not archive:
            message = _("Not unarchived in %(source)s: that takes a remediator. What is archived there closes again.")
        return [message % {"source": alert.kind_name}]
    try:
        if archive:
            reason = _("suppressed here")
            change = plan_change(actor, alert, findings, fixes_of(alert)[0])
            done = apply_change(actor, change, digest=change.digest, reason=reason)
            return [] if done.state == ChangeState.VERIFIED else [done.outcome]
        for change in alert.changes.filter(state__in=UNDOABLE, remediation__in=fixes_of(alert)):
            undo_change(actor, change, reason=_("no longer suppressed here"))
    except ValidationError as problem:
        return problem.messages
    return []


def was_archived(suppression: Suppression) -> bool:
    """Whether the suppressed detection was archived in the cloud from here, so that its end takes that back."""
    changes = suppression.alert.changes.filter(state__in=UNDOABLE)
    return changes.filter(steps__resource_id=suppression.resource_id).exists()


def expire_suppressions() -> int:
    """Take back the suppressions whose time is over. Run every minute by the queue; returns how many ended."""
    over = suppressions.expire()
    for each in over:
        if was_archived(each):
            rows = list(each.alert.findings.filter(resource__resource_id=each.resource_id))
            archive(Actor.system(), each.alert, rows, archive=False)
    return len(over)
