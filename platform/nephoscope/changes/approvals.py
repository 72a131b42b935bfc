"""Approving plans: by the digest that was shown, and where an administrator asks for it, by two persons."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from nephoscope.accounts.holding import hold
from nephoscope.accounts.models import Account
from nephoscope.audit.actions.changes import (
    CHANGE_APPROVED,
    CHANGE_APPROVED_FIRST,
    SECOND_APPROVER_DROPPED,
    SECOND_APPROVER_REQUIRED,
)
from nephoscope.audit.services import Actor, record, require_reason
from nephoscope.changes.models import Change, ChangeSet, ChangeState, SecondApproval
from nephoscope.changes.services import locked, put_into_queue, remediation_of, require_as_planned
from nephoscope.changes.standing import require_standing
from nephoscope.changes.stored import to_steps
from nephoscope.changes.summary import is_whole, lasting


@transaction.atomic
def approve_change(actor: Actor, change: Change, *, digest: str, reason: str, irreversible: bool = False) -> Change:
    """Approve the plan that was shown, by its digest, and put it into the queue. Reaches no cloud.

    Where a second approver is asked for, the first approval only notes it; the second one, by somebody else who did not
    plan it either, puts it into the queue.

    :param irreversible: that an undo does not bring back everything was read and confirmed.
    :raises ValidationError: no reason, not confirmed what needs to be, another digest, a veto, it has expired, it does
        not wait for approval any more, what it was planned for no longer holds, its account was removed, or the second
        approver is the planner or the first approver.
    """
    actor.require("change")
    reason = require_reason(reason)
    hold(change.account)
    change = locked(change)
    require_planned(change)
    if change.change_set_id:
        raise ValidationError({"change": [_("%s is approved with its bulk change.") % change]})
    if change.expired:
        raise ValidationError({"change": [_("%s has expired. Plan again.") % change]})
    if not irreversible and not is_whole(change):
        raise ValidationError({"irreversible": [_("Confirm that you understand this: %s") % " ".join(lasting(change))]})
    if digest != change.digest:
        raise ValidationError({"digest": [_("The plan has changed since it was shown. Plan again.")]})
    remediation_of(change.alert, change.remediation)
    require_standing(change)
    require_as_planned(change, to_steps(change.steps.all()))
    data = {"title": change.title, "alert": str(change.alert)}
    if change.state == ChangeState.PLANNED and needs_second(change):
        change.first_by, change.first_at, change.first_reason = actor.user, timezone.now(), reason
        change.state = ChangeState.HALF_APPROVED
        change.save()
        record(actor, CHANGE_APPROVED_FIRST, change, data, account=change.account, reason=reason)
        return change
    if change.state == ChangeState.HALF_APPROVED:
        require_another(actor, change)
    change.approved_by, change.approved_at, change.reason = actor.user, timezone.now(), reason
    put_into_queue(change, ChangeState.APPROVED)
    record(actor, CHANGE_APPROVED, change, data, account=change.account, reason=reason)
    return change


def require_planned(change: Change) -> None:
    """Raise ValidationError, which says what to do, unless it is a plan that waits for approval."""
    if change.state in (ChangeState.PLANNED, ChangeState.HALF_APPROVED):
        return
    approved = _("%s was approved already.") if change.approved_at else _("%s was refused; plan again.")
    said = {
        ChangeState.DISCARDED: _("%s was discarded. Plan again."),
        ChangeState.EXPIRED: _("%s has expired. Plan again."),
    }.get(ChangeState(change.state), approved)
    raise ValidationError({"change": [said % change]})


def needs_second(change: Change) -> bool:
    """Whether an administrator asks for a second approver: for the fix, the account or the alert's severity."""
    return any_needs_second(Change.objects.filter(pk=change.pk))


def any_needs_second(changes: QuerySet[Change]) -> bool:
    """Whether a second approver is asked for at least one of the changes."""
    fix, account = Q(remediation=OuterRef("remediation")), Q(account=OuterRef("account"))
    asked = SecondApproval.objects.filter(fix | account | Q(severity=OuterRef("alert__severity")))
    return changes.filter(Exists(asked)).exists()


def would_need_second(remediation: str, account: Account, severity: str) -> bool:
    """Whether a change would need a second approver."""
    asked = Q(remediation=remediation) | Q(account=account) | Q(severity=severity)
    return SecondApproval.objects.filter(asked).exists()


def why_not_second(user: object, change: Change | ChangeSet) -> str:
    """Say why a user cannot be the second approver of what waits for one, or nothing."""
    if user == change.planned_by:
        return _("You planned %s, so somebody else has to be the second approver.") % change
    if user == change.first_by:
        return _("You approved %s already. The second approver is somebody else.") % change
    return ""


def require_another(actor: Actor, change: Change | ChangeSet) -> None:
    """Raise ValidationError, which says why, unless the actor can be the second approver."""
    if why := why_not_second(actor.user, change):
        raise ValidationError({"change": [why]})


@transaction.atomic
def require_second_approver(
    actor: Actor, *, remediation: str = "", account: Account | None = None, severity: str = ""
) -> SecondApproval:
    """Ask for a second approver for a fix, for an account, or for a severity.

    :raises ValidationError: none or several of them are given, it is unknown, or it is asked for already.
    """
    actor.require("administer")
    row = SecondApproval(remediation=remediation, account=account, severity=severity, set_by=actor.user)
    row.full_clean()
    row.save()
    record(actor, SECOND_APPROVER_REQUIRED, row, {"what": str(row)}, account=row.account)
    return row


@transaction.atomic
def drop_second_approver(actor: Actor, row: SecondApproval) -> None:
    """Ask for no second approver any more; changes that wait for one go on waiting."""
    actor.require("administer")
    record(actor, SECOND_APPROVER_DROPPED, row, {"what": str(row)}, account=row.account)
    row.delete()
