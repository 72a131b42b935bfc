"""Adding, changing, removing and sending report schedules."""

from __future__ import annotations

import logging
import re
import tempfile
import uuid
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from nephoscope.accounts.holding import reread
from nephoscope.accounts.models import Account, AccountGroup
from nephoscope.audit.actions.reports import (
    SCHEDULE_CONFIGURED,
    SCHEDULE_CREATED,
    SCHEDULE_FAILED,
    SCHEDULE_REMOVED,
    SCHEDULE_REQUESTED,
    SCHEDULE_SENT,
)
from nephoscope.audit.services import Actor, record
from nephoscope.policies.queries import catalogue
from nephoscope.queue import lease
from nephoscope.queue.dispatch import dispatch
from nephoscope.reports import folder, sending
from nephoscope.reports.making import NotSent, make
from nephoscope.reports.models import UNDER_WAY, ReportRun, ReportSchedule, RunState

log = logging.getLogger(__name__)

MOST_SCHEDULES = 50
"""Schedules that one owner has at most."""
MOST_ADDRESSES = 20
RUNS_KEPT = 50
"""Runs of a schedule that its page can show."""
OVERDUE = timedelta(minutes=1)
"""After this, a run that nobody took up is put into the queue again."""


def _own(actor: Actor, schedule: ReportSchedule) -> None:
    """Refuse a schedule of somebody else; pages and API do not even show it."""
    actor.require("schedule")
    if actor.user is not None and schedule.owner_id != actor.user.pk:
        actor.require("administer")


@transaction.atomic
def save_schedule(
    actor: Actor,
    schedule: ReportSchedule,
    *,
    accounts: Iterable[int] | None = None,
    groups: Iterable[int] | None = None,
    **values: Any,
) -> ReportSchedule:
    """Add a schedule, which is then the actor's, or change what is given.

    Accounts and groups are named by id; neither: all that the owner sees.

    :raises ValidationError: names the field: nowhere to send to, a wrong address, something the owner does not see.
    """
    added = schedule.pk is None
    if added:
        schedule.owner = actor.user
    else:
        reread(schedule)
    _own(actor, schedule)
    before = None if added else described(schedule)
    for name, value in values.items():
        setattr(schedule, name, value)
    _check(schedule)
    schedule.full_clean()
    schedule.next_run_at = schedule.next_after(timezone.now())
    schedule.save()
    if accounts is not None:
        seen = _seen("accounts", accounts, Account.objects.visible_to(schedule.owner))
        schedule.accounts.set([*seen, *schedule.accounts.removed()])
    if groups is not None:
        schedule.groups.set(_seen("groups", groups, groups_of(schedule.owner)))
    if added or accounts is not None or groups is not None:
        schedule.everything = not schedule.accounts.exists() and not schedule.groups.exists()
        schedule.save(update_fields=["everything"])
    action = SCHEDULE_CREATED if added else SCHEDULE_CONFIGURED
    record(actor, action, schedule, _destination(schedule), before=before, after=described(schedule))
    return schedule


def groups_of(owner: Any) -> Any:
    """Return the account groups that a schedule's owner may choose from."""
    return AccountGroup.objects.visible_to(owner)


def _check(schedule: ReportSchedule) -> None:
    schedule.mail_to = list(dict.fromkeys(each.strip() for each in schedule.mail_to if each.strip()))
    errors: dict[str, list[str]] = {}
    if schedule.pk is None and ReportSchedule.objects.filter(owner=schedule.owner).count() >= MOST_SCHEDULES:
        errors["name"] = [_("The limit is %(most)s schedules per owner.") % {"most": MOST_SCHEDULES}]
    known = catalogue().policies
    if strange := [each for each in schedule.policies if each not in known]:
        errors["policies"] = [_("There is no policy %(strange)s.") % {"strange": ", ".join(map(str, strange))}]
    if schedule.mail_to and not sending.is_on():
        errors["mail_to"] = [_("No mail server is configured. Set NEPHOSCOPE_EMAIL_URL to enable mail.")]
    elif len(schedule.mail_to) > MOST_ADDRESSES:
        errors["mail_to"] = [_("At most %(most)s addresses.") % {"most": MOST_ADDRESSES}]
    elif wrong := [each for each in schedule.mail_to if not _is_address(each)]:
        errors["mail_to"] = [_("Not an address: %(wrong)s.") % {"wrong": ", ".join(wrong)[:200]}]
    if schedule.folder and not settings.NEPHOSCOPE_REPORTS_DIR:
        errors["folder"] = [_("Folders are off. Set NEPHOSCOPE_REPORTS_DIR to enable them.")]
    if not schedule.mail_to and not schedule.folder:
        errors["mail_to"] = [_("Enter an address, a folder, or both.")]
    if errors:
        raise ValidationError(errors)


