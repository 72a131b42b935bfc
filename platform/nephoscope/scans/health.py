"""Whether work gets done: when a worker was last seen, what waits for one, and the database."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Max
from django.utils import timezone
from django_q.brokers import get_broker
from django_q.models import Task

from nephoscope.changes.models import Change
from nephoscope.inventory.models import Scan, ScanState, Shard
from nephoscope.queue import lease

log = logging.getLogger(__name__)

SEEN_WITHIN = timedelta(minutes=2)
"""How long a worker that is not busy may be silent: housekeeping runs every minute."""


@dataclass(frozen=True, slots=True)
class Health:
    """What can be said of the parts that work while nobody looks."""

    seen: datetime | None
    """When a worker last finished a task; the newest thousand are kept."""
    busy: bool
    """A worker holds the lease of a scan's part or of a change right now."""
    waiting: int | None
    """Tasks in the queue that no worker has taken; None when the queue cannot be asked."""
    database: str
    database_bytes: int

    @property
    def working(self) -> bool:
        """Whether a worker runs, as far as can be told."""
        return self.busy or (self.seen is not None and timezone.now() - self.seen < SEEN_WITHIN)


def health() -> Health:
    """Look at workers, queue and database."""
    seen = Task.objects.aggregate(Max("stopped"))["stopped__max"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version'), pg_database_size(current_database())")
        version, size = cursor.fetchone()
    return Health(seen, _busy(), _waiting(), f"PostgreSQL {version.split()[0]}", size)


def working() -> bool:
    """Tell whether a worker runs; cheaper than :func:`health`."""
    since = timezone.now() - SEEN_WITHIN
    return Task.objects.filter(stopped__gte=since).exists() or _busy()


def _busy() -> bool:
    running = Scan.objects.filter(state=ScanState.RUNNING).values("pk")
    parts = Shard.objects.filter(lease.held(), scan__in=running)
    return parts.exists() or Change.objects.filter(lease.held()).exists()


def _waiting() -> int | None:
    try:
        return int(get_broker().queue_size())
    except Exception:
        # Each broker raises errors of its own; a page that says so is worth more than one that fails.
        log.warning("the queue cannot be asked how long it is", exc_info=True)
        return None
