"""What a worker does to undo a change: put back what was before, if it is still as the change left it."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from nephoscope import domain, surgery
from nephoscope.accounts.holding import require_present
from nephoscope.audit.actions.changes import CHANGE_UNDO_REFUSED, Outcome
from nephoscope.audit.services import Actor, record
from nephoscope.changes.models import MADE, ChangeState, StepState
from nephoscope.changes.standing import require_right
from nephoscope.changes.stored import undo_digest
from nephoscope.changes.worker import SETTLING, Worker, said
from nephoscope.plugins import registry
from nephoscope.queue import lease

log = logging.getLogger(__name__)


class Undoing(Worker):
    """A worker's hold on a change that is to be undone."""

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
            self._require_as_asked()
            self._wait_until_quiet()
            remediation = registry().remediations[self.change.remediation]
            with self.session() as session, self.writer(calls) as writer:
                whole = surgery.undo(remediation, self.steps, done, self.kept, session, writer, self)
                different = self._not_undone(remediation, done, session) if whole else []
                self._judge_undone(session)
        except Exception as problem:
            why = said(problem)
            if not any(self.rows[position].state in (StepState.UNDOING, StepState.UNDONE) for position in done):
                return self._refuse_undo(why)
        if not whole:
            return self.finish(ChangeState.FAILED, Outcome.PARTLY_UNDONE)
        if different:
            return self.finish(ChangeState.FAILED, Outcome.NOT_AS_BEFORE, self.names(different))
        return self.finish(ChangeState.UNDONE, Outcome.UNDONE)

    def _require_as_asked(self) -> None:
        """Raise StaleError unless what is stored is what the undo was asked for."""
        if self.change.undo_digest not in ("", undo_digest(self.rows)):
            raise surgery.StaleError(_("what it would undo is not what it was asked to undo; ask again."))

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
                self.judge_again(session)
            except Exception:
                log.exception("%s was undone, and could not be judged again", self.change)

    @transaction.atomic
    def _refuse_undo(self, why: str) -> None:
        self.hold()
        change = self.change
        change.state, change.outcome = ChangeState(change.before_undo), _("Not undone: %s") % why
        change.let_go()
        change.save()
        data = {"title": change.title, "problem": why, "requested_by": str(change.undo_by or "")}
        record(Actor.system(), CHANGE_UNDO_REFUSED, change, data, account=change.account, reason=change.undo_reason)
