"""Judging what is stored again, without reading the cloud, because a policy, a rule's settings or a tag changed.

It judges what the last scans read to their end, as those scans did: a type that they could not read is not known as a
neighbour, and its resources are left as they are, so that nothing unread closes as fixed.

A scan and a judging do not run at once. While a scan is under way the request waits; a scan of the whole account that
looks at the policies after it was made answers it. A scan that begins meanwhile stops the judging before its next
write, because what that scan stores may differ from what the judging holds in memory; it goes on after the scan.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from nephoscope.accounts.models import Account
from nephoscope.audit.services import Actor
from nephoscope.compliance import queries as compliance
from nephoscope.compliance import snapshots
from nephoscope.inventory.models import ACTIVE, Resource, Scan, ShardState
from nephoscope.judging.services import Judge, hidden, why_unread
from nephoscope.plugins import registry
from nephoscope.policies.models import Rejudging

log = logging.getLogger(__name__)


def rejudge(account_id: int) -> int:
    """Judge what is stored of an account for as long as somebody asks for it; returns how often it was.

    Harmless to call twice: a second worker finds the first one's lease, and nothing to do after it.
    """
    done = 0
    while held := _claim(account_id):
        newest = _newest_scan(account_id)
        account = held.account
        if not _judge_stored(account, _Watch(held, newest)):
            Rejudging.objects.filter(pk=held.pk).update(lease_until=None)
            return done
        Rejudging.objects.filter(pk=held.pk).update(
            judged_for=held.wanted_at, finished_at=timezone.now(), lease_until=None
        )
        done += 1
    return done


class _Watch:
    """Keeps the lease while one judges, and says when a scan overtook it."""

    def __init__(self, held: Rejudging, newest: int) -> None:
        self.held, self.newest = held, newest

    def wanted(self) -> bool:
        Rejudging.objects.filter(pk=self.held.pk).update(lease_until=_lease())
        return not self.overtaken()

    def overtaken(self) -> bool:
        return _newest_scan(self.held.account_id) != self.newest


def _lease() -> datetime:
    return timezone.now() + timedelta(seconds=settings.NEPHOSCOPE_LEASE_SECONDS)


def _newest_scan(account_id: int) -> int:
    return Scan.objects.filter(account=account_id).order_by("-pk").values_list("pk", flat=True).first() or 0


def _claim(account_id: int) -> Rejudging | None:
    """Take the account's request, unless somebody holds it, a scan is under way, or the provider is not enabled."""
    with transaction.atomic():
        rows = Rejudging.objects.select_for_update(of=("self",)).select_related("account")
        row = rows.filter(account=account_id).first()
        if row is None or not row.waiting or (row.lease_until and row.lease_until > timezone.now()):
            return None
        reachable = row.account.provider in registry().providers
        if not reachable or Scan.objects.filter(account=account_id, state__in=ACTIVE).exists():
            return None
        row.lease_until = _lease()
        row.save(update_fields=["lease_until"])
        return row


def _judge_stored(account: Account, watch: _Watch) -> bool:
    """Judge all that is stored and was read; False when a scan overtook it."""
    # Of a part that is read in shares, one that was not read counts.
    shards = sorted(compliance.newest_readings([account]), key=lambda each: each.state != ShardState.DONE)
    readings = {(each.service, each.region): each for each in shards}
    unread, left = {}, Q(pk__in=[])
    for service, region in compliance.parts_of(account):
        shard = readings.get((service.id, region))
        if shard and shard.state == ShardState.DONE:
            continue
        unread.update(dict.fromkeys(service.types, why_unread(service, region, shard)))
        if shard:
            part = Q(service=service.id)
            left |= part & Q(region=region) if service.regional else part
    judge = Judge(account, Actor.system(), unread, watch.overtaken)
    stored = Resource.objects.exclude(left).exclude(hidden(account))
    judge.run(stored, still_wanted=watch.wanted)
    judge.close(judge.unchecked)
    if watch.overtaken():
        return False
    if readings:
        snapshots.record_day(account, whole=True)
    return True
