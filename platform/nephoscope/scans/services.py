"""Starting, cancelling and following scans, and waking those whose worker died."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from nephoscope.accounts.holding import hold, require_present
from nephoscope.accounts.models import Account
from nephoscope.accounts.queries import parts_of, provider_of, scanned_services
from nephoscope.audit.actions.scans import SCAN_CANCELLED, SCAN_FINISHED, SCAN_REQUESTED
from nephoscope.audit.services import Actor, record
from nephoscope.connections.reach import note_reached, note_unreachable
from nephoscope.connections.services import next_scan
from nephoscope.domain import ALL_REGIONS
from nephoscope.events.working import wake_after_scan
from nephoscope.inventory.models import ACTIVE, JUDGE, LANES, READ, Scan, ScanState, Shard, ShardState
from nephoscope.organisations.queries import resting_accounts, why_resting
from nephoscope.queue import lease
from nephoscope.queue.dispatch import dispatch

log = logging.getLogger(__name__)

_LOCK = 7_201_937
"""Key of the advisory lock under which scans begin; any constant that nothing else here uses."""

MAX_ATTEMPTS = 3
"""How often a shard is begun before it counts as failed: its worker died each time."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a scan is; ``percent`` is of shards, 100 only when the scan has finished."""

    total: int
    finished: int
    failed: int
    percent: int
    resources: int
    phase: str


def start_scan(
    actor: Actor,
    account: Account,
    *,
    services: Iterable[str] = (),
    regions: Iterable[str] = (),
    enqueue: bool = True,
) -> Scan:
    """Plan a scan of an account (of all its services and regions unless told) and wake the workers.

    :raises ValidationError: the account is pending, removed, suspended or gone from its organisation, a scan of it is
        under way, or a service or region is unknown.
    """
    actor.require("scan")
    if not account.verified_at:
        raise ValidationError({"account": [_("Verify the connection of %(name)s first.") % {"name": account.name}]})
    require_present(account)
    if why := why_resting(account):
        raise ValidationError({"account": [why]})
    parts = _parts(account, list(services), list(regions))
    try:
        with transaction.atomic():
            whole = len(parts) == len(parts_of(account))
            scan = Scan.objects.create(account=account, requested_by=actor.user, whole=whole)
            # After the scan, as a scan that ends locks first itself and then its account.
            hold(account)
            shards = [*_shares(account, parts), (JUDGE, ALL_REGIONS, 0)]
            Shard.objects.bulk_create(
                Shard(scan=scan, service=service, region=region, share=share) for service, region, share in shards
            )
            record(actor, SCAN_REQUESTED, scan, {"account": account.name}, account=account)
    except IntegrityError as error:
        running = Scan.objects.filter(account=account, state__in=ACTIVE).first()
        message = _("%(scan)s of this account is already running. Wait for it or cancel it.") % {
            "scan": running or "A scan"
        }
        raise ValidationError({"account": [message[:1].upper() + message[1:]]}) from error
    if enqueue:
        wake(scan)
    return scan


def _parts(account: Account, services: list[str], regions: list[str]) -> list[tuple[str, str]]:
    known = scanned_services(account)
    if strange := sorted(set(services) - {each.id for each in known}):
        names, all_of_them = ", ".join(each.id for each in known), {each.id for each in provider_of(account).services}
        message = _("There is no service %(strange)s. Services: %(names)s.")
        if set(strange) <= all_of_them:
            message = _("%(strange)s is not among the account's services: %(names)s.")
        raise ValidationError({"services": [message % {"strange": ", ".join(strange), "names": names}]})
    if strange := sorted(set(regions) - set(account.regions)):
        message = _("%(strange)s is not among the account's regions: %(names)s.")
        names = ", ".join(account.regions)
        raise ValidationError({"regions": [message % {"strange": ", ".join(strange), "names": names}]})
    return [
        (service.id, region)
        for service in known
        if not services or service.id in services
        for region in ((regions or account.regions) if service.regional else [ALL_REGIONS])
    ]


