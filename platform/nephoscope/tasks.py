"""What the queue runs: each a door to a service, nothing more."""

from __future__ import annotations

import logging
from functools import partial

log = logging.getLogger(__name__)


def work_on_scan(scan_id: int) -> None:
    """Do one worker's part of a scan."""
    from nephoscope.inventory.runner import work

    work(scan_id)


def rejudge(account_id: int) -> None:
    """Judge what is stored of an account again, if somebody changed how."""
    from nephoscope.alerts.rejudging import rejudge

    rejudge(account_id)


def housekeeping() -> None:
    """Every minute: wake dead workers' scans and judgings, start due ones, end suppressions, and forget what is old.

    A part that fails is logged and does not keep the others from their work.
    """
    from django.conf import settings

    from nephoscope.alerts.services import expire_suppressions
    from nephoscope.changes.services import close_interrupted
    from nephoscope.inventory.scans import reap, start_due
    from nephoscope.inventory.store import forget_old
    from nephoscope.policies.rejudging import wake_waiting

    forget = partial(forget_old, settings.NEPHOSCOPE_RETENTION_DAYS)
    parts = (reap, start_due, wake_waiting, expire_suppressions, close_interrupted, forget)
    for part in parts:
        try:
            part()
        except Exception:
            log.exception("housekeeping: %s failed", part)
