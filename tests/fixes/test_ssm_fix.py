"""Documents that are private already, and those that could not be made public again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.fixes.planning import planned, refused
from tests.fixes.rounds import ssm as rounds

from nephoscope.domain import LiveSession
from nephoscope_aws_fixes.ssm import SHARING
from nephoscope_aws_simulator.testing import Cloud

FIX = "aws.ssm.make_document_private"


@pytest.fixture
def blocked(simulator: Cloud) -> Iterator[None]:
    ssm = simulator.client("ssm")
    ssm.update_service_setting(SettingId=SHARING, SettingValue="Disable")
    yield
    ssm.update_service_setting(SettingId=SHARING, SettingValue="Enable")


def test_a_document_that_is_private_is_left_alone(simulator: Cloud, session: LiveSession) -> None:
    made = rounds.document(simulator, "private")
    simulator.client("ssm").modify_document_permission(
        Name="private", PermissionType="Share", AccountIdsToRemove=["all"]
    )
    assert "it is not public any more" in refused(session, FIX, made.resource)
    simulator.client("ssm").delete_document(Name="private")
    assert "does not exist any more" in refused(session, FIX, made.resource)


def test_where_public_sharing_is_blocked_it_says_that_it_cannot_be_undone(
    simulator: Cloud, session: LiveSession, blocked: None
) -> None:
    plan = planned(session, FIX, rounds.document(simulator, "blocked").resource)
    assert not plan.reversible
    assert "This change cannot be undone." in plan.warnings
