"""Planning, applying and undoing changes. What is written to a cloud goes through :mod:`nephoscope.surgery`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from nephoscope import domain, surgery
from nephoscope.accounts.models import Account
from nephoscope.accounts.permissions import may
from nephoscope.accounts.queries import provider_of
from nephoscope.alerts.models import Alert, Finding
from nephoscope.alerts.suppressions import chosen
from nephoscope.audit.actions.changes import (
    CHANGE_APPLIED,
    CHANGE_APPROVED,
    CHANGE_FAILED,
    CHANGE_PLANNED,
    CHANGE_REFUSED,
    CHANGE_UNDO_REFUSED,
    CHANGE_UNDOING,
    CHANGE_UNDONE,
    CHANGE_VERIFIED,
)
from nephoscope.audit.services import Actor, record, require_reason
from nephoscope.changes.models import Change, ChangeState, ChangeStep, StepState
from nephoscope.inventory.models import Resource
from nephoscope.judging.rechecks import as_changed, recheck_resources
from nephoscope.plugins import registry
from nephoscope.policies.queries import EffectivePolicies

INTERRUPTED_AFTER = timedelta(minutes=15)
"""A change that is applying for longer was cut off: no fix makes calls for so long."""

MADE = (StepState.APPLYING, StepState.WAITING, StepState.APPLIED, StepState.UNDOING)
"""Steps whose call was made, or may have been."""

UNDOABLE = (ChangeState.APPLIED, ChangeState.VERIFIED, ChangeState.FAILED)


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether an alert can be fixed from here by this user, and if not, why and what to do about it."""

    ready: bool
    why: str = ""
    remediations: list[domain.Remediation] = field(default_factory=list)


def readiness(user: Any, alert: Alert) -> Readiness:
    """Say whether the user can fix the alert from here, and if not, why and what to do about it."""
    rule = alert.rule
    known = registry().remediations
    fixes = [known[id] for id in (rule.remediations if rule else ()) if id in known]
    if not alert.traits.by_rule:
        return Readiness(False, _("This happened, and no change of a setting undoes it; follow the vendor’s guide."))
    if not fixes:
        return Readiness(False, _("Nephoscope has no fix for this rule yet; fix it by hand as described."))
    if not may(user, "change"):
        return Readiness(False, _("Fixing needs the role Remediator."), fixes)
    if not alert.affected:
        return Readiness(False, _("Nothing is affected any more."), fixes)
    if not alert.account.writing_verified_at:
        message = _("%(account)s has no fix role yet: set it up on the account's page, under “Set up fixing”.")
        return Readiness(False, message % {"account": alert.account.name}, fixes)
    return Readiness(True, "", fixes)


def plan_change(actor: Actor, alert: Alert, findings: Iterable[Finding], remediation_id: str) -> Change:
    """Read the live state of the chosen resources and plan their fix; nothing is written to the cloud.

    :raises ValidationError: nothing chosen, too many resources, an unknown fix, an account without a fix role, a veto,
        or nothing to do; names the field.
    """
    actor.require("change")
    remediation = _remediation(alert, remediation_id)
    if not alert.account.writing_verified_at:
        raise ValidationError({"account": [readiness(actor.user, alert).why]})
    failing = chosen(alert, findings)
    resources = [each.resource for each in failing]
    if len(resources) > settings.NEPHOSCOPE_MAX_RESOURCES_PER_PLAN:
        message = _("One plan may touch at most %(most)s resources; choose fewer.")
        raise ValidationError({"findings": [message % {"most": settings.NEPHOSCOPE_MAX_RESOURCES_PER_PLAN}]})
    requests = [_request(alert, each) for each in failing]
    targets = [each.resource for each in requests]
    with closing(_open(alert.account)) as session:
        try:
            plan = surgery.make_plan(
                remediation, alert.key, alert.account.number, requests, session, provider_of(alert.account)
            )
        except domain.PlanProblem as problem:
            raise ValidationError({"findings": [str(problem)]}) from problem
        except Exception as problem:
            raise ValidationError({"findings": [_("The plan could not be made: %s") % problem]}) from problem
    if vetoes := registry().vetoes(plan, targets):
        raise ValidationError({"findings": vetoes})
    # Nobody should approve what could not be applied: the role must be there, and the permissions fit its session.
    _writer(alert.account, [step.call for step in plan.steps])
    return _save(actor, alert, remediation, plan, {each.resource_id: each.name for each in resources})


