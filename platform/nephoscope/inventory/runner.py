"""One worker's part in a scan: claim shards, read them many at a time, store what comes, and at the end judge.

Threads only wait on the cloud; everything about the database happens in the thread that called :func:`work`. Each shard
is held under a lease that is renewed while it is worked on, so that a killed worker's shards are taken over.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from nephoscope import domain
from nephoscope.accounts.services import provider_of
from nephoscope.alerts import incidents
from nephoscope.alerts.judging import judge_scan
from nephoscope.audit.services import Actor
from nephoscope.events.working import catch_up
from nephoscope.inventory import store
from nephoscope.inventory.models import JUDGE, Scan, Shard, ShardState
from nephoscope.inventory.scans import admit, finish_if_over
from nephoscope.view import as_unknown

log = logging.getLogger(__name__)

LANES = 8
"""Shards that one worker reads at a time."""

BATCH = 100
"""Resources that a lane hands over at a time; with the queue's size this bounds the memory of a scan."""

MAX_GAPS = 50
"""Kinds of things hidden that one shard lists; the findings themselves say all of them."""


@dataclass(slots=True)
class Lane:
    """One shard being read by a thread."""

    shard: Shard
    seen: set[int] = field(default_factory=set)
    gaps: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)
    newest: datetime | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """A lane's last word: why it ended early, or nothing."""

    error: str = ""


Item = domain.Resource | domain.Incident | domain.Over
Batch = list[Item]


