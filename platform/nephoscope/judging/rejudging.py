"""Judging what is stored again, without reading the cloud, because a policy, a rule's settings or a tag changed.

It judges what the last scans read to their end, as those scans did: a type that they could not read is not known as a
neighbour, and its resources are left as they are, so that nothing unread closes as fixed.

A scan and a judging do not run at once. While a scan is under way the request waits; a scan of the whole account that
looks at the policies after it was made answers it. A scan that begins meanwhile stops the judging before its next
write, because what that scan stores may differ from what the judging holds in memory; it goes on after the scan.
"""

from __future__ import annotations

import logging
import uuid

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from nephoscope.accounts.models import Account
from nephoscope.accounts.queries import parts_of
from nephoscope.audit.services import Actor
from nephoscope.compliance import snapshots
from nephoscope.inventory.models import ACTIVE, Resource, Scan, ShardState
from nephoscope.judging.services import Judge, hidden
from nephoscope.judging.unread import newest_shards, why_unread
from nephoscope.plugins import registry
from nephoscope.policies.models import Rejudging
from nephoscope.policies.rejudging import waiting
from nephoscope.queue import lease

log = logging.getLogger(__name__)


def rejudge(account_id: int) -> int:
    """Judge what is stored of an account for as long as somebody asks for it; returns how often it was.

    Harmless to call twice: a second worker finds the first one's lease, and nothing to do after it.
    """
    done, owner, rows = 0, uuid.uuid4(), Rejudging.objects.filter(account=account_id)
    while True:
        watch = _Watch(rows, owner, account_id)
        if not lease.claim(_ready(rows), owner):
            return done
        held = rows.select_related("account").get()
        if not _judge_stored(held.account, watch):
            lease.give_back(rows, owner)
            return done
        lease.give_back(rows, owner, judged_for=held.wanted_at, finished_at=timezone.now())
        done += 1


class _Watch:
    """Keeps the lease while one judges, and says when a scan overtook it: one that begins after this was made."""

    def __init__(self, rows: QuerySet[Rejudging], owner: uuid.UUID, account_id: int) -> None:
        self.rows, self.owner, self.account_id = rows, owner, account_id
        self.newest = _newest_scan(account_id)

    def wanted(self) -> bool:
        return bool(lease.renew(self.rows, self.owner)) and not self.overtaken()

    def overtaken(self) -> bool:
        return _newest_scan(self.account_id) != self.newest


def _newest_scan(account_id: int) -> int:
    return Scan.objects.filter(account=account_id).order_by("-pk").values_list("pk", flat=True).first() or 0


def _ready(rows: QuerySet[Rejudging]) -> QuerySet[Rejudging]:
    """Select the requests that can be met: no scan is under way, the account is there and its provider enabled."""
    scanned = Exists(Scan.objects.filter(account=OuterRef("account"), state__in=ACTIVE))
    enabled = Exists(Account.objects.present().filter(pk=OuterRef("account"), provider__in=list(registry().providers)))
    return waiting(rows).filter(~scanned, enabled)


def _judge_stored(account: Account, watch: _Watch) -> bool:
    """Judge all that is stored and was read; False when a scan overtook it."""
    readings = newest_shards(account)
    unread, left = {}, Q(pk__in=[])
    for service, region in parts_of(account):
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