def _is_address(text: str) -> bool:
    try:
        validate_email(text)
    except ValidationError:
        return False
    return True


def _seen(field: str, given: Iterable[int], known: Any) -> list[Any]:
    """Return what is chosen; what the owner does not see is refused in the words for what does not exist."""
    ids = set(given)
    found = list(known.filter(pk__in=ids))
    if strange := sorted(ids - {each.pk for each in found}):
        message = _("The schedule’s owner cannot see %(ids)s.")
        raise ValidationError({field: [message % {"ids": ", ".join(map(str, strange))}]})
    return found


def _destination(schedule: ReportSchedule) -> dict[str, Any]:
    return {"mail_to": schedule.mail_to, "folder": schedule.folder}


def described(schedule: ReportSchedule) -> dict[str, Any]:
    """Return a schedule as the audit log keeps it."""
    return {
        "name": schedule.name,
        "owner": str(schedule.owner or ""),
        "policies": schedule.policies,
        "accounts": list(schedule.accounts.values_list("name", flat=True)),
        "groups": list(schedule.groups.values_list("name", flat=True)),
        "everything": schedule.everything,
        "form": schedule.form,
        "every": schedule.every,
        "hour": schedule.hour,
        "mail_to": schedule.mail_to,
        "folder": schedule.folder,
        "keep": schedule.keep,
        "active": schedule.active,
    }


@transaction.atomic
def remove_schedule(actor: Actor, schedule: ReportSchedule) -> None:
    """Delete a schedule with its history; files in folders stay."""
    _own(actor, schedule)
    record(actor, SCHEDULE_REMOVED, schedule, before=described(schedule))
    schedule.delete()


# -- Sending -------------------------------------------------------------------------------------------------------


def send_now(actor: Actor, schedule: ReportSchedule, *, enqueue: bool = True) -> ReportRun:
    """Have a schedule's reports made and sent now, by the queue.

    :raises ValidationError: a run of it is under way.
    """
    _own(actor, schedule)
    try:
        with transaction.atomic():
            run = ReportRun.objects.create(schedule=schedule, requested_by=actor.user)
            record(actor, SCHEDULE_REQUESTED, schedule, _destination(schedule))
    except IntegrityError as error:
        raise ValidationError({"schedule": [_("Already sending. Try again in a minute.")]}) from error
    if enqueue:
        _wake(run)
    return run


def _wake(run: ReportRun) -> None:
    dispatch("send_reports", run.pk, name=f"reports {run.pk}")


def start_due() -> int:
    """Have the queue send what is due; run every minute. Returns how many were started."""
    started = 0
    while run := _take_due():
        _wake(run)
        started += 1
    return started


def _take_due() -> ReportRun | None:
    """Return a new run of a schedule that is due, with its next turn set, so that nobody else starts it as well.

    One that is being sent waits until that is over.
    """
    now = timezone.now()
    under_way = ReportRun.objects.filter(schedule=OuterRef("pk"), state__in=UNDER_WAY)
    with transaction.atomic():
        rows = ReportSchedule.objects.select_for_update(skip_locked=True, of=("self",)).select_related("owner")
        schedule = rows.filter(~Exists(under_way), active=True, next_run_at__lte=now).first()
        if schedule is None:
            return None
        schedule.next_run_at = schedule.next_after(now)
        schedule.save(update_fields=["next_run_at"])
        return schedule.runs.create()


