"""Rules on what IAM policies allow: those of customers, those attached from AWS, and the trust policies of roles."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from nephoscope.domain import Fail, NotKnown, ResourceView, Severity, View, rule
from nephoscope_aws.access_grants import Grant, is_everyone, open_grants
from nephoscope_aws.access_policies import members
from nephoscope_aws.administrators import administers
from nephoscope_aws.identity_policies import ANY_NAME, Permissions, Statement, read_document

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


REPORTS = "arn:aws:s3:::reports/*"
WITHOUT_MFA = {"Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}}


def _trust(principal: Any, condition: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """An example: a role whose trust policy is one statement."""
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", **more}
    return {"AssumeRolePolicyDocument": {"Statement": [statement | ({"Condition": condition} if condition else {})]}}


def _statements(policy: ResourceView) -> Permissions:
    return Permissions(tuple(read_document(policy.key("PolicyDocument"), "the policy")))


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
        _policy({"Action": ["s3:GetObject"], "Resource": REPORTS}),
        _policy({"Action": "*", "Resource": REPORTS}),
        _policy({"Action": "*", "Resource": "*"}, attached=0),
        _policy({"Action": "*", "Resource": "*"}, {"Effect": "Deny", "Action": "*", "Resource": "*"}),
        _policy({"Action": "*", "Resource": "*"}, {"Effect": "Deny", "NotAction": "s3:Get*", "Resource": "*"}),
        _policy({"Action": "*", "Resource": "*"}, {"Effect": "Deny", "Action": "*", "NotResource": REPORTS}),
        _policy(
            {"Action": "*", "Resource": "*"},
            {"Effect": "Deny", "NotAction": "ec2:*", "Resource": "*"},
            {"Effect": "Deny", "Action": "ec2:*", "Resource": "*"},
        ),
        _policy({"NotAction": ["iam:*", "organizations:*"], "Resource": "*"}),
        _policy({"NotAction": "s3:DeleteBucket", "Resource": REPORTS}),
    ],
    bad=[
        _policy({"Action": "*", "Resource": "*"}),
        _policy({"Action": ["ec2:*", "*:*"], "Resource": ["*"]}),
        _policy({"NotAction": "aws-portal:ViewBilling", "Resource": "*"}),
        _policy({"NotAction": [], "Resource": "*"}),
        _policy({"Action": "*", "NotResource": REPORTS}),
        _policy({"Action": "*", "Resource": "*"}, {"Effect": "Deny", "Action": "s3:*", "Resource": "*"}),
        _policy({"Action": "*", "Resource": "*"}, {"Effect": "Deny", "Action": "*", "Resource": REPORTS}),
        _policy({"Action": "*", "Resource": "*"}, {"Effect": "Deny", "Action": "*", "Resource": "*", **WITHOUT_MFA}),
        {"PolicyDocument": {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}},
    ],
)
def no_star_policy(policy: ResourceView) -> bool | Fail | None:
    """IAM policy allows all actions on all resources.

    Anyone who has it is an administrator, whatever the policy is called. One leaked key of theirs exposes the whole
    account.
    """
    if policy["Observed.AttachmentCount"] == 0:
        return None
    found = administers(_statements(policy), policy)
    return found is None or Fail(f"Policy allows {allowed_by(found)}", f"{found.at}.{actions_of(found)}", found.at)


def actions_of(statement: Statement) -> str:
    """Return which element of a statement says what it allows."""
    return "NotAction" if statement.actions.excepted else "Action"


def allowed_by(statement: Statement) -> str:
    """Return what a statement allows, in words: ``* on *``."""
    return f"{statement.actions} on {statement.resources}"


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
        _policy({"Action": "s3:*", "Resource": "*"}, {"Effect": "Deny", "Action": "s3:*", "Resource": "*"}),
        _policy({"Action": "s3:*", "Resource": "*"}, attached=0, boundaries=1),
    ],
    bad=[
        _policy({"Action": "s3:*", "Resource": "*"}),
        _policy({"Action": "s3:*", "Resource": "*"}, attached=0),
        _policy({"Action": "s3:*", "Resource": "*"}, boundaries=1),
        _policy({"Action": ["ec2:Describe*", "iam:*"], "Resource": "*"}),
    ],
)
def no_service_star(policy: ResourceView) -> bool | Fail | None:
    """IAM policy allows all actions of a service.

    That includes deleting, sharing publicly, and whatever AWS adds to the service later. Few tasks need more than a
    handful of actions.
    """
    # A permissions boundary allows nothing by itself, and Security Hub's IAM.21 leaves those out.
    # https://docs.aws.amazon.com/securityhub/latest/userguide/iam-controls.html#iam-21
    if policy["Observed.AttachmentCount"] == 0 and policy["Observed.PermissionsBoundaryUsageCount"]:
        return None
    held = _statements(policy)
    for statement in held.statements:
        if statement.denies or statement.actions.excepted:
            continue
        wide = [each for each in statement.actions.patterns if re.fullmatch(r"[\w-]+:\*+", each)]
        if wide := [each for each in wide if held.allowing_somewhere(each.replace("*", ANY_NAME))]:
            return Fail(f"Policy allows {', '.join(wide[:5])}", f"{statement.at}.Action", statement.at)
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
            POLICY_ARN=aws iam list-policies --scope=AWS --query='Policies[?PolicyName==`AWSCloudShellFullAccess`].Arn'
              --output=text
            aws iam detach-role-policy --role-name={name} --policy-arn={POLICY_ARN}
        """,
        USER: """
            POLICY_ARN=aws iam list-policies --scope=AWS --query='Policies[?PolicyName==`AWSCloudShellFullAccess`].Arn'
              --output=text
            aws iam detach-user-policy --user-name={name} --policy-arn={POLICY_ARN}
        """,
        GROUP: """
            POLICY_ARN=aws iam list-policies --scope=AWS --query='Policies[?PolicyName==`AWSCloudShellFullAccess`].Arn'
              --output=text
            aws iam detach-group-policy --group-name={name} --policy-arn={POLICY_ARN}
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


ASSUME, BY_WEB_IDENTITY, BY_SAML = "sts:AssumeRole", "sts:AssumeRoleWithWebIdentity", "sts:AssumeRoleWithSAML"
"""The actions that take on a role. Those that a trust policy may hold beside them (sts:TagSession,
sts:SetSourceIdentity) add to a session, and alone begin none.
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecuritytokenservice.html"""

OWN = "arn:aws:iam::123456789012:root"
GITHUB = "token.actions.githubusercontent.com"


def _federated(address: str, claims: dict[str, Any], operator: str = "StringLike", **more: Any) -> dict[str, Any]:
    """An example: a role that trusts this identity provider, with a condition on some of its claims."""
    condition = {operator: {f"{address}:{claim}": value for claim, value in claims.items()}}
    principal = {"Federated": f"arn:aws:iam::123456789012:oidc-provider/{address}"}
    return _trust(principal, condition, Action="sts:AssumeRoleWithWebIdentity", **more)


CLUSTER = "oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF"
CIRCLECI = "oidc.circleci.com/org/3d7a1f4e-5b6c-4d8e-9f10-1a2b3c4d5e6f"


@rule(
    "aws.iam.role_trust_wildcard",
    on=ROLE,
    severity=Severity.CRITICAL,
    link="https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_update-role-trust-policy.html",
    fix="""
        1. In the IAM console, open the role and choose Trust relationships, Edit trust policy.
        2. Replace the wildcard with the accounts, roles or services that assume this role, or add a condition with a
           fixed aws:PrincipalOrgID. An external ID is not enough: AWS does not treat it as a secret.
        3. For an identity provider that many customers share, such as GitHub Actions, add a condition on the claim that
           names your organization, for example StringLike on token.actions.githubusercontent.com:sub with
           repo:YOUR-ORGANIZATION/*. The audience is not enough: anyone can choose it.
        4. In CloudTrail, look for AssumeRole and AssumeRoleWithWebIdentity calls for this role from unknown accounts
           and subjects.
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
            Action="sts:AssumeRoleWithWebIdentity",
        ),
        _trust("*", {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}),
        _trust({"AWS": "*"}, {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::123456789012:role/ci-*"}}),
        _trust("*", Effect="Deny"),
        _trust("*", Action=["sts:TagSession", "sts:SetSourceIdentity"]),
        _trust({"Federated": "arn:aws:iam::123456789012:saml-provider/idp"}, Action="sts:AssumeRoleWithSAML"),
        _federated(GITHUB, {"aud": "sts.amazonaws.com", "sub": "repo:octo-org/*"}),
        _federated("app.terraform.io", {"sub": "organization:acme:project:*:workspace:*:run_phase:*"}),
        _federated(CLUSTER, {"aud": "sts.amazonaws.com"}),
        _federated(CIRCLECI, {"aud": "sts.amazonaws.com"}),
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
        _federated(GITHUB, {"aud": "sts.amazonaws.com"}, "StringEquals"),
        _federated(GITHUB, {"sub": "repo:octo*"}),
        _federated("app.terraform.io", {"aud": "aws.workload.identity", "sub": "organization:*:workspace:prod:*"}),
        _federated("agent.buildkite.com", {"aud": "sts.amazonaws.com"}),
        _trust(
            {"Federated": "cognito-identity-us-gov.amazonaws.com"},
            {"ForAnyValue:StringLike": {"cognito-identity-us-gov.amazonaws.com:amr": "unauthenticated"}},
            Action="sts:AssumeRoleWithWebIdentity",
        ),
    ],
)
def role_trust_wildcard(role: View) -> bool | Fail:
    """IAM role can be assumed by anyone.

    Its trust policy trusts every AWS account, or every customer of an identity provider, so a stranger can do whatever
    the role is allowed to do. Knowing its name is enough, and names can be guessed.
    """
    for grant in open_grants(role.key("AssumeRolePolicyDocument"), _ways_in):
        provider = grant.stranger.provider
        why = "" if provider is None or provider.login else ": no condition says whose token it has to be"
        return Fail(f"{grant.who} can assume this role{why}", grant.at)
    return True


def _ways_in(grant: Grant) -> Iterator[tuple[str, str]]:
    """The actions of a trust policy that take on the role, of those that this principal can use."""
    found: tuple[str, ...] = (ASSUME, BY_WEB_IDENTITY, BY_SAML)
    if grant.stranger.kind == "Federated":
        found = found[1:] if is_everyone(grant.stranger.name) else (BY_WEB_IDENTITY,)
    elif grant.stranger.kind == "Service":
        found = (ASSUME,)
    yield from ((action, "*") for action in grant.actions.which(found))
