"""What the queue runs: each a door to a service, nothing more."""

from __future__ import annotations

import logging
from functools import partial

log = logging.getLogger(__name__)


def work_on_scan(scan_id: int) -> None:
    """Do one worker's part of a scan."""
    from nephoscope.inventory.runner import work

    work(scan_id)


def send_reports(run_id: int) -> None:
    """Make and send the reports of one run of a schedule."""
    from nephoscope.reports.services import deliver

    deliver(run_id)


def housekeeping() -> None:
    """Every minute: wake dead workers' scans, start due ones, end suppressions, send reports, and forget what is old.

    A part that fails is logged and does not keep the others from their work.
    """
    from django.conf import settings

    from nephoscope.alerts.services import expire_suppressions
    from nephoscope.changes.services import close_interrupted
    from nephoscope.inventory.scans import reap, start_due
    from nephoscope.inventory.store import forget_old
    from nephoscope.reports import services as reports

    forget = partial(forget_old, settings.NEPHOSCOPE_RETENTION_DAYS)
    of_reports = (reports.close_interrupted, reports.start_due)
    parts = (reap, start_due, expire_suppressions, close_interrupted, *of_reports, forget)
    for part in parts:
        try:
            part()
        except Exception:
            log.exception("housekeeping: %s failed", part)
