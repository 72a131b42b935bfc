"""Leases: what one worker holds at a time, and another takes over when that worker dies.

A row of a table is held by its ``owner`` until ``lease_until``. Who works on it renews the lease now and then, or has
it renewed (:func:`holding`); who dies does not, and once it has run out somebody else may claim the row. Each step is
one UPDATE, so two workers never hold one row.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, connection, models, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

log = logging.getLogger(__name__)

Row = TypeVar("Row", bound="Leased")


class Leased(models.Model):
    """A row that one worker at a time works on."""

    owner = models.UUIDField(null=True, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)

    class Meta:
        abstract = True

    @property
    def held(self) -> bool:
        """Whether a worker holds it, as far as this row was read."""
        return self.lease_until is not None and self.lease_until > timezone.now()

    @property
    def held_until(self) -> datetime | None:
        """When its lease ends, or ended; None for one that nobody holds or held."""
        return self.lease_until

    def let_go(self) -> None:
        """Hold the row no more, once it is saved."""
        self.owner = self.lease_until = None


def length() -> timedelta:
    """Return how long a lease lasts."""
    return timedelta(seconds=settings.NEPHOSCOPE_LEASE_SECONDS)


def renew_every() -> float:
    """Return the seconds after which a lease is to be renewed: soon enough that one missed renewal does no harm."""
    return min(5.0, length().total_seconds() / 4)


def until() -> datetime:
    """Return when a lease ends that is taken or renewed now."""
    return timezone.now() + length()


def free() -> Q:
    """Select the rows that nobody holds: never claimed, given back, or held by a worker whose lease ran out."""
    return Q(lease_until=None) | Q(lease_until__lte=timezone.now())


def expired() -> Q:
    """Select the rows whose worker died: claimed, not given back, and not renewed in time."""
    return Q(lease_until__lte=timezone.now())


def held() -> Q:
    """Select the rows that a worker holds."""
    return Q(lease_until__gt=timezone.now())


def claim(rows: QuerySet[Row], owner: UUID, **changes: Any) -> int:
    """Take all of these rows that are free, and return how many; ``changes`` are written with them.

    ``rows`` are selected by columns of their own or by subqueries: what is joined is not looked at again when another
    worker was quicker, so two would hold one row.
    """
    return rows.filter(free()).update(owner=owner, lease_until=until(), **changes)


def claim_some(rows: QuerySet[Row], owner: UUID, count: int, **changes: Any) -> list[Row]:
    """Take up to so many of these rows that are free, in their order, and return them as they were before.

    Several workers that claim at once each get others.
    """
    with transaction.atomic():
        taken = list(rows.filter(free()).select_for_update(skip_locked=True, of=("self",))[:count])
        rows.model._base_manager.filter(pk__in=[each.pk for each in taken]).update(
            owner=owner, lease_until=until(), **changes
        )
        return taken


def renew(rows: QuerySet[Row], owner: UUID) -> int:
    """Hold on to those of these rows that are still the owner's; return how many are."""
    return rows.filter(owner=owner).update(lease_until=until())


def give_back(rows: QuerySet[Row], owner: UUID, **changes: Any) -> int:
    """Let go of those of these rows that are still the owner's, and return how many; ``changes`` are written."""
    return rows.filter(owner=owner).update(owner=None, lease_until=None, **changes)


def reap(rows: QuerySet[Row], **changes: Any) -> list[Row]:
    """Take those of these rows from workers that died, and return them as they were; ``changes`` are written."""
    with transaction.atomic():
        dead = list(rows.filter(expired()).select_for_update(skip_locked=True, of=("self",)))
        rows.model._base_manager.filter(pk__in=[each.pk for each in dead]).update(
            owner=None, lease_until=None, **changes
        )
        return dead


@contextmanager
def holding(rows: QuerySet[Row], owner: UUID) -> Iterator[None]:
    """Hold rows that were claimed while the block runs, however long one call in it takes, and give them back then."""
    over = threading.Event()
    thread = threading.Thread(target=_renew_until, args=(rows, owner, over), name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        give_back(rows, owner)


def _renew_until(rows: QuerySet[Row], owner: UUID, over: threading.Event) -> None:
    """Renew until told that it is over; a database that cannot be reached is asked again."""
    while not over.wait(renew_every()):
        try:
            renew(rows, owner)
        except DatabaseError:
            log.warning("a lease could not be renewed", exc_info=True)
        finally:
            connection.close()
