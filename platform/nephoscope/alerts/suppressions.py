"""The one module that sets suppressions on findings.

The acts of people, with what they do in a cloud, are in :mod:`nephoscope.changes.suppressing`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from nephoscope.alerts.models import Alert, Finding, Suppression
from nephoscope.alerts.state import Transitions, refresh
from nephoscope.audit.actions.alerts import (
    ALERT_SUPPRESSED,
    ALERT_SUPPRESSION_EXPIRED,
    ALERT_UNSUPPRESSED,
    InCloud,
)
from nephoscope.audit.actions.wording import resources
from nephoscope.audit.services import Actor, record, require_reason


def chosen(alert: Alert, findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings, checked to be failing ones of this alert.

    :raises ValidationError: none was chosen, or one does not belong to the alert or has closed meanwhile.
    """
    ids = {each.pk for each in findings}
    if not ids:
        raise ValidationError({"findings": [_("Select at least one resource.")]})
    rows = alert.findings.filter(failing_since__isnull=False, pk__in=ids).select_related("resource")
    if len(found := list(rows)) < len(ids):
        raise ValidationError(
            {"findings": [_("Some of these resources are no longer affected. Reload and try again.")]}
        )
    return found


@transaction.atomic
def suppress(
    actor: Actor,
    alert: Alert,
    findings: Iterable[Finding],
    reason: str,
    expires_at: datetime | None = None,
    in_cloud: InCloud = InCloud.NOTHING,
) -> int:
    """Ignore chosen resources of an alert from now on; return how many.

    :param in_cloud: what the caller does about it in the cloud, to be recorded.

    :raises ValidationError: no reason, nothing chosen, or an end that lies in the past.
    """
    actor.require("suppress")
    reason = require_reason(reason)
    if expires_at is not None and expires_at <= timezone.now():
        raise ValidationError({"expires_at": [_("This date is in the past.")]})
    Alert.objects.select_for_update().get(pk=alert.pk)
    rows = [each for each in chosen(alert, findings) if each.suppression_id is None]
    # One that expired but was not swept yet would stand in the way of the new one.
    expired = alert.suppressions.filter(lifted_at=None, resource_id__in=[each.resource.resource_id for each in rows])
    expired.update(lifted_at=timezone.now())
    for each in rows:
        each.suppression = Suppression.objects.create(
            alert=alert,
            resource_id=each.resource.resource_id,
            resource_name=each.resource.name,
            reason=reason,
            author=actor.user,
            expires_at=expires_at,
        )
        each.save(update_fields=["suppression"])
    if rows:
        data = _recorded([each.resource.name for each in rows], alert, in_cloud)
        record(actor, ALERT_SUPPRESSED, alert, data, account=alert.account, reason=reason)
        recount(alert, actor)
    return len(rows)


@transaction.atomic
def end(actor: Actor, alert: Alert, suppressions: Iterable[Suppression], in_cloud: InCloud = InCloud.NOTHING) -> int:
    """Take back those of an alert's suppressions that stand; the resources count again at once. Returns how many."""
    actor.require("suppress")
    Alert.objects.select_for_update().get(pk=alert.pk)
    standing = alert.suppressions.filter(pk__in=[each.pk for each in suppressions], lifted_at=None)
    rows = list(standing.order_by("resource_name"))
    lift([each.pk for each in rows])
    if rows:
        data = _recorded([each.resource_name for each in rows], alert, in_cloud)
        record(actor, ALERT_UNSUPPRESSED, alert, data, account=alert.account)
        recount(alert, actor)
    return len(rows)


@transaction.atomic
def expire(suppression: Suppression, in_cloud: InCloud = InCloud.NOTHING) -> bool:
    """Lift a suppression whose time is over, unless somebody just did; returns whether it still stood."""
    alert, actor = suppression.alert, Actor.system()
    Alert.objects.select_for_update().get(pk=alert.pk)
    if not lift([suppression.pk]):
        return False
    data = {"resource": suppression.resource_name, "in_cloud": in_cloud.value, "source": alert.source}
    record(actor, ALERT_SUPPRESSION_EXPIRED, alert, data, account=alert.account)
    recount(alert, actor)
    return True


def of_findings(findings: Iterable[Finding]) -> list[Suppression]:
    """Return the suppressions of those findings that have one."""
    return list(Suppression.objects.filter(pk__in=[each.suppression_id for each in findings if each.suppression_id]))


def _recorded(names: list[str], alert: Alert, in_cloud: InCloud) -> dict[str, Any]:
    return {**resources(names), "in_cloud": in_cloud.value, "source": alert.source}


def recount(alert: Alert, actor: Actor) -> None:
    transitions = Transitions()
    transitions.left[alert.pk] = {}
    refresh(alert.account, transitions, actor, timezone.now())
    alert.refresh_from_db()


# -- What suppressions say of findings: set nowhere else -----------------------------------------------------------


def lift(ids: Sequence[int]) -> int:
    """End suppressions that stand; their findings count again. Returns how many ended."""
    Finding.objects.filter(suppression__in=ids).update(suppression=None)
    return Suppression.objects.filter(pk__in=ids, lifted_at=None).update(lifted_at=timezone.now())


def reapply(findings: list[Finding]) -> None:
    """Set the suppressions that stand on findings not saved yet: they hold by the resource's id, over rebirths."""
    new = [each for each in findings if each.alert_id and each.suppression_id is None]
    if not new:
        return
    standing = {
        (alert, resource): pk
        for alert, resource, pk in Suppression.objects.standing()
        .filter(alert__in={each.alert_id for each in new})
        .values_list("alert_id", "resource_id", "pk")
    }
    for each in new:
        each.suppression_id = standing.get((each.alert_id, each.resource.resource_id))


def carry_over(stored: Finding, new: Finding) -> None:
    """Let a finding that replaces a stored one be suppressed as that is."""
    new.suppression_id = stored.suppression_id


def clear(finding: Finding) -> None:
    """Take the suppression off a finding that no longer fails; it stands, for when the resource fails again."""
    finding.suppression = None
