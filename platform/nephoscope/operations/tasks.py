"""What the queue runs: each a door to a service, nothing more."""

from __future__ import annotations

import logging
from functools import partial

log = logging.getLogger(__name__)


def work_on_scan(scan_id: int) -> None:
    """Do one worker's part of a scan."""
    from nephoscope.scans.runner import work

    work(scan_id)


def work_on_change(change_id: int) -> None:
    """Apply or undo a change that somebody approved."""
    from nephoscope.changes.applying import work

    work(change_id)


def work_on_set(set_id: int) -> None:
    """Plan, apply or undo the changes of a set."""
    from nephoscope.changes.set_work import work

    work(set_id)


def fix_automatically(account_id: int) -> None:
    """Plan and approve what is due to be fixed automatically in an account."""
    from nephoscope.changes.automatic_work import work

    work(account_id)


def rejudge(account_id: int) -> None:
    """Judge what is stored of an account again, if somebody changed how."""
    from nephoscope.judging.rejudging import rejudge

    rejudge(account_id)


def work_on_events(account_id: int) -> None:
    """Look at what an account's cloud told of."""
    from nephoscope.events.working import drain

    drain(account_id)


def send_reports(run_id: int) -> None:
    """Make and send the reports of one run of a schedule."""
    from nephoscope.reports.services import deliver

    deliver(run_id)


def mail_upcoming() -> None:
    """Tell people by mail what is about to be fixed automatically."""
    from nephoscope.reports.upcoming import send

    send()


def sync_organisation(organisation_id: int) -> None:
    """Keep one organisation in step. What hinders it stands on its page."""
    from django.core.exceptions import ValidationError

    from nephoscope.audit.services import Actor
    from nephoscope.organisations.models import Organisation
    from nephoscope.organisations.sync import sync_organisation as sync

    if organisation := Organisation.objects.filter(pk=organisation_id).first():
        try:
            sync(Actor.of_task("sync"), organisation)
        except ValidationError as problem:
            log.info("organisation %s not synced: %s", organisation, problem.messages)


def housekeeping() -> None:
    """Every minute: wake what waits, start what is due, end what has run out, and forget what is old.

    A part that fails is logged and does not keep the others from their work.
    """
    from django.conf import settings
    from django.contrib.sessions.backends.db import SessionStore

    from nephoscope.alerts.models import Transition
    from nephoscope.changes import applying, automatic_work
    from nephoscope.changes.giving_up import expire_plans
    from nephoscope.changes.set_work import wake_waiting as wake_sets
    from nephoscope.changes.suppressing import expire_suppressions
    from nephoscope.events.working import wake_waiting
    from nephoscope.inventory.store import forget_old
    from nephoscope.organisations.sync import sync_due
    from nephoscope.people.door import forget_old_tries
    from nephoscope.people.kept_forms import forget_old_forms
    from nephoscope.policies.rejudging import wake_waiting as wake_judging
    from nephoscope.queue import outbox
    from nephoscope.reports import services as reports
    from nephoscope.reports import upcoming
    from nephoscope.scans.services import reap, start_due

    parts = (
        reap,
        start_due,
        sync_due,
        wake_waiting,
        wake_judging,
        expire_suppressions,
        expire_plans,
        applying.reap,
        wake_sets,
        automatic_work.wake_due,
        reports.close_interrupted,
        reports.start_due,
        upcoming.wake_due,
        forget_old_forms,
        forget_old_tries,
        SessionStore.clear_expired,
        partial(forget_old, settings.NEPHOSCOPE_RETENTION_DAYS),
        partial(outbox.forget, Transition.objects.all(), settings.NEPHOSCOPE_TRANSITION_DAYS),
    )
    for part in parts:
        try:
            part()
        except Exception:
            log.exception("housekeeping: %s failed", part)
