"""What a worker does with a set of changes: plan them, apply or undo them, many at a time."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from itertools import groupby
from typing import TypeVar

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from nephoscope import domain
from nephoscope.audit.services import Actor
from nephoscope.changes import applying
from nephoscope.changes.models import QUEUED, Change, ChangeSet, SetItem, SetState
from nephoscope.changes.opening import open_session, rehearse
from nephoscope.changes.planning import Draft, Planner, save_draft
from nephoscope.changes.sets import expire_set, locked_set, wake_set
from nephoscope.domain.reasons import in_short
from nephoscope.queue import lease

log = logging.getLogger(__name__)

LANES = 12
"""Changes of a set that one worker plans or applies at a time; they mostly wait for the cloud."""

BATCH = 24
"""Plans of a set that are stored together, and after which its page shows how far it is."""

T = TypeVar("T")


def work(set_id: int) -> None:
    """Plan the changes of a set, or apply and undo those that wait for it."""
    owner, rows = uuid.uuid4(), ChangeSet.objects.filter(pk=set_id)
    if lease.claim(rows.filter(state=SetState.PLANNING), owner):
        with lease.holding(rows, owner):
            _plan(rows.select_related("planned_by").get())
    waiting = Change.objects.filter(change_set=set_id, state__in=QUEUED).order_by("pk")
    with ThreadPoolExecutor(LANES, "change") as lanes:
        list(lanes.map(_worked, list(waiting.values_list("pk", flat=True))))


def wake_waiting() -> int:
    """Wake workers for sets whose worker died, and expire those that nobody approved in time. Run every minute."""
    late = timezone.now() - lease.length()
    queued = Change.objects.filter(change_set=OuterRef("pk"), state__in=QUEUED, queued_at__lt=late)
    unplanned = Q(lease.free(), state=SetState.PLANNING, planned_at__lt=late)
    for found in ChangeSet.objects.filter(unplanned | Q(Exists(queued))):
        wake_set(found)
    waiting = ChangeSet.objects.filter(state__in=(SetState.PLANNING, SetState.PLANNED, SetState.HALF_APPROVED))
    return sum(expire_set(each) for each in waiting if each.expires_at and each.expires_at <= timezone.now())


def _worked(change_id: int) -> None:
    """Apply or undo one change, on a connection to the database of its own; a fault costs no other."""
    try:
        applying.work(change_id)
    except Exception:
        log.exception("change %s", change_id)
    finally:
        _close()


def _close() -> None:
    """Let go of the thread's connection to the database."""
    connection.close()


# -- Planning --------------------------------------------------------------------------------------


def _plan(found: ChangeSet) -> None:
    items = found.items.filter(change=None, problem="").select_related(
        "account", "finding__alert__account", "finding__resource__account"
    )
    for _account, group in groupby(items.order_by("account_id", "pk"), key=lambda item: item.account_id):
        if not _plan_account(found, list(group)):
            return
    with transaction.atomic():
        found = locked_set(found)
        if found.state == SetState.PLANNING:
            found.state, found.digest = SetState.PLANNED, found.digest_now()
            found.save()


def _plan_account(found: ChangeSet, items: Sequence[SetItem]) -> bool:
    """Plan for the resources of one account; return whether the set is still wanted."""
    actor = Actor.of(found.planned_by) if found.planned_by else Actor.system()
    present = [item for item in items if item.finding and item.finding.alert]
    _leave_out([item for item in items if item not in present], "it is gone.")
    try:
        finding = present[0].finding if present else None
        if finding is None or finding.alert is None:
            return True
        planner = Planner(actor, finding.alert, found.remediation, found.inputs)
        with closing(open_session(finding.alert.account)) as session:
            for batch in _batches(present, BATCH):
                if not ChangeSet.objects.filter(pk=found.pk, state=SetState.PLANNING).exists():
                    return False
                _plan_batch(found, actor, planner, session, batch)
    except (ValidationError, PermissionDenied) as problem:
        _leave_out([item for item in present if not item.change_id and not item.problem], _said(problem))
    return True


def _plan_batch(
    found: ChangeSet, actor: Actor, planner: Planner, session: domain.LiveSession, items: Sequence[SetItem]
) -> None:
    """Read and plan many at a time; what touches the database is done in this thread."""
    account = planner.alert.account
    requests = {item.pk: planner.request(item.finding) for item in items if item.finding}
    plans = _each(items, lambda item: planner.read([requests[item.pk]], session))
    drafts = {item: draft for item, plan in plans if (draft := _drafted(planner, item, plan))}

    def rehearsed(item: SetItem) -> Draft:
        return replace(drafts[item], proven=rehearse(account, planner.remediation, drafts[item].plan.steps))

    for item, draft in _each(list(drafts), rehearsed):
        with transaction.atomic():
            item.change = save_draft(actor, draft, change_set=found)
            item.save(update_fields=["change"])


def _each(items: Sequence[SetItem], ask: Callable[[SetItem], T]) -> Iterator[tuple[SetItem, T]]:
    """Yield what the cloud answers for each, asked many at a time; what goes wrong is noted on the item."""

    def asked(item: SetItem) -> T | Exception:
        try:
            return ask(item)
        except Exception as problem:
            return problem

    with ThreadPoolExecutor(LANES) as lanes:
        answers = list(lanes.map(asked, items))
    for item, answer in zip(items, answers, strict=True):
        if isinstance(answer, Exception):
            _leave_out([item], _said(answer))
        else:
            yield item, answer


def _drafted(planner: Planner, item: SetItem, plan: domain.Plan) -> Draft | None:
    try:
        return planner.draft(plan, [item.finding]) if item.finding else None
    except ValidationError as problem:
        _leave_out([item], _said(problem))
        return None


def _leave_out(items: Sequence[SetItem], why: str) -> None:
    for item in items:
        item.problem = why
        item.save(update_fields=["problem"])


def _said(problem: Exception) -> str:
    return in_short(" ".join(problem.messages) if isinstance(problem, ValidationError) else problem)


def _batches(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
