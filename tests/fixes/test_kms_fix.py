"""KMS keys that are left alone, and a deletion that is put back no sooner than it was."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.fixes.planning import planned, refused
from tests.fixes.rounds import kms as rounds

from nephoscope.domain import LiveSession
from nephoscope_aws_simulator.testing import Cloud


@pytest.mark.parametrize(
    ("fix", "why"),
    [
        ("aws.kms.enable_rotation", "it is so already"),
        ("aws.kms.cancel_deletion", "its deletion is not scheduled any more"),
    ],
)
def test_a_key_that_is_right_already_is_left_alone(simulator: Cloud, session: LiveSession, fix: str, why: str) -> None:
    made = rounds.without_rotation(simulator)
    simulator.client("kms").enable_key_rotation(KeyId=made.id, RotationPeriodInDays=200)
    assert why in refused(session, fix, made.resource)


def test_a_replica_rotates_with_its_primary_key(simulator: Cloud, session: LiveSession) -> None:
    primary = simulator.client("kms").create_key(MultiRegion=True)["KeyMetadata"]["Arn"]
    simulator.client("kms").replicate_key(KeyId=primary.rpartition("/")[2], ReplicaRegion="eu-west-1")
    replica = replace(
        rounds.without_rotation(simulator).resource, id=primary.replace("us-east-1", "eu-west-1"), region="eu-west-1"
    )
    assert f"turn on rotation of its primary key {primary}" in refused(session, "aws.kms.enable_rotation", replica)
    of_primary = replace(replica, id=primary, region="us-east-1")
    assert planned(session, "aws.kms.enable_rotation", of_primary).reversible


@pytest.mark.parametrize(("days", "window"), [(7, 7), (20, 20), (30, 30)])
def test_an_undone_deletion_waits_no_shorter_than_was_left(
    simulator: Cloud, session: LiveSession, days: int, window: int
) -> None:
    made = rounds.without_rotation(simulator)
    simulator.client("kms").schedule_key_deletion(KeyId=made.id, PendingWindowInDays=days)
    plan = planned(session, "aws.kms.cancel_deletion", made.resource)
    inverse = plan.steps[0].inverse
    assert inverse
    assert inverse.body["parameters"]["PendingWindowInDays"] == window
    assert f"{window} days from the undo" in plan.losses[0]
