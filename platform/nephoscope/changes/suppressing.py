"""Suppressing and unsuppressing, with what that does in the cloud: a suppressed detection can be archived there.

Archiving is a change like any other. Who suppresses approves it with the same confirmation, by its digest; what ends
the suppression asks for the undo of just that change.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from nephoscope import domain
from nephoscope.accounts.holding import hold
from nephoscope.accounts.permissions import may
from nephoscope.alerts import suppressions
from nephoscope.alerts.models import Alert, Finding, Suppression
from nephoscope.alerts.suppressions import chosen
from nephoscope.audit.actions.alerts import InCloud
from nephoscope.audit.services import Actor, require_reason
from nephoscope.changes.approvals import approve_change
from nephoscope.changes.models import UNDER_WAY, Change, ChangeState
from nephoscope.changes.offers import archive_of
from nephoscope.changes.planning import Draft, draft_change, save_draft
from nephoscope.changes.services import can_undo, request_undo
from nephoscope.connections.fix_access import denied
from nephoscope.plugins import registry

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Archiving:
    """What suppressing a detection would do in its cloud: the plan, or why there is none."""

    plan: domain.Plan | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    """How many resources an act was for, and what it did not do in the cloud, for people."""

    count: int
    notes: tuple[str, ...] = ()


def preview_archiving(
    actor: Actor, alert: Alert, findings: Iterable[Finding], deadline: domain.Deadline | None = None
) -> Archiving | None:
    """Plan what suppressing would archive, to be shown; stores nothing. None where there is nothing to archive.

    :param deadline: of the person who waits for it; by default it begins now.
    """
    if not archives(alert):
        return None
    try:
        return Archiving(_draft(actor, alert, findings, deadline).plan)
    except ValidationError as problem:
        return Archiving(why=" ".join(problem.messages))


def suppress(
    actor: Actor,
    alert: Alert,
    findings: Iterable[Finding],
    reason: str,
    expires_at: datetime | None = None,
    *,
    archive: bool = False,
    digest: str | None = None,
    deadline: domain.Deadline | None = None,
) -> Done:
    """Ignore chosen resources of an alert from now on.

    :param archive: archive a detection in its cloud as well; takes the right to change, and a fix role.
    :param digest: of the plan that was shown of that, which is thereby approved; None approves what is planned now.
    :param deadline: of the person who waits for it; by default it begins now.
    :raises ValidationError: no reason, nothing chosen, an end that lies in the past, or ``archive`` for what cannot be
        archived, or with another digest than that of the plan as it is now; nothing is suppressed then.
    """
    actor.require("change" if archive else "suppress")
    require_reason(reason)
    _end_expired(Suppression.objects.filter(alert=alert))
    findings = chosen(alert, findings)
    draft = _draft(actor, alert, findings, deadline) if archive else None
    if draft and digest is not None and digest != draft.plan.digest:
        raise ValidationError({"digest": [_("This differs from what was shown. Review it again.")]})
    in_cloud = InCloud.ARCHIVES if draft else InCloud.NOT_ARCHIVED if archives(alert) else InCloud.NOTHING
    with transaction.atomic():
        hold(alert.account)
        count = suppressions.suppress(actor, alert, findings, reason, expires_at, in_cloud)
        if draft:
            _archive(actor, draft, reason)
    if in_cloud != InCloud.NOT_ARCHIVED:
        return Done(count)
    return Done(count, (_("It is not archived in %s.") % alert.kind_name,))


def unsuppress(actor: Actor, alert: Alert, findings: Iterable[Finding]) -> Done:
    """Take suppressions back; the resources count again at once. What they archived from here is unarchived."""
    actor.require("suppress")
    return _end(actor, alert, suppressions.of_findings(chosen(alert, findings)))


def end_suppression(actor: Actor, suppression: Suppression) -> Done:
    """Do what :func:`unsuppress` does for one suppression, whether or not its resource fails at present.

    :raises ValidationError: it is not in force any more, or a worker is at what it archives.
    """
    actor.require("suppress")
    done = _end(actor, suppression.alert, [suppression])
    if not done.count:
        raise ValidationError({"suppression": [_("This suppression is not in force any more.")]})
    return done


def _end(actor: Actor, alert: Alert, rows: Sequence[Suppression]) -> Done:
    with transaction.atomic():
        hold(alert.account)
        if _is_archiving([each.pk for each in rows]):
            raise ValidationError({"findings": [_("It is being archived right now. Try again in a minute.")]})
        archived = _archived_by(rows)
        count = suppressions.end(actor, alert, rows, _effect(actor.user, archived))
        notes = [_unarchive(actor, change) for change in archived]
    return Done(count, tuple(filter(None, notes)))


def _archived_by(rows: Iterable[Suppression]) -> list[Change]:
    """Return the changes by which suppressions archived something that can be unarchived."""
    changes = Change.objects.filter(suppression__in=list(rows)).select_related("alert").prefetch_related("steps")
    return [change for change in changes if can_undo(change)]


def _effect(user: Any, archived: Sequence[Change]) -> InCloud:
    """Say what ending suppressions does to what they archived; None for the user is Nephoscope."""
    if not archived:
        return InCloud.NOTHING
    return InCloud.UNARCHIVES if user is None or may(user, "change") else InCloud.STAYS_ARCHIVED


def preview_unarchiving(user: Any, alert: Alert, rows: Iterable[Suppression]) -> str:
    """Say what unsuppressing would do in the cloud that raised an alert; nothing where it can do nothing there."""
    said = {
        InCloud.NOTHING: _("Nephoscope did not archive the finding in %(source)s, so nothing changes there."),
        InCloud.UNARCHIVES: _("This also unarchives the finding in %(source)s."),
        InCloud.STAYS_ARCHIVED: _(
            "The finding stays archived in %(source)s: unarchiving it requires the Remediator role."
        ),
    }
    return said[_effect(user, _archived_by(rows))] % {"source": alert.kind_name} if archives(alert) else ""


def expire_suppressions() -> int:
    """End the suppressions whose time is over. Run every minute by the queue; returns how many ended.

    One whose archiving is under way right now ends a minute later, so that it can be undone; one in a removed account
    when that is restored.
    """
    return _end_expired(Suppression.objects.filter(alert__account__removed_at=None))


def _end_expired(rows: QuerySet[Suppression]) -> int:
    over, ended = rows.filter(lifted_at=None, expires_at__lte=timezone.now()), 0
    for each in over.select_related("alert__account"):
        with transaction.atomic():
            try:
                hold(each.alert.account)
            except ValidationError:
                continue
            if _is_archiving([each.pk]):
                continue
            archived = _archived_by([each])
            if suppressions.expire(each, _effect(None, archived)):
                ended += 1
                for change in archived:
                    if note := _unarchive(Actor.system(), change):
                        log.warning("%s: %s", each.alert, note)
    return ended


def _is_archiving(suppression_ids: Sequence[int]) -> bool:
    """Whether a worker is at what suppressing archives; none begins until the end of the transaction."""
    states = Change.objects.select_for_update(of=("self",)).filter(suppression__in=suppression_ids)
    return any(state in (*UNDER_WAY, ChangeState.WAITING) for state in states.values_list("state", flat=True))


def archives(alert: Alert) -> bool:
    """Whether suppressing the alert can mean archiving a detection in its cloud."""
    return archive_of(alert) in registry().remediations


def why_not_archived(user: Any, alert: Alert) -> str:
    """Say why suppressing leaves a detection as it is in its cloud, or nothing; None for the user is Nephoscope."""
    values = {"source": alert.kind_name, "account": alert.account.name}
    if not archives(alert):
        return _("Nephoscope cannot archive this in %(source)s.") % values
    if not alert.account.writing_verified_at:
        return _("%(account)s has no fix role, so this is not archived in %(source)s.") % values
    if user is not None and not may(user, "change"):
        return _("Archiving this in %(source)s requires the Remediator role.") % values
    if missing := denied(alert.account, registry().remediations[archive_of(alert)]):
        said = _("The fix role does not allow %(permissions)s, so this is not archived in %(source)s.")
        return said % {**values, "permissions": ", ".join(missing)}
    return ""


def _draft(actor: Actor, alert: Alert, findings: Iterable[Finding], deadline: domain.Deadline | None) -> Draft:
    """Plan the archiving of a detection; raises ValidationError in the words that a person should read."""
    if why := why_not_archived(actor.user, alert):
        raise ValidationError({"archive": [why]})
    return draft_change(actor, alert, findings, archive_of(alert), deadline=deadline)


def _archive(actor: Actor, draft: Draft, reason: str) -> None:
    """Approve the archiving of a detection that was just suppressed."""
    suppression = draft.alert.suppressions.get(lifted_at=None, resource_id__in=draft.names)
    change = save_draft(actor, draft, suppression)
    approve_change(actor, change, digest=draft.plan.digest, reason=reason)


def _unarchive(actor: Actor, change: Change) -> str:
    """Ask for the undo of what archived a detection; return why that is not done, or nothing."""
    source = change.alert.kind_name
    if actor.user is not None and not may(actor.user, "change"):
        return _("It stays archived in %s: unarchiving it requires the Remediator role.") % source
    try:
        request_undo(actor, change, reason=_("No longer suppressed"))
    except ValidationError as problem:
        return " ".join(problem.messages)
    return ""
