"""Planning fixes: reading the live state, and saying what a plan would bring about. Nothing is written to a cloud."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from nephoscope import domain, surgery
from nephoscope.accounts.holding import hold, require_present
from nephoscope.accounts.queries import patience, provider_of
from nephoscope.alerts.models import Alert, Finding, Suppression
from nephoscope.alerts.suppressions import chosen
from nephoscope.audit.actions.changes import CHANGE_PLANNED
from nephoscope.audit.canonical import as_stored
from nephoscope.audit.services import Actor, record
from nephoscope.changes.effects import effects, judging
from nephoscope.changes.models import Change, ChangeSet
from nephoscope.changes.opening import open_session, rehearse
from nephoscope.changes.readiness import require_allowed
from nephoscope.changes.services import remediation_of
from nephoscope.changes.standing import parameters_of
from nephoscope.changes.stored import save_steps
from nephoscope.domain.reasons import in_short
from nephoscope.judging.services import Judge
from nephoscope.plugins import registry


@dataclass(frozen=True, slots=True)
class Draft:
    """A plan that is not stored yet. ``names`` are those of its resources, by id."""

    alert: Alert
    remediation: domain.Remediation
    plan: domain.Plan
    names: dict[str, str]
    parameters: Mapping[str, domain.Value]
    closes: list[dict[str, object]]
    proven: tuple[domain.Permission, ...] = ()


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
    planner = Planner(actor, alert, remediation_id, inputs)
    failing = chosen(alert, findings)
    if len(failing) > settings.NEPHOSCOPE_MAX_RESOURCES_PER_PLAN:
        message = _("One plan may touch at most %(most)s resources; choose fewer, or plan a bulk change.")
        raise ValidationError({"findings": [message % {"most": settings.NEPHOSCOPE_MAX_RESOURCES_PER_PLAN}]})
    deadline = deadline or patience()
    requests = [planner.request(each) for each in failing]
    with closing(open_session(alert.account, deadline)) as session:
        draft = planner.draft(planner.read(requests, session), failing)
    # Nobody should approve what could not be applied: the role must be there, and the permissions fit its session.
    return replace(draft, proven=rehearse(alert.account, planner.remediation, draft.plan.steps, deadline))


class Planner:
    """Plans one fix for resources of one alert; what all of them share is read once.

    Only :meth:`read` calls the cloud, and it does nothing else: it may run in several threads.
    """

    def __init__(
        self, actor: Actor, alert: Alert, remediation_id: str, inputs: Mapping[str, str] | None = None
    ) -> None:
        actor.require("change")
        require_present(alert.account)
        self.alert, self.remediation = alert, remediation_of(alert, remediation_id)
        require_allowed(alert.account, self.remediation)
        self.inputs = completed_inputs(self.remediation, inputs or {})
        self._judge, self._parameters = Judge(alert.account, actor), parameters_of(alert)
        self._by_rule = judging(self._judge, alert.rule) if alert.rule else None
        self._provider = provider_of(alert.account)
        self._tags: dict[str, Mapping[str, str]] = {}

    def request(self, finding: Finding) -> domain.FixRequest:
        """Return what the remediation is asked to fix."""
        evidence = tuple(domain.Evidence(**each) for each in finding.evidence)
        resource, id = finding.resource.to_domain(), finding.rule_id if self.alert.rule else ""
        return domain.FixRequest(resource, id, finding.message, evidence, self._parameters, self.inputs, self._by_rule)

    def read(self, requests: Sequence[domain.FixRequest], session: domain.LiveSession) -> domain.Plan:
        """Read what is there and plan; raises ValidationError."""
        key, number = self.alert.key, self.alert.account.number
        requests = self._tagged(requests, session)
        try:
            return surgery.make_plan(self.remediation, key, number, requests, session, self._provider)
        except domain.PlanProblem as problem:
            raise ValidationError({"findings": [str(problem)]}) from problem
        except Exception as problem:
            raise ValidationError({"findings": [_("The plan could not be made: %s") % in_short(problem)]}) from problem

    def _tagged(self, requests: Sequence[domain.FixRequest], session: domain.LiveSession) -> list[domain.FixRequest]:
        """Return the requests with the resources' tags as they are now; raises ValidationError.

        What must not be touched, and who else manages it, is said by tags.
        """
        resources = [each.resource for each in requests]
        try:
            tags = self._provider.writing.tags(resources, session) if self._provider.writing else {}
        except Exception as problem:
            message = _("The tags could not be read, which say what must not be fixed: %s") % in_short(problem)
            raise ValidationError({"findings": [message]}) from problem
        self._tags |= tags
        return [replace(each, resource=self._with_tags(each.resource)) for each in requests]

    def _with_tags(self, resource: domain.Resource) -> domain.Resource:
        return replace(resource, tags={**resource.tags, **self._tags.get(resource.id, {})})

    def manager_of(self, finding: Finding) -> str:
        """Return which stack or tool manages the resource, by its tags as they were last read; nothing if none does."""
        writing, resource = self._provider.writing, self._with_tags(finding.resource.to_domain())
        return writing.managed_by(resource) if writing else ""

    def draft(self, plan: domain.Plan, findings: Sequence[Finding]) -> Draft:
        """Say what a plan brings about; raises ValidationError where a plugin vetoes it."""
        closes, left = effects(self._judge, self.alert, self.remediation, plan, findings)
        plan = replace(plan, warnings=(*plan.warnings, *left))
        resources = [self._with_tags(each.resource.to_domain()) for each in findings]
        if vetoes := registry().vetoes(plan, resources):
            raise ValidationError({"findings": vetoes})
        names = {each.resource.resource_id: each.resource.name for each in findings}
        return Draft(self.alert, self.remediation, plan, names, self._parameters, closes)


def completed_inputs(remediation: domain.Remediation, inputs: Mapping[str, str]) -> dict[str, str]:
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


@transaction.atomic
def save_draft(
    actor: Actor, draft: Draft, suppression: Suppression | None = None, change_set: ChangeSet | None = None
) -> Change:
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
        change_set=change_set,
        planned_by=actor.user,
    )
    save_steps(change, plan, draft.names)
    record(actor, CHANGE_PLANNED, change, {"title": change.title, "alert": str(alert)}, account=alert.account)
    return change