class Worker:
    """Works on one scan until nothing is left to claim."""

    def __init__(self, scan: Scan, on_progress: Callable[[Scan], None] | None = None) -> None:
        self.scan = scan
        self.owner = uuid.uuid4()
        self.lanes: dict[int, Lane] = {}
        self.output: queue.Queue[tuple[int, Batch | Ended]] = queue.Queue(maxsize=2 * LANES)
        self.stop = threading.Event()
        self.cancelled = False
        self.on_progress = on_progress
        self.lease = timedelta(seconds=settings.NEPHOSCOPE_LEASE_SECONDS)
        self.beat_at = self.events_at = 0.0
        self.services = {service.id: service for service in provider_of(scan.account).services}

    def run(self) -> None:
        """Read, then judge."""
        if self.scan.shards.filter(state=ShardState.QUEUED).exclude(service=JUDGE).exists():
            try:
                session = provider_of(self.scan.account).open(self.scan.account.connection)
            except domain.ConnectionProblem as problem:
                self._give_up(problem.message)
                return
            try:
                self._read(session)
            finally:
                self.stop.set()
                session.close()
        self._judge()
        finish_if_over(self.scan)

    def _give_up(self, why: str) -> None:
        """The account cannot be reached at all: everything not yet read has failed, and nothing is judged."""
        Scan.objects.filter(pk=self.scan.pk).update(error=why)
        self.scan.shards.filter(state=ShardState.QUEUED).update(
            state=ShardState.FAILED, error=why, finished_at=timezone.now()
        )
        finish_if_over(self.scan)

    # -- reading -----------------------------------------------------------------------------------

    def _read(self, session: domain.Session) -> None:
        while True:
            while len(self.lanes) < LANES and not self.stop.is_set() and (shard := self._claim(reading=True)):
                self.lanes[shard.pk] = Lane(shard)
                threading.Thread(
                    target=self._lane, args=(self._source(session, shard), shard), name=str(shard), daemon=True
                ).start()
            if not self.lanes:
                return
            self._heartbeat()
            self._look_after_events()
            try:
                number, what = self.output.get(timeout=1)
            except queue.Empty:
                continue
            if isinstance(what, Ended):
                self._end(self.lanes.pop(number), what)
            elif not self.stop.is_set():
                self._store(self.lanes[number], what)
            if self.on_progress:
                self.on_progress(self.scan)

    def _source(self, session: domain.Session, shard: Shard) -> Callable[[], Iterator[Item]]:
        """Return what reads a shard; what it needs of the database is fetched here."""
        if self.services[shard.service].incidents:
            return incidents.source(session, self.scan.account, shard.service, shard.region)
        return partial(session.collect, shard.service, shard.region)

    def _lane(self, source: Callable[[], Iterator[Item]], shard: Shard) -> None:
        """Read one shard; the only code that runs in a thread. It touches no database."""
        error, batch = "", []
        try:
            for item in source():
                if self.stop.is_set():
                    break
                batch.append(item)
                if len(batch) >= BATCH:
                    self.output.put((shard.pk, batch))
                    batch = []
        except domain.ConnectionProblem as problem:
            error = problem.message
        except Exception as problem:
            log.warning("scan %s: %s failed", shard.scan_id, shard, exc_info=True)
            error = f"{type(problem).__name__}: {problem}"
        if batch:
            self.output.put((shard.pk, batch))
        self.output.put((shard.pk, Ended(error)))

    def _store(self, lane: Lane, batch: Batch) -> None:
        account, service = self.scan.account, self.services[lane.shard.service]
        resources = [each for each in batch if isinstance(each, domain.Resource)]
        if service.incidents:
            raised = [each for each in batch if not isinstance(each, domain.Resource)]
            lane.seen.update(incidents.save(account, service, raised, Actor.system(f"Scan {self.scan.pk}")))
            times = [each.updated for each in raised if isinstance(each, domain.Incident)]
            lane.newest = max([lane.newest, *times] if lane.newest else times, default=None)
        else:
            lane.seen.update(store.save(account, service.id, resources))
        for resource in resources:
            if len(lane.gaps) < MAX_GAPS:
                _note_gaps(lane.gaps, resource.type, resource.properties)
        Shard.objects.filter(pk=lane.shard.pk, owner=self.owner).update(resources=len(lane.seen))

    def _end(self, lane: Lane, ended: Ended) -> None:
        """Close a shard, if it is still ours; only one read to its end may mark resources as gone."""
        with transaction.atomic():
            mine = Shard.objects.select_for_update().filter(
                pk=lane.shard.pk, owner=self.owner, state=ShardState.RUNNING
            )  # fmt: skip
            if not (shard := mine.first()):
                return
            shard.finished_at, shard.gaps, shard.error = timezone.now(), list(lane.gaps.values()), ended.error
            if self.cancelled:
                shard.state = ShardState.CANCELLED
            elif ended.error:
                shard.state = ShardState.FAILED
            else:
                shard.state = ShardState.DONE
                if (service := self.services[shard.service]).incidents:
                    incidents.advance(self.scan.account, service.id, shard.region, lane.newest, whole=not lane.gaps)
                else:
                    store.mark_gone(self.scan.account, service, shard.region, lane.seen)
            shard.save()

    # -- leases ------------------------------------------------------------------------------------

    def _claim(self, *, reading: bool) -> Shard | None:
        with transaction.atomic():
            shards = Shard.objects.select_for_update(skip_locked=True).filter(scan=self.scan, state=ShardState.QUEUED)
            shard = (shards.exclude(service=JUDGE) if reading else shards.filter(service=JUDGE)).first()
            if shard is None:
                return None
            shard.state, shard.owner, shard.attempts = ShardState.RUNNING, self.owner, shard.attempts + 1
            shard.started_at = timezone.now()
            shard.lease_until = shard.started_at + self.lease
            shard.save()
            return shard

    def _heartbeat(self) -> None:
        """Renew the leases now and then, and see whether the scan was cancelled."""
        if time.monotonic() - self.beat_at < min(5.0, self.lease.total_seconds() / 4):
            return
        self.beat_at = time.monotonic()
        Shard.objects.filter(owner=self.owner, state=ShardState.RUNNING).update(
            lease_until=timezone.now() + self.lease
        )  # fmt: skip
        if Scan.objects.filter(pk=self.scan.pk, cancel_requested=True).exists():
            self.cancelled = True
            self.stop.set()

    def _look_after_events(self) -> None:
        """Once a second: all workers may be as busy with scans as this one, and an event is a matter of seconds."""
        if time.monotonic() - self.events_at >= 1:
            catch_up(self._heartbeat)
            self.events_at = time.monotonic()

    # -- judging -----------------------------------------------------------------------------------

    def _judge(self) -> None:
        reading = self.scan.shards.exclude(service=JUDGE)
        if reading.filter(state__in=[ShardState.QUEUED, ShardState.RUNNING]).exists():
            return
        if not (shard := self._claim(reading=False)):
            return
        error = ""
        if not reading.filter(state=ShardState.DONE).exists():
            error = "Nothing could be read, so there is nothing to judge."
        else:
            try:
                judge_scan(self.scan, still_wanted=self._still_wanted)
            except Exception as problem:
                log.exception("scan %s: judging failed", self.scan.pk)
                error = f"{type(problem).__name__}: {problem}"
        state = ShardState.FAILED if error else ShardState.DONE
        Shard.objects.filter(pk=shard.pk, owner=self.owner, state=ShardState.RUNNING).update(
            state=ShardState.CANCELLED if self.cancelled else state, error=error, finished_at=timezone.now()
        )
        if self.on_progress:
            self.on_progress(self.scan)

    def _still_wanted(self) -> bool:
        self._heartbeat()
        self._look_after_events()
        return not self.cancelled


def _note_gaps(gaps: dict[tuple[str, str], dict[str, str]], type: str, value: object) -> None:
    if why := as_unknown(value):
        gaps.setdefault((type, why.permission or why.reason),
                        {"type": type, "permission": why.permission, "reason": why.reason})  # fmt: skip
    elif isinstance(value, dict):
        for member in value.values():
            _note_gaps(gaps, type, member)


def work(scan_id: int, on_progress: Callable[[Scan], None] | None = None) -> None:
    """Work on a scan until nothing of it is left to claim. Harmless to call twice, or for a scan that has finished.

    One for which there is no room yet goes on waiting.
    """
    scan = Scan.objects.select_related("account").filter(pk=scan_id).first()
    if scan and admit(scan):
        Worker(scan, on_progress).run()
