"""What a fix says of a resource for which it cannot plan."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
from tests.fixes.buckets import PROVIDER
from tests.fixes.rounds.round import Made
from tests.fixes.test_meta import REGISTRY

from nephoscope import engine, surgery
from nephoscope.domain import Finding, FixRequest, LiveSession, Plan, PlanProblem, Resource, completed


def planned(session: LiveSession, fix: str, rule: str, made: Made, inputs: Mapping[str, str] | None = None) -> Plan:
    """Plan a fix for a resource as a scan reads it, or as it is named where it is gone."""
    known, remediation = REGISTRY.rules[rule], REGISTRY.remediations[fix]

    def judge(resource: Resource) -> Finding:
        none = engine.Neighbours(lambda type: [])
        return engine.judge(known, resource, now=datetime.now(UTC), neighbours=none, defaults=PROVIDER.defaults)

    given = completed(remediation.inputs, inputs or {})
    resource = session.reread(made.resource) or made.resource
    request = FixRequest(resource, rule, parameters=known.defaults, inputs=given, judge=judge)
    return surgery.make_plan(remediation, rule, resource.account, [request], session, PROVIDER)


def refused(session: LiveSession, fix: str, rule: str, made: Made, inputs: Mapping[str, str] | None = None) -> str:
    """Return why a fix is not planned, less the name of the resource."""
    with pytest.raises(PlanProblem) as problem:
        planned(session, fix, rule, made, inputs)
    return str(problem.value).partition(" is left out: ")[2]
