"""What else a plan brings about: the other findings that it resolves, and what still fails once it is applied."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass

from django.utils import timezone
from django.utils.translation import gettext as _

from nephoscope import domain, engine
from nephoscope.alerts.models import Alert, Finding
from nephoscope.domain import Verdict
from nephoscope.domain.reasons import in_short
from nephoscope.judging.services import Judge
from nephoscope.policies.queries import EffectiveRule


@dataclass(frozen=True, slots=True)
class Closed:
    """A finding of another rule that passes, or applies no more, once the plan is applied."""

    alert: int | None
    rule: str
    title: str
    resource: str


def effects(
    judge: Judge, alert: Alert, remediation: domain.Remediation, plan: domain.Plan, findings: Iterable[Finding]
) -> tuple[list[dict[str, object]], list[str]]:
    """Judge the resources as they will be; return what else closes, as it is stored, and warnings of what does not."""
    closed, left = list[Closed](), list[str]()
    for finding in findings:
        try:
            after = _projected(remediation, plan, finding)
        except Exception as problem:
            left.append(_("%(name)s: what else this closes is not known (%(why)s).") % _named(finding, problem))
            continue
        if after is None:
            continue
        for other, verdict in _judged(judge, after, finding):
            if other.alert_id == alert.pk and verdict.verdict == Verdict.FAIL:
                left.append(
                    _("%(name)s will still fail: %(why)s")
                    % {"name": finding.resource.name, "why": verdict.message or verdict.rule.title}
                )
            elif other.alert_id != alert.pk and verdict.verdict in (Verdict.PASS, Verdict.NOT_APPLICABLE):
                closed.append(Closed(other.alert_id, other.rule_id, verdict.rule.title, finding.resource.name))
    return [asdict(each) for each in closed], left


def _named(finding: Finding, problem: Exception) -> dict[str, str]:
    return {"name": finding.resource.name, "why": in_short(problem)}


def _projected(remediation: domain.Remediation, plan: domain.Plan, finding: Finding) -> domain.Resource | None:
    steps: Sequence[domain.Step] = [step for step in plan.steps if step.resource == finding.resource.resource_id]
    return remediation.project(finding.resource.to_domain(), steps) if steps else None


def _judged(judge: Judge, after: domain.Resource, finding: Finding) -> Iterator[tuple[Finding, domain.Finding]]:
    """Judge a resource as it will be by every rule that it fails today."""
    failing = Finding.objects.filter(resource=finding.resource, failing_since__isnull=False).exclude(alert=None)
    rules = {each.rule.id: each for each in judge.rules.get(after.type, ())}
    for other in failing:
        if effective := rules.get(other.rule_id):
            yield other, _judge(judge, effective, after)


def judging(judge: Judge, rule: domain.Rule) -> Callable[[domain.Resource], domain.Finding]:
    """Return what judges a resource as it would be by a rule as it is set; it may be called from other threads."""
    effective = judge.effective.rule(rule)
    for type in rule.needs:
        judge.neighbours.all(type)
    return lambda resource: _judge(judge, effective, resource)


def _judge(judge: Judge, effective: EffectiveRule, resource: domain.Resource) -> domain.Finding:
    return engine.judge(
        effective.rule,
        resource,
        now=timezone.now(),
        neighbours=judge.neighbours,
        defaults=judge.defaults,
        parameters=effective.parameters,
    )
