"""Leases: what one worker holds at a time, and another takes over when that worker dies.

A row of a table is held by its ``owner`` until ``lease_until``. Who works on it renews the lease now and then; who dies
does not, and once it has run out somebody else may claim the row. All of it is one UPDATE each, so two workers never
hold one row.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

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


def until() -> datetime:
    """Return when a lease ends that is taken or renewed now."""
    return timezone.now() + timedelta(seconds=settings.NEPHOSCOPE_LEASE_SECONDS)


def free() -> Q:
    """Select the rows that nobody holds: never claimed, given back, or held by a worker whose lease ran out."""
    return Q(lease_until=None) | Q(lease_until__lte=timezone.now())


def expired() -> Q:
    """Select the rows whose worker died: claimed, not given back, and not renewed in time."""
    return Q(lease_until__lte=timezone.now())


def claim(rows: QuerySet[Row], owner: UUID, **changes: Any) -> int:
    """Take all of these rows that are free, and return how many; ``changes`` are written with them."""
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
