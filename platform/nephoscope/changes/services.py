"""Planning changes, approving them, asking for their undo. A worker does them: :mod:`nephoscope.changes.applying`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from functools import partial

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from nephoscope import domain, surgery
from nephoscope.accounts.holding import hold, require_present
from nephoscope.accounts.queries import patience, provider_of
from nephoscope.alerts.models import Alert, Finding, Suppression
from nephoscope.alerts.suppressions import chosen
from nephoscope.audit.actions.changes import (
    CHANGE_APPLIED,
    CHANGE_APPROVED,
    CHANGE_FAILED,
    CHANGE_PLANNED,
    CHANGE_REFUSED,
    CHANGE_UNDO_REQUESTED,
    CHANGE_UNDONE,
    CHANGE_VERIFIED,
    Outcome,
)
from nephoscope.audit.canonical import as_stored
from nephoscope.audit.services import Actor, record, require_reason
from nephoscope.changes.effects import effects, judging
from nephoscope.changes.models import MADE, UNDER_WAY, UNDOABLE, Change, ChangeState
from nephoscope.changes.offers import fixes_of
from nephoscope.changes.opening import open_session, rehearse
from nephoscope.changes.readiness import no_fix_role
from nephoscope.changes.standing import parameters_of, require_standing
from nephoscope.changes.stored import save_steps, to_plan, to_steps
from nephoscope.domain.reasons import in_short
from nephoscope.inventory.models import Resource
from nephoscope.judging.services import Judge
from nephoscope.plugins import registry
from nephoscope.queue.dispatch import dispatch

# -- Planning --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Draft:
    """A plan that is not stored yet. ``names`` are those of its resources, by id."""

    alert: Alert
    remediation: domain.Remediation
    plan: domain.Plan
    names: dict[str, str]
    parameters: Mapping[str, domain.Value]
    closes: list[dict[str, object]]
    proven: tuple[domain.Permission, ...]


def plan_change(
    actor: Actor,
    alert: Alert,
    findings: Iterable[Finding],
    remediation_id: str,
    inputs: Mapping[str, str] | None = None,
) -> Change:
    """Read the live state of the chosen resources and plan their fix; nothing is written to the cloud.

    :param inputs: what the person entered for the fix's ``inputs``.
    :raises ValidationError: nothing chosen, too many resources, an unknown fix, an input that is missing or unknown, an
        account that was removed or has no fix role, a veto, or nothing to do; names the field.
    """
    return save_draft(actor, draft_change(actor, alert, findings, remediation_id, inputs))


def draft_change(
    actor: Actor,
    alert: Alert,
    findings: Iterable[Finding],
    remediation_id: str,
    inputs: Mapping[str, str] | None = None,
    *,
    deadline: domain.Deadline | None = None,
) -> Draft:
    """Do what :func:`plan_change` does, and store nothing.

    :param deadline: of the person who waits for it; by default it begins now.
    """
    actor.require("change")
    require_present(alert.account)
    remediation = remediation_of(alert, remediation_id)
    given = _completed(remediation, inputs or {})
    if not alert.account.writing_verified_at:
        raise ValidationError({"account": [no_fix_role(alert.account)]})
    failing = chosen(alert, findings)
    if len(failing) > settings.NEPHOSCOPE_MAX_RESOURCES_PER_PLAN:
        message = _("One plan may touch at most %(most)s resources; choose fewer.")
        raise ValidationError({"findings": [message % {"most": settings.NEPHOSCOPE_MAX_RESOURCES_PER_PLAN}]})
    judge, parameters = Judge(alert.account, actor), parameters_of(alert)
    by_rule = judging(judge, alert.rule) if alert.rule else None
    requests = [_request(alert, each, given, parameters, by_rule) for each in failing]
    deadline = deadline or patience()
    plan = _read_and_plan(alert, remediation, requests, deadline)
    closes, left = effects(judge, alert, remediation, plan, failing)
    plan = replace(plan, warnings=(*plan.warnings, *left))
    if vetoes := registry().vetoes(plan, [each.resource for each in requests]):
        raise ValidationError({"findings": vetoes})
    # Nobody should approve what could not be applied: the role must be there, and the permissions fit its session.
    proven = rehearse(alert.account, plan.steps, deadline)
    names = {each.resource.resource_id: each.resource.name for each in failing}
    return Draft(alert, remediation, plan, names, requests[0].parameters, closes, proven)


def _completed(remediation: domain.Remediation, inputs: Mapping[str, str]) -> dict[str, str]:
    """Return a value for each of the fix's inputs."""
    known = {each.name: each for each in remediation.inputs}
    errors = {name: [_("This fix does not ask for “%s”.") % name] for name in inputs if name not in known}
    given = domain.completed(remediation.inputs, inputs)
    errors |= {
        name: [_("%s is missing.") % known[name].label] for name in known if not given[name] and known[name].required
    }
    if errors:
        raise ValidationError(errors)
    return given


