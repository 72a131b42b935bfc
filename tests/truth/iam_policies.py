"""What IAM policies allow, to whom AWS's own are attached, and who can take on a role."""

from __future__ import annotations

import json
from typing import Any

from tests.truth.account import Truth, holds
from tests.truth.statements import ORG, OTHER, Statement, allow, to_anyone, to_known

BUCKET = "arn:aws:s3:::reports"
ALL: Statement = {"Effect": "Allow", "Action": "*", "Resource": "*"}
NO: Statement = {"Effect": "Deny", "Action": "*", "Resource": "*"}
GET: Statement = {"Effect": "Allow", "Action": ["s3:GetObject", "s3:List*"], "Resource": f"{BUCKET}/*"}
MFA = {"Bool": {"aws:MultiFactorAuthPresent": "false"}}

POLICIES: dict[str, tuple[list[Statement], str]] = {
    "narrow": ([GET], ""),
    "all": ([ALL], "no_star_policy"),
    "all-in-list": ([GET, {**ALL, "Action": ["ec2:Describe*", "*"], "Resource": [BUCKET, "*"]}], "no_star_policy"),
    "all-of-all": ([{**ALL, "Action": "*:*"}], "no_star_policy"),
    "all-but-harmless": ([{"Effect": "Allow", "NotAction": "sqs:ListQueues", "Resource": "*"}], "no_star_policy"),
    "all-elsewhere": ([{"Effect": "Allow", "Action": "*", "NotResource": BUCKET}], "no_star_policy"),
    "all-less-one": ([ALL, {**NO, "Action": "s3:DeleteBucket"}], "no_star_policy"),
    "all-with-mfa": ([ALL, {**NO, "Condition": MFA}], "no_star_policy"),
    "all-denied": ([ALL, NO], ""),
    "denied-in-list": ([ALL, {"Effect": "Deny", "Action": ["*"], "Resource": ["*"]}], ""),
    "denied-first": ([NO, GET, ALL], ""),
    "all-but-reads-denied": ([ALL, {"Effect": "Deny", "NotAction": ["s3:Get*", "s3:List*"], "Resource": "*"}], ""),
    "all-elsewhere-denied": ([ALL, {"Effect": "Deny", "Action": "*", "NotResource": BUCKET}], ""),
    "only-denied": ([NO], ""),
    "all-on-one": ([{**ALL, "Resource": [BUCKET, f"{BUCKET}/*"]}], ""),
    "one-on-all": ([{**ALL, "Action": "s3:ListAllMyBuckets"}], ""),
    "service": ([{**ALL, "Action": "s3:*"}], "no_service_star"),
    "service-on-one": ([{**ALL, "Action": "s3:*", "Resource": f"{BUCKET}/*"}], "no_service_star"),
    "service-in-capitals": ([GET, {**ALL, "Action": ["ec2:Describe*", "S3:*"]}], "no_service_star"),
    "service-twice-starred": ([{**ALL, "Action": "dynamodb:**"}], "no_service_star"),
    "service-denied": ([GET, {**NO, "Action": "s3:*"}], ""),
    "all-but-service": ([{"Effect": "Allow", "NotAction": "s3:*", "Resource": BUCKET}], ""),
    "prefix": ([{**ALL, "Action": ["s3:Get*", "s3:*Tagging", "ec2:Describe?*"]}], ""),
}
"""Statements, and which of the two rules fails. The first is Security Hub's IAM.1, the second its IAM.21:
https://docs.aws.amazon.com/securityhub/latest/userguide/iam-controls.html"""
RULES = ("no_star_policy", "no_service_star")


@holds(services=("iam",))
def policies(truth: Truth) -> None:
    """Attached policies; one statement may stand without a list, and only the default version counts."""
    iam = truth.client("iam")
    iam.create_group(GroupName="all")
    for name, (statements, fails) in POLICIES.items():
        arn = _policy(truth, name, statements[0] if len(statements) == 1 else statements)
        iam.attach_group_policy(GroupName="all", PolicyArn=arn)
        truth.judged(name, fails=fails, passes=" ".join(rule for rule in RULES if rule != fails))
    for name, first, second, fails in (("was-all", ALL, GET, ""), ("became-all", GET, ALL, "no_star_policy")):
        arn = _policy(truth, name, first)
        iam.attach_group_policy(GroupName="all", PolicyArn=arn)
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=_document(second), SetAsDefault=True)
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=_document(first), SetAsDefault=False)
        truth.judged(name, fails=fails, passes=" ".join(rule for rule in RULES if rule != fails))


