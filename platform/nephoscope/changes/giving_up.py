"""What becomes of plans that nobody approves and of approvals that no worker applies: discarded, or expired."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from nephoscope.audit.actions import Action
from nephoscope.audit.actions.changes import CHANGE_APPROVAL_EXPIRED, CHANGE_DISCARDED, CHANGE_EXPIRED, Outcome
from nephoscope.audit.services import Actor, record
from nephoscope.changes.approvals import require_planned
from nephoscope.changes.models import APPROVAL_LIFETIME, PLAN_LIFETIME, Change, ChangeSet, ChangeState, SetState
from nephoscope.changes.services import locked


@transaction.atomic
def discard_plan(actor: Actor, change: Change) -> Change:
    """Throw away a plan that nobody approved. A bulk change that it is part of goes on without it.

    :raises ValidationError: it does not wait for approval any more, or its bulk change needs a second approval only.
    """
    actor.require("change")
    of = ChangeSet.objects.select_for_update(of=("self",)).filter(pk=change.change_set_id).first()
    change = locked(change)
    require_planned(change)
    if of and of.state not in (SetState.PLANNING, SetState.PLANNED):
        raise ValidationError({"change": [_("%s is part of a bulk change that somebody approved already.") % change]})
    change = discard(actor, change)
    if of:
        of.digest = of.digest_now() if of.digest else ""
        of.save(update_fields=["digest"])
    return change


def discard(actor: Actor, change: Change) -> Change:
    """Throw away a locked plan."""
    return _give_up(actor, change, ChangeState.DISCARDED, CHANGE_DISCARDED)


def expire_plans() -> int:
    """Mark what nobody approved, or no worker applied, in time. Run every minute by the queue; returns how many."""
    with transaction.atomic():
        rows = Change.objects.select_for_update(skip_locked=True, of=("self",)).select_related("account", "alert")
        planned = Q(state=ChangeState.PLANNED, planned_at__lte=timezone.now() - PLAN_LIFETIME)
        approved = Q(state=ChangeState.APPROVED, approved_at__lte=timezone.now() - APPROVAL_LIFETIME)
        half = Q(state=ChangeState.HALF_APPROVED, first_at__lte=timezone.now() - APPROVAL_LIFETIME)
        over = list(rows.filter(planned | half | approved))
        for change in over:
            expire(change)
    return len(over)


def expire(change: Change) -> None:
    """End a locked plan or approval whose time is over."""
    action = CHANGE_APPROVAL_EXPIRED if change.approved_at else CHANGE_EXPIRED
    _give_up(Actor.system(), change, ChangeState.EXPIRED, action)


def _give_up(actor: Actor, change: Change, state: ChangeState, action: Action) -> Change:
    change.state, change.finished_at = state, timezone.now()
    change.let_go()
    expired = action == CHANGE_APPROVAL_EXPIRED
    change.outcome = str(Outcome.APPROVAL_EXPIRED.label) if expired else _("Nothing was changed.")
    change.save()
    data = {"title": change.title, "alert": str(change.alert)}
    record(actor, action, change, data, account=change.account)
    return change