def _request(alert: Alert, finding: Finding) -> domain.FixRequest:
    """Return what the remediation is asked to fix, with the rule's parameters as they are set for the account."""
    rule = alert.rule
    parameters = EffectivePolicies.of(alert.account).rule(rule).parameters if rule else {}
    evidence = tuple(domain.Evidence(**each) for each in finding.evidence)
    return domain.FixRequest(
        finding.resource.to_domain(), finding.rule_id if rule else "", finding.message, evidence, parameters
    )


def fixes_of(alert: Alert) -> tuple[str, ...]:
    """Return the ids of the remediations for an alert: its rule's, or what archives a detection in its cloud."""
    if alert.traits.by_rule:
        return alert.rule.remediations if alert.rule else ()
    detector = provider_of(alert.account).detections
    return (detector.archive,) if detector and detector.archive else ()


def _remediation(alert: Alert, id: str) -> domain.Remediation:
    if id not in fixes_of(alert) or id not in registry().remediations:
        raise ValidationError({"remediation": [_("“%s” is not a fix for this alert.") % id]})
    return registry().remediations[id]


def _open(account: Account) -> domain.LiveSession:
    try:
        session = provider_of(account).open(account.connection)
    except domain.ConnectionProblem as problem:
        raise ValidationError({problem.field: [problem.message]}) from problem
    if not isinstance(session, domain.LiveSession):
        session.close()
        raise ValidationError({"account": [_("Nephoscope cannot change anything in this account.")]})
    return session


@transaction.atomic
def _save(
    actor: Actor, alert: Alert, remediation: domain.Remediation, plan: domain.Plan, names: dict[str, str]
) -> Change:
    change = Change.objects.create(
        account=alert.account,
        alert=alert,
        remediation=remediation.id,
        title=remediation.title,
        digest=plan.digest,
        warnings=list(plan.warnings),
        permissions=[asdict(each) for each in plan.permissions],
        planned_by=actor.user,
    )
    ChangeStep.objects.bulk_create(
        ChangeStep(
            change=change,
            position=position,
            resource_id=step.resource,
            resource_name=names.get(step.resource, ""),
            title=step.title,
            call=asdict(step.call),
            inverse=asdict(step.inverse) if step.inverse else None,
            before=step.before,
            after=step.after,
            wait=asdict(step.wait) if step.wait else None,
            keep=list(step.keep),
        )
        for position, step in enumerate(plan.steps)
    )
    record(actor, CHANGE_PLANNED, change, {"title": change.title, "alert": str(alert)}, account=alert.account)
    return change


def _to_call(data: dict[str, Any]) -> domain.Call:
    permissions = tuple(domain.Permission(**each) for each in data["permissions"])
    return domain.Call(data["label"], data["body"], permissions)


def _to_step(row: ChangeStep) -> domain.Step:
    inverse = _to_call(row.inverse) if row.inverse else None
    wait = domain.Wait(**{**row.wait, "read": _to_call(row.wait["read"])}) if row.wait else None
    keep = tuple(row.keep)
    return domain.Step(row.resource_id, row.title, _to_call(row.call), inverse, row.before, row.after, wait, keep)


def _plan_of(change: Change, steps: Sequence[domain.Step]) -> domain.Plan:
    return domain.Plan(
        change.remediation, change.alert.key, change.account.number, tuple(steps), tuple(change.warnings)
    )


def _writer(account: Account, calls: Iterable[domain.Call]) -> domain.Writer:
    permissions = list(dict.fromkeys(permission for call in calls for permission in call.permissions))
    try:
        return surgery.open_writer(provider_of(account), account.connection, permissions)
    except domain.ConnectionProblem as problem:
        raise ValidationError({problem.field: [problem.message]}) from problem
    except domain.PlanProblem as problem:
        raise ValidationError({"change": [str(problem)]}) from problem