@holds(services=("iam",))
def unattached_policies(truth: Truth) -> None:
    """A policy that nobody has makes nobody an administrator; a boundary allows nothing."""
    iam = truth.client("iam")
    _policy(truth, "nobodys-all", ALL)
    _policy(truth, "nobodys-service", {**ALL, "Action": "s3:*"})
    truth.judged("nobodys-all", skipped="no_star_policy", passes="no_service_star")
    truth.judged("nobodys-service", skipped="no_star_policy", fails="no_service_star")
    for name, action in (("boundary-all", "*"), ("boundary-service", "s3:*")):
        arn = _policy(truth, name, {**ALL, "Action": action})
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=_document(OWN), PermissionsBoundary=arn)
        truth.judged(name, skipped="no_star_policy no_service_star")
    for name, rule in (("both-all", "no_star_policy"), ("both-service", "no_service_star")):
        arn = _policy(truth, name, {**ALL, "Action": "*" if rule == RULES[0] else "s3:*"})
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=_document(OWN), PermissionsBoundary=arn)
        iam.attach_role_policy(RoleName=name, PolicyArn=arn)
        truth.judged(name, fails=rule)


@holds(services=("iam",))
def cloudshell(truth: Truth) -> None:
    """AWS's policy, attached to each kind of identity, and one of the customer's that is called so."""
    iam = truth.client("iam")
    aws, name = "arn:aws:iam::aws:policy/AWSCloudShellFullAccess", "AWSCloudShellFullAccess"
    own = _policy(truth, name, {**ALL, "Action": "cloudshell:CreateEnvironment"})
    others = ["arn:aws:iam::aws:policy/ReadOnlyAccess", own]
    for verdict, arns in (("fails", [*others, aws]), ("passes", others), ("passes", [])):
        number = len(arns)
        iam.create_user(UserName=f"user-{number}")
        iam.create_group(GroupName=f"group-{number}")
        iam.create_role(RoleName=f"role-{number}", AssumeRolePolicyDocument=_document(OWN))
        for arn in arns:
            iam.attach_user_policy(UserName=f"user-{number}", PolicyArn=arn)
            iam.attach_group_policy(GroupName=f"group-{number}", PolicyArn=arn)
            iam.attach_role_policy(RoleName=f"role-{number}", PolicyArn=arn)
        for kind in ("user", "group", "role"):
            truth.judged(f"{kind}-{number}", **{verdict: "cloudshell_full"})
        if arns:
            truth.judged(f"user-{number}", fails="user_no_direct_policies")


# -- Who can take on a role --------------------------------------------------------------------------------------

OWN = allow({"Service": "ec2.amazonaws.com"}, Action="sts:AssumeRole")
WEB = "sts:AssumeRoleWithWebIdentity"
AUD = {"aud": "sts.amazonaws.com"}

CIRCLECI = "oidc.circleci.com/org/3d7a1f4e-5b6c-4d8e-9f10-1a2b3c4d5e6f"

STRANGERS: dict[str, tuple[str, dict[str, str]]] = {
    "github": ("token.actions.githubusercontent.com", AUD),
    "github-any-repo": ("token.actions.githubusercontent.com", {**AUD, "sub": "repo:*"}),
    "github-any-owner": ("token.actions.githubusercontent.com", {**AUD, "sub": "repo:*/deploy:ref:refs/heads/main"}),
    "github-some-owners": ("token.actions.githubusercontent.com", {**AUD, "sub": "repo:acme*/deploy:*"}),
    "gitlab": ("gitlab.com", {"aud": "https://gitlab.com"}),
    "gitlab-any-project": ("gitlab.com", {"sub": "project_path:*/deploy:ref_type:branch:ref:main"}),
    "terraform": ("app.terraform.io", {"aud": "aws.workload.identity"}),
    "terraform-any": ("app.terraform.io", {"sub": "organization:*:project:web:workspace:prod:run_phase:*"}),
    "buildkite": ("agent.buildkite.com", AUD),
    "buildkite-any": ("agent.buildkite.com", {**AUD, "sub": "organization:*:pipeline:deploy:*"}),
}
"""A shared provider, and the claims that are pinned: anybody who is a customer there meets them."""

