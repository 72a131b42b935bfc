"""What an account of many identities costs."""

from __future__ import annotations

from typing import Any

from nephoscope.domain import Resource, Verdict
from nephoscope.engine import Neighbours, judge
from nephoscope.testing import NOW, resource
from nephoscope_aws.identity_policies import ROLE
from nephoscope_baseline.aws.iam_permissions import privilege_escalation


class Counted(Neighbours):
    """Counts how often all roles are gone through."""

    times = 0

    def of(self, type: str, region: str = "") -> list[Resource]:
        self.times += type == ROLE
        return super().of(type, region)


def role(name: str, *statements: dict[str, Any]) -> Resource:
    inline = [{"PolicyName": "own", "PolicyDocument": {"Statement": list(statements)}}]
    return resource(ROLE, {"Policies": inline, "ManagedPolicyArns": []}, name=name, region="global")


def test_the_administrators_are_worked_out_once_for_all_that_may_act_on_a_pattern() -> None:
    run = {"Effect": "Allow", "Action": "ec2:RunInstances", "Resource": "*"}
    passes = {"Effect": "Allow", "Action": "iam:PassRole", "Resource": f"example:{ROLE}:*"}
    boss = role("boss", {"Effect": "Allow", "Action": "*", "Resource": "*"})
    all = [boss, *(role(f"worker-{number}", run, passes) for number in range(5))]
    neighbours = Counted(lambda type: all if type == ROLE else [])
    verdicts = [judge(privilege_escalation, each, now=NOW, neighbours=neighbours).verdict for each in all]
    assert verdicts == [Verdict.NOT_APPLICABLE, *[Verdict.FAIL] * 5]
    assert neighbours.times == 1