def _begin(actor: Actor, change: Change, state: ChangeState, allowed: Sequence[str], **fields: Any) -> Change:
    """Move a change on under a lock, so that it is applied, or undone, by one person once."""
    with transaction.atomic():
        locked: Change = Change.objects.select_for_update().get(pk=change.pk)
        if locked.state not in allowed:
            message = _("%(change)s is %(state)s already.")
            values = {"change": locked, "state": locked.get_state_display().lower()}
            raise ValidationError({"change": [message % values]})
        locked.state = state
        for name, value in fields.items():
            setattr(locked, name, value)
        locked.save()
        why = fields.get("undo_reason") or fields["reason"]
        action = CHANGE_APPROVED if state == ChangeState.APPLYING else CHANGE_UNDOING
        data = {"title": locked.title, "alert": str(locked.alert)}
        record(actor, action, locked, data, account=locked.account, reason=why)
    return locked


def apply_change(actor: Actor, change: Change, *, digest: str, reason: str) -> Change:
    """Apply exactly the plan that was approved by its digest, then read the resources again and judge them.

    The change ends as *verified* when its findings have closed, *applied* when they have not, *refused* when the cloud
    has changed since the plan (nothing was written then), *failed* when a call failed.

    :raises ValidationError: no reason, another digest, not planned any more, or the account cannot be reached.
    """
    actor.require("change")
    reason = require_reason(reason)
    rows = list(change.steps.all())
    steps = [_to_step(row) for row in rows]
    plan = _plan_of(change, steps)
    if not digest or digest != change.digest or plan.digest != digest:
        raise ValidationError({"digest": [_("This is not the plan that was shown; plan again.")]})
    targets = [each.to_domain() for each in _resources(change)]
    if vetoes := registry().vetoes(plan, targets):
        raise ValidationError({"change": vetoes})
    remediation = _remediation(change.alert, change.remediation)
    writer = _writer(change.account, [step.call for step in steps])
    with closing(_open(change.account)) as session:
        change = _begin(
            actor,
            change,
            ChangeState.APPLYING,
            [ChangeState.PLANNED],
            reason=reason,
            approved_by=actor.user,
            approved_at=timezone.now(),
        )
        try:
            whole = surgery.apply(remediation, steps, session, writer, _Journal(rows))
            if not change.alert.traits.by_rule:
                whole = whole and surgery.holds(remediation, steps, session)
        except surgery.StaleError as stale:
            return _finish(actor, change, ChangeState.REFUSED, str(stale))
        except Exception as problem:
            return _finish(actor, change, ChangeState.FAILED, f"{type(problem).__name__}: {problem}")
    if not whole:
        _look_again(actor, change)
        return _finish(actor, change, ChangeState.FAILED, _("Some calls failed; see the steps."))
    if not change.alert.traits.by_rule:
        # No rule judges a detection: what was changed was read again.
        return _finish(actor, change, ChangeState.VERIFIED, _("Applied and verified."))
    problems, still = _look_again(actor, change), _still_failing(change)
    if problems or still:
        names = ", ".join(still) or ", ".join(problems)
        return _finish(actor, change, ChangeState.APPLIED, _("Applied, but not verified: %s") % names)
    return _finish(actor, change, ChangeState.VERIFIED, _("Applied and verified: the resources now pass."))


def _kept(rows: Sequence[ChangeStep]) -> dict[int, dict[str, Any]]:
    return {row.position: row.kept for row in rows}


class _Journal:
    """Writes down how far the steps of a change are."""

    def __init__(self, rows: Sequence[ChangeStep]) -> None:
        self._rows = rows

    def note(self, position: int, state: str, error: str = "", kept: Mapping[str, Any] | None = None) -> None:
        row = self._rows[position]
        row.state, row.error = StepState(state), error
        row.kept = row.kept if kept is None else dict(kept)
        row.save(update_fields=["state", "error", "kept"])


