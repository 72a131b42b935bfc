"""Every fix goes round: plan, apply, verify, undo, with just the permissions that it declares."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime

import pytest
from tests.fixes.buckets import CONNECTION, PROVIDER
from tests.fixes.rounds.round import Made, Round, every_round
from tests.fixes.test_meta import FIXES, REGISTRY

from nephoscope import engine, surgery
from nephoscope.domain import Finding, FixRequest, LiveSession, Plan, Remediation, Resource, Verdict, Writer, completed
from nephoscope.testing import Notes
from nephoscope_aws_simulator.testing import Cloud

BY_FIX: dict[str, list[Round]] = defaultdict(list)
for _round in every_round():
    BY_FIX[_round.fix].append(_round)

TRIED_ELSEWHERE = {"aws.guardduty.archive", "aws.iam.contain", "aws.s3.remove_public_access"}
"""Fixes with a test module of their own: what they change has more sides than a round."""

CLOSED = (Verdict.PASS, Verdict.NOT_APPLICABLE)
"""What closes a finding: an inactive access key, for one, is not judged by its age."""

READING = ("Get", "List", "Describe", "Head", "Lookup", "BatchGet")


def test_every_fix_has_a_round() -> None:
    assert {fix.id for fix in FIXES} - TRIED_ELSEWHERE == set(BY_FIX)


@pytest.mark.parametrize("fix", [fix for fix in FIXES if fix.id in BY_FIX], ids=lambda fix: fix.id)
def test_a_fix_is_planned_applied_verified_and_undone_with_what_it_declares(
    simulator: Cloud, session: LiveSession, fix: Remediation
) -> None:
    used, dependent = set[str](), set[str]()
    for each in BY_FIX[fix.id]:
        used |= _round_trip(simulator, session, fix, each)
        dependent |= set(each.dependent)
    assert used | dependent == set(fix.writes), "it declares what is really called, and no more"


def _round_trip(simulator: Cloud, session: LiveSession, fix: Remediation, each: Round) -> set[str]:
    """Go round; return the actions that were used to change something."""
    made = each.make(simulator)
    before, beside = made.state(), made.beside()
    first = _judged(session, each.rule, made)
    assert first.verdict == Verdict.FAIL, first.message
    plan = _planned(session, fix, each, first)
    assert set(plan.resources) == {made.id}
    assert {one.action for one in plan.permissions} <= set(fix.writes)
    assert fix.loses != "" or (plan.reversible and not plan.losses), "the catalogue says that all of it comes back"
    projected = fix.project(first.resource, plan.steps)
    assert projected is None or _verdict(session, each.rule, projected).verdict in CLOSED, "as it will be"

    simulator.control("calls/reset", {})
    with _writer(plan) as writer:
        surgery.rehearse(plan.steps, writer)
        assert made.state() == before, "nothing was changed by planning"
        notes = Notes()
        assert surgery.apply(fix, plan.steps, session, writer, notes), notes
        assert surgery.holds(fix, plan.steps, notes.kept, session, notes)
        if done := session.reread(made.resource):
            assert _verdict(session, each.rule, done).verdict in CLOSED
        else:
            assert made.id_now, "only what is made again with another id was deleted"
        assert made.beside() == beside
        if plan.reversible:
            positions = range(len(plan.steps))
            assert surgery.undo(fix, plan.steps, positions, notes.kept, session, writer, notes), notes
            assert made.state() == (before if each.restored is None else each.restored)
            assert _judged(session, each.rule, made).verdict == Verdict.FAIL
    assert made.beside() == beside
    actions = simulator.control("calls")["actions"]
    return {action for action in actions if not action.partition(":")[2].startswith(READING)} - {"sts:AssumeRole"}


def _planned(session: LiveSession, fix: Remediation, each: Round, finding: Finding) -> Plan:
    inputs = completed(fix.inputs, each.inputs)
    parameters = REGISTRY.rules[each.rule].defaults

    def judge(resource: Resource) -> Finding:
        return _verdict(session, each.rule, resource)

    request = FixRequest(finding.resource, each.rule, finding.message, finding.evidence, parameters, inputs, judge)
    plan = surgery.make_plan(fix, each.rule, finding.resource.account, [request], session, PROVIDER)
    again = surgery.make_plan(fix, each.rule, finding.resource.account, [request], session, PROVIDER)
    assert plan.digest == again.digest, "planned twice, it is the same plan"
    assert not any("could not be read" in use for use in plan.uses), plan.uses
    return plan


@contextmanager
def _writer(plan: Plan) -> Iterator[Writer]:
    """The role for fixes, held to what the plan declares."""
    with closing(surgery.open_writer(PROVIDER, CONNECTION, plan.permissions)) as writer:
        yield writer


def _judged(session: LiveSession, rule: str, made: Made) -> Finding:
    resource = session.reread(made.resource)
    assert resource, f"{made.id} does not exist"
    return _verdict(session, rule, resource)


def _verdict(session: LiveSession, rule: str, resource: Resource) -> Finding:
    known = REGISTRY.rules[rule]
    neighbours = engine.Neighbours(lambda type: _all(session, type, resource.region))
    return engine.judge(known, resource, now=datetime.now(UTC), neighbours=neighbours, defaults=PROVIDER.defaults)


def _all(session: LiveSession, type: str, region: str) -> list[Resource]:
    service = next(each for each in PROVIDER.services if type in each.types)
    found = session.collect(service.id, region if service.regional else "global")
    return [each for each in found if each.type == type]
