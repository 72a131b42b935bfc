"""The work of a program with a token on the simulated AWS account, and what is said to wrong settings."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from rest_framework.test import APIClient

from nephoscope.accounts.models import Account, User
from nephoscope.changes.applying import work as work_on_change
from nephoscope.scans.runner import work
from nephoscope_aws_simulator.accounts import administrator_arn
from nephoscope_aws_simulator.testing import Simulator

pytestmark = pytest.mark.django_db

V1 = "/api/v1"
NUMBER, OTHER = "123456789012", "210987654321"
ARN = f"arn:aws:iam::{NUMBER}:role/"
PUBLIC = "northwind-public-assets"

MakeRole = Callable[..., str]


def _policy(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture
def make_role(aws: Simulator) -> Iterator[MakeRole]:
    """Make roles that trust Nephoscope's own credentials, and remove them at the end."""
    made: list[tuple[Any, str]] = []

    def make(name: str, external_id: str, *actions: str, account: str = NUMBER) -> str:
        statement = {
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Principal": {"AWS": administrator_arn(NUMBER)},
            "Condition": {"StringEquals": {"sts:ExternalId": external_id}},
        }
        allowed = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
        iam = aws.client("iam", account=account)
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=_policy(statement))
        made.append((iam, name))
        iam.put_role_policy(RoleName=name, PolicyName="may", PolicyDocument=_policy(allowed))
        return str(arn["Role"]["Arn"])

    yield make
    for iam, name in made:
        iam.delete_role_policy(RoleName=name, PolicyName="may")
        iam.delete_role(RoleName=name)


@pytest.fixture
def program(administrator: User) -> APIClient:
    """A client that traded a password for a token."""
    administrator.set_password("cloud-9-instrument")
    administrator.save()
    asked = {"username": administrator.username, "password": "cloud-9-instrument"}
    token = APIClient().post(f"{V1}/tokens", asked, format="json").json()["token"]
    client = APIClient()
    client.default_format = "json"
    client.credentials(HTTP_AUTHORIZATION=f"Token {token}")
    return client


@pytest.fixture
def pending(program: APIClient) -> dict[str, Any]:
    return program.post(f"{V1}/accounts", {"name": "northwind"}).json()


@pytest.mark.parametrize(
    ("asked", "field", "message"),
    [
        ({"role_arn": "123456789012"}, "role_arn", "This is not an ARN."),
        ({"role_arn": "arn:aws:s3:::logs"}, "role_arn", "something other than a role"),
        ({"role_arn": f"{ARN}nowhere"}, "role_arn", "does not let Nephoscope assume this role"),
        ({"role_arn": f"{ARN}shy", "external_id": "wrong-word"}, "role_arn", "asks for another external ID"),
        ({"profile": "nobody"}, "profile", "There is no profile 'nobody'"),
        ({"write_role_arn": f"{ARN}nowhere", "writing": True}, "write_role_arn", "does not let Nephoscope assume"),
    ],
)
def test_wrong_settings_are_named_and_the_account_stays_pending(
    aws: Simulator,
    make_role: MakeRole,
    program: APIClient,
    pending: dict[str, Any],
    asked: dict[str, Any],
    field: str,
    message: str,
) -> None:
    make_role("shy", "right-word", "s3:*")

    answer = program.post(f"{V1}/accounts/{pending['id']}/verify", asked)

    assert answer.status_code == 409
    assert list(answer.json()) == [field]
    assert message in answer.json()[field][0]
    account = Account.objects.get()
    assert (account.number, account.settings, account.verified_at) == ("", pending["settings"], None)


def test_an_account_does_not_become_another_one(
    aws: Simulator, make_role: MakeRole, program: APIClient, pending: dict[str, Any]
) -> None:
    path, word = f"{V1}/accounts/{pending['id']}/verify", pending["settings"]["external_id"]
    role = make_role("reader", word, "s3:*", account=OTHER)
    assert program.post(path, {"own_credentials": True}).json()["number"] == NUMBER

    answer = program.post(path, {"role_arn": role})

    assert answer.json() == {
        "account": [f"This connection is for account {NUMBER}, but these settings lead to account {OTHER}."]
    }


def test_a_role_without_its_permissions_is_told_which_are_missing(
    aws: Simulator, make_role: MakeRole, program: APIClient, pending: dict[str, Any]
) -> None:
    role = make_role("reader", pending["settings"]["external_id"], "s3:*", "ec2:*", "iam:SimulatePrincipalPolicy")

    shown = program.post(f"{V1}/accounts/{pending['id']}/verify", {"role_arn": role}).json()

    checks = {check["permission"]: check["allowed"] for check in shown["verification"]["reading"]["checks"]}
    assert checks["s3:GetBucketPolicy"] is True
    assert checks["cloudtrail:DescribeTrails"] is False


def test_a_public_bucket_is_found_closed_and_reopened(
    aws: Simulator, make_role: MakeRole, program: APIClient, pending: dict[str, Any]
) -> None:
    account, s3 = f"{V1}/accounts/{pending['id']}", aws.client("s3")
    before = s3.get_bucket_policy(Bucket=PUBLIC)["Policy"]
    program.post(f"{account}/verify", {"own_credentials": True})
    fixer = make_role("fixer", pending["settings"]["write_external_id"], "s3:*")
    program.post(f"{account}/verify", {"write_role_arn": fixer, "writing": True})
    work(program.post(f"{account}/scan", {"services": ["s3"]}).json()["id"])
    [row] = [row for row in program.get(f"{V1}/alerts?q={PUBLIC}").json()["results"] if "read" in row["rule"]]
    alert = program.get(f"{V1}/alerts/{row['id']}").json()
    [finding] = [each for each in alert["findings"] if each["resource"]["name"] == PUBLIC]
    assert any(read["path"].startswith("Policy") for read in finding["evidence"])

    fix = alert["fixing"]["remediations"][0]["id"]
    plan = program.post(f"{V1}/alerts/{alert['id']}/plan", {"findings": [finding["id"]], "remediation": fix}).json()
    approval = {"digest": plan["digest"], "reason": "nobody should read this"}
    change = f"{V1}/changes/{plan['id']}"
    assert program.post(f"{change}/apply", approval).status_code == 202
    work_on_change(plan["id"])
    done = program.get(change).json()
    assert (done["state"], [step["state"] for step in done["steps"]]) == ("verified", ["applied"] * len(done["steps"]))
    assert f"arn:aws:iam::{NUMBER}:root" in s3.get_bucket_policy(Bucket=PUBLIC)["Policy"]
    assert program.get(f"{V1}/findings/{finding['id']}").json()["verdict"] == "pass"

    assert program.post(f"{change}/undo", {"reason": "it was a test"}).status_code == 202
    work_on_change(plan["id"])
    assert program.get(change).json()["state"] == "undone"
    assert s3.get_bucket_policy(Bucket=PUBLIC)["Policy"] == before
    assert program.get(f"{V1}/findings/{finding['id']}").json()["verdict"] == "fail"
