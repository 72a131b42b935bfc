"""Retention is never made shorter, and is raised to what AWS offers."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.fixes.buckets import ACCOUNT
from tests.fixes.planning import BY_ID, refused

from nephoscope.domain import FixRequest, LiveSession, Resource
from nephoscope_aws_simulator.testing import Cloud

FIX = "aws.logs.extend_retention"
RULE = "aws.logs.retention"


def group(simulator: Cloud, name: str, days: int | None) -> Resource:
    logs = simulator.client("logs")
    logs.create_log_group(logGroupName=name)
    if days:
        logs.put_retention_policy(logGroupName=name, retentionInDays=days)
    return Resource(
        "AWS::Logs::LogGroup", f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:{name}", name, "us-east-1", ACCOUNT, {}
    )


@pytest.mark.parametrize("days", [None, 365, 731])
def test_what_is_kept_long_enough_is_left_alone(simulator: Cloud, session: LiveSession, days: int | None) -> None:
    assert "long enough already" in refused(session, FIX, group(simulator, f"/kept/{days}", days), RULE)


def test_a_group_that_is_gone_is_not_taken_for_one_whose_name_begins_alike(
    simulator: Cloud, session: LiveSession
) -> None:
    longer = group(simulator, "/gone/but-this", 30)
    gone = replace(longer, name="/gone", id=longer.id.removesuffix("/but-this"))
    assert "does not exist any more" in refused(session, FIX, gone, RULE)


@pytest.mark.parametrize(("asked", "kept"), [(365, 365), (370, 400), (3653, 3653)])
def test_the_next_period_that_aws_offers_is_taken(
    simulator: Cloud, session: LiveSession, asked: int, kept: int
) -> None:
    resource = group(simulator, f"/asked/{asked}", 30)
    (step,) = BY_ID[FIX].plan(FixRequest(resource, RULE, parameters={"days": asked}), session)
    assert step.after == {"retentionInDays": kept}
