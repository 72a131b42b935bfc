"""Planning changes, approving them, asking for their undo. A worker does them: :mod:`nephoscope.changes.applying`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from nephoscope import domain
from nephoscope.accounts.holding import hold
from nephoscope.accounts.queries import provider_of
from nephoscope.alerts.models import Alert
from nephoscope.audit.actions.changes import (
    CHANGE_APPLIED,
    CHANGE_FAILED,
    CHANGE_REFUSED,
    CHANGE_UNDO_REQUESTED,
    CHANGE_UNDONE,
    CHANGE_VERIFIED,
    Outcome,
)
from nephoscope.audit.services import Actor, record, require_reason
from nephoscope.changes.models import MADE, UNDER_WAY, UNDOABLE, Change, ChangeState
from nephoscope.changes.offers import fixes_of
from nephoscope.changes.stored import to_plan, undo_digest
from nephoscope.inventory.models import Resource
from nephoscope.plugins import registry
from nephoscope.queue.dispatch import dispatch

# -- Undoing ---------------------------------------------------------------------------------------


def request_undo(actor: Actor, change: Change, *, reason: str, digest: str | None = None) -> Change:
    """Have a worker put back what was before; one that is still queued is withdrawn at once. Reaches no cloud.

    :param digest: of the calls that undo it, as they were shown; None is for what they are now.
    :raises ValidationError: no reason, another digest, nothing was applied, it cannot be undone, a worker is at it, or
        its account was removed.
    """
    actor.require("change")
    reason = require_reason(reason)
    end_if_interrupted(change)
    return _request_undo(actor, change, reason, digest)


@transaction.atomic
def _request_undo(actor: Actor, change: Change, reason: str, digest: str | None) -> Change:
    hold(change.account)
    change = locked(change)
    if digest is not None and digest != undo_digest(change.steps.all()):
        raise ValidationError({"digest": [_("The change has gone on since it was shown. Review its undo again.")]})
    change = ask_undo(actor, change, reason)
    transaction.on_commit(partial(wake, change))
    return change


def ask_undo(actor: Actor, change: Change, reason: str) -> Change:
    """Have a locked change undone by the next worker that looks for it; one that is still queued is withdrawn."""
    change.undo_by, change.undo_requested_at, change.undo_reason = actor.user, timezone.now(), reason
    if change.state == ChangeState.APPROVED:
        return finish(actor, change, ChangeState.UNDONE, Outcome.WITHDRAWN)
    _require_undoable(change)
    change.undo_digest = undo_digest(change.steps.all())
    change.before_undo, change.state, change.queued_at = change.state, ChangeState.UNDO_QUEUED, timezone.now()
    change.save()
    data = {"title": change.title, "alert": str(change.alert)}
    record(actor, CHANGE_UNDO_REQUESTED, change, data, account=change.account, reason=reason)
    return change


@transaction.atomic
def end_if_interrupted(change: Change) -> None:
    """End a change whose worker stopped, so that it makes no further call, and what it made can be undone."""
    hold(change.account)
    change = locked(change)
    if change.state in UNDER_WAY and not change.held:
        interrupt(change)


def interrupt(change: Change) -> None:
    """End a locked change whose worker stopped. A last call of it may land until ``quiet_at``."""
    if change.held_until and (writing := provider_of(change.account).writing):
        change.quiet_at = change.held_until + timedelta(seconds=writing.longest_call)
    finish(Actor.system(), change, ChangeState.FAILED, Outcome.INTERRUPTED)


def locked(change: Change) -> Change:
    """Return the change as it is now, for nobody else to write until the end of the transaction.

    Who holds its account as well does so before.
    """
    found: Change = Change.objects.select_for_update(of=("self",)).select_related("account", "alert").get(pk=change.pk)
    return found


def put_into_queue(change: Change, state: ChangeState) -> None:
    change.state, change.queued_at = state, timezone.now()
    change.save()
    transaction.on_commit(partial(wake, change))


def wake(change: Change) -> None:
    """Ask the queue for a worker; one that finds nothing to do ends at once."""
    dispatch("work_on_change", change.pk, name=f"change {change.pk}")


def can_undo(change: Change) -> bool:
    """Whether something of it was applied, or may have been, and all of that can be put back."""
    if change.state == ChangeState.APPROVED:
        return True
    made = [step for step in change.steps.all() if step.state in MADE]
    ended = change.state in UNDOABLE or (change.state in UNDER_WAY and not change.held)
    return ended and bool(made) and all(step.inverse for step in made)


def _require_undoable(change: Change) -> None:
    if change.under_way and change.held_until:
        said = _("%(change)s is in progress; wait until it finishes. If its worker stopped, undo it after %(time)s.")
        time = timezone.localtime(change.held_until).strftime("%H:%M:%S %Z")
        raise ValidationError({"change": [said % {"change": change, "time": time}]})
    if change.state in (*UNDER_WAY, ChangeState.UNDO_QUEUED):
        raise ValidationError({"change": [_("%s is in progress; wait until it finishes.") % change]})
    if change.state == ChangeState.WAITING:
        said = _("%s was applied, but its new values do not show yet. Undo it once they do.")
        raise ValidationError({"change": [said % change]})
    if change.state not in UNDOABLE or not any(step.state in MADE for step in change.steps.all()):
        raise ValidationError({"change": [_("Nothing to undo: %s was not applied.") % change]})
    if not can_undo(change):
        raise ValidationError({"change": [_("%s cannot be undone.") % change]})
    if change.remediation not in registry().remediations:
        raise ValidationError({"change": [_("The plugin that made this change is no longer enabled.")]})


@transaction.atomic
def finish(actor: Actor, change: Change, state: ChangeState, outcome: Outcome, problem: str = "") -> Change:
    """Write down how a change ended, and let go of it."""
    change.state = state
    change.let_go()
    change.outcome = str(outcome.label % {"problem": problem})
    back = state == ChangeState.UNDONE
    if back:
        change.undone_at = timezone.now()
    else:
        change.finished_at = timezone.now()
    change.save()
    rows = list(change.steps.all())
    before, after = [row.before for row in rows], [row.after for row in rows]
    record(
        actor,
        _FINISHED[state],
        change,
        {
            "title": change.title,
            "outcome": outcome.value,
            "problem": problem,
            "approved_by": str(change.approved_by or ""),
            **({"approved_for": change.reason, "requested_by": str(change.undo_by or "")} if back else {}),
        },
        account=change.account,
        reason=change.undo_reason if back else change.reason,
        before=after if back else before,
        after=before if back else after,
    )
    return change


_FINISHED = {
    ChangeState.APPLIED: CHANGE_APPLIED,
    ChangeState.VERIFIED: CHANGE_VERIFIED,
    ChangeState.FAILED: CHANGE_FAILED,
    ChangeState.REFUSED: CHANGE_REFUSED,
    ChangeState.UNDONE: CHANGE_UNDONE,
}


# -- What planning and applying share --------------------------------------------------------------


def remediation_of(alert: Alert, id: str) -> domain.Remediation:
    """Return a fix of an alert; raises ValidationError when it is none, or its plugin is not enabled."""
    if id not in fixes_of(alert) or id not in registry().remediations:
        raise ValidationError({"remediation": [_("“%s” is not a fix for this alert.") % id]})
    return registry().remediations[id]


def require_as_planned(change: Change, steps: Sequence[domain.Step]) -> None:
    """Raise ValidationError unless what is stored is the plan of the digest, and no plugin vetoes it now."""
    plan = to_plan(change, steps)
    if plan.digest != change.digest:
        raise ValidationError({"digest": [_("The plan has changed since it was shown. Plan again.")]})
    if vetoes := registry().vetoes(plan, [each.to_domain() for each in resources_of(change)]):
        raise ValidationError({"change": vetoes})


def resources_of(change: Change) -> list[Resource]:
    """Return the stored resources that a change is about."""
    ids = {row.resource_id for row in change.steps.all()}
    return list(Resource.objects.filter(account=change.account, resource_id__in=ids).select_related("account"))
