"""What a worker does with an approved change: apply it, and look until what was done shows.

An applied change is verified by reading again what it changed: only once the new values show are the resources judged,
and only then has it succeeded. What takes longer than a few seconds waits for it without a worker, and is looked at now
and then.
"""

from __future__ import annotations

import logging
import time
import uuid
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from nephoscope import domain, surgery
from nephoscope.accounts.holding import hold
from nephoscope.audit.actions.changes import CHANGE_WAITING, Outcome
from nephoscope.audit.services import Actor, record
from nephoscope.changes.giving_up import expire
from nephoscope.changes.models import APPROVAL_LIFETIME, QUEUED, UNDER_WAY, Change, ChangeState, StepState
from nephoscope.changes.services import finish, interrupt, locked, remediation_of, require_as_planned, wake
from nephoscope.changes.standing import require_right, require_standing
from nephoscope.changes.undoing import Undoing
from nephoscope.changes.worker import SETTLING, Worker, not_shown, said
from nephoscope.plugins import registry
from nephoscope.queue import lease

log = logging.getLogger(__name__)

LOOK_EVERY = timedelta(seconds=30)
"""How often a change is looked at whose new values do not show yet."""


def work(change_id: int) -> None:
    """Apply, look at, or undo a change that waits for it; does nothing for any other, or when another worker has it."""
    owner, rows = uuid.uuid4(), Change.objects.filter(pk=change_id)
    try:
        if lease.claim(rows.filter(state=ChangeState.APPROVED), owner, state=ChangeState.APPLYING):
            with lease.holding(rows, owner):
                _Applying(change_id, owner).apply()
        elif lease.claim(rows.filter(state=ChangeState.WAITING), owner):
            with lease.holding(rows, owner):
                _Applying(change_id, owner).look()
        elif lease.claim(rows.filter(state=ChangeState.UNDO_QUEUED), owner, state=ChangeState.UNDOING):
            with lease.holding(rows, owner):
                Undoing(change_id, owner).undo()
    except surgery.Stopped:
        log.warning("change %s was ended while a worker was at it", change_id)


def reap() -> int:
    """End changes whose worker died, and wake workers for those that none has taken. Run every minute by the queue.

    Returns how many were ended.
    """
    with transaction.atomic():
        rows = Change.objects.select_for_update(skip_locked=True, of=("self",))
        dead = list(rows.filter(lease.free(), state__in=UNDER_WAY))
        for change in dead:
            interrupt(change)
    now = timezone.now()
    untaken = Q(change_set=None, state__in=QUEUED, queued_at__lt=now - lease.length())
    to_look_at = Q(lease.free(), state=ChangeState.WAITING, look_at__lte=now)
    for change in Change.objects.filter(untaken | to_look_at):
        wake(change)
    return len(dead)


