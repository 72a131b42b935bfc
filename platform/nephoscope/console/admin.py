"""Where Django looks for what the admin manages."""

from nephoscope.console import (  # noqa: F401
    accounts,
    alerts,
    audit,
    automatic,
    changes,
    changesets,
    findings,
    organisations,
    people,
    reports,
    resources,
    scans,
    suppressions,
)
