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
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from nephoscope import domain
from nephoscope.accounts.queries import provider_of
from nephoscope.alerts import detections
from nephoscope.audit.services import Actor
from nephoscope.domain import as_unknown
from nephoscope.events.working import catch_up
from nephoscope.inventory import store
from nephoscope.inventory.models import JUDGE, LANES, Scan, Shard, ShardState
from nephoscope.judging import losses
from nephoscope.judging.services import judge_scan
from nephoscope.queue import lease
from nephoscope.scans.services import admit, finish_if_over

log = logging.getLogger(__name__)

BATCH = 100
"""Resources that a lane hands over at a time; with the queue's size this bounds the memory of a scan."""

SHOW_EVERY = 0.2
"""Seconds between two looks at the progress: each is a query."""

ASK_EVERY = 1.0
"""Seconds until a worker that found no shard to take looks again: one may have come back from a worker that died."""

END_EVERY = 0.1
"""Seconds over which lanes that ended are gathered."""

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


Item = domain.Resource | domain.Detection | domain.DetectionCleared
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
        self.beat_at = self.shown_at = self.events_at = 0.0
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
        claimed: deque[Shard] = deque()
        ended: dict[int, Ended] = {}
        ending_at = asking_at = 0.0
        while True:
            while len(self.lanes) - len(ended) < LANES and not self.stop.is_set():
                if not claimed and time.monotonic() > asking_at:
                    claimed.extend(self._claim(LANES))
                    asking_at = 0.0 if claimed else time.monotonic() + ASK_EVERY
                if not claimed:
                    break
                self._begin(session, claimed.popleft())
            if not self.lanes:
                break
            self._heartbeat()
            self._look_after_events()
            for number, what in self._waiting():
                if isinstance(what, Ended):
                    ended[number] = what
                elif not self.stop.is_set():
                    self._store(self.lanes[number], what)
            # Each writing costs the same for one lane as for many, so they are gathered a little.
            if len(ended) == len(self.lanes) or time.monotonic() > ending_at:
                self._end(ended)
                ended, ending_at = {}, time.monotonic() + END_EVERY
            self._show_progress()
        self._give_back(claimed)

    def _begin(self, session: domain.Session, shard: Shard) -> None:
        self.lanes[shard.pk] = Lane(shard)
        work = partial(self._lane, self._source(session, shard), shard)
        threading.Thread(target=work, name=str(shard), daemon=True).start()

    def _waiting(self) -> Iterator[tuple[int, Batch | Ended]]:
        """Yield what the lanes have put out: waits a moment for the first, and takes no more than is there."""
        with suppress(queue.Empty):
            yield self.output.get(timeout=END_EVERY)
            for _each in range(self.output.qsize()):
                yield self.output.get_nowait()

    def _show_progress(self) -> None:
        if self.on_progress and time.monotonic() - self.shown_at > SHOW_EVERY:
            self.shown_at = time.monotonic()
            self.on_progress(self.scan)

    def _source(self, session: domain.Session, shard: Shard) -> Callable[[], Iterator[Item]]:
        """Return what reads a shard; what it needs of the database is fetched here."""
        if self.services[shard.service].detections:
            return detections.source(session, self.scan.account, shard.service, shard.region)
        if (count := self.services[shard.service].shares) > 1:
            return partial(session.collect, shard.service, shard.region, domain.Share(shard.share, count))
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
        if service.detections:
            raised = [each for each in batch if not isinstance(each, domain.Resource)]
            lane.seen.update(detections.save(account, service, raised, Actor.of_task("scan", scan=self.scan.pk)))
            times = [each.updated for each in raised if isinstance(each, domain.Detection)]
            lane.newest = max([lane.newest, *times] if lane.newest else times, default=None)
        else:
            lane.seen.update(store.save(account, service.id, resources))
        for resource in resources:
            if len(lane.gaps) < MAX_GAPS:
                _note_gaps(lane.gaps, resource.type, resource.properties)
        if len(lane.seen) > BATCH:  # a short shard's count comes with its end
            Shard.objects.filter(pk=lane.shard.pk, owner=self.owner).update(resources=len(lane.seen))

    def _end(self, ended: Mapping[int, Ended]) -> None:
        """Close the shards of these lanes, those that are still ours; only one read to its end may mark any as gone."""
        if not ended:
            return
        lanes = {number: self.lanes.pop(number) for number in ended}
        with transaction.atomic():
            ours = Shard.objects.select_for_update().filter(owner=self.owner, state=ShardState.RUNNING)
            shards = list(ours.filter(pk__in=ended))
            states = {shard.pk: self._final_state(ended[shard.pk]) for shard in shards}
            missing = self._read_to_their_end([lanes[pk] for pk, state in states.items() if state == ShardState.DONE])
            now, empty = timezone.now(), []
            for shard in shards:
                lane = lanes[shard.pk]
                lost = missing.get(shard.pk, [])
                if states[shard.pk] == ShardState.DONE and not (lane.seen or lane.gaps or lost):
                    empty.append(shard.pk)
                    continue
                lease.give_back(
                    Shard.objects.filter(pk=shard.pk),
                    self.owner,
                    state=states[shard.pk],
                    finished_at=now,
                    error=ended[shard.pk].error,
                    gaps=list(lane.gaps.values()),
                    missing=lost,
                    resources=len(lane.seen),
                )
            if empty:  # as most regions of most services are
                lease.give_back(Shard.objects.filter(pk__in=empty), self.owner, state=ShardState.DONE, finished_at=now)

    def _final_state(self, ended: Ended) -> ShardState:
        if self.cancelled:
            return ShardState.CANCELLED
        return ShardState.FAILED if ended.error else ShardState.DONE

    def _read_to_their_end(self, lanes: Sequence[Lane]) -> dict[int, list[int]]:
        """Return what these lanes no longer found, by their shards."""
        readings = {}
        for lane in lanes:
            service, region = self.services[lane.shard.service], lane.shard.region
            if service.detections:
                detections.advance(self.scan.account, service.id, region, lane.newest, whole=not lane.gaps)
            else:
                share = domain.Share(lane.shard.share, service.shares)
                readings[lane.shard.pk] = store.Reading(service, region, lane.seen, share)
        return store.missing(self.scan.account, readings)

    # -- leases ------------------------------------------------------------------------------------

    def _claim(self, count: int, *, judging: bool = False) -> list[Shard]:
        """Take up to so many shards that are to be read, or the one that judges."""
        queued = Shard.objects.filter(scan=self.scan, state=ShardState.QUEUED)
        wanted = queued.filter(service=JUDGE) if judging else queued.exclude(service=JUDGE)
        begun = {"state": ShardState.RUNNING, "attempts": F("attempts") + 1, "started_at": timezone.now()}
        return lease.claim_some(wanted, self.owner, count, **begun)

    def _give_back(self, claimed: Collection[Shard]) -> None:
        """The scan was cancelled before these were begun."""
        rows = Shard.objects.filter(pk__in=[shard.pk for shard in claimed])
        lease.give_back(rows, self.owner, state=ShardState.CANCELLED, finished_at=timezone.now())

    def _heartbeat(self) -> None:
        """Renew the leases now and then, and see whether the scan was cancelled."""
        if time.monotonic() - self.beat_at < lease.renew_every():
            return
        self.beat_at = time.monotonic()
        lease.renew(Shard.objects.filter(state=ShardState.RUNNING), self.owner)
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
        if not (claimed := self._claim(1, judging=True)):
            return
        error = ""
        if not reading.filter(state=ShardState.DONE).exists():
            error = "Nothing could be read, so there is nothing to judge."
        else:
            try:
                self._settle_losses()
                judge_scan(self.scan, still_wanted=self._still_wanted)
            except Exception as problem:
                log.exception("scan %s: judging failed", self.scan.pk)
                error = f"{type(problem).__name__}: {problem}"
        state = ShardState.FAILED if error else ShardState.DONE
        rows = Shard.objects.filter(pk=claimed[0].pk, state=ShardState.RUNNING)
        final = ShardState.CANCELLED if self.cancelled else state
        lease.give_back(rows, self.owner, state=final, error=error, finished_at=timezone.now())
        if self.on_progress:
            self.on_progress(self.scan)

    def _settle_losses(self) -> None:
        """Mark as gone what the scan no longer found, except where its listing is not to be believed: a gap says so."""
        account, shards = self.scan.account, list(self.scan.shards.filter(state=ShardState.DONE).exclude(missing=[]))
        held = losses.settle(
            account,
            [pk for shard in shards for pk in shard.missing],
            since=self.scan.started_at or self.scan.created_at,
            open=lambda: closing(provider_of(account).open(account.connection)),
            still_wanted=self._still_wanted,
        )
        for each in held:
            shard = next(shard for shard in shards if each.rows & set(shard.missing))
            gap = {"type": each.place.type, "permission": "", "reason": each.reason}
            if gap not in shard.gaps:  # as where the worker that settled before died
                shard.gaps = [*shard.gaps, gap]
                shard.save(update_fields=["gaps"])

    def _still_wanted(self) -> bool:
        self._heartbeat()
        self._look_after_events()
        return not self.cancelled


def _note_gaps(gaps: dict[tuple[str, str], dict[str, str]], type: str, value: object) -> None:
    if why := as_unknown(value):
        gaps.setdefault(
            (type, why.permission or why.reason), {"type": type, "permission": why.permission, "reason": why.reason}
        )
    elif isinstance(value, dict):
        for member in value.values():
            _note_gaps(gaps, type, member)
    elif isinstance(value, list):
        for member in value:
            _note_gaps(gaps, type, member)


def work(scan_id: int, on_progress: Callable[[Scan], None] | None = None) -> None:
    """Work on a scan until nothing of it is left to claim. Harmless to call twice, or for a scan that has finished.

    One for which there is no room yet goes on waiting.
    """
    scan = Scan.objects.select_related("account").filter(pk=scan_id).first()
    if scan and admit(scan):
        Worker(scan, on_progress).run()