class _Applying(Worker):
    """A worker's hold on a change that is to be applied, or was."""

    def apply(self) -> None:
        """Apply exactly the plan that was approved, then read the resources again and judge them.

        The change ends as *verified* when its findings have closed, *applied* when they have not, *refused* when the
        cloud or the plan has changed since or the account was removed (nothing was written then), *failed* when a call
        failed.
        """
        if self._expired():
            return None
        try:
            self._confirm()
            require_as_planned(self.change, self.steps)
            remediation = remediation_of(self.change.alert, self.change.remediation)
        except ValidationError as problem:
            return self.finish(ChangeState.REFUSED, Outcome.PROBLEM, said(problem))
        calls = [step.call for step in self.steps]
        ended = None
        try:
            with self.session() as session, self.writer(calls) as writer:
                ended = self._applied(remediation, session, writer)
        except surgery.StaleError as stale:
            ended = ChangeState.REFUSED, Outcome.PROBLEM, str(stale)
        except Exception as problem:
            # One that closing the session raises changes nothing of what was done.
            ended = ended or (ChangeState.FAILED, Outcome.PROBLEM, said(problem))
        if ended[0] == ChangeState.WAITING:
            return self._wait(remediation.settles)
        return self.finish(*ended)

    @transaction.atomic
    def _expired(self) -> bool:
        """End it if no worker took it in time after its approval; return whether that is so."""
        self.hold()
        approved = self.change.approved_at
        if approved is None or approved + APPROVAL_LIFETIME > timezone.now():
            return False
        expire(self.change)
        return True

    @transaction.atomic
    def _confirm(self) -> None:
        """Raise ValidationError unless all that the plan was approved for still holds; the account is locked for it."""
        hold(self.change.account)
        change = Change.objects.select_related("account", "alert", "approved_by").get(pk=self.change.pk)
        require_right(change.approved_by, change.account)
        require_standing(change)

    def _still(self) -> None:
        """Do that right before the first write."""
        self.beat()
        try:
            self._confirm()
        except ValidationError as problem:
            raise surgery.StaleError(said(problem)) from problem

    def _applied(
        self, remediation: domain.Remediation, session: domain.LiveSession, writer: domain.Writer
    ) -> tuple[ChangeState, Outcome, str]:
        """Apply and verify; return how it ended, and what did not hold."""
        try:
            whole = surgery.apply(remediation, self.steps, session, writer, self, confirm=self._still)
        except surgery.Stopped:
            self._look_for_late_call(remediation, session)
            raise
        if not whole:
            self.verdict(session)
            return ChangeState.FAILED, Outcome.CALLS_FAILED, ""
        for wait in (*SETTLING, None):
            if self._shows(remediation, session):
                return self.verdict(session)
            if wait is not None:
                time.sleep(wait)
        if remediation.settles <= sum(SETTLING):
            return ChangeState.APPLIED, Outcome.NOT_VERIFIED, not_shown(remediation.settles)
        return ChangeState.WAITING, Outcome.WAITING, ""

    def _shows(self, remediation: domain.Remediation, session: domain.LiveSession) -> bool:
        try:
            return self.shows(remediation, session)
        except surgery.Stopped:
            raise
        except Exception:
            log.warning("%s could not be looked at", self.change, exc_info=True)
            return False

    # -- waiting -----------------------------------------------------------------------------------

    @transaction.atomic
    def _wait(self, settles: int) -> None:
        """Let go of a change whose new values do not show yet, to be looked at later."""
        self.hold()
        change, now = self.change, timezone.now()
        if change.state != ChangeState.WAITING:
            change.waits_until = now + timedelta(seconds=settles)
            data = {"title": change.title, "approved_by": str(change.approved_by or "")}
            record(Actor.system(), CHANGE_WAITING, change, data, account=change.account, reason=change.reason)
        change.state, change.look_at = ChangeState.WAITING, now + LOOK_EVERY
        change.outcome = str(Outcome.WAITING.label)
        change.let_go()
        change.save()

    def look(self) -> None:
        """Look whether what was applied shows by now; judge the resources then, or wait on, or give up waiting."""
        remediation = registry().remediations.get(self.change.remediation)
        ended, over = None, self.change.waits_until is None or self.change.waits_until <= timezone.now()
        try:
            if remediation is None:
                raise ValidationError(_("The plugin that made this change is no longer enabled."))
            with self.session() as session:
                if self._shows(remediation, session):
                    ended = self.verdict(session)
                elif over:
                    ended = ChangeState.APPLIED, Outcome.NOT_VERIFIED, not_shown(remediation.settles)
        except Exception as problem:
            ended = ended or ((ChangeState.APPLIED, Outcome.NOT_VERIFIED, said(problem)) if over else None)
        if ended:
            return self.finish(*ended)
        return self._wait(remediation.settles if remediation else 0)

    def _look_for_late_call(self, remediation: domain.Remediation, session: domain.LiveSession) -> None:
        """Say so if the call that was under way when the change was lost was made after the change was undone."""
        under_way = [row.position for row in self.rows if row.state == StepState.APPLYING]
        late = surgery.not_as_before(remediation, self.steps, under_way, self.kept, session)
        with transaction.atomic():
            change = locked(self.change)
            if not late or change.state != ChangeState.UNDONE:
                return
            change.steps.filter(position__in=late).update(state=StepState.APPLIED)
            finish(Actor.system(), change, ChangeState.FAILED, Outcome.LATE_CALL, self.names(late))
