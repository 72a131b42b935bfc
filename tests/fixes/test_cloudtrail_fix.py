"""Trails that are not changed: another account's, with a key or role that CloudTrail may not use, or one of several."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.fixes.buckets import ACCOUNT, ROOT
from tests.fixes.planning import planned, refused
from tests.fixes.rounds import cloudtrail as rounds

from nephoscope.domain import LiveSession, Resource
from nephoscope_aws_simulator.testing import Cloud

ALL_REGIONS = "aws.cloudtrail.extend_to_all_regions"
OF_ACCOUNT = Resource("AWS::::Account", ROOT, ACCOUNT, "global", ACCOUNT, {})


@pytest.fixture(scope="module")
def trail(simulator: Cloud) -> Resource:
    return rounds.made(rounds.trails(simulator, "refused"), "refused").resource


def test_a_trail_of_the_organization_is_changed_in_its_own_account(trail: Resource, session: LiveSession) -> None:
    theirs = replace(trail, id=trail.id.replace(ACCOUNT, "210987654321"))
    assert "belongs to account 210987654321" in refused(session, "aws.cloudtrail.validate_files", theirs)


def test_a_trail_that_is_gone_is_refused(trail: Resource, session: LiveSession) -> None:
    gone = replace(trail, id=trail.id + "-gone")
    assert "does not exist any more" in refused(session, "aws.cloudtrail.validate_files", gone)


def test_a_key_that_cloudtrail_may_not_use_is_refused(trail: Resource, session: LiveSession, simulator: Cloud) -> None:
    key = simulator.client("kms").create_key()["KeyMetadata"]["Arn"]
    why = refused(session, "aws.cloudtrail.encrypt", trail, kms_key=key)
    assert "does not let CloudTrail (cloudtrail.amazonaws.com) use it" in why


@pytest.mark.parametrize(
    ("log_group", "role", "why"),
    [
        ("nothing", "nephoscope-read", "there is no log group nothing in us-east-1"),
        ("refused", "nobody", "there is no role nobody"),
        ("refused", "nephoscope-read", "the role nephoscope-read does not let CloudTrail"),
    ],
)
def test_a_log_group_or_role_that_does_not_fit_is_refused(
    trail: Resource, session: LiveSession, simulator: Cloud, log_group: str, role: str, why: str
) -> None:
    logs = simulator.client("logs")
    if not logs.describe_log_groups(logGroupNamePrefix="refused")["logGroups"]:
        logs.create_log_group(logGroupName="refused")
    assert why in refused(session, "aws.cloudtrail.send_to_logs", trail, log_group=log_group, role=role)


def test_which_of_several_trails_is_meant_has_to_be_said(
    trail: Resource, session: LiveSession, simulator: Cloud
) -> None:
    assert "name the trail to change: refused, refused-beside" in refused(session, ALL_REGIONS, OF_ACCOUNT)
    assert "nobody is no trail that logs" in refused(session, ALL_REGIONS, OF_ACCOUNT, trail="nobody")
    (step,) = planned(session, ALL_REGIONS, OF_ACCOUNT, trail="refused").steps
    assert step.call.body["parameters"]["Name"] == trail.id


def test_a_trail_that_leaves_out_management_events_is_not_extended(
    trail: Resource, session: LiveSession, simulator: Cloud
) -> None:
    rounds.trails(simulator, "partly")
    selector = {"ReadWriteType": "WriteOnly", "IncludeManagementEvents": True, "DataResources": []}
    simulator.client("cloudtrail").put_event_selectors(TrailName="partly", EventSelectors=[selector])
    assert "partly is no trail that logs all" in refused(session, ALL_REGIONS, OF_ACCOUNT, trail="partly")
