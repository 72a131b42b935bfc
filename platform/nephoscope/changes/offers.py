"""Which remediations there are for an alert."""

from __future__ import annotations

from nephoscope.accounts.queries import provider_of
from nephoscope.alerts.models import Alert


def fixes_of(alert: Alert) -> tuple[str, ...]:
    """Return the ids of the remediations for an alert: its rule's, or what archives or answers a detection."""
    if alert.traits.by_rule:
        return responses_to(alert)
    archive = archive_of(alert)
    return (*((archive,) if archive else ()), *responses_to(alert))


def archive_of(alert: Alert) -> str:
    """Return the id of the remediation that archives a detection in its cloud, or nothing."""
    detector = None if alert.traits.by_rule else provider_of(alert.account).detections
    return detector.archive if detector else ""


def responses_to(alert: Alert) -> tuple[str, ...]:
    """Return the ids of the remediations that do something about an alert: its rule's, or those for a detection."""
    if alert.traits.by_rule:
        return alert.rule.remediations if alert.rule else ()
    detector, finding = provider_of(alert.account).detections, alert.findings.select_related("resource").first()
    return detector.responses(finding.resource.to_domain()) if detector and finding else ()
