"""The outbox: rows written in the transaction of what they tell of, which somebody drains later.

What happened and its row stand or fall together, so nothing that happened goes untold and nothing is told that did not
happen. A row is handed over at least once: a worker that dies in the middle is followed by another.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from django.db import models
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from nephoscope.domain.reasons import in_short
from nephoscope.queue import lease
from nephoscope.queue.lease import Leased

log = logging.getLogger(__name__)

Row = TypeVar("Row", bound="Outgoing")

BATCH = 100
"""Rows that one worker takes at a time."""

FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=1)
"""How long a row waits that could not be handed over; each time twice as long as the time before, up to the longest."""


class Outgoing(Leased):
    """A row that is to be handed over once. ``error`` is why the last try failed; the next is at ``retry_at``."""

    created_at = models.DateTimeField(default=timezone.now, db_index=True, editable=False)
    processed_at = models.DateTimeField(null=True, editable=False)
    attempts = models.PositiveIntegerField(default=0, editable=False)
    retry_at = models.DateTimeField(null=True, editable=False)
    error = models.TextField(blank=True, editable=False)

    class Meta:
        abstract = True
        indexes = [models.Index(fields=["id"], condition=Q(processed_at=None), name="%(class)s_waiting")]


def waiting(rows: QuerySet[Row]) -> QuerySet[Row]:
    """Select what is to be handed over now, oldest first."""
    due = Q(retry_at=None) | Q(retry_at__lte=timezone.now())
    return rows.filter(due, processed_at=None).order_by("pk")


def drain(rows: QuerySet[Row], handle: Callable[[Row], object]) -> int:
    """Hand each of these rows that waits to ``handle`` and mark it processed; return how many were.

    One for which ``handle`` raises is tried again later, and later still, and keeps none behind it waiting. Several
    workers may drain at once. ``handle`` may get a row twice, when a worker died before it had marked it.
    """
    owner, done = uuid.uuid4(), 0
    while batch := lease.claim_some(waiting(rows), owner, BATCH):
        taken = rows.model._base_manager.filter(pk__in=[each.pk for each in batch])
        with lease.holding(taken, owner):
            done += sum(_handed_over(row, taken.filter(pk=row.pk), owner, handle) for row in batch)
    return done


def _handed_over(row: Row, rows: QuerySet[Row], owner: uuid.UUID, handle: Callable[[Row], object]) -> bool:
    now = timezone.now()
    try:
        handle(row)
    except Exception as problem:
        log.warning("%s %s could not be handed over", row._meta.label, row.pk, exc_info=True)
        error = in_short(f"{type(problem).__name__}: {problem}")
        retry = now + wait_after(row.attempts)
        lease.give_back(rows, owner, attempts=F("attempts") + 1, retry_at=retry, error=error)
        return False
    lease.give_back(rows, owner, processed_at=timezone.now(), attempts=F("attempts") + 1, error="")
    return True


def wait_after(attempts: int) -> timedelta:
    """Return how long a row waits that failed once more after so many failures."""
    return min(LONGEST_WAIT, FIRST_WAIT * (1 << min(attempts, 16)))


def forget(rows: QuerySet[Row], days: int) -> int:
    """Delete what is older, handed over or not; return how many."""
    return rows.filter(created_at__lt=timezone.now() - timedelta(days=days)).delete()[0]
