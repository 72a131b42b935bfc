"""One fix for many resources, reviewed and approved as one set: planned, approved, stopped and undone as a whole.

A set is of one rule, in one account or many. Each resource has a plan of its own, so that one that fails costs no
other, and each can be undone alone. What is approved is the digest over all their digests.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from nephoscope.accounts.holding import require_present
from nephoscope.accounts.models import Account
from nephoscope.accounts.permissions import may
from nephoscope.alerts.models import Finding
from nephoscope.audit.actions import Action
from nephoscope.audit.actions.changes import (
    CHANGE_APPROVED,
    SET_APPROVED,
    SET_APPROVED_FIRST,
    SET_DISCARDED,
    SET_EXPIRED,
    SET_PLANNED,
    SET_STOPPED,
    SET_UNDO_REQUESTED,
    Outcome,
)
from nephoscope.audit.services import Actor, record, recorded_together, require_reason
from nephoscope.changes.approvals import any_needs_second, require_another
from nephoscope.changes.giving_up import discard, expire
from nephoscope.changes.models import UNDER_WAY, UNDOABLE, Change, ChangeSet, ChangeState, ChangeStep, SetItem, SetState
from nephoscope.changes.planning import completed_inputs
from nephoscope.changes.readiness import why_no_fixes
from nephoscope.changes.services import ask_undo, can_undo, finish, interrupt, remediation_of
from nephoscope.queue.dispatch import dispatch

MOST = 5_000
"""Resources of one set."""


@transaction.atomic
def plan_set(
    actor: Actor, findings: QuerySet[Finding], remediation_id: str, inputs: Mapping[str, str] | None = None
) -> ChangeSet:
    """Have a worker plan the fix of many findings of one rule, each by itself. Reaches no cloud.

    Those in accounts without a fix role are left out, and the set says so.

    :param findings: those that the actor may see; of these, the ones that :func:`fixable` selects.
    :raises ValidationError: nothing chosen, too many, findings of several rules, no fix of theirs, or none of their
        accounts has a fix role.
    """
    actor.require("change")
    rows = _chosen(findings)
    alert = rows[0].alert
    if alert is None or not alert.traits.by_rule:
        raise ValidationError({"findings": [_("A bulk change fixes what fails a rule.")]})
    remediation = remediation_of(alert, remediation_id)
    given = completed_inputs(remediation, inputs or {})
    accounts = {row.account_id: row.account for row in rows}
    problems = {pk: why_no_fixes(account) for pk, account in accounts.items()}
    if all(problems.values()):
        raise ValidationError({"account": list(problems.values())[:3]})
    found = ChangeSet.objects.create(
        rule=rows[0].rule_id,
        remediation=remediation.id,
        title=remediation.title,
        inputs=given,
        planned_by=actor.user,
    )
    SetItem.objects.bulk_create(
        SetItem(
            change_set=found,
            account=row.account,
            finding=row,
            resource_name=row.resource.name,
            problem=problems[row.account_id],
        )
        for row in rows
    )
    _record(actor, SET_PLANNED, found, {"title": found.title, "count": len(rows)})
    transaction.on_commit(partial(wake_set, found))
    return found


def fixable(findings: QuerySet[Finding]) -> QuerySet[Finding]:
    """Select those that a bulk change can be about: they fail, are not suppressed, and their resource is there."""
    return findings.filter(failing_since__isnull=False, suppression=None, resource__gone_at=None, alert__isnull=False)


def _chosen(findings: QuerySet[Finding]) -> list[Finding]:
    rows = fixable(findings).select_related("alert__account", "resource", "account")
    found = list(rows.defer("resource__properties", "evidence").order_by("account_id", "pk")[: MOST + 1])
    if not found:
        raise ValidationError({"findings": [_("Nothing to fix: no affected resource is selected.")]})
    if len(found) > MOST:
        message = _("A bulk change has at most %(most)s resources; choose fewer.")
        raise ValidationError({"findings": [message % {"most": f"{MOST:,}"}]})
    if len({row.rule_id for row in found}) > 1:
        raise ValidationError(
            {"findings": [_("A bulk change fixes what fails one rule. Choose findings of one rule.")]}
        )
    return found


def wake_set(found: ChangeSet) -> None:
    """Ask the queue for workers: one plans a set, half of those there are apply it, so that other work goes on."""
    several = found.state == SetState.APPROVED and found.items.count() > most_at_once()
    for _number in range(max(1, settings.NEPHOSCOPE_WORKERS // 2) if several else 1):
        dispatch("work_on_set", found.pk, name=f"bulk change {found.pk}")


# -- Approving -------------------------------------------------------------------------------------


@transaction.atomic
def approve_set(
    actor: Actor,
    found: ChangeSet,
    *,
    digest: str,
    reason: str,
    confirmed: int | None = None,
    irreversible: bool = False,
) -> ChangeSet:
    """Approve all plans of a set, by the digest over all of theirs, and queue them. Reaches no cloud.

    Whether each still holds is asked by the worker right before it applies it, which refuses those that do not.

    :param confirmed: the number of resources, which an administrator who approves more than
        ``NEPHOSCOPE_MAX_RESOURCES_PER_PLAN`` has typed.
    :param irreversible: that an undo does not bring back everything was read and confirmed.
    :raises ValidationError: no reason, another digest, it waits for no approval, it has expired, it is larger and the
        number was not confirmed, or the second approver is the planner or the first approver.
    :raises PermissionDenied: it is larger, and the actor no administrator.
    """
    actor.require("change")
    reason = require_reason(reason)
    found = locked_set(found)
    require_reviewable(found)
    changes = list(_lock(found.changes.filter(state=ChangeState.PLANNED)))
    if digest != found.digest or found.digest_now() != digest:
        raise ValidationError({"digest": [_("The plans have changed since they were shown. Review them again.")]})
    steps = ChangeStep.objects.filter(change__in=changes)
    if not irreversible and steps.exclude(inverse__isnull=False, loses="").exists():
        raise ValidationError({"irreversible": [_("Confirm that you understand this.")]})
    _require_number(actor, len(changes), confirmed)
    values = {"title": found.title, "count": len(changes)}
    if found.state == SetState.PLANNED and any_needs_second(found.changes.filter(state=ChangeState.PLANNED)):
        found.state, found.first_by, found.first_at = SetState.HALF_APPROVED, actor.user, timezone.now()
        found.first_reason = reason
        found.save()
        _record(actor, SET_APPROVED_FIRST, found, values, reason=reason)
        return found
    if found.state == SetState.HALF_APPROVED:
        require_another(actor, found)
    found.state, found.approved_by, found.approved_at = SetState.APPROVED, actor.user, timezone.now()
    found.reason = reason
    found.save()
    with recorded_together():
        _record(actor, SET_APPROVED, found, values, reason=reason)
        _approve(actor, found, changes)
    transaction.on_commit(partial(wake_set, found))
    return found


def _approve(actor: Actor, found: ChangeSet, changes: Sequence[Change]) -> None:
    """Put the locked changes of a set that was approved into the queue."""
    found.changes.filter(pk__in=[each.pk for each in changes]).update(
        state=ChangeState.APPROVED,
        first_by=found.first_by,
        first_at=found.first_at,
        first_reason=found.first_reason,
        approved_by=actor.user,
        approved_at=found.approved_at,
        queued_at=found.approved_at,
        reason=found.reason,
    )
    for each in changes:
        data = {"title": each.title, "alert": str(each.alert)}
        record(actor, CHANGE_APPROVED, each, data, account=each.account, reason=found.reason)


def most_at_once() -> int:
    """Return how many resources one approval may have that is no administrator's."""
    return int(settings.NEPHOSCOPE_MAX_RESOURCES_PER_PLAN)