CUSTOMERS: dict[str, tuple[str, dict[str, str]]] = {
    "github-repo": ("token.actions.githubusercontent.com", {**AUD, "sub": "repo:acme/deploy:ref:refs/heads/main"}),
    "github-owner": ("token.actions.githubusercontent.com", {**AUD, "sub": "repo:acme/*"}),
    "gitlab-group": ("gitlab.com", {"sub": "project_path:acme/*"}),
    "terraform-own": ("app.terraform.io", {"sub": "organization:acme:project:*:workspace:*:run_phase:*"}),
    "buildkite-own": ("agent.buildkite.com", {**AUD, "sub": "organization:acme:pipeline:deploy:*"}),
    "circleci-own": (CIRCLECI, {"aud": CIRCLECI.rpartition("/")[2]}),
    "circleci-project": (CIRCLECI, {"sub": "org/*/project/8f0c2b1e-1234-4abc-9def-0123456789ab/user/*"}),
    "bitbucket-workspace": (
        "api.bitbucket.org/2.0/workspaces/acme/pipelines-config/identity/oidc",
        {"aud": "ari:cloud:bitbucket::workspace/8f0c2b1e-1234-4abc-9def-0123456789ab"},
    ),
    "cluster": (
        "oidc.eks.us-east-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF",
        {"sub": "system:serviceaccount:web:api"},
    ),
    "cluster-any": ("oidc.eks.us-east-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF", AUD),
}

ANYBODY: dict[str, Statement] = {
    "external-id": allow("*", {"StringEquals": {"sts:ExternalId": "example"}}),
    "cognito": allow({"Federated": "cognito-identity.amazonaws.com"}, Action=WEB),
    "google": allow({"Federated": "accounts.google.com"}, Action=WEB),
    "star-or-tags": allow("*", Action=["sts:TagSession", "sts:AssumeRole"]),
    "any-sts": allow({"AWS": "*"}, Action="sts:*"),
    "all": allow({"AWS": "*"}, Action="*"),
}
KNOWN: dict[str, Statement] = {
    "vendor": allow({"AWS": f"arn:aws:iam::{OTHER}:root"}, {"StringEquals": {"sts:ExternalId": "example"}}),
    "cognito-pool": allow(
        {"Federated": "cognito-identity.amazonaws.com"},
        {"StringEquals": {"cognito-identity.amazonaws.com:aud": "us-east-1:0a1b2c3d-0000-4000-8000-000000000000"}},
        Action=WEB,
    ),
    "google-app": allow(
        {"Federated": "accounts.google.com"}, {"StringEquals": {"accounts.google.com:aud": "66677788"}}, Action=WEB
    ),
    "tags-and-identity": allow("*", Action=["sts:TagSession", "sts:SetSourceIdentity"]),
    "only-tags": allow("*", Action="sts:TagSession"),
}


@holds(services=("iam",))
def roles(truth: Truth) -> None:
    """Roles that anyone can take on, and roles that look so."""
    own = truth.cloud.account
    anybody = {**to_anyone(own), **ANYBODY, **_web(own, STRANGERS)}
    known = {**to_known(own), **KNOWN, **_web(own, CUSTOMERS), "saml": _saml(own)}
    for verdict, table in (("fails", anybody), ("passes", known)):
        for name, statement in table.items():
            _role(truth, name, [{"Action": "sts:AssumeRole", **statement}], verdict)
    _role(truth, "second", [OWN, allow({"AWS": "*"}, Action="sts:AssumeRole")], "fails")
    guard = {"StringNotEquals": {"aws:PrincipalOrgID": ORG}}
    deny = {"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole", "Condition": guard}
    _role(truth, "others-denied", [allow("*", Action="sts:AssumeRole"), deny], "passes")


def _web(own: str, table: dict[str, tuple[str, dict[str, str]]]) -> dict[str, Statement]:
    return {
        name: allow(
            {"Federated": f"arn:aws:iam::{own}:oidc-provider/{provider}"},
            {"StringLike": {f"{provider}:{claim}": value for claim, value in claims.items()}},
            Action=WEB,
        )
        for name, (provider, claims) in table.items()
    }


def _saml(own: str) -> Statement:
    aud = {"StringEquals": {"SAML:aud": "https://signin.aws.amazon.com/saml"}}
    return allow({"Federated": f"arn:aws:iam::{own}:saml-provider/corp"}, aud, Action="sts:AssumeRoleWithSAML")


def _role(truth: Truth, name: str, statements: list[Statement], verdict: str) -> None:
    truth.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=_document(statements))
    truth.judged(name, **{verdict: "role_trust_wildcard"})


def _policy(truth: Truth, name: str, statements: Any) -> str:
    document = _document(statements)
    return str(truth.client("iam").create_policy(PolicyName=name, PolicyDocument=document)["Policy"]["Arn"])


def _document(statements: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})