@transaction.atomic
def close_interrupted() -> int:
    """Mark the runs as failed whose worker died, and wake workers for those that none took up; run every minute.

    Returns how many were closed.
    """
    dead = lease.reap(ReportRun.objects.filter(state=RunState.RUNNING).select_related("schedule"))
    for run in dead:
        _finish(run, _("Interrupted. It is not known whether the reports were sent."), failed=True)
    for run in ReportRun.objects.filter(state=RunState.QUEUED, queued_at__lt=timezone.now() - OVERDUE):
        _wake(run)
    return len(dead)


def deliver(run_id: int) -> None:
    """Make a run's reports and send them; what goes wrong is written down and waits for the next turn."""
    owner, rows = uuid.uuid4(), ReportRun.objects.filter(pk=run_id)
    if lease.claim(rows.filter(state=RunState.QUEUED), owner, state=RunState.RUNNING):
        with lease.holding(rows, owner):
            _deliver(rows.select_related("schedule__owner", "requested_by").get())


def _deliver(run: ReportRun) -> None:
    try:
        done, problems = _delivered(run)
    except NotSent as problem:
        _finish(run, str(problem), failed=True)
    except Exception:
        log.exception("reports of schedule %s", run.schedule_id)
        _finish(run, _("Internal error. See the log."), failed=True)
    else:
        _finish(run, "; ".join([*done, *problems]) + ".", failed=bool(problems))


def _delivered(run: ReportRun) -> tuple[list[str], list[str]]:
    """Return what was done and what went wrong, in words."""
    schedule = run.schedule
    done, problems = [], []
    zone = schedule.owner.time_zone if schedule.owner else None
    with timezone.override(zone), tempfile.TemporaryDirectory(prefix="nephoscope-reports-") as made:
        reports = list(make(schedule, Path(made)))
        run.reports = len(reports)
        if schedule.folder:
            try:
                done.append(_("written to %(where)s") % {"where": _stored(run, [each.path for each in reports])})
            except OSError as problem:
                message = _("not written to the folder %(name)s: %(why)s")
                problems.append(message % {"name": schedule.folder, "why": problem.strerror or problem})
        sent, refused = sending.send(schedule, reports)
        if sent:
            done.append(_("mailed to %(addresses)s") % {"addresses": ", ".join(sent)})
        problems += [_("not mailed: %(why)s") % {"why": each} for each in refused]
    count = ngettext("%(n)s report", "%(n)s reports", run.reports) % {"n": run.reports}
    return [f"{count} {each}" if n == 0 else each for n, each in enumerate(done)], problems


def _stored(run: ReportRun, files: list[Path]) -> str:
    """Write the files below the operator's folder; return where, below that."""
    schedule, root = run.schedule, settings.NEPHOSCOPE_REPORTS_DIR
    if not root:
        raise OSError(None, _("folders are off"))
    name = f"{timezone.localtime():%Y-%m-%d-%H%M}-schedule-{schedule.pk}-run-{run.pk}"
    ours = re.compile(rf"\d{{4}}-\d\d-\d\d-\d{{4}}-schedule-{schedule.pk}-run-\d+")
    folder.store(Path(root), schedule.folder, name, files, most=schedule.keep, ours=ours)
    return f"{schedule.folder}/{name}"


@transaction.atomic
def _finish(run: ReportRun, outcome: str, *, failed: bool) -> None:
    run.state = RunState.FAILED if failed else RunState.SENT
    run.outcome, run.finished_at = outcome[:1].upper() + outcome[1:], timezone.now()
    run.save(update_fields=["state", "outcome", "finished_at", "reports"])
    schedule = run.schedule
    old = schedule.runs.order_by("-pk").values_list("pk", flat=True)[RUNS_KEPT:]
    schedule.runs.filter(pk__in=list(old)).delete()
    actor = Actor.of(run.requested_by) if run.requested_by else Actor.of_task("reports")
    if failed:
        record(actor, SCHEDULE_FAILED, schedule, {"outcome": run.outcome})
    else:
        record(actor, SCHEDULE_SENT, schedule, {"count": run.reports, **_destination(schedule)})
