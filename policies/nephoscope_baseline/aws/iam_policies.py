"""Rules on what IAM policies allow: those of customers, those attached from AWS, and the trust policies of roles."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from nephoscope.domain import Fail, NotKnown, Severity, View, rule
from nephoscope_aws.access_policies import Names, members, names, open_grants, statements

GROUP = "AWS::IAM::Group"
ROLE = "AWS::IAM::Role"
USER = "AWS::IAM::User"
POLICY = "AWS::IAM::ManagedPolicy"

LEAST_LINK = "https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html#grant-least-privilege"


def _policy(*allowed: dict[str, Any], attached: int = 1, boundaries: int = 0) -> dict[str, Any]:
    """An example: a customer managed policy with these statements."""
    return {
        "PolicyDocument": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **each} for each in allowed]},
        "Observed": {"AttachmentCount": attached, "PermissionsBoundaryUsageCount": boundaries},
    }


def _trust(principal: Any, condition: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """An example: a role whose trust policy is one statement."""
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", **more}
    return {"AssumeRolePolicyDocument": {"Statement": [statement | ({"Condition": condition} if condition else {})]}}


def _allowed(policy: View) -> Iterator[tuple[View, Names]]:
    """The Allow statements of a policy document with their actions; raises NotKnown after the readable ones."""
    gaps: list[NotKnown] = []
    for statement in statements(policy.key("PolicyDocument"), gaps):
        try:
            actions = names(statement, "Action") if statement.key("Effect") == "Allow" else None
        except NotKnown as gap:
            gaps.append(gap)
            continue
        if actions and not actions.excepted:
            yield statement, actions
    if gaps:
        raise gaps[0]


@rule(
    "aws.iam.no_star_policy",
    on=POLICY,
    severity=Severity.HIGH,
    link=LEAST_LINK,
    fix="""
        1. In the IAM console, open the policy and choose Entities attached to see who has it.
        2. Let IAM Access Analyzer generate a policy from actual activity: open the role or user and choose Generate
           policy.
        3. Make that the default version of the policy.
        4. Where full administration is intended, attach the AWS managed policy AdministratorAccess, which everyone
           recognizes.
    """,
    commands="""
        aws iam create-policy-version --policy-arn={id} --policy-document={POLICY_FILE} --set-as-default
    """,
    inputs={
        "POLICY_FILE": "file://policy.json, where policy.json is the complete new policy",
    },
    good=[
        _policy({"Action": ["s3:GetObject"], "Resource": "arn:aws:s3:::reports/*"}),
        _policy({"Action": "*", "Resource": "arn:aws:s3:::reports/*"}),
        _policy({"Action": "*", "Resource": "*"}, attached=0),
    ],
    bad=[
        _policy({"Action": "*", "Resource": "*"}),
        _policy({"Action": ["ec2:*", "*:*"], "Resource": ["*"]}),
        {"PolicyDocument": {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}},
    ],
)
def no_star_policy(policy: View) -> bool | Fail | None:
    """IAM policy allows all actions on all resources.

    Anyone who has it is an administrator, whatever the policy is called. One leaked key of theirs exposes the whole
    account.
    """
    if policy["Observed.AttachmentCount"] == 0:
        return None
    for statement, actions in _allowed(policy):
        if _names_all(actions) and _names_all(names(statement, "Resource")):
            return Fail("Policy allows * on *", f"{statement.path}.Action")
    return True


def _names_all(named: Names) -> bool:
    """``*``, ``**``, ``*:*`` and ``arn:aws:*:*:*:*`` all mean everything."""
    return not named.excepted and any(re.fullmatch(r"(arn:(aws[\w-]*:)?)?[*:]*\*", each) for each in named.patterns)


@rule(
    "aws.iam.no_service_star",
    on=POLICY,
    severity=Severity.LOW,
    link=LEAST_LINK,
    fix="""
        1. In the IAM console, open the policy and choose Edit.
        2. Replace service:* with the actions in use; Last accessed and Generate policy show them.
    """,
    commands="""
        aws iam create-policy-version --policy-arn={id} --policy-document={POLICY_FILE} --set-as-default
    """,
    inputs={
        "POLICY_FILE": "file://policy.json, where policy.json is the complete new policy",
    },
    good=[
        _policy({"Action": ["s3:Get*", "s3:List*"], "Resource": "*"}),
        _policy({"Action": "*", "Resource": "*"}),
        _policy({"Action": "s3:*", "Resource": "*"}, attached=0, boundaries=1),
    ],
    bad=[
        _policy({"Action": "s3:*", "Resource": "*"}),
        _policy({"Action": "s3:*", "Resource": "*"}, attached=0),
        _policy({"Action": "s3:*", "Resource": "*"}, boundaries=1),
        _policy({"Action": ["ec2:Describe*", "iam:*"], "Resource": "*"}),
    ],
)
def no_service_star(policy: View) -> bool | Fail | None:
    """IAM policy allows all actions of a service.

    That includes deleting, sharing publicly, and whatever AWS adds to the service later. Few tasks need more than a
    handful of actions.
    """
    # A permissions boundary allows nothing by itself, and Security Hub's IAM.21 leaves those out.
    # https://docs.aws.amazon.com/securityhub/latest/userguide/iam-controls.html#iam-21
    if policy["Observed.AttachmentCount"] == 0 and policy["Observed.PermissionsBoundaryUsageCount"]:
        return None
    for statement, actions in _allowed(policy):
        wide = [each for each in actions.patterns if re.fullmatch(r"[\w-]+:\*+", each)]
        if wide:
            return Fail(f"Policy allows {', '.join(wide[:5])}", f"{statement.path}.Action")
    return True


CLOUDSHELL = ":iam::aws:policy/AWSCloudShellFullAccess"


@rule(
    "aws.iam.cloudshell_full",
    on=(ROLE, USER, GROUP),
    severity=Severity.MEDIUM,
    link="https://docs.aws.amazon.com/cloudshell/latest/userguide/sec-auth-with-identities.html",
    fix="""
        1. In the IAM console, open the role, user or group, choose Permissions, and remove AWSCloudShellFullAccess.
        2. Where CloudShell is needed, attach a policy without cloudshell:PutCredentials, file upload and file download.
    """,
    commands={
        ROLE: """
            aws iam detach-role-policy --role-name={name} --policy-arn=arn:aws:iam::aws:policy/AWSCloudShellFullAccess
        """,
        USER: """
            aws iam detach-user-policy --user-name={name} --policy-arn=arn:aws:iam::aws:policy/AWSCloudShellFullAccess
        """,
        GROUP: """
            aws iam detach-group-policy --group-name={name} --policy-arn=arn:aws:iam::aws:policy/AWSCloudShellFullAccess
        """,
    },
    good=[{"ManagedPolicyArns": []}, {"ManagedPolicyArns": ["arn:aws:iam::aws:policy/ReadOnlyAccess"]}],
    bad=[{"ManagedPolicyArns": ["arn:aws:iam::aws:policy/AWSCloudShellFullAccess"]}],
)
def cloudshell_full(holder: View) -> bool | Fail:
    """AWSCloudShellFullAccess is attached.

    It allows file upload and download through the browser, past every network control. A narrower policy gives access
    to CloudShell without that.
    """
    gaps: list[NotKnown] = []
    if any(str(arn).endswith(CLOUDSHELL) for arn in members(holder["ManagedPolicyArns"], gaps)):
        return Fail("AWSCloudShellFullAccess is attached", "ManagedPolicyArns")
    if gaps:
        raise gaps[0]
    return True


OWN = "arn:aws:iam::123456789012:root"


@rule(
    "aws.iam.role_trust_wildcard",
    on=ROLE,
    severity=Severity.CRITICAL,
    link="https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_update-role-trust-policy.html",
    fix="""
        1. In the IAM console, open the role and choose Trust relationships, Edit trust policy.
        2. Replace the wildcard with the accounts, roles or services that assume this role, or add a condition with a
           fixed aws:PrincipalOrgID. An external ID is not enough: AWS does not treat it as a secret.
        3. In CloudTrail, look for AssumeRole calls for this role from unknown accounts.
    """,
    commands="""
        aws iam update-assume-role-policy --role-name={name} --policy-document={POLICY_FILE}
    """,
    inputs={
        "POLICY_FILE": "file://policy.json, where policy.json is the complete new policy",
    },
    good=[
        _trust({"AWS": OWN}),
        _trust({"Service": "ec2.amazonaws.com"}),
        _trust(
            {"Federated": "cognito-identity.amazonaws.com"},
            {"StringEquals": {"cognito-identity.amazonaws.com:aud": "eu-west-1:pool"}},
        ),
        _trust("*", {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}),
        _trust({"AWS": "*"}, {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::123456789012:role/ci-*"}}),
        _trust("*", Effect="Deny"),
    ],
    bad=[
        _trust("*"),
        _trust({"AWS": "*"}),
        _trust({"AWS": [OWN, "*"]}),
        {
            "AssumeRolePolicyDocument": {
                "Statement": {"Effect": "Allow", "NotPrincipal": {"AWS": OWN}, "Action": "sts:AssumeRole"}
            }
        },
        _trust({"AWS": "*"}, {"StringEquals": {"sts:ExternalId": "example"}}),
        _trust("*", {"StringLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/ci"}}),
        _trust("*", {"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}),
    ],
)
def role_trust_wildcard(role: View) -> bool | Fail:
    """IAM role can be assumed by any AWS account.

    Its trust policy trusts everyone, so anyone can do whatever the role is allowed to do. Knowing its name is enough,
    and names can be guessed.
    """
    for grant in open_grants(role.key("AssumeRolePolicyDocument")):
        return Fail(f"{grant.who} can assume this role", grant.at)
    return True
