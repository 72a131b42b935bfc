"""What a person does with an alert: suppress, unsuppress, recheck."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from nephoscope.alerts import incidents
from nephoscope.alerts.judging import judge_resources
from nephoscope.alerts.models import Alert, Finding, Suppression
from nephoscope.alerts.rechecks import reread, touched
from nephoscope.alerts.state import Moves, refresh
from nephoscope.audit.services import Actor, given, record
from nephoscope.domain import Verdict

MAX_RECHECKED = 50
"""Resources that one recheck reads while the person waits; more are a scan's work."""


@dataclass(slots=True)
class Recheck:
    """How many of the resources are right now, still count as wrong, or are gone; and what could not be judged."""

    closed: int = 0
    still: int = 0
    gone: int = 0
    problems: list[str] = field(default_factory=list)


def chosen(alert: Alert, findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings, checked to be failing ones of this alert.

    :raises ValidationError: none was chosen, or one does not belong to the alert or has closed meanwhile.
    """
    ids = {each.pk for each in findings}
    if not ids:
        raise ValidationError({"findings": [_("Choose at least one resource.")]})
    rows = alert.findings.filter(failing_since__isnull=False, pk__in=ids).select_related("resource")
    if len(found := list(rows)) < len(ids):
        raise ValidationError({"findings": [_("Some of these resources are no longer affected; look again.")]})
    return found


def _resources(findings: list[Finding]) -> str:
    names = ", ".join(each.resource.name for each in findings[:5])
    count = ngettext("%(count)s resource", "%(count)s resources", len(findings)) % {"count": len(findings)}
    return f"{count} ({names}{', …' if len(findings) > 5 else ''})"


@transaction.atomic
def suppress(
    actor: Actor, alert: Alert, findings: Iterable[Finding], reason: str, expires_at: datetime | None = None
) -> int:
    """Ignore chosen resources of an alert from now on; return how many.

    :raises ValidationError: no reason, nothing chosen, or an end that lies in the past.
    """
    actor.demand("suppress")
    reason = given(reason)
    if expires_at is not None and expires_at <= timezone.now():
        raise ValidationError({"expires_at": [_("This lies in the past.")]})
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
        record(
            actor,
            "alert.suppressed",
            alert,
            f"suppressed {_resources(rows)} of {alert}",
            account=alert.account,
            reason=reason,
        )
        _refresh(alert, actor)
    return len(rows)


@transaction.atomic
def unsuppress(actor: Actor, alert: Alert, findings: Iterable[Finding]) -> int:
    """Take suppressions back; the resources count again at once. Returns how many."""
    actor.demand("suppress")
    Alert.objects.select_for_update().get(pk=alert.pk)
    rows = [each for each in chosen(alert, findings) if each.suppression_id is not None]
    Suppression.objects.filter(pk__in=[each.suppression_id for each in rows]).update(lifted_at=timezone.now())
    Finding.objects.filter(pk__in=[each.pk for each in rows]).update(suppression=None)
    if rows:
        record(actor, "alert.unsuppressed", alert, f"unsuppressed {_resources(rows)} of {alert}", account=alert.account)
        _refresh(alert, actor)
    return len(rows)


def _refresh(alert: Alert, actor: Actor) -> None:
    moves = Moves()
    moves.left[alert.pk] = {}
    refresh(alert.account, moves, actor, timezone.now())
    alert.refresh_from_db()


def expire_suppressions() -> int:
    """Take back the suppressions whose time is over. Run every minute by the queue; returns how many ended."""
    over = Suppression.objects.filter(lifted_at=None, expires_at__lte=timezone.now()).select_related("alert__account")
    for each in over:
        with transaction.atomic():
            Suppression.objects.filter(pk=each.pk).update(lifted_at=timezone.now())
            Finding.objects.filter(suppression=each).update(suppression=None)
            summary = f"ended the suppression of {each.resource_name} of {each.alert}, as its time is over"
            record(Actor.system(), "alert.unsuppressed", each.alert, summary, account=each.alert.account)
            _refresh(each.alert, Actor.system())
        if incidents.was_archived(each):
            rows = list(each.alert.findings.filter(resource__resource_id=each.resource_id))
            incidents.archive(Actor.system(), each.alert, rows, archive=False)
    return len(over)


def recheck(actor: Actor, alert: Alert, findings: Iterable[Finding] | None = None) -> Recheck:
    """Read an alert's resources (all, or the chosen) again and judge them now, without a scan.

    What cannot be read stays as it is and is named in ``problems``.

    :raises ValidationError: the account cannot be reached, or more resources than are read while one waits.
    """
    actor.demand("recheck")
    failing = alert.findings.filter(failing_since__isnull=False).select_related("resource__account")
    rows = list(failing.filter(suppression=None)) if findings is None else chosen(alert, findings)
    if len(rows) > MAX_RECHECKED:
        message = _("%(count)s resources are too many to recheck at once; choose up to %(most)s or start a scan.")
        raise ValidationError({"findings": [message % {"count": len(rows), "most": MAX_RECHECKED}]})
    reading = reread(alert.account, [touched(each.resource) for each in rows])
    record(actor, "alert.rechecked", alert, f"rechecked {_resources(rows)} of {alert}", account=alert.account)
    judge_resources(alert.account, Actor.system(f"Recheck by {actor.name}"), reading.read, reading.gone)
    left = list(failing.filter(pk__in=[each.pk for each in rows]))
    alert.refresh_from_db()
    gone, still = len(reading.gone), len(left)
    unjudged = [f"{each.resource.name}: {each.message}" for each in left if each.verdict != Verdict.FAIL]
    return Recheck(closed=len(rows) - still - gone, still=still, gone=gone, problems=reading.problems + unjudged)
