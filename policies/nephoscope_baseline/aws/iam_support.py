"""The rule on who can contact AWS Support: judged on the account itself."""

from __future__ import annotations

from typing import Any

from nephoscope.domain import Fail, Inventory, NotKnown, Severity, View, rule
from nephoscope.domain.examples import example, resource
from nephoscope_aws.access_policies import members

ACCOUNT = "AWS::::Account"
SUPPORT = "arn:aws:iam::aws:policy/AWSSupportAccess"
HOLDERS = ("AWS::IAM::Role", "AWS::IAM::Group", "AWS::IAM::User")


def _holder(type: str, *arns: str, **more: Any) -> Any:
    return resource(type, {"ManagedPolicyArns": list(arns), **more}, name="support", region="global")


@rule(
    "aws.iam.support_role",
    on=ACCOUNT,
    severity=Severity.LOW,
    needs=HOLDERS,
    live_only=True,
    link="https://docs.aws.amazon.com/awssupport/latest/user/accessing-support.html",
    fix="""
        1. In the IAM console, choose Roles, Create role, and select who in your organization can assume it.
        2. Attach the AWS managed policy AWSSupportAccess and give the role a name such as aws-support.
    """,
    commands="""
        POLICY_ARN=aws iam list-policies --scope=AWS --query='Policies[?PolicyName==`AWSSupportAccess`].Arn'
          --output=text
        aws iam attach-role-policy --role-name={ROLE_NAME} --policy-arn={POLICY_ARN}
    """,
    inputs={
        "ROLE_NAME": "the name of the role",
    },
    good=[
        example({}, neighbours=[_holder("AWS::IAM::Role", SUPPORT)]),
        example({}, neighbours=[_holder("AWS::IAM::User"), _holder("AWS::IAM::Group", SUPPORT)]),
    ],
    bad=[example({}), example({}, neighbours=[_holder("AWS::IAM::Role", "arn:aws:iam::aws:policy/ReadOnlyAccess")])],
)
def support_role(account: View, inventory: Inventory) -> bool | Fail:
    """No IAM identity has AWS Support access.

    In an incident someone must be able to contact AWS Support without the root user. That requires a role with
    AWSSupportAccess.
    """
    gaps: list[NotKnown] = []
    for type in HOLDERS:
        try:
            if any(_holds_support(holder, gaps) for holder in inventory.of(type)):
                return True
        except NotKnown as gap:
            gaps.append(gap)
    if gaps:
        raise gaps[0]
    return Fail("AWSSupportAccess is not attached to any role, group or user")


def _holds_support(holder: View, gaps: list[NotKnown]) -> bool:
    try:
        arns = list(members(holder["ManagedPolicyArns"], gaps))
    except NotKnown as gap:
        gaps.append(gap)
        return False
    return any(str(arn).endswith(":iam::aws:policy/AWSSupportAccess") for arn in arns)
