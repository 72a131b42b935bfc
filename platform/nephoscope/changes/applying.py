"""What a worker does with an approved change: apply and verify it, or undo it, over one session and one writer.

The worker holds the change under a lease, and makes sure of it with every step that it writes down and before every
reading. A change whose worker died is not tried again, as a call may have been made: it has failed, its steps say how
far it got, and it can be undone, which reads first what there is to undo.

A worker may be stopped anywhere and go on much later, when another has ended its change and undone it:

- A call begins only while the lease is surely held, by this process's own clock; else the lease is asked first. One
  that was lost ends the work (:class:`nephoscope.surgery.Stopped`): no call and no state is written any more.
- A call that had begun reaches the cloud within ``Writing.longest_call`` seconds. An undo begins only after that, at
  ``quiet_at``, and reads at its end whether all is as it was before.
- Whoever was stopped in the middle of a call reads, when it goes on, what the call changed. If the change is said to be
  undone and the resource is not as before, the change has failed, and can be undone again.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Iterable, Mapping
from contextlib import closing
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from nephoscope import domain, surgery
from nephoscope.accounts.holding import hold, require_present
from nephoscope.audit.actions.changes import CHANGE_UNDO_REFUSED, Outcome
from nephoscope.audit.services import Actor, record
from nephoscope.changes.giving_up import expire
from nephoscope.changes.models import APPROVAL_LIFETIME, MADE, QUEUED, UNDER_WAY, Change, ChangeState, StepState
from nephoscope.changes.opening import open_session, open_writer
from nephoscope.changes.services import (
    finish,
    interrupt,
    locked,
    remediation_of,
    require_as_planned,
    resources_of,
    wake,
)
from nephoscope.changes.standing import require_right, require_standing
from nephoscope.changes.stored import to_steps
from nephoscope.domain.reasons import in_short
from nephoscope.judging.rechecks import as_changed, recheck_resources
from nephoscope.plugins import registry
from nephoscope.queue import lease

log = logging.getLogger(__name__)


def work(change_id: int) -> None:
    """Apply or undo a change that waits for it; does nothing for any other, or when another worker has it."""
    owner, rows = uuid.uuid4(), Change.objects.filter(pk=change_id)
    try:
        if lease.claim(rows.filter(state=ChangeState.APPROVED), owner, state=ChangeState.APPLYING):
            with lease.holding(rows, owner):
                _Work(change_id, owner).apply()
        elif lease.claim(rows.filter(state=ChangeState.UNDO_QUEUED), owner, state=ChangeState.UNDOING):
            with lease.holding(rows, owner):
                _Work(change_id, owner).undo()
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
    for change in Change.objects.filter(state__in=QUEUED, queued_at__lt=timezone.now() - lease.length()):
        wake(change)
    return len(dead)


SETTLING = (1.0, 2.0, 4.0)
"""Seconds between looks at whether what was undone is as it was before."""


class _Work:
    """One worker's hold on one change. It is the journal of :mod:`nephoscope.surgery` as well."""

    def __init__(self, change_id: int, owner: uuid.UUID) -> None:
        self.change = Change.objects.select_related("account", "alert", "approved_by", "undo_by").get(pk=change_id)
        self.held = Change.objects.filter(pk=change_id)
        self.owner = owner
        self.rows = list(self.change.steps.all())
        self.steps = to_steps(self.rows)
        self.sure_until = 0.0

    # -- the journal -------------------------------------------------------------------------------

    @transaction.atomic
    def note(self, position: int, state: str, error: str = "", kept: Mapping[str, Any] | None = None) -> None:
        self.beat()
        row = self.rows[position]
        row.state, row.error = StepState(state), error
        row.kept = row.kept if kept is None else dict(kept)
        row.save(update_fields=["state", "error", "kept"])

    def beat(self) -> None:
        sure_until = time.monotonic() + lease.length().total_seconds()
        if not lease.renew(self.held, self.owner):
            raise surgery.Stopped
        self.sure_until = sure_until

    def require_held(self) -> None:
        if time.monotonic() >= self.sure_until:
            self.beat()

    @property
    def kept(self) -> surgery.Kept:
        return {row.position: row.kept for row in self.rows}

    # -- applying ----------------------------------------------------------------------------------

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
            return self._finish(ChangeState.REFUSED, Outcome.PROBLEM, _said(problem))
        calls = [step.call for step in self.steps]
        ended = None
        try:
            with self._session() as session, self._writer(calls) as writer:
                ended = self._applied(remediation, session, writer)
        except surgery.StaleError as stale:
            ended = ChangeState.REFUSED, Outcome.PROBLEM, str(stale)
        except Exception as problem:
            # One that closing the session raises changes nothing of what was done.
            ended = ended or (ChangeState.FAILED, Outcome.PROBLEM, _said(problem))
        return self._finish(*ended)

    @transaction.atomic
    def _expired(self) -> bool:
        """End it if no worker took it in time after its approval; return whether that is so."""
        self._hold()
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
            raise surgery.StaleError(_said(problem)) from problem

    def _applied(
        self, remediation: domain.Remediation, session: domain.LiveSession, writer: domain.Writer
    ) -> tuple[ChangeState, Outcome, str]:
        """Apply and verify; return how it ended, and what did not hold."""
        try:
            whole = surgery.apply(remediation, self.steps, session, writer, self, confirm=self._still)
        except surgery.Stopped:
            self._look_for_late_call(remediation, session)
            raise
        try:
            problem = self._verified(remediation, session)
        except Exception as failure:
            problem = _said(failure)
        if not whole:
            return ChangeState.FAILED, Outcome.CALLS_FAILED, ""
        if problem:
            return ChangeState.APPLIED, Outcome.NOT_VERIFIED, problem
        return ChangeState.VERIFIED, Outcome.PASSES if self.change.alert.traits.by_rule else Outcome.VERIFIED, ""

    def _look_for_late_call(self, remediation: domain.Remediation, session: domain.LiveSession) -> None:
        """Say so if the call that was under way when the change was lost was made after the change was undone."""
        under_way = [row.position for row in self.rows if row.state == StepState.APPLYING]
        late = surgery.not_as_before(remediation, self.steps, under_way, self.kept, session)
        with transaction.atomic():
            change = locked(self.change)
            if not late or change.state != ChangeState.UNDONE:
                return
            change.steps.filter(position__in=late).update(state=StepState.APPLIED)
            finish(Actor.system(), change, ChangeState.FAILED, Outcome.LATE_CALL, self._names(late))

    def _names(self, positions: Iterable[int]) -> str:
        rows = [self.rows[position] for position in positions]
        return ", ".join(dict.fromkeys(row.resource_name or row.resource_id for row in rows))

    def _verified(self, remediation: domain.Remediation, session: domain.LiveSession) -> str:
        """Say what does not hold after it was applied, or nothing. No rule judges a detection: its state is read."""
        if not self.change.alert.traits.by_rule:
            held = surgery.holds(remediation, self.steps, self.kept, session, self)
            return "" if held else _("it has changed since.")
        problems = self._judge_again(session)
        failing = self.change.alert.findings.filter(failing_since__isnull=False, resource__in=resources_of(self.change))
        return ", ".join(failing.values_list("resource__name", flat=True)) or ", ".join(problems)

    def _judge_again(self, session: domain.LiveSession) -> list[str]:
        """Read the resources again and judge them; return what could not be read."""
        wanted = [as_changed(each) for each in resources_of(self.change)]
        user = self.change.undo_by if self.change.state == ChangeState.UNDOING else self.change.approved_by
        actor = Actor.of_task("change", change=str(self.change), by=(Actor.of(user) if user else Actor.system()).name)
        account = self.change.account
        return recheck_resources(account, actor, wanted, beat=self.beat, session=session).problems

    # -- undoing -----------------------------------------------------------------------------------

    def undo(self) -> None:
        """Put back what was before, if it is still as the change left it; then read and judge the resources again.

        The change ends as *undone*, or *failed* when a call failed. When nothing was put back, because somebody changed
        a resource since or the account cannot be reached, it goes back to how it had ended before.
        """
        done = [row.position for row in self.rows if row.state in MADE]
        calls = [call for position in done if (call := self.steps[position].inverse)]
        whole, different = False, list[int]()
        try:
            require_present(self.change.account)
            if self.change.undo_by:
                require_right(self.change.undo_by, self.change.account)
            self._wait_until_quiet()
            remediation = registry().remediations[self.change.remediation]
            with self._session() as session, self._writer(calls) as writer:
                whole = surgery.undo(remediation, self.steps, done, self.kept, session, writer, self)
                different = self._not_undone(remediation, done, session) if whole else []
                self._judge_undone(session)
        except Exception as problem:
            said = _said(problem)
            if not any(self.rows[position].state in (StepState.UNDOING, StepState.UNDONE) for position in done):
                return self._refuse_undo(said)
        if not whole:
            return self._finish(ChangeState.FAILED, Outcome.PARTLY_UNDONE)
        if different:
            return self._finish(ChangeState.FAILED, Outcome.NOT_AS_BEFORE, self._names(different))
        return self._finish(ChangeState.UNDONE, Outcome.UNDONE)

    def _wait_until_quiet(self) -> None:
        """Wait until no call of a worker that stopped can reach the cloud any more."""
        while self.change.quiet_at and (left := (self.change.quiet_at - timezone.now()).total_seconds()) > 0:
            self.beat()
            time.sleep(min(left, lease.renew_every()))

    def _not_undone(
        self, remediation: domain.Remediation, done: Iterable[int], session: domain.LiveSession
    ) -> list[int]:
        """Return which steps are not seen to be undone; they count as applied again. Clouds may take a moment."""
        for wait in (*SETTLING, None):
            self.beat()
            different = surgery.not_as_before(remediation, self.steps, done, self.kept, session)
            if not different or wait is None:
                break
            time.sleep(wait)
        for position in different:
            self.note(position, StepState.APPLIED, _("It is not as it was before."))
        return different

    def _judge_undone(self, session: domain.LiveSession) -> None:
        """Judge the resources again; the undo stands whether or not that works."""
        if self.change.alert.traits.by_rule:
            try:
                self._judge_again(session)
            except Exception:
                log.exception("%s was undone, and could not be judged again", self.change)

    # -- the ends ----------------------------------------------------------------------------------

    def _session(self) -> closing[domain.LiveSession]:
        return closing(open_session(self.change.account))

    def _writer(self, calls: Iterable[domain.Call]) -> closing[domain.Writer]:
        return closing(open_writer(self.change.account, calls))

    @transaction.atomic
    def _finish(self, state: ChangeState, outcome: Outcome, problem: str = "") -> None:
        self._hold()
        finish(Actor.system(), self.change, state, outcome, problem)

    @transaction.atomic
    def _refuse_undo(self, why: str) -> None:
        self._hold()
        change = self.change
        change.state, change.outcome = ChangeState(change.before_undo), _("Not undone: %s") % why
        change.let_go()
        change.save()
        data = {"title": change.title, "problem": why, "requested_by": str(change.undo_by or "")}
        record(Actor.system(), CHANGE_UNDO_REFUSED, change, data, account=change.account, reason=change.undo_reason)

    def _hold(self) -> None:
        """Lock the change until the end of the transaction; raises Stopped when it is no longer this worker's."""
        if not self.held.select_for_update().filter(owner=self.owner).exists():
            raise surgery.Stopped


def _said(problem: Exception) -> str:
    """Return what went wrong, for people; what nobody foresaw with its type."""
    if isinstance(problem, ValidationError):
        return in_short(" ".join(problem.messages))
    if isinstance(problem, surgery.StaleError):
        return in_short(problem)
    log.error("a change went wrong", exc_info=problem)
    return in_short(f"{type(problem).__name__}: {problem}")
