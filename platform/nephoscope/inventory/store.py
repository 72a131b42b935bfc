"""Keeping resources: a row is touched only when its content changed."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone

from nephoscope import domain
from nephoscope.accounts.models import Account
from nephoscope.inventory.models import Resource, Scan

CONTENT = ("service", "name", "region", "tags", "properties", "unlisted", "share")
"""What a reading brings of a resource, besides what tells it from others."""


def digest_of(resource: domain.Resource) -> tuple[str, bool]:
    """Return a digest of everything about a resource that is stored, and whether PostgreSQL can store it as it is.

    Its text holds no NUL and no lone surrogate; cloud data may.
    """
    content = [resource.name, resource.region, resource.tags, resource.properties]
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    try:
        data, storable = text.encode(), "\\u0000" not in text
    except UnicodeEncodeError:
        data, storable = text.encode("utf-8", "surrogatepass"), False
    return hashlib.blake2b(data, digest_size=16).hexdigest(), storable


def save(account: Account, service: str, batch: Iterable[domain.Resource]) -> set[int]:
    """Insert or update the changed ones of a batch; return the row ids of the whole batch."""
    unique = {(each.type, each.id): each for each in batch}
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
        digest, storable = digest_of(each)
        row = known.get(key)
        if row and row[1] == digest and row[2] is None:
            continue
        name, tags, properties = each.name, each.tags, each.properties
        if not storable:
            name, tags, properties = (_cleaned(part) for part in (name, tags, properties))
        changed.append(
            Resource(
                account=account,
                service=service,
                type=each.type,
                resource_id=each.id,
                name=name[:512],
                region=each.region,
                tags=tags,
                properties=properties,
                digest=digest,
                changed_at=now,
                unlisted=each.unlisted,
                share=each.share,
            )
        )
    if changed:
        saved = Resource.objects.bulk_create(
            changed,
            update_conflicts=True,
            unique_fields=["account", "type", "resource_id"],
            update_fields=[*CONTENT, "digest", "changed_at", "gone_at"],
        )
        seen.update(each.pk for each in saved)
    return seen


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\0", "�").encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {str(_cleaned(name)): _cleaned(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_cleaned(member) for member in value]
    return value


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
