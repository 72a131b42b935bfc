"""What a connection may do is found out without doing it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from nephoscope.domain import Check, Connection, ConnectionProblem, Verification
from nephoscope_aws.provider import AwsProvider
from nephoscope_aws_simulator.testing import Cloud, Simulator

ACCOUNT = "222222222222"
ADMINISTRATOR = f"arn:aws:iam::{ACCOUNT}:user/simulator-administrator"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/teams/reader"
FIXER = f"arn:aws:iam::{ACCOUNT}:role/fixer"
WANTED = ["s3:ListAllMyBuckets", "s3:GetBucketPolicy", "ec2:DescribeRegions", "ec2:DescribeInstances"]


def put_policy(simulator: Cloud, role: str, *actions: str, **more: Any) -> None:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*", **more}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    simulator.client("iam").put_role_policy(RoleName=role, PolicyName="own", PolicyDocument=document)


@pytest.fixture(scope="module")
def simulator(company: Simulator) -> Iterator[Cloud]:
    simulator = company.other(ACCOUNT)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in simulator.env().items():
            patch.setenv(name, value)
        trust = {"Effect": "Allow", "Principal": {"AWS": ADMINISTRATOR}, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        iam = simulator.client("iam")
        iam.create_role(RoleName="reader", Path="/teams/", AssumeRolePolicyDocument=document)
        iam.create_role(RoleName="fixer", AssumeRolePolicyDocument=document)
        yield simulator


@pytest.fixture(autouse=True)
def undo_denials(simulator: Cloud) -> Iterator[None]:
    yield
    simulator.control("reset-denials", {})


def verify(permissions: list[str], *, writing: bool = False, **settings: str) -> Verification:
    connection = Connection(ACCOUNT, {"role_arn": ROLE, "write_role_arn": FIXER} | settings)
    facet = AwsProvider.writing if writing else AwsProvider.onboarding
    return facet.verify(connection, permissions)


def answers(verification: Verification) -> dict[str, bool | None]:
    return {check.permission: check.allowed for check in verification.checks}


def test_each_permission_is_simulated_on_the_role_in_the_order_asked(simulator: Cloud) -> None:
    put_policy(simulator, "reader", "s3:ListAllMyBuckets", "ec2:DescribeRegions", "iam:SimulatePrincipalPolicy")
    found = verify(WANTED)
    assert found.account == ACCOUNT
    assert found.principal == f"arn:aws:sts::{ACCOUNT}:assumed-role/reader/nephoscope"
    assert [check.permission for check in found.checks] == WANTED
    assert found.missing == ("s3:GetBucketPolicy", "ec2:DescribeInstances")
    assert found.checks[1] == Check("s3:GetBucketPolicy", False, "no policy allows it")


def test_more_permissions_than_fit_in_one_call_are_all_checked(simulator: Cloud) -> None:
    put_policy(simulator, "reader", "s3:*", "iam:SimulatePrincipalPolicy")
    wanted = [f"s3:Get{number}" for number in range(120)]
    simulator.control("calls/reset", {})
    assert answers(verify(wanted)) == dict.fromkeys(wanted, True)
    assert simulator.control("calls")["operations"]["iam:SimulatePrincipalPolicy"] == 3


def test_an_explicit_denial_says_so(simulator: Cloud) -> None:
    put_policy(simulator, "reader", "iam:SimulatePrincipalPolicy")
    denied = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}]}
    iam = simulator.client("iam")
    iam.put_role_policy(RoleName="reader", PolicyName="no-s3", PolicyDocument=json.dumps(denied))
    try:
        assert verify(["s3:GetBucketPolicy"]).checks[0].detail == "a policy denies it"
    finally:
        iam.delete_role_policy(RoleName="reader", PolicyName="no-s3")


def test_without_simulation_the_harmless_calls_are_tried_and_the_rest_is_not_known(simulator: Cloud) -> None:
    put_policy(simulator, "reader", "s3:ListAllMyBuckets", "s3:GetBucketPolicy", "ec2:DescribeRegions")
    simulator.control("calls/reset", {})
    found = verify(WANTED)
    assert answers(found) == {
        "s3:ListAllMyBuckets": True,
        "s3:GetBucketPolicy": None,
        "ec2:DescribeRegions": True,
        "ec2:DescribeInstances": False,
    }
    assert found.missing == ("ec2:DescribeInstances",)
    assert "iam:SimulatePrincipalPolicy" in found.checks[1].detail
    operations = simulator.control("calls")["operations"]
    assert all(name.split(":")[1].startswith(("Describe", "Get", "List", "Simulate", "Assume")) for name in operations)


def test_own_credentials_that_iam_does_not_know_are_tried(simulator: Cloud) -> None:
    found = verify(WANTED, role_arn="")
    assert found.principal == ADMINISTRATOR
    assert answers(found) == dict.fromkeys(WANTED, True) | {"s3:GetBucketPolicy": None}


def test_the_role_for_fixes_is_checked_by_the_role_for_reading(simulator: Cloud) -> None:
    put_policy(simulator, "reader", "iam:SimulatePrincipalPolicy")
    put_policy(simulator, "fixer", "s3:PutBucketPolicy")
    found = verify(["s3:PutBucketPolicy", "s3:DeleteBucket"], writing=True)
    assert found.principal == f"arn:aws:sts::{ACCOUNT}:assumed-role/fixer/nephoscope"
    assert answers(found) == {"s3:PutBucketPolicy": True, "s3:DeleteBucket": False}


def test_the_role_for_fixes_is_not_known_when_the_one_for_reading_cannot_simulate(simulator: Cloud) -> None:
    put_policy(simulator, "reader", "s3:ListAllMyBuckets")
    checks = verify(["s3:PutBucketPolicy"], writing=True).checks
    assert checks[0].allowed is None
    assert "iam:SimulatePrincipalPolicy" in checks[0].detail


def test_a_connection_without_a_role_for_fixes_has_nothing_to_verify(simulator: Cloud) -> None:
    with pytest.raises(ConnectionProblem) as caught:
        verify(["s3:PutBucketPolicy"], writing=True, write_role_arn="")
    assert caught.value.field == "write_role_arn"
