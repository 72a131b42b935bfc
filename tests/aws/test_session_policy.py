"""The policy that holds a session of the role for fixes to what was approved."""

from __future__ import annotations

import json

import pytest

from nephoscope.domain import Permission, PlanProblem
from nephoscope_aws.writer import session_policy


def test_a_session_policy_groups_actions_by_resource_and_resources_by_actions() -> None:
    made = json.loads(
        session_policy(
            [
                Permission("s3:B", "x"),
                Permission("s3:A", "x"),
                Permission("s3:A", "y"),
                Permission("s3:B", "y"),
                Permission("kms:C"),
            ]
        )
    )
    statements = {tuple(each["Resource"]): each["Action"] for each in made["Statement"]}
    assert statements == {("*",): ["kms:C"], ("x", "y"): ["s3:A", "s3:B"]}


def test_a_call_whose_permissions_do_not_fit_is_refused() -> None:
    with pytest.raises(PlanProblem, match="one call may do"):
        session_policy([Permission("s3:PutBucketPolicy", f"arn:aws:s3:::bucket-{number:040}") for number in range(50)])