def _require_number(actor: Actor, count: int, confirmed: int | None) -> None:
    if not count:
        raise ValidationError({"change_set": [_("None of its resources could be planned for.")]})
    if count <= most_at_once():
        return
    if actor.user is None or not may(actor.user, "administer"):
        raise PermissionDenied(_("Approving more than %s resources at once takes an administrator.") % most_at_once())
    if confirmed != count:
        raise ValidationError({"confirmed": [_("Enter the number of resources, %s, to confirm.") % count]})


def require_reviewable(found: ChangeSet) -> None:
    """Raise ValidationError, which says why, unless the set waits for approval."""
    if found.state == SetState.PLANNING:
        raise ValidationError({"change_set": [_("%s is still being planned.") % found]})
    if found.state not in (SetState.PLANNED, SetState.HALF_APPROVED):
        values = {"set": found, "state": found.get_state_display()}
        raise ValidationError({"change_set": [_("%(set)s does not wait for approval: %(state)s.") % values]})
    if found.expires_at and found.expires_at <= timezone.now():
        raise ValidationError({"change_set": [_("%s has expired. Plan again.") % found]})


def locked_set(found: ChangeSet) -> ChangeSet:
    """Return the set as it is now, for nobody else to write until the end of the transaction."""
    locked: ChangeSet = ChangeSet.objects.select_for_update(of=("self",)).get(pk=found.pk)
    return locked