def _resources(change: Change) -> list[Resource]:
    ids = {row.resource_id for row in change.steps.all()}
    return list(Resource.objects.filter(account=change.account, resource_id__in=ids).select_related("account"))


def _look_again(actor: Actor, change: Change) -> list[str]:
    try:
        wanted = [as_changed(each) for each in _resources(change)]
        return recheck_resources(
            change.account, Actor.of_task("change", change=str(change), by=actor.name), wanted
        ).problems
    except ValidationError as problem:
        return problem.messages


def _still_failing(change: Change) -> list[str]:
    failing = change.alert.findings.filter(failing_since__isnull=False, resource__in=_resources(change))
    return list(failing.values_list("resource__name", flat=True))


@transaction.atomic
def _finish(actor: Actor, change: Change, state: ChangeState, outcome: str) -> Change:
    change.state, change.outcome = state, outcome
    now = timezone.now()
    if state == ChangeState.UNDONE:
        change.undone_at = now
    else:
        change.finished_at = now
    change.save()
    rows = list(change.steps.all())
    back = state == ChangeState.UNDONE
    before, after = [row.before for row in rows], [row.after for row in rows]
    if back:
        before, after = after, before
    record(
        actor,
        _FINISHED[state],
        change,
        {"title": change.title} | ({} if state in _CLEAN else {"outcome": outcome}),
        account=change.account,
        reason=change.undo_reason if back else change.reason,
        before=before,
        after=after,
    )
    return change


_CLEAN = (ChangeState.VERIFIED, ChangeState.UNDONE)
"""States whose outcome says no more than the state."""

_FINISHED = {
    ChangeState.APPLIED: CHANGE_APPLIED,
    ChangeState.VERIFIED: CHANGE_VERIFIED,
    ChangeState.FAILED: CHANGE_FAILED,
    ChangeState.REFUSED: CHANGE_REFUSED,
    ChangeState.UNDONE: CHANGE_UNDONE,
}


def undo_change(actor: Actor, change: Change, *, reason: str) -> Change:
    """Put back what was before, if it is still as the change left it; then read and judge the resources again.

    :raises ValidationError: no reason, it was not applied, somebody changed the resource since, or the account cannot
        be reached.
    """
    actor.require("change")
    reason = require_reason(reason)
    rows = list(change.steps.all())
    steps = [_to_step(row) for row in rows]
    done = [row.position for row in rows if row.state in MADE]
    if change.state not in UNDOABLE or not done:
        raise ValidationError({"change": [_("Nothing of %s was applied, so there is nothing to undo.") % change]})
    remediation = registry().remediations.get(change.remediation)
    if remediation is None:
        raise ValidationError({"change": [_("The plugin that made this change is not enabled any more.")]})
    was = change.state
    writer = _writer(change.account, [call for position in done if (call := steps[position].inverse)])
    with closing(_open(change.account)) as session:
        change = _begin(actor, change, ChangeState.UNDOING, UNDOABLE, undo_reason=reason)
        try:
            whole = surgery.undo(remediation, steps, done, _kept(rows), session, writer, _Journal(rows))
        except Exception as problem:
            Change.objects.filter(pk=change.pk).update(state=was)
            record(
                actor,
                CHANGE_UNDO_REFUSED,
                change,
                {"title": change.title, "outcome": str(problem)},
                account=change.account,
                reason=reason,
            )
            raise ValidationError({"change": [str(problem)]}) from problem
    if change.alert.traits.by_rule:
        _look_again(actor, change)
    if not whole:
        return _finish(actor, change, ChangeState.FAILED, _("Some of it could not be undone; see the steps."))
    return _finish(actor, change, ChangeState.UNDONE, _("Everything is as it was before."))


def close_interrupted() -> int:
    """Call changes failed whose process died while it applied or undid them; what was applied can be undone."""
    over = Change.objects.filter(state__in=[ChangeState.APPLYING, ChangeState.UNDOING])
    stuck = over.filter(moved_at__lt=timezone.now() - INTERRUPTED_AFTER)
    for change in stuck:
        _finish(Actor.system(), change, ChangeState.FAILED, _("It was interrupted; each step says how far it got."))
    return len(stuck)
