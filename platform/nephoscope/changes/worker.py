"""One worker's hold on one change: what applying it, looking at it again, and undoing it share.

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
from django.utils.translation import gettext as _

from nephoscope import domain, surgery
from nephoscope.audit.actions.changes import Outcome
from nephoscope.audit.services import Actor
from nephoscope.changes.models import Change, ChangeState, StepState
from nephoscope.changes.opening import open_session, open_writer
from nephoscope.changes.services import finish, resources_of
from nephoscope.changes.stored import to_steps
from nephoscope.domain.reasons import in_short
from nephoscope.judging.rechecks import as_changed, recheck_resources
from nephoscope.queue import lease

log = logging.getLogger(__name__)

SETTLING = (1.0, 2.0, 4.0)
"""Seconds between looks at whether what was done shows; clouds may take a moment."""


class Worker:
    """Holds one change. It is the journal of :mod:`nephoscope.surgery` as well."""

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

    # -- verifying ---------------------------------------------------------------------------------

    def shows(self, remediation: domain.Remediation, session: domain.LiveSession) -> bool:
        """Whether what was done is seen in the cloud."""
        return surgery.holds(remediation, self.steps, self.kept, session, self)

    def verdict(self, session: domain.LiveSession) -> tuple[ChangeState, Outcome, str]:
        """Judge the resources of what shows; return how the change ends. No rule judges a detection."""
        if not self.change.alert.traits.by_rule:
            return ChangeState.VERIFIED, Outcome.VERIFIED, ""
        try:
            problems = self.judge_again(session)
            alert, resources = self.change.alert, resources_of(self.change)
            failing = alert.findings.filter(failing_since__isnull=False, resource__in=resources)
            problem = ", ".join(failing.values_list("resource__name", flat=True)) or ", ".join(problems)
        except Exception as failure:
            problem = said(failure)
        if problem:
            return ChangeState.APPLIED, Outcome.NOT_VERIFIED, problem
        return ChangeState.VERIFIED, Outcome.PASSES, ""

    def judge_again(self, session: domain.LiveSession) -> list[str]:
        """Read the resources again and judge them; return what could not be read."""
        wanted = [as_changed(each) for each in resources_of(self.change)]
        user = self.change.undo_by if self.change.state == ChangeState.UNDOING else self.change.approved_by
        actor = Actor.of_task("change", change=str(self.change), by=(Actor.of(user) if user else Actor.system()).name)
        account = self.change.account
        return recheck_resources(account, actor, wanted, beat=self.beat, session=session).problems

    def names(self, positions: Iterable[int]) -> str:
        rows = [self.rows[position] for position in positions]
        return ", ".join(dict.fromkeys(row.resource_name or row.resource_id for row in rows))

    # -- opening, and the end ----------------------------------------------------------------------

    def session(self) -> closing[domain.LiveSession]:
        return closing(open_session(self.change.account))

    def writer(self, calls: Iterable[domain.Call]) -> closing[domain.Writer]:
        return closing(open_writer(self.change.account, calls))

    @transaction.atomic
    def finish(self, state: ChangeState, outcome: Outcome, problem: str = "") -> None:
        self.hold()
        finish(Actor.system(), self.change, state, outcome, problem)

    def hold(self) -> None:
        """Lock the change until the end of the transaction; raises Stopped when it is no longer this worker's."""
        if not self.held.select_for_update().filter(owner=self.owner).exists():
            raise surgery.Stopped


def said(problem: Exception) -> str:
    """Return what went wrong, for people; what nobody foresaw with its type."""
    if isinstance(problem, ValidationError):
        return in_short(" ".join(problem.messages))
    if isinstance(problem, surgery.StaleError):
        return in_short(problem)
    log.error("a change went wrong", exc_info=problem)
    return in_short(f"{type(problem).__name__}: {problem}")


def not_shown(seconds: int) -> str:
    """Say that what was done does not show in time."""
    return _("the new values did not show within %s.") % duration(seconds)


def duration(seconds: int) -> str:
    """Return a time in words: minutes from two minutes on."""
    return _("%s minutes") % (seconds // 60) if seconds >= 120 else _("%s seconds") % seconds