def _request(
    alert: Alert,
    finding: Finding,
    inputs: Mapping[str, str],
    parameters: Mapping[str, domain.Value],
    judge: Callable[[domain.Resource], domain.Finding] | None,
) -> domain.FixRequest:
    """Return what the remediation is asked to fix."""
    evidence = tuple(domain.Evidence(**each) for each in finding.evidence)
    resource, id = finding.resource.to_domain(), finding.rule_id if alert.rule else ""
    return domain.FixRequest(resource, id, finding.message, evidence, parameters, inputs, judge)


def _read_and_plan(
    alert: Alert, remediation: domain.Remediation, requests: Sequence[domain.FixRequest], deadline: domain.Deadline
) -> domain.Plan:
    account = alert.account
    with closing(open_session(account, deadline)) as session:
        try:
            return surgery.make_plan(remediation, alert.key, account.number, requests, session, provider_of(account))
        except domain.PlanProblem as problem:
            raise ValidationError({"findings": [str(problem)]}) from problem
        except Exception as problem:
            raise ValidationError({"findings": [_("The plan could not be made: %s") % in_short(problem)]}) from problem


@transaction.atomic
def save_draft(actor: Actor, draft: Draft, suppression: Suppression | None = None) -> Change:
    """Store a plan, for somebody to approve; ``suppression`` is what it archives for.

    :raises ValidationError: the account was removed meanwhile.
    """
    alert, plan = draft.alert, draft.plan
    hold(alert.account)
    change = Change.objects.create(
        account=alert.account,
        alert=alert,
        remediation=draft.remediation.id,
        title=draft.remediation.title,
        digest=plan.digest,
        inputs=dict(plan.inputs),
        warnings=list(plan.warnings),
        permissions=[asdict(each) for each in plan.permissions],
        parameters=as_stored(dict(draft.parameters)),
        uses=list(plan.uses),
        closes=draft.closes,
        proven=[each.action for each in draft.proven],
        suppression=suppression,
        planned_by=actor.user,
    )
    save_steps(change, plan, draft.names)
    record(actor, CHANGE_PLANNED, change, {"title": change.title, "alert": str(alert)}, account=alert.account)
    return change


# -- Approving and undoing -------------------------------------------------------------------------


@transaction.atomic
def approve_change(actor: Actor, change: Change, *, digest: str, reason: str) -> Change:
    """Approve the plan that was shown, by its digest, and put it into the queue. Reaches no cloud.

    :raises ValidationError: no reason, another digest, a veto, it has expired, it does not wait for approval any more,
        what it was planned for no longer holds, or its account was removed.
    """
    actor.require("change")
    reason = require_reason(reason)
    hold(change.account)
    change = locked(change)
    require_planned(change)
    if change.expired:
        raise ValidationError({"change": [_("%s has expired. Plan again.") % change]})
    if digest != change.digest:
        raise ValidationError({"digest": [_("The plan has changed since it was shown. Plan again.")]})
    remediation_of(change.alert, change.remediation)
    require_standing(change)
    require_as_planned(change, to_steps(change.steps.all()))
    change.approved_by, change.approved_at, change.reason = actor.user, timezone.now(), reason
    _put_into_queue(change, ChangeState.APPROVED)
    data = {"title": change.title, "alert": str(change.alert)}
    record(actor, CHANGE_APPROVED, change, data, account=change.account, reason=reason)
    return change


def require_planned(change: Change) -> None:
    """Raise ValidationError, which says what to do, unless it is a plan that waits for approval."""
    if change.state == ChangeState.PLANNED:
        return
    approved = _("%s was approved already.") if change.approved_at else _("%s was refused; plan again.")
    said = {
        ChangeState.DISCARDED: _("%s was discarded. Plan again."),
        ChangeState.EXPIRED: _("%s has expired. Plan again."),
    }.get(ChangeState(change.state), approved)
    raise ValidationError({"change": [said % change]})


def request_undo(actor: Actor, change: Change, *, reason: str) -> Change:
    """Have a worker put back what was before; one that is still queued is withdrawn at once. Reaches no cloud.

    :raises ValidationError: no reason, nothing was applied, it cannot be undone, a worker is at it, or its account was
        removed.
    """
    actor.require("change")
    reason = require_reason(reason)
    end_if_interrupted(change)
    return _request_undo(actor, change, reason)


@transaction.atomic
def _request_undo(actor: Actor, change: Change, reason: str) -> Change:
    hold(change.account)
    change = locked(change)
    change.undo_by, change.undo_requested_at, change.undo_reason = actor.user, timezone.now(), reason
    if change.state == ChangeState.APPROVED:
        return finish(actor, change, ChangeState.UNDONE, Outcome.WITHDRAWN)
    _require_undoable(change)
    change.before_undo = change.state
    _put_into_queue(change, ChangeState.UNDO_QUEUED)
    data = {"title": change.title, "alert": str(change.alert)}
    record(actor, CHANGE_UNDO_REQUESTED, change, data, account=change.account, reason=reason)
    return change