# -- Stopping, discarding, undoing -----------------------------------------------------------------


@transaction.atomic
def stop_set(actor: Actor, found: ChangeSet) -> int:
    """Take what no worker has begun out of the queue, or end the planning; return how many were withdrawn.

    What is under way ends as it would.

    :raises ValidationError: it is neither being planned nor applied.
    """
    actor.require("change")
    found = locked_set(found)
    if found.state not in (SetState.PLANNING, SetState.APPROVED):
        raise ValidationError({"change_set": [_("%s is not in progress.") % found]})
    found.state, found.stopped_by, found.stopped_at = SetState.STOPPED, actor.user, timezone.now()
    found.save()
    waiting = list(_lock(found.changes.filter(state__in=(ChangeState.APPROVED, ChangeState.PLANNED))))
    with recorded_together():
        for each in waiting:
            if each.state == ChangeState.PLANNED:
                discard(actor, each)
            else:
                each.undo_by, each.undo_requested_at, each.undo_reason = actor.user, timezone.now(), _("Stopped")
                finish(actor, each, ChangeState.UNDONE, Outcome.WITHDRAWN)
        _record(actor, SET_STOPPED, found, {"title": found.title, "count": len(waiting)})
    return len(waiting)


@transaction.atomic
def discard_set(actor: Actor, found: ChangeSet) -> ChangeSet:
    """Throw away the plans of a set that nobody approved; raises ValidationError when it does not wait for that."""
    actor.require("change")
    found = locked_set(found)
    require_reviewable(found)
    found.state = SetState.DISCARDED
    found.save()
    with recorded_together():
        for each in _lock(found.changes.filter(state=ChangeState.PLANNED)):
            discard(actor, each)
        _record(actor, SET_DISCARDED, found, {"title": found.title})
    return found


@transaction.atomic
def expire_set(found: ChangeSet) -> bool:
    """End a set that nobody approved in time; return whether it was."""
    found = locked_set(found)
    if not found.expires_at or found.expires_at > timezone.now():
        return False
    found.state = SetState.EXPIRED
    found.save()
    with recorded_together():
        for each in _lock(found.changes.filter(state=ChangeState.PLANNED)):
            expire(each)
        _record(Actor.system(), SET_EXPIRED, found, {"title": found.title})
    return True


@transaction.atomic
def undo_set(actor: Actor, found: ChangeSet, *, reason: str) -> tuple[int, list[str]]:
    """Ask for the undo of all changes of a set that can be undone; return how many, and why others are not.

    :raises ValidationError: no reason, or none of them can be undone.
    """
    actor.require("change")
    reason, found = require_reason(reason), locked_set(found)
    count, left = 0, list[str]()
    with recorded_together():
        for each in _lock(found.changes.filter(state__in=(ChangeState.APPROVED, *UNDOABLE, *UNDER_WAY))):
            problem = _undone(actor, each, reason)
            count, left = count + (problem is None), left + (problem or [])
        if not count:
            raise ValidationError({"change_set": left[:3] or [_("Nothing of %s can be undone.") % found]})
        _record(actor, SET_UNDO_REQUESTED, found, {"title": found.title, "count": count}, reason=reason)
    transaction.on_commit(partial(wake_set, found))
    return count, left


def _undone(actor: Actor, change: Change, reason: str) -> list[str] | None:
    """Ask for the undo of a locked change; return why it cannot be, which is nothing where there is nothing to undo."""
    if change.state in UNDER_WAY and not change.held:
        interrupt(change)
    if not can_undo(change):
        return []  # nothing was made, or it cannot be put back: its own page says which
    try:
        require_present(change.account)
        ask_undo(actor, change, reason)
    except ValidationError as problem:
        return problem.messages
    return None


def _record(actor: Actor, action: Action, found: ChangeSet, data: dict[str, Any], reason: str = "") -> None:
    """Record an act on a set: in its account, or in none when it is about several, of which others see only some."""
    accounts = Account.objects.filter(pk__in=found.items.values("account"))[:2]
    record(actor, action, found, data, account=accounts[0] if len(accounts) == 1 else None, reason=reason)


def _lock(changes: QuerySet[Change]) -> QuerySet[Change]:
    """Lock changes, their accounts first, and in the order of their keys.

    Workers go on recording what happens in the accounts: they only refer to their keys.
    """
    accounts = Account.objects.filter(pk__in=changes.values("account")).order_by("pk")
    list(accounts.select_for_update(no_key=True))
    rows = changes.select_for_update(of=("self",)).select_related("account", "alert", "approved_by")
    return rows.prefetch_related("steps").order_by("pk")
