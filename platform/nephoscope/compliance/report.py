"""Compliance of an account by a policy as a file: CSV and JSON for programs, PDF for people (alerts/pdf.py)."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _

from nephoscope import __version__
from nephoscope.alerts.exports import line
from nephoscope.alerts.models import Finding
from nephoscope.compliance.pdf import as_pdf
from nephoscope.compliance.queries import needing_a_look
from nephoscope.compliance.snapshots import trend
from nephoscope.compliance.standings import Compliance, ControlStanding, RuleStanding
from nephoscope.compliance.states import Standing
from nephoscope.policies.demands import Deviation

COLUMNS = (
    "account",
    "number",
    "condition",
    "policy",
    "control",
    "title",
    "state",
    "result",
    "rule",
    "severity",
    "rule title",
    "passing",
    "failing",
    "accepted",
    "unknown",
    "not known because",
    "threshold",
    "standing",
    "resource",
    "name",
    "region",
    "what was found",
    "missing permission",
    "failing since",
    "accepted because",
    "evidence",
)

MOST_LINES = 50_000
"""Lines of a CSV; what is left out is counted in its last one."""


def as_csv(found: Compliance) -> bytes:
    """Return a line per control, rule and resource that needs a look; one per rule without any, and per control."""
    lines, left_out = [line(COLUMNS)], 0
    findings: dict[str, list[tuple[Any, ...]]] = {}
    for rule, *cells in needing_a_look(found)[:MOST_LINES]:
        findings.setdefault(rule, []).append(_finding_cells(*cells))
    for each in found.controls:
        about = (
            found.account.name,
            found.account.number,
            found.condition.said,
            found.policy.name,
            each.control.id,
            each.control.title,
            each.state.value,
            each.result,
        )
        for rule in each.rules:
            rows = findings.get(rule.id, [])[: max(0, MOST_LINES - len(lines))]
            lines += [line(_padded(*about, *_cells(rule), *row)) for row in rows or [()]]
            left_out += rule.failed + rule.accepted + rule.unknown - len(rows)
        if not each.rules:
            lines.append(line(_padded(*about)))
    if left_out:
        message = _("%(n)s more lines are left out. All findings are at /api/v1/findings/export/ocsf")
        lines.append(line(_padded(message % {"n": left_out})))
    return "".join(lines).encode()


def _padded(*cells: Any) -> tuple[Any, ...]:
    return (*cells, *[""] * (len(COLUMNS) - len(cells)))


def _cells(each: RuleStanding) -> tuple[Any, ...]:
    return (
        each.id,
        each.severity.value if each.severity else "",
        each.rule.title if each.rule else "",
        each.passed,
        each.failed,
        each.accepted,
        each.unknown,
        "; ".join(each.reasons),
        " ".join(map(str, each.thresholds)),
    )


def _finding_cells(
    standing: str,
    resource: str,
    name: str,
    region: str,
    message: str,
    permission: str,
    since: datetime | None,
    reason: str | None,
    evidence: str,
) -> tuple[Any, ...]:
    return standing, resource, name, region, message, permission, _moment(since) or "", reason or "", evidence


def _moment(value: datetime | None) -> str | None:
    return value.isoformat(timespec="seconds") if value else None


def described(found: Compliance) -> dict[str, Any]:
    """Return the standing as JSON."""
    scan = found.last_scan
    return {
        "product": f"Nephoscope {__version__}",
        "made_at": _moment(timezone.now()),
        "account": {
            "id": found.account.pk,
            "name": found.account.name,
            "provider": found.account.provider,
            "number": found.account.number,
        },
        "policy": {"id": found.policy.id, "name": found.policy.name, "link": found.policy.link},
        "chosen": found.chosen,
        "judged_at": _moment(found.judged_at),
        "not_checked_because": found.why_not,
        "score": found.score,
        "counts": found.counts,
        "accepted": found.accepted,
        "condition": {
            "state": found.condition.state.value,
            "as_of": _moment(found.condition.as_of),
            "marks": [{"state": mark.state.value, "text": mark.text} for mark in found.condition.marks],
        },
        "scope": {
            "regions": found.account.regions,
            "last_scan": {"id": scan.pk, "state": scan.state, "finished_at": _moment(scan.finished_at)}
            if scan
            else None,
            "not_read": list(found.unread),
        },
        "trend": [{"day": day.isoformat(), "score": score} for day, score in trend(found)],
        "controls": [_control(each) for each in found.controls],
    }


def _control(each: ControlStanding) -> dict[str, Any]:
    return {
        "id": each.control.id,
        "title": each.control.title,
        "state": each.state.value,
        "result": each.result,
        "accepted": each.accepted,
        "rules": [_rule(rule) for rule in each.rules],
    }


def _rule(each: RuleStanding) -> dict[str, Any]:
    return {
        "id": each.id,
        "title": each.rule.title if each.rule else None,
        "severity": each.severity.value if each.severity else None,
        "counts": {standing: each.count(standing) for standing in Standing.values},
        "not_known_because": each.reasons,
        "thresholds": [_threshold(row) for row in each.thresholds],
        **{standing: [_finding(row) for row in rows] for standing, rows, _more in each.shown},
    }


def _threshold(row: Deviation) -> dict[str, Any]:
    """A value that is not as the control demands; where it names no figure, the rule's default counts."""
    return {
        "parameter": row.demand.parameter.name,
        "in_force": row.in_force,
        "demanded": row.demand.value,
        "demanded_by": "control" if row.demand.named else "default",
        "laxer": row.laxer,
        "message": str(row),
    }


def _finding(row: Finding) -> dict[str, Any]:
    return {
        "finding": row.pk,
        "resource": row.resource.resource_id,
        "name": row.resource.name,
        "region": row.resource.region,
        "message": row.message,
        **({"permission": row.permission} if row.permission else {}),
        **({"reason": row.suppression.reason} if row.suppression else {}),
    }


def as_json(found: Compliance) -> bytes:
    """Return everything, with the first resources of each rule; all findings are at /api/v1/findings/export."""
    return (json.dumps(described(found), ensure_ascii=False, indent=1) + "\n").encode()


FORMS: dict[str, tuple[str, Callable[[Compliance], bytes]]] = {
    "csv": ("text/csv; charset=utf-8", as_csv),
    "json": ("application/json", as_json),
    "pdf": ("application/pdf", as_pdf),
}
"""Type and maker of each form of a file, by the ending of its name."""


def file_name(found: Compliance, form: str) -> str:
    """Return a name for the file that every system can hold."""
    name = slugify(found.account.name) or found.account.number or str(found.account.pk)
    parts = (name, found.policy.id.replace(".", "-"), timezone.localdate().isoformat())
    return f"{'-'.join(map(slugify, parts))}.{form}"
