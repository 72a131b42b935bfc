"""What the queue runs: each a door to a service, nothing more."""

from __future__ import annotations


def work_on_scan(scan_id: int) -> None:
    """Do one worker's part of a scan."""
    from nephoscope.inventory.runner import work

    work(scan_id)


def housekeeping() -> None:
    """Every minute: wake scans whose worker died, end suppressions whose time is over, close interrupted changes."""
    from nephoscope.alerts.services import expire_suppressions
    from nephoscope.changes.services import close_interrupted
    from nephoscope.inventory.scans import reap

    reap()
    expire_suppressions()
    close_interrupted()
