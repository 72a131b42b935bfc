"""Keeping resources: a row is touched only when its content changed."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import DatabaseError, transaction
from django.db.models import Q
from django.utils import timezone

from nephoscope import domain
from nephoscope.accounts.models import Account
from nephoscope.domain import as_unknown
from nephoscope.inventory.content import content_of, digest_of, id_of
from nephoscope.inventory.models import Resource, Scan

log = logging.getLogger(__name__)

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


def mark_gone(account: Account, read: Iterable[tuple[domain.Service, str, set[int], domain.Share]]) -> int:
    """Mark what complete readings, each a share of a service in a region, no longer found. In a transaction.

    A type whose listing was hidden there keeps all its resources: its stand-in row is among those found.
    """
    where, found, regional, shares = Q(pk__in=[]), set[int](), {}, defaultdict(list)
    for service, region, seen, share in read:
        part = Q(service=service.id)
        where |= part & Q(region=region) if service.regional else part
        found |= seen
        regional[service.id] = service.regional
        shares[service.id, region if service.regional else ""].append(share)
    rows = Resource.objects.filter(where, account=account, gone_at=None)
    hidden, missing = set(), []
    columns = ("pk", "type", "resource_id", "service", "region", "unlisted", "share")
    for pk, type, id, service, region, unlisted, number in rows.values_list(*columns):
        there = region if regional[service] else ""
        place = (type, there)
        if not any(_covers(share, id, number if unlisted else None) for share in shares[service, there]):
            continue
        if pk not in found:
            missing.append((pk, place, unlisted))
        elif unlisted:
            hidden.add(place)
    gone = [pk for pk, place, unlisted in missing if unlisted or place not in hidden]
    return Resource.objects.filter(pk__in=gone).update(gone_at=timezone.now()) if gone else 0


def _covers(share: domain.Share, id: str, unlisted: int | None) -> bool:
    """Whether a share brought the resource; each share has its own stand-in for what it could not list."""
    return share.has(id) if unlisted is None else unlisted % share.count == share.index