def _shares(account: Account, parts: list[tuple[str, str]]) -> list[tuple[str, str, int]]:
    """Divide the parts into shares; those of one part far enough from one another that two workers take them."""
    count = {each.id: each.shares for each in provider_of(account).services}
    shares = [(service, region, 0) for service, region in parts]
    for at, (service, region) in enumerate(parts):
        for share in range(1, count[service]):
            shares.insert(at + share * LANES, (service, region, share))
    return shares


def wake(scan: Scan) -> None:
    """Ask the queue for as many workers as may share the scan; one that finds nothing to do ends at once."""
    for _worker in range(settings.NEPHOSCOPE_WORKERS):
        dispatch("work_on_scan", scan.pk, name=f"scan {scan.pk}")


def _room() -> int:
    """Return how many scans may begin beside those under way, over all workers."""
    return int(settings.NEPHOSCOPE_MAX_SCANS) - Scan.objects.filter(state=ScanState.RUNNING).count()


def admit(scan: Scan) -> bool:
    """Begin a scan, unless as many as may be are under way: then it waits. True also for one that has begun."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        scan.refresh_from_db()
        if scan.state == ScanState.QUEUED and _room() > 0:
            scan.state, scan.started_at = ScanState.RUNNING, timezone.now()
            scan.save(update_fields=["state", "started_at"])
        return scan.state == ScanState.RUNNING


def _go_on(account: Account) -> None:
    """A scan has ended: begin those that waited longest, and look again at what changed during it."""
    for waiting in Scan.objects.filter(state=ScanState.QUEUED).order_by("pk")[: max(0, _room())]:
        wake(waiting)
    wake_after_scan(account)


def cancel_scan(actor: Actor, scan: Scan) -> Scan:
    """Ask a scan to stop; nothing that it has not finished reading is closed.

    :raises ValidationError: it has finished.
    """
    actor.require("scan")
    with transaction.atomic():
        locked: Scan = Scan.objects.select_for_update().get(pk=scan.pk)
        if not locked.active:
            raise ValidationError({"scan": [_("This scan has already finished.")]})
        locked.cancel_requested = True
        locked.save(update_fields=["cancel_requested"])
        locked.shards.filter(state=ShardState.QUEUED).update(state=ShardState.CANCELLED)
        record(actor, SCAN_CANCELLED, locked, {"account": locked.account.name}, account=locked.account)
    finish_if_over(locked)
    locked.refresh_from_db()
    return locked


def finish_if_over(scan: Scan) -> None:
    """Give the scan its final state once no shard is queued or running."""
    with transaction.atomic():
        # The account first, as everyone does who locks both.
        Account.objects.select_for_update().get(pk=scan.account_id)
        scan = Scan.objects.select_for_update().get(pk=scan.pk)
        shards = list(scan.shards.all())
        if not scan.active or any(shard.state in (ShardState.QUEUED, ShardState.RUNNING) for shard in shards):
            return
        scan.state = _final_state(scan, shards)
        scan.finished_at = timezone.now()
        scan.save(update_fields=["state", "finished_at"])
        ended = {"state": scan.state.value, "count": sum(shard.resources for shard in shards)}
        actor = Actor.of_task("scan", scan=scan.pk)
        record(actor, SCAN_FINISHED, scan, ended, account=scan.account)
        _note_reach(actor, scan, shards)
        transaction.on_commit(lambda: _go_on(scan.account))


def _note_reach(actor: Actor, scan: Scan, shards: list[Shard]) -> None:
    """Keep whether the account could be reached; a few parts that fail do not say that it cannot be."""
    errors = Counter(shard.error for shard in shards if shard.service != JUDGE and shard.state == ShardState.FAILED)
    if scan.state in READ:
        note_reached(actor, scan.account)
    elif scan.state == ScanState.FAILED and (scan.error or (scan.whole and errors.total() == len(shards) - 1)):
        note_unreachable(actor, scan.account, scan.error or errors.most_common(1)[0][0])


def _final_state(scan: Scan, shards: list[Shard]) -> ScanState:
    if scan.cancel_requested:
        return ScanState.CANCELLED
    reading = [shard for shard in shards if shard.service != JUDGE]
    judged = all(shard.state == ShardState.DONE for shard in shards if shard.service == JUDGE)
    if scan.error or not judged or all(shard.state == ShardState.FAILED for shard in reading):
        return ScanState.FAILED
    if any(shard.state == ShardState.FAILED or shard.gaps for shard in reading):
        return ScanState.PARTIAL
    return ScanState.SUCCEEDED


def progress(scan: Scan) -> Progress:
    """Return how far a scan is."""
    shards = list(scan.shards.all())
    over = [shard for shard in shards if shard.state not in (ShardState.QUEUED, ShardState.RUNNING)]
    failed = [shard for shard in shards if shard.state == ShardState.FAILED]
    percent = 100 if not scan.active else min(99, 100 * len(over) // max(1, len(shards)))
    reading = any(shard.service != JUDGE and shard not in over for shard in shards)
    phase = scan.get_state_display() if not scan.active else (_("Reading") if reading else _("Evaluating"))
    if scan.state == ScanState.QUEUED:
        under_way = Scan.objects.filter(state=ScanState.RUNNING).count()
        waiting = ngettext("Waiting: %(n)s scan is running", "Waiting: %(n)s scans are running", under_way)
        full = under_way >= settings.NEPHOSCOPE_MAX_SCANS
        phase = waiting % {"n": under_way} if full else scan.get_state_display()
    return Progress(len(shards), len(over), len(failed), percent, sum(each.resources for each in shards), str(phase))


def reap() -> int:
    """Put shards whose lease ran out back into the queue, and wake workers for scans that nobody works on.

    Run every minute by the queue, and once when a worker starts. Returns how many scans were woken.
    """
    now, running = timezone.now(), Shard.objects.filter(state=ShardState.RUNNING)
    error = _("Its worker died %(times)s times.") % {"times": MAX_ATTEMPTS}
    lease.reap(running.filter(attempts__gte=MAX_ATTEMPTS), state=ShardState.FAILED, finished_at=now, error=error)
    lease.reap(running, state=ShardState.QUEUED)
    idle = Scan.objects.filter(state__in=ACTIVE).exclude(shards__state=ShardState.RUNNING)
    # A scan just requested has its wake-up in the queue already.
    idle = idle.filter(Q(started_at__isnull=False) | Q(created_at__lt=now - lease.length()))
    woken = 0
    for scan in idle.order_by("pk"):
        finish_if_over(scan)
        scan.refresh_from_db()
        if scan.state == ScanState.RUNNING or (scan.state == ScanState.QUEUED and woken < _room()):
            wake(scan)
            woken += 1
    return woken


def start_due() -> int:
    """Start the scans whose time has come; run every minute by the queue. Returns how many were started.

    One that is under way still when the next is due is not followed by another: that one waits for its next turn.
    """
    started = 0
    while account := _take_due():
        try:
            start_scan(Actor.of_task("schedule"), account)
            started += 1
        except ValidationError as problem:
            log.info("scheduled scan of %s not started: %s", account, problem.messages)
    return started


def _take_due() -> Account | None:
    """Return an account whose scan is due, with its next turn set, so that no other worker starts it as well."""
    with transaction.atomic():
        due = (
            Account.objects.present()
            .select_for_update(skip_locked=True)
            .filter(next_scan_at__lte=timezone.now(), verified_at__isnull=False)
            .exclude(pk__in=resting_accounts())
        )
        account = due.first()
        if account:
            account.next_scan_at = next_scan(account.scan_every)
            account.save(update_fields=["next_scan_at"])
        return account