@transaction.atomic
def end_if_interrupted(change: Change) -> None:
    """End a change whose worker stopped, so that it makes no further call, and what it made can be undone."""
    hold(change.account)
    change = locked(change)
    if change.state in UNDER_WAY and not change.held:
        interrupt(change)


def interrupt(change: Change) -> None:
    """End a locked change whose worker stopped. A last call of it may land until ``quiet_at``."""
    if change.held_until and (writing := provider_of(change.account).writing):
        change.quiet_at = change.held_until + timedelta(seconds=writing.longest_call)
    finish(Actor.system(), change, ChangeState.FAILED, Outcome.INTERRUPTED)


def locked(change: Change) -> Change:
    """Return the change as it is now, for nobody else to write until the end of the transaction.

    Who holds its account as well does so before.
    """
    found: Change = Change.objects.select_for_update(of=("self",)).select_related("account", "alert").get(pk=change.pk)
    return found


def _put_into_queue(change: Change, state: ChangeState) -> None:
    change.state, change.queued_at = state, timezone.now()
    change.save()
    transaction.on_commit(partial(wake, change))


def wake(change: Change) -> None:
    """Ask the queue for a worker; one that finds nothing to do ends at once."""
    dispatch("work_on_change", change.pk, name=f"change {change.pk}")


def can_undo(change: Change) -> bool:
    """Whether something of it was applied, or may have been, and all of that can be put back."""
    if change.state == ChangeState.APPROVED:
        return True
    made = [step for step in change.steps.all() if step.state in MADE]
    ended = change.state in UNDOABLE or (change.state in UNDER_WAY and not change.held)
    return ended and bool(made) and all(step.inverse for step in made)


def _require_undoable(change: Change) -> None:
    if change.under_way and change.held_until:
        said = _("%(change)s is in progress; wait until it finishes. If its worker stopped, undo it after %(time)s.")
        time = timezone.localtime(change.held_until).strftime("%H:%M:%S %Z")
        raise ValidationError({"change": [said % {"change": change, "time": time}]})
    if change.state in (*UNDER_WAY, ChangeState.UNDO_QUEUED):
        raise ValidationError({"change": [_("%s is in progress; wait until it finishes.") % change]})
    if change.state not in UNDOABLE or not change.steps.filter(state__in=MADE).exists():
        raise ValidationError({"change": [_("Nothing to undo: %s was not applied.") % change]})
    if not can_undo(change):
        raise ValidationError({"change": [_("%s cannot be undone.") % change]})
    if change.remediation not in registry().remediations:
        raise ValidationError({"change": [_("The plugin that made this change is no longer enabled.")]})


@transaction.atomic
def finish(actor: Actor, change: Change, state: ChangeState, outcome: Outcome, problem: str = "") -> Change:
    """Write down how a change ended, and let go of it."""
    change.state = state
    change.let_go()
    change.outcome = str(outcome.label % {"problem": problem})
    back = state == ChangeState.UNDONE
    if back:
        change.undone_at = timezone.now()
    else:
        change.finished_at = timezone.now()
    change.save()
    rows = list(change.steps.all())
    before, after = [row.before for row in rows], [row.after for row in rows]
    record(
        actor,
        _FINISHED[state],
        change,
        {
            "title": change.title,
            "outcome": outcome.value,
            "problem": problem,
            "approved_by": str(change.approved_by or ""),
            **({"approved_for": change.reason, "requested_by": str(change.undo_by or "")} if back else {}),
        },
        account=change.account,
        reason=change.undo_reason if back else change.reason,
        before=after if back else before,
        after=before if back else after,
    )
    return change


_FINISHED = {
    ChangeState.APPLIED: CHANGE_APPLIED,
    ChangeState.VERIFIED: CHANGE_VERIFIED,
    ChangeState.FAILED: CHANGE_FAILED,
    ChangeState.REFUSED: CHANGE_REFUSED,
    ChangeState.UNDONE: CHANGE_UNDONE,
}


# -- What planning and applying share --------------------------------------------------------------


def remediation_of(alert: Alert, id: str) -> domain.Remediation:
    """Return a fix of an alert; raises ValidationError when it is none, or its plugin is not enabled."""
    if id not in fixes_of(alert) or id not in registry().remediations:
        raise ValidationError({"remediation": [_("“%s” is not a fix for this alert.") % id]})
    return registry().remediations[id]


def require_as_planned(change: Change, steps: Sequence[domain.Step]) -> None:
    """Raise ValidationError unless what is stored is the plan of the digest, and no plugin vetoes it now."""
    plan = to_plan(change, steps)
    if plan.digest != change.digest:
        raise ValidationError({"digest": [_("The plan has changed since it was shown. Plan again.")]})
    if vetoes := registry().vetoes(plan, [each.to_domain() for each in resources_of(change)]):
        raise ValidationError({"change": vetoes})


def resources_of(change: Change) -> list[Resource]:
    """Return the stored resources that a change is about."""
    ids = {row.resource_id for row in change.steps.all()}
    return list(Resource.objects.filter(account=change.account, resource_id__in=ids).select_related("account"))
