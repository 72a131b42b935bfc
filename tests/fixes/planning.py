"""Planning one fix for one resource as it is now, and what it says where it is refused."""

from __future__ import annotations

import pytest
from tests.fixes.buckets import ACCOUNT, PROVIDER
from tests.fixes.test_meta import FIXES, REGISTRY

from nephoscope import surgery
from nephoscope.domain import FixRequest, LiveSession, Plan, PlanProblem, Resource, completed

BY_ID = {fix.id: fix for fix in FIXES}


def planned(session: LiveSession, fix: str, resource: Resource, rule: str = "", **inputs: str) -> Plan:
    """Plan as the platform does, with the parameters that the rule has by default."""
    remediation = BY_ID[fix]
    parameters = REGISTRY.rules[rule].defaults if rule else {}
    request = FixRequest(resource, rule, parameters=parameters, inputs=completed(remediation.inputs, inputs))
    return surgery.make_plan(remediation, rule, ACCOUNT, [request], session, PROVIDER)


def refused(session: LiveSession, fix: str, resource: Resource, rule: str = "", **inputs: str) -> str:
    """Return why it is not planned."""
    with pytest.raises(PlanProblem) as caught:
        planned(session, fix, resource, rule, **inputs)
    return str(caught.value)
