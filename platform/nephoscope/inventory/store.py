"""Keeping resources: a row is touched only when its content changed."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.db import DatabaseError, transaction
from django.db.models import Q
from django.utils import timezone

from nephoscope import domain
from nephoscope.accounts.models import Account
from nephoscope.domain import as_unknown
from nephoscope.inventory.content import content_of, digest_of, id_of
from nephoscope.inventory.models import Resource, Scan

log = logging.getLogger(__name__)

Key = TypeVar("Key", bound=Hashable)

CONTENT = ("service", "name", "region", "tags", "properties", "unlisted", "share")
"""What a reading brings of a resource, besides what tells it from others."""


def save(account: Account, service: str, batch: Iterable[domain.Resource]) -> set[int]:
    """Insert or update the changed ones of a batch; return the row ids of the whole batch.

    One that the database does not take costs the others nothing: its properties become unknown, and one that is not
    taken even so is left out, and logged.
    """
    unique = {(each.type, id_of(each)): each for each in batch}
    rows = Resource.objects.filter(
        account=account, type__in={type for type, _id in unique}, resource_id__in=[id for _type, id in unique]
    )
    known = {
        (type, id): (pk, digest, gone)
        for type, id, pk, digest, gone in rows.values_list("type", "resource_id", "pk", "digest", "gone_at")
    }
    now, changed = timezone.now(), []
    seen = {row[0] for key, row in known.items() if key in unique}
    for key, each in unique.items():
        (digest, plain), row = digest_of(each), known.get(key)
        if not (row and row[1] == digest and row[2] is None):
            content = content_of(each, plain=plain)
            changed.append(_row(account, service, key, each, now, {**content, "digest": digest}))
    return seen | _written(changed)


def _row(
    account: Account,
    service: str,
    key: tuple[str, str],
    each: domain.Resource,
    now: datetime,
    content: dict[str, Any],
) -> Resource:
    return Resource(
        account=account,
        service=service,
        type=key[0],
        resource_id=key[1],
        changed_at=now,
        unlisted=each.unlisted,
        share=each.share,
        **content,
    )


def _written(rows: list[Resource]) -> set[int]:
    """Write rows together, or one by one where that fails; return their ids."""
    if not rows:
        return set()
    try:
        with transaction.atomic():
            saved = Resource.objects.bulk_create(
                rows,
                update_conflicts=True,
                unique_fields=["account", "type", "resource_id"],
                update_fields=[*CONTENT, "digest", "changed_at", "gone_at"],
            )
            return {each.pk for each in saved}
    except (DatabaseError, ValueError) as problem:
        if len(rows) > 1:
            return set().union(*(_written([each]) for each in rows))
        [row] = rows
        log.warning("%s %s could not be stored: %s", row.type, row.resource_id, type(problem).__name__)
        if as_unknown(row.properties):
            return set()
        row.tags, row.properties = {}, domain.unknown("it could not be stored as the cloud describes it")
        return _written([row])


def forget_old(days: int) -> int:
    """Delete finished scans and resources that have been gone for longer than so many days; return how many.

    An account's latest scan stays, however old. What happened is in the audit log, which is never cut.
    """
    before = timezone.now() - timedelta(days=days)
    latest = Scan.objects.order_by("account_id", "-id").distinct("account_id").values("pk")
    scans, _each = Scan.objects.filter(finished_at__lt=before).exclude(pk__in=latest).delete()
    resources, _each = Resource.objects.filter(gone_at__lt=before).delete()
    return scans + resources


@dataclass(frozen=True, slots=True)
class Reading:
    """What one complete reading of a service in a region, or of a share of it, found: rows, by their ids."""

    service: domain.Service
    region: str
    found: Set[int]
    share: domain.Share = domain.WHOLE

    @property
    def place(self) -> tuple[str, str]:
        return self.service.id, self.region if self.service.regional else ""

    def covers(self, id: str, unlisted: int | None) -> bool:
        """Whether it brings the resource; each share has its own stand-in for what it could not list."""
        return self.share.has(id) if unlisted is None else unlisted % self.share.count == self.share.index


def missing(account: Account, readings: Mapping[Key, Reading]) -> dict[Key, list[int]]:
    """Return the rows that complete readings, by their keys, no longer found.

    A type whose listing was hidden there misses nothing: its stand-in row is among those found.
    """
    where, found, regional, readers = Q(pk__in=[]), set[int](), {}, defaultdict(list)
    for key, each in readings.items():
        part = Q(service=each.service.id)
        where |= part & Q(region=each.region) if each.service.regional else part
        found |= each.found
        regional[each.service.id] = each.service.regional
        readers[each.place].append((key, each))
    rows = Resource.objects.filter(where, account=account, gone_at=None)
    hidden, lost = set(), []
    columns = ("pk", "type", "resource_id", "service", "region", "unlisted", "share")
    for pk, type, id, service, region, unlisted, number in rows.values_list(*columns):
        there = region if regional[service] else ""
        readers_of_it = [key for key, each in readers[service, there] if each.covers(id, number if unlisted else None)]
        if readers_of_it and pk not in found:
            lost.append((readers_of_it[0], pk, (type, there), unlisted))
        elif readers_of_it and unlisted:
            hidden.add((type, there))
    result: dict[Key, list[int]] = {key: [] for key in readings}
    for key, pk, place, unlisted in lost:
        if unlisted or place not in hidden:
            result[key].append(pk)
    return result


def mark_gone(rows: Iterable[int]) -> int:
    """Mark resources, by their rows, as gone; return how many were not yet."""
    return Resource.objects.filter(pk__in=list(rows), gone_at=None).update(gone_at=timezone.now())
