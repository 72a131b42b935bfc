"""Working on the events that came in: those of one account together, by one worker at a time.

A storm costs no more than reading each service and region that it touched once, over and over until it ends. While a
scan of the account is under way, what it read before the event could overwrite what was read after it; then the event
is looked at at once, for the alert to be quick, and once more when the scan has ended.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from nephoscope.accounts.models import Account
from nephoscope.audit.services import Actor
from nephoscope.domain import ChangedResource
from nephoscope.events.models import WAITING, Delivery, DeliveryState, Listener
from nephoscope.events.receiving import wake
from nephoscope.inventory.models import Scan, ScanState
from nephoscope.judging.rechecks import recheck_resources
from nephoscope.queue import lease

log = logging.getLogger(__name__)

SETTLE = 1.0
"""Seconds that the first event waits for those that belong to it: making one thing is several calls."""

MAX_BATCH = 2_000
"""Events that are worked on together."""

MAX_ONES = 50
"""Resources of a service in a region that are read one by one; for more, it is read whole."""

KEPT = timedelta(days=7)
KEPT_MOST = 1_000
"""How long, and how many of an account, events stay in sight after they were worked on."""


def _nothing() -> None:
    return None


def drain(account_id: int, beat: Callable[[], object] = _nothing, *, once: bool = False) -> None:
    """Work on an account's events until none waits, or on those that wait now; leaves them to whoever is at it."""
    owner, rows = uuid.uuid4(), Listener.objects.filter(account=account_id)
    # Who came while somebody else was about to give it back counts on their looking once more.
    while (listener := _waiting().filter(account=account_id).first()) and lease.claim(rows, owner):

        def busy() -> None:
            lease.renew(rows, owner)
            beat()

        try:
            while batch := _next(listener):
                _work(listener.account, batch, busy)
                if once:
                    return
        finally:
            lease.give_back(rows, owner)


def _running() -> QuerySet[Scan]:
    return Scan.objects.filter(state=ScanState.RUNNING)


def _waiting() -> QuerySet[Listener]:
    """Those with events that can be worked on now."""
    scanned = Exists(_running().filter(account=OuterRef("listener__account")))
    waiting = Delivery.objects.filter(listener=OuterRef("pk")).filter(
        Q(state=DeliveryState.QUEUED) | Q(state=DeliveryState.AFTER_SCAN) & ~scanned
    )
    return Listener.objects.select_related("account").filter(Exists(waiting), account__removed_at=None)


def _next(listener: Listener) -> list[Delivery]:
    """Return what waits, once its first has waited long enough for the others."""
    scanned = _running().filter(account=listener.account).exists()
    states = [DeliveryState.QUEUED] if scanned else WAITING
    rows = listener.deliveries.filter(state__in=states).order_by("pk")
    if first := rows.first():
        time.sleep(max(0.0, SETTLE - (timezone.now() - first.received_at).total_seconds()))
    return list(rows[:MAX_BATCH])


def _work(account: Account, batch: list[Delivery], busy: Callable[[], None]) -> None:
    begun, error = timezone.now(), ""
    try:
        wanted = fold(each for delivery in batch for each in delivery.wanted)
        error = "; ".join(recheck_resources(account, Actor.of_task("events"), wanted, beat=busy).problems)
    except ValidationError as problem:
        error = " ".join(problem.messages)
    except Exception as problem:
        log.exception("events of %s could not be worked on", account)
        error = f"{type(problem).__name__}: {problem}"
    state = DeliveryState.FAILED if error else DeliveryState.DONE
    if _overlapped(account, begun):
        state = DeliveryState.AFTER_SCAN
    rows = Delivery.objects.filter(pk__in=[each.pk for each in batch])
    rows.update(state=state, error=error[:2_000], done_at=timezone.now())


def _overlapped(account: Account, begun: datetime) -> bool:
    """Tell whether a scan may have read before, and may yet store after, what was just read."""
    scans = Scan.objects.filter(account=account, started_at__isnull=False)
    return scans.filter(Q(state=ScanState.RUNNING) | Q(finished_at__gte=begun)).exists()


def fold(changed: Iterable[ChangedResource]) -> list[ChangedResource]:
    """Return what to look at, each once; of too many in one place, the place."""
    places: dict[tuple[str, str], dict[ChangedResource, None]] = defaultdict(dict)
    for each in changed:
        places[each.service, each.region][each] = None
    found: list[ChangedResource] = []
    for place, ones in places.items():
        whole = len(ones) > MAX_ONES or any(each.whole_service for each in ones)
        found += [ChangedResource(*place)] if whole else ones
    return found


def catch_up(beat: Callable[[], object]) -> None:
    """Work on what no worker was free for; called now and then by those that are busy with a scan."""
    since = timezone.now() - timedelta(seconds=SETTLE)
    late = Delivery.objects.filter(listener=OuterRef("pk"), state=DeliveryState.QUEUED, received_at__lt=since)
    for account in Listener.objects.filter(lease.free(), Exists(late), account__removed_at=None).values_list(
        "account", flat=True
    ):
        drain(account, beat, once=True)


def wake_after_scan(account: Account) -> None:
    """Wake a worker for the events that are looked at once more when a scan has ended."""
    if _waiting().filter(account=account).exists():
        wake(account)


def wake_waiting() -> int:
    """Wake workers for events that nobody works on, and forget old ones; run every minute. Returns how many."""
    waiting = list(_waiting().filter(lease.free()))
    for listener in waiting:
        wake(listener.account)
    over = Delivery.objects.exclude(state__in=WAITING)
    over.filter(received_at__lt=timezone.now() - KEPT).delete()
    for listener in Listener.objects.all():
        newest = over.filter(listener=listener).values_list("pk", flat=True)
        if last := newest[KEPT_MOST : KEPT_MOST + 1].first():
            over.filter(listener=listener, pk__lte=last).delete()
    return len(waiting)
