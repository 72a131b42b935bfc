"""What is done for automatic fixes: notice is given, and what is due is planned, approved and queued.

Each resource is a change of its own, approved by the digest of its plan as a person would, by the rights of whoever
switched the fix on. A worker that dies leaves a notice without a change, which another takes over once the lease has
run out: plan, approval and the notice's change are written in one transaction.
"""

from __future__ import annotations

import logging
import uuid
from collections import defaultdict
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from nephoscope import domain
from nephoscope.accounts.holding import hold
from nephoscope.accounts.models import Account
from nephoscope.accounts.permissions import may
from nephoscope.alerts.models import Alert, Finding
from nephoscope.audit.actions.automatic import AUTOMATIC_NOTICED
from nephoscope.audit.actions.wording import resources
from nephoscope.audit.services import Actor, record
from nephoscope.changes.approvals import approve_change, needs_second
from nephoscope.changes.automatic_models import AutomaticFix, FixNotice
from nephoscope.changes.automatic_queries import due, held_for, limited, limited_until, managed, still_failing, to_fix
from nephoscope.changes.models import Change, ChangeState
from nephoscope.changes.opening import open_session, rehearse
from nephoscope.changes.planning import Draft, Planner, save_draft
from nephoscope.domain.reasons import in_short
from nephoscope.policies.queries import catalogue
from nephoscope.queue import lease
from nephoscope.queue.dispatch import dispatch

log = logging.getLogger(__name__)

RETRY = timedelta(days=1)
"""After this, what could not be planned or was not applied is tried again."""


def wake_due() -> int:
    """Give notice of what is to be fixed, and wake a worker for each account in which something is due.

    Run every minute by the queue; returns how many were woken.
    """
    over = ~Q(still_failing()) | Q(account__removed_at__isnull=False)
    FixNotice.objects.filter(lease.free(), over, change=None, objected_at=None).delete()
    _put_back()
    for automatic in AutomaticFix.objects.in_force():
        _give_notice(automatic)
    accounts = list(due().order_by().values_list("account_id", flat=True).distinct())
    for account_id in accounts:
        dispatch("fix_automatically", account_id, name=f"automatic fixes {account_id}")
    return len(accounts)


def _put_back() -> None:
    """Let what was approved, and refused or not applied in time, be planned anew after a day."""
    nothing_done = Change.objects.filter(
        automatic__isnull=False,
        state__in=(ChangeState.REFUSED, ChangeState.EXPIRED),
        finished_at__lte=timezone.now() - RETRY,
    )
    FixNotice.objects.filter(change__in=nothing_done).update(change=None, problem="", retry_at=None)


@transaction.atomic
def _give_notice(automatic: AutomaticFix) -> None:
    """Write down what a fix is about to do, so that people can object."""
    locked = AutomaticFix.objects.select_for_update(skip_locked=True).in_force().filter(pk=automatic.pk).first()
    if locked is None:
        return
    given = FixNotice.objects.filter(
        automatic=automatic, finding=OuterRef("pk"), failing_since=OuterRef("failing_since")
    )
    found = to_fix(automatic.rule, automatic.accounts.all()).exclude(Exists(given))
    due_at = timezone.now() + timedelta(days=automatic.notice_days)
    by_alert = defaultdict[Alert, list[FixNotice]](list)
    for finding in found.select_related("resource__account", "alert__account").order_by("alert", "resource__name"):
        if finding.alert and finding.failing_since:
            by_alert[finding.alert].append(_notice(automatic, finding, finding.alert, finding.failing_since, due_at))
    for alert, notices in by_alert.items():
        FixNotice.objects.bulk_create(notices)
        upcoming = [each.resource_name for each in notices if not each.problem]
        if upcoming and automatic.notice_days:
            data = {"day": timezone.localtime(due_at).date().isoformat(), **resources(upcoming)}
            record(Actor.system(), AUTOMATIC_NOTICED, alert, data, account=alert.account)


def _notice(automatic: AutomaticFix, finding: Finding, alert: Alert, since: datetime, due_at: datetime) -> FixNotice:
    return FixNotice(
        automatic=automatic,
        account=alert.account,
        alert=alert,
        finding=finding,
        failing_since=since,
        resource_id=finding.resource.resource_id,
        resource_name=finding.resource.name,
        due_at=due_at,
        problem=managed(finding.resource),
    )


# -- What is due in an account ---------------------------------------------------------------------


