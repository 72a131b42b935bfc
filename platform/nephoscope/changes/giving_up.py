"""What becomes of plans that nobody approves: a person discards them, or they expire."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from nephoscope.audit.actions import Action
from nephoscope.audit.actions.changes import CHANGE_DISCARDED, CHANGE_EXPIRED
from nephoscope.audit.services import Actor, record
from nephoscope.changes.models import PLAN_LIFETIME, Change, ChangeState
from nephoscope.changes.services import locked, require_planned


@transaction.atomic
def discard_plan(actor: Actor, change: Change) -> Change:
    """Throw away a plan that nobody approved.

    :raises ValidationError: it does not wait for approval any more.
    """
    actor.require("change")
    change = locked(change)
    require_planned(change)
    return _give_up(actor, change, ChangeState.DISCARDED, CHANGE_DISCARDED)


def expire_plans() -> int:
    """Mark the plans that nobody approved in time. Run every minute by the queue; returns how many."""
    with transaction.atomic():
        rows = Change.objects.select_for_update(skip_locked=True, of=("self",)).select_related("account", "alert")
        over = list(rows.filter(state=ChangeState.PLANNED, planned_at__lte=timezone.now() - PLAN_LIFETIME))
        for change in over:
            _give_up(Actor.system(), change, ChangeState.EXPIRED, CHANGE_EXPIRED)
    return len(over)


def _give_up(actor: Actor, change: Change, state: ChangeState, action: Action) -> Change:
    change.state, change.finished_at = state, timezone.now()
    change.outcome = _("Nothing was changed.")
    change.save()
    data = {"title": change.title, "alert": str(change.alert)}
    record(actor, action, change, data, account=change.account)
    return change
