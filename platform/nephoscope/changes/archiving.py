"""Telling the cloud that an incident was suppressed here, or is no longer."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from nephoscope.accounts.permissions import may
from nephoscope.accounts.queries import provider_of
from nephoscope.alerts.models import Alert, Finding, KindChoice, Suppression
from nephoscope.alerts.suppressions import recount
from nephoscope.audit.models import Entry
from nephoscope.audit.services import Actor, record
from nephoscope.inventory.models import Resource

log = logging.getLogger(__name__)


def archive(actor: Actor, alert: Alert, findings: Sequence[Finding], *, archive: bool = True) -> list[str]:
    """Archive suppressed incidents in the cloud as well, or take that back; return what was not done, in words.

    That is a write in the cloud: nothing is written for who may not apply changes, nor in an account without a fix
    role. What was suppressed here stays so, whatever the cloud says.
    """
    if alert.kind == KindChoice.SECURITY or not alert.account.writing_verified_at or not findings:
        return []
    if actor.user is not None and not may(actor.user, "change"):
        message = _("Not archived in %(kind)s: that takes a remediator.")
        if not archive:
            message = _("Not unarchived in %(kind)s: that takes a remediator. What is archived there closes again.")
        return [message % {"kind": alert.get_kind_display()}]
    provider = provider_of(alert.account)
    problems = []
    for row in Resource.objects.filter(findings__in=findings).select_related("account"):
        done = "archived" if archive else "unarchived"
        try:
            if not (call := provider.archiving(row.to_domain(), archive=archive)):
                continue
            provider.open_for_writing(alert.account.connection, [call.permission]).write(call)
        except Exception as problem:
            log.warning("%s could not be %s", alert, done, exc_info=True)
            message = _("%(name)s could not be %(done)s in %(kind)s: %(problem)s")
            problems.append(
                message % {"name": row.name, "done": done, "kind": alert.get_kind_display(), "problem": problem}
            )
            record(
                actor,
                f"alert.not_{done}",
                alert,
                f"could not have {row.name} of {alert} {done}: {problem}",
                account=alert.account,
            )
            continue
        record(
            actor,
            f"alert.{done}",
            alert,
            f"{done} {row.name} of {alert} in {alert.get_kind_display()}",
            account=alert.account,
        )
    return problems


def was_archived(suppression: Suppression) -> bool:
    """Whether somebody who may had the suppressed incident archived in the cloud, so that its end takes that back."""
    entries = Entry.objects.filter(target_type="alert", target_id=str(suppression.alert_id), action="alert.archived")
    return entries.filter(at__gte=suppression.created_at).exists()


def expire_suppressions() -> int:
    """Take back the suppressions whose time is over. Run every minute by the queue; returns how many ended."""
    over = Suppression.objects.filter(lifted_at=None, expires_at__lte=timezone.now()).select_related("alert__account")
    for each in over:
        with transaction.atomic():
            Suppression.objects.filter(pk=each.pk).update(lifted_at=timezone.now())
            Finding.objects.filter(suppression=each).update(suppression=None)
            summary = f"ended the suppression of {each.resource_name} of {each.alert}, as its time is over"
            record(Actor.system(), "alert.unsuppressed", each.alert, summary, account=each.alert.account)
            recount(each.alert, Actor.system())
        if was_archived(each):
            rows = list(each.alert.findings.filter(resource__resource_id=each.resource_id))
            archive(Actor.system(), each.alert, rows, archive=False)
    return len(over)