def work(account_id: int) -> None:
    """Plan, approve and queue what is due in an account, within the limit; what cannot be says why."""
    owner, rows = uuid.uuid4(), due().filter(account=account_id)
    for automatic in AutomaticFix.objects.filter(pk__in=rows.values("automatic")).select_related("set_by"):
        waiting = rows.filter(automatic=automatic).select_related("account", "alert__account")
        first = waiting.first()
        if first and not _hold_back(first.account):
            _work_on(automatic, first.account, first.alert, owner)


def _hold_back(account: Account) -> bool:
    """If the limit is reached, write that down for all that is due; return whether that is so."""
    until = limited_until(account)
    if until:
        due().filter(lease.free(), account=account).update(problem=limited(), retry_at=until)
    return until is not None


def _work_on(automatic: AutomaticFix, account: Account, alert: Alert, owner: uuid.UUID) -> None:
    rows = due().filter(account=account, automatic=automatic)
    try:
        actor = _actor_of(automatic)
        planner = Planner(actor, alert, automatic.remediation, automatic.inputs)
        with closing(open_session(account)) as session:
            for pk in list(rows.values_list("pk", flat=True)):
                if not lease.claim(rows.filter(pk=pk), owner):
                    continue
                held = FixNotice.objects.filter(pk=pk)
                with lease.holding(held, owner):
                    _fix(held.filter(owner=owner), automatic, planner, actor, session)
                if _hold_back(account):
                    return
    except ValidationError as problem:
        rows.filter(lease.free()).update(problem=_said(problem), retry_at=timezone.now() + RETRY)


def _fix(
    held: QuerySet[FixNotice], automatic: AutomaticFix, planner: Planner, actor: Actor, session: domain.LiveSession
) -> None:
    """Plan for one resource and approve the plan, or write down why not; a fault costs no other."""
    notice = held.select_related("account", "finding__resource__account").first()
    if notice is None or notice.finding is None:
        return
    try:
        plan = planner.read([planner.request(notice.finding)], session)
        if why := held_for(planner.manager_of(notice.finding)):
            raise ValidationError(why)
        draft = planner.draft(plan, [notice.finding])
        draft = replace(draft, proven=rehearse(notice.account, planner.remediation, plan.steps))
        _approve(held, automatic, actor, draft)
    except Exception as problem:
        if not isinstance(problem, ValidationError):
            log.exception("the automatic fix of %s", notice)
        held.update(problem=_said(problem), retry_at=timezone.now() + RETRY)


@transaction.atomic
def _approve(held: QuerySet[FixNotice], automatic: AutomaticFix, actor: Actor, draft: Draft) -> None:
    """Store a plan, and approve it unless a person has to; do nothing if somebody objected or switched it off."""
    account = draft.alert.account
    hold(account)
    notice = held.select_for_update(of=("self",)).filter(objected_at=None, change=None).first()
    if notice is None or not AutomaticFix.objects.in_force().filter(pk=automatic.pk).exists():
        return
    if until := limited_until(account):
        notice.problem, notice.retry_at = limited(), until
    else:
        change = save_draft(actor, draft)
        notice.change, notice.problem = change, _needs_a_person(change)
        if not notice.problem:
            change.automatic = automatic
            change.save(update_fields=["automatic"])
            approve_change(actor, change, digest=change.digest, reason=_reason(automatic))
    notice.save(update_fields=["change", "problem", "retry_at"])


def _actor_of(automatic: AutomaticFix) -> Actor:
    """Return who acts: Nephoscope, by the rights of who switched it on; raises ValidationError once they are lost."""
    user = automatic.set_by
    if user is None or not may(user, "administer"):
        message = _("%s, who switched it on, is no longer an administrator. Switch it on again.")
        raise ValidationError(message % (user or "—"))
    return replace(Actor.of_task("automatic", by=user.get_username()), user=user)


def _needs_a_person(change: Change) -> str:
    """Say why a plan waits for a person's approval, or nothing."""
    if any(step.inverse is None for step in change.steps.all()):
        return _("It cannot be undone, so it needs approval.")
    if any(step.loses for step in change.steps.all()):
        return _("It cannot be undone completely, so it needs approval.")
    return _("It needs a second approver.") if needs_second(change) else ""


def _reason(automatic: AutomaticFix) -> str:
    values = {
        "rule": catalogue().title(automatic.rule),
        "day": timezone.localtime(automatic.set_at).date().isoformat(),
        "user": automatic.set_by,
    }
    return _("Automatic fix of “%(rule)s”, on since %(day)s by %(user)s") % values


def _said(problem: Exception) -> str:
    return in_short(" ".join(problem.messages) if isinstance(problem, ValidationError) else problem)
