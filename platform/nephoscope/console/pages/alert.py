"""What an alert's page shows."""

from __future__ import annotations

import re
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest
from django.utils.translation import gettext as _

from nephoscope.accounts.models import Account
from nephoscope.alerts.commands import commands_of
from nephoscope.alerts.models import Alert, Finding, VerdictChoice
from nephoscope.alerts.queries import ids
from nephoscope.audit.models import Entry
from nephoscope.changes.readiness import readiness
from nephoscope.changes.suppressing import archives, why_not_archived
from nephoscope.compliance.scores import answered
from nephoscope.domain import ALL_REGIONS, together
from nephoscope.inventory.models import Resource

PER_PAGE = 100
SHOWN = 50
"""Entries of the timeline, and resources that could not be judged, shown at once."""

_NUMBERED = re.compile(r"^\s*\d+[.)]\s+")


def steps(fix: str) -> list[str]:
    """Cut a rule's instructions into their numbered steps; a line without a number goes on with the step before."""
    found: list[str] = []
    for line in fix.splitlines():
        if _NUMBERED.match(line) or not found:
            found.append(_NUMBERED.sub("", line).strip())
        elif line.strip():
            found[-1] += f" {line.strip()}"
    return found


def regions(request: HttpRequest) -> list[tuple[str, str]]:
    """Return the regions of the accounts that the user may see."""
    chosen = Account.objects.visible_to(request.user).values_list("regions", flat=True)
    return [(each, each) for each in (ALL_REGIONS, *sorted({region for listed in chosen for region in listed}))]


def alert_context(request: HttpRequest, alert: Alert) -> dict[str, Any]:
    """Gather the alert's rule, resources, history, and what may be done."""
    failing = alert.findings.filter(failing_since__isnull=False).select_related("resource", "suppression__author")
    failing = failing.defer("resource__properties").order_by("resource__name", "pk")
    suppressed = failing.exclude(suppression=None)
    rule = alert.rule
    timeline = Entry.objects.visible_to(request.user).filter(target_type="alert", target_id=str(alert.pk))
    page = Paginator(failing.filter(suppression=None), PER_PAGE).get_page(request.GET.get("p"))
    blocks = commands_of(page, alert.catalogue) if rule else {}
    show_suppressed = bool(request.GET.get("suppressed"))
    return {
        "title": alert.title,
        "rule": rule,
        "detection": None if alert.traits.by_rule else alert.details,
        "about": _about(alert),
        "steps": steps(rule.fix) if rule else [],
        "affected": page,
        "commands": [(each.resource.name, each.pk, blocks[each.pk]) for each in page if each.pk in blocks],
        "all_commands": together(blocks.values()),
        "single": page.paginator.count == 1,  # there is nothing to choose among
        "chosen": ids(request.GET.get("chosen", "")),
        "suppressed_shown": show_suppressed,
        "suppressed": Paginator(suppressed, PER_PAGE).get_page(request.GET.get("sp")) if show_suppressed else [],
        "unknown": _unknown(alert)[:SHOWN],
        "unknown_count": _unknown(alert).count(),
        "answers": answered([alert.account], alert.key, alert.catalogue),
        "timeline": timeline[:SHOWN],
        "timeline_count": timeline.count(),
        "changes": alert.changes.all()[:10],
        "fixing": readiness(request.user, alert),
        "archiving": _archiving(request.user, alert),
    }


def _archiving(user: Any, alert: Alert) -> str:
    """Say what suppressing does in the cloud that raised the alert, where it can do anything there."""
    if not archives(alert):
        return ""
    message = _("Suppressing also archives the finding in %(source)s, and unsuppressing unarchives it.")
    return why_not_archived(user, alert) or message % {"source": alert.kind_name}


def _about(alert: Alert) -> Resource | None:
    """Return the resource that a detection names by its id or only by its name, if the inventory has just one such."""
    named = "" if alert.traits.by_rule else alert.details.get("resource_id")
    if not named:
        return None
    rows = Resource.objects.filter(account_id=alert.account_id, type=alert.details.get("resource_type"), gone_at=None)
    found = rows.filter(Q(resource_id=named) | Q(name=named)).defer("properties")[:2]
    return found[0] if len(found) == 1 else None


def _unknown(alert: Alert) -> Any:
    rows = Finding.objects.filter(account_id=alert.account_id, rule_id=alert.key, failing_since=None)
    rows = rows.filter(verdict__in=[VerdictChoice.UNKNOWN, VerdictChoice.ERROR])
    return rows.select_related("resource").defer("resource__properties")
