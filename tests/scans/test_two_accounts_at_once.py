"""Two accounts of an organisation scanned at the same time by one process: nothing of one gets into the other."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from nephoscope.accounts.models import Account
from nephoscope.alerts.models import Alert, Finding
from nephoscope.audit.services import Actor
from nephoscope.inventory.models import Resource, Scan
from nephoscope.scans.runner import work
from nephoscope.scans.services import start_scan
from nephoscope_aws_simulator.testing import Simulator

TURNS = 2
"""How often the two runs wait for each other: each stores a batch or ends a part, and goes on when the other has."""

NAMES = ("northwind-webshop", "northwind-analytics")
OPEN, CLOSED = NAMES
RULES = {"aws.ec2.sg_ssh": "web", "aws.iam.user_no_direct_policies": "deploy", "aws.iam.password_length": ""}


@pytest.fixture
def numbers(aws: Simulator) -> Iterator[dict[str, str]]:
    """The numbers of two members, in which the same names stand for opposite settings."""
    listed = aws.client("organizations").list_accounts()["Accounts"]
    numbers = {each["Name"]: str(each["Id"]) for each in listed if each["Name"] in NAMES}
    groups = {}
    for name, number in numbers.items():
        ec2, iam = aws.client("ec2", "eu-west-1", account=number), aws.client("iam", account=number)
        group = ec2.create_security_group(GroupName="web", Description="the shop's, and the other one's")["GroupId"]
        groups[name] = group
        source = "0.0.0.0/0" if name == OPEN else "10.0.0.0/8"
        ec2.authorize_security_group_ingress(
            GroupId=group,
            IpPermissions=[{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": source}]}],
        )
        iam.create_user(UserName="deploy")
        iam.update_account_password_policy(MinimumPasswordLength=6 if name == OPEN else 20)
        if name == OPEN:
            statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
            policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
            iam.put_user_policy(UserName="deploy", PolicyName="direct", PolicyDocument=policy)
    yield numbers
    for name, number in numbers.items():
        iam = aws.client("iam", account=number)
        aws.client("ec2", "eu-west-1", account=number).delete_security_group(GroupId=groups[name])
        if name == OPEN:
            iam.delete_user_policy(UserName="deploy", PolicyName="direct")
        iam.delete_user(UserName="deploy")
        iam.delete_account_password_policy()


def connected(name: str, number: str) -> Account:
    return Account.objects.create(
        name=name,
        provider="aws",
        number=number,
        regions=["eu-west-1"],
        verified_at=timezone.now(),
        policies=["aws_nephoscope", "aws_cis_5.0"],
        settings={"role_arn": f"arn:aws:iam::{number}:role/nephoscope-read", "external_id": "northwind-members"},
    )


def test_two_accounts_scanned_at_once_by_one_process_never_mix(
    committed: str, aws: Simulator, numbers: dict[str, str]
) -> None:
    system = Actor.system("test")
    accounts = {name: connected(name, numbers[name]) for name in NAMES}
    scans = {
        name: start_scan(system, account, services=["account", "iam", "ec2"], enqueue=False)
        for name, account in accounts.items()
    }
    together, order = threading.Barrier(2, timeout=60), []

    def run(name: str) -> None:
        turns = iter(range(TURNS))

        def in_turn(_scan: Scan) -> None:
            order.append(name)
            if next(turns, None) is not None:
                together.wait()

        try:
            work(scans[name].pk, in_turn)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(name,)) for name in NAMES]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert {scan.state for scan in Scan.objects.all()} <= {"succeeded", "partial"} and Scan.objects.count() == 2
    assert all(order[at : at + 2] in (list(NAMES), list(NAMES)[::-1]) for at in range(0, 2 * TURNS, 2)), order
    for name, account in accounts.items():
        [other] = [numbers[each] for each in NAMES if each != name]
        check(account, other, failing=name == OPEN)


def check(account: Account, other: str, *, failing: bool) -> None:
    """Only its own number is in what was read, judged and raised; and the same names are judged as they are here."""
    resources = Resource.objects.filter(account=account)
    assert resources.filter(name__in=["web", "deploy"]).count() == 2
    for resource in resources:
        written = json.dumps([resource.resource_id, resource.properties])
        assert other not in written, resource.resource_id
    findings = Finding.objects.filter(account=account).select_related("resource")
    for finding in findings:
        assert finding.resource.account_id == account.pk
        assert other not in json.dumps([finding.evidence, finding.message])
    verdicts = {rule: found(findings, rule, name) for rule, name in RULES.items()}
    assert verdicts == {rule: {"fail" if failing else "pass"} for rule in RULES}
    raised = set(Alert.objects.filter(account=account, state="open").values_list("key", flat=True))
    assert (set(RULES) <= raised) if failing else not (set(RULES) & raised)


def found(findings: Any, rule: str, name: str) -> set[str]:
    rows = findings.filter(rule_id=rule, **({"resource__name": name} if name else {}))
    return set(rows.values_list("verdict", flat=True))
