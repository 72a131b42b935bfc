"""Whom the trust policy of a role lets in: identity providers that many share, what names an owner, ways in."""

from __future__ import annotations

from typing import Any

import pytest

from nephoscope.domain import Verdict, unknown
from nephoscope.testing import judge_example
from nephoscope_baseline.aws.iam_policies import role_trust_wildcard

PROVIDER = "arn:aws:iam::123456789012:oidc-provider/"
SAML = "arn:aws:iam::123456789012:saml-provider/idp"
GITHUB = "token.actions.githubusercontent.com"
SENTINEL = "sts.windows.net/33e01921-4d64-4f8c-a055-5bdaffd5e33d/"
WEB = "sts:AssumeRoleWithWebIdentity"
UUID = "3d7a1f4e-5b6c-4d8e-9f10-1a2b3c4d5e6f"


def trust(principal: Any, condition: Any = None, action: Any = WEB, **more: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": principal, "Action": action, **more}
    return statement | ({"Condition": condition} if condition else {})


def federated(address: str, operator: str = "StringLike", action: Any = WEB, **claims: Any) -> dict[str, Any]:
    condition = {operator: {f"{address}:{claim}": value for claim, value in claims.items()}}
    return trust({"Federated": PROVIDER + address}, condition if claims else None, action)


def verdict(*statements: Any) -> Verdict:
    return judge_example(role_trust_wildcard, {"AssumeRolePolicyDocument": {"Statement": list(statements)}}).verdict


# -- What names an owner -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "claim", "value"),
    [
        (GITHUB, "sub", "repo:octo-org/octo-repo:ref:refs/heads/main"),
        (GITHUB, "sub", ["repo:octo-org/*", "repo:octo-cat/site:*"]),
        (GITHUB, "sub", "repo:octo-org@123456/octo-repo@*:*"),
        (GITHUB, "sub", "repository_owner_id:123456:*"),
        (GITHUB, "sub", "environment:prod:repository_owner:octo-org:*"),
        (GITHUB, "repository", "octo-org/*"),
        (GITHUB, "repository_id", "123456"),
        (GITHUB, "repository_owner", "octo-org"),
        (GITHUB, "enterprise_id", "42"),
        (GITHUB, "job_workflow_ref", "octo-org/deploy/.github/workflows/deploy.yml@*"),
        ("oidc-configuration.audit-log.githubusercontent.com", "sub", "https://github.com/octo-enterprise"),
        ("gitlab.com", "sub", "project_path:acme/*:ref_type:branch:ref:*"),
        ("app.terraform.io", "sub", "organization:acme:project:*:workspace:*:run_phase:*"),
        ("app.eu.terraform.io", "sub", "organization:acme:*"),
        ("agent.buildkite.com", "sub", "organization:acme:pipeline:*"),
        ("agent.buildkite.com", "sub", UUID),
        ("oidc.codefresh.io", "sub", "account:5f30ebd30312313ae7f17948:*"),
        ("scalr.io", "sub", "account:acme:environment:*"),
        ("api.pulumi.com/oidc", "aud", "aws:acme"),
        ("api.pulumi.com/oidc", "sub", "pulumi:deploy:org:acme:*"),
        ("oidc.vercel.com", "aud", "https://vercel.com/acme"),
        ("oidc.vercel.com", "sub", "owner:acme:project:*:environment:production"),
        ("oidc.modal.com", "sub", "modal:workspace_id:ac-12345abcd:*"),
        ("oidc.deno.com", "sub", "deployment:acme/*"),
        ("proidc.upbound.io", "sub", "mcp:acme/prod:provider:provider-aws"),
        ("studio.datachain.ai/api", "sub", "credentials:acme/*"),
        ("login.app.env0.com", "sub", "auth0|0123456789"),
        ("login.app.env0.com/", "sub", "auth0|0123456789"),
        ("oidc.circleci.com", "sub", "org/0123/project/*"),
        ("accounts.google.com", "aud", "123.apps.googleusercontent.com"),
        ("accounts.google.com", "google/organization_number", "123456"),
        ("cognito-identity.amazonaws.com", "aud", "eu-west-1:pool"),
        ("graph.facebook.com", "app_id", "1234"),
    ],
)
def test_a_claim_that_names_a_fixed_owner_closes_a_shared_provider(address: str, claim: str, value: Any) -> None:
    assert verdict(federated(address)) is Verdict.FAIL
    assert verdict(federated(address, **{claim: value})) is Verdict.PASS
    assert verdict(federated(address, "ForAnyValue:StringLike", **{claim: value})) is Verdict.PASS
    assert verdict(federated(address, "StringLikeIfExists", **{claim: value})) is Verdict.FAIL
    assert verdict(federated(address, "ForAllValues:StringLike", **{claim: value})) is Verdict.FAIL
    assert verdict(federated(address, "StringNotLike", **{claim: value})) is Verdict.FAIL


@pytest.mark.parametrize(
    ("address", "claim", "value"),
    [
        (GITHUB, "aud", "sts.amazonaws.com"),
        (GITHUB, "sub", "*"),
        (GITHUB, "sub", "repo:*"),
        (GITHUB, "sub", "repo:*/octo-repo:*"),
        (GITHUB, "sub", "repo:octo-org*"),
        (GITHUB, "sub", "repo:?cto-org/octo-repo:*"),
        (GITHUB, "sub", "*:repository_owner:octo-org:*"),
        (GITHUB, "sub", ["repo:octo-org/*", "repo:*"]),
        (GITHUB, "sub", "repo:${aws:PrincipalTag/org}/octo-repo:*"),
        (GITHUB, "sub", "environment:production"),
        (GITHUB, "sub", ""),
        (GITHUB, "sub", []),
        (GITHUB, "ref", "refs/heads/main"),
        (GITHUB, "environment", "production"),
        (GITHUB, "workflow", "deploy"),
        (GITHUB, "actor", "dependabot[bot]"),
        (GITHUB, "repository", "*/octo-repo"),
        ("gitlab.com", "aud", "https://gitlab.com"),
        ("gitlab.com", "sub", "project_path:*:ref_type:branch:ref:main"),
        ("gitlab.com", "sub", "project_path:acme*:ref_type:branch:ref:main"),
        ("app.terraform.io", "aud", "aws.workload.identity"),
        ("app.terraform.io", "sub", "organization:*:project:*:workspace:prod:run_phase:*"),
        ("app.terraform.io", "sub", "organization:acme*"),
        ("agent.buildkite.com", "aud", "sts.amazonaws.com"),
        ("agent.buildkite.com", "sub", "organization:*:pipeline:deploy:*"),
        ("agent.buildkite.com", "sub", "deploy"),
        ("oidc.codefresh.io", "aud", "https://g.codefresh.io"),
        ("scalr.io", "aud", "aws.scalr-run-workload"),
        ("api.pulumi.com/oidc", "aud", "aws:*"),
        ("api.pulumi.com/oidc/v2", "aud", "acme"),
        ("oidc.vercel.com", "aud", "sts.amazonaws.com"),
        ("oidc.vercel.com", "aud", "https://vercel.com/*"),
        ("oidc.modal.com", "aud", "oidc.modal.com"),
        ("proidc.upbound.io", "aud", "sts.amazonaws.com"),
        ("login.app.env0.com", "aud", "https://prod.env0.com"),
        ("oidc.circleci.com", "aud", "sts.amazonaws.com"),
        ("accounts.google.com", "oaud", "https://example.com"),
        ("cognito-identity.amazonaws.com", "amr", "authenticated"),
        (SENTINEL, "aud", "api://1462b192-27f7-4cb9-8523-0f4ecb54b47e"),
    ],
)
def test_what_any_customer_can_meet_leaves_a_shared_provider_open(address: str, claim: str, value: Any) -> None:
    assert verdict(federated(address, **{claim: value})) is Verdict.FAIL


@pytest.mark.parametrize(
    "address",
    [
        "oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF",
        "oidc.eks.cn-north-1.amazonaws.com.cn/id/0123456789ABCDEF",
        "oidc.op1.openshiftapps.com/2abcdefghijklmnopqrstuvwxyz12345",
        "oidc.circleci.com/org/3d7a1f4e-5b6c-4d8e-9f10-1a2b3c4d5e6f",
        "api.bitbucket.org/2.0/workspaces/acme/pipelines-config/identity/oidc",
        "token.actions.githubusercontent.com/acme",
        "token.actions.acme.ghe.com",
        "oidc.vercel.com/acme",
        "gitlab.example.com",
        "acme.app.spacelift.io",
        "acme.eu.auth0.com/",
        "cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEf",
        "vstoken.dev.azure.com/3d7a1f4e-5b6c-4d8e-9f10-1a2b3c4d5e6f",
        "sts.windows.net/3d7a1f4e-5b6c-4d8e-9f10-1a2b3c4d5e6f/",
        "evil-gitlab.com",
    ],
)
def test_a_provider_whose_address_is_one_owners_passes_whatever_is_tested(address: str) -> None:
    assert verdict(federated(address)) is Verdict.PASS
    assert verdict(federated(address, aud="sts.amazonaws.com", sub="*")) is Verdict.PASS


def test_tags_and_session_names_say_whose_a_token_is_only_where_the_provider_sets_them() -> None:
    tag = {"StringEquals": {"aws:RequestTag/organization_slug": "acme"}}
    session = {"StringEquals": {"sts:RoleSessionName": f"MicrosoftSentinel_{UUID}"}}
    assert verdict(trust({"Federated": f"{PROVIDER}agent.buildkite.com"}, tag)) is Verdict.PASS
    assert verdict(trust({"Federated": PROVIDER + SENTINEL}, session)) is Verdict.PASS
    assert verdict(trust({"Federated": PROVIDER + GITHUB}, tag)) is Verdict.FAIL
    assert verdict(trust({"Federated": PROVIDER + GITHUB}, session)) is Verdict.FAIL


def test_demanding_the_claim_makes_a_lenient_operator_name_an_owner() -> None:
    lenient = {"ForAllValues:StringLike": {f"{GITHUB}:sub": "repo:octo-org/*"}}
    principal = {"Federated": PROVIDER + GITHUB}
    assert verdict(trust(principal, {**lenient, "Null": {f"{GITHUB}:sub": "false"}})) is Verdict.PASS
    assert verdict(trust(principal, {**lenient, "Null": {f"{GITHUB}:sub": "true"}})) is Verdict.FAIL


def test_a_message_says_who_and_what_is_missing() -> None:
    document = {"Statement": [federated(GITHUB, aud="sts.amazonaws.com")]}
    finding = judge_example(role_trust_wildcard, {"AssumeRolePolicyDocument": document})
    said = "Any customer of GitHub Actions can assume this role: no condition says whose token it has to be"
    assert finding.message == said


# -- Who, and by which action --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "principal",
    [
        {"Federated": GITHUB},
        {"Federated": f"https://{GITHUB}"},
        {"Federated": f"arn:aws-us-gov:iam::123456789012:oidc-provider/{GITHUB}"},
        {"Federated": f"arn:aws-cn:iam::123456789012:oidc-provider/{GITHUB.upper()}"},
        {"Federated": [SAML, PROVIDER + GITHUB]},
        {"Federated": "*"},
        {"Federated": f"{PROVIDER}*"},
        {"Federated": f"{PROVIDER}oidc.circleci.com/org/*"},
        {"Federated": "arn:aws:iam::*:oidc-provider/idp.example.com"},
        {"AWS": "*"},
    ],
)
def test_every_way_of_naming_a_shared_provider_is_seen(principal: Any) -> None:
    assert verdict(trust(principal)) is Verdict.FAIL


@pytest.mark.parametrize("action", ["sts:*", "*", "sts:AssumeRoleWithWeb*", ["sts:TagSession", WEB], WEB.upper()])
def test_every_pattern_that_covers_the_way_in_is_one(action: Any) -> None:
    assert verdict(federated(GITHUB, aud="x", action=action)) is Verdict.FAIL


@pytest.mark.parametrize(
    "action",
    ["sts:TagSession", ["sts:SetSourceIdentity", "sts:TagSession"], "sts:AssumeRole", "sts:AssumeRoleWithSAML"],
)
def test_an_action_that_takes_on_nothing_is_no_way_in(action: Any) -> None:
    assert verdict(federated(GITHUB, aud="x", action=action)) is Verdict.PASS


def test_everyone_who_may_only_tag_a_session_is_no_way_in() -> None:
    assert verdict(trust("*", action=["sts:TagSession", "sts:GetCallerIdentity"])) is Verdict.PASS
    assert verdict(trust("*", action=["sts:TagSession", "sts:AssumeRole"])) is Verdict.FAIL


def test_all_but_some_actions_is_a_way_in_unless_it_leaves_that_out() -> None:
    assert verdict({"Effect": "Allow", "Principal": "*", "NotAction": "sts:TagSession"}) is Verdict.FAIL
    assert verdict({"Effect": "Allow", "Principal": "*", "NotAction": "sts:Assume*"}) is Verdict.PASS
    assert verdict({"Effect": "Allow", "Principal": {"AWS": "*"}, "NotAction": "sts:*"}) is Verdict.PASS


def test_a_saml_provider_is_one_organizations() -> None:
    assert verdict(trust({"Federated": SAML}, action="sts:AssumeRoleWithSAML")) is Verdict.PASS
    assert verdict(trust({"Federated": "arn:aws:iam::*:saml-provider/idp"}, action="sts:*")) is Verdict.FAIL


def test_a_claim_of_one_provider_closes_all_that_a_statement_trusts() -> None:
    both = {"Federated": [PROVIDER + GITHUB, f"{PROVIDER}gitlab.com"]}
    assert verdict(trust(both, {"StringLike": {f"{GITHUB}:sub": "repo:octo-org/*"}})) is Verdict.PASS
    assert verdict(trust(both, {"StringLike": {f"{GITHUB}:sub": "repo:*"}})) is Verdict.FAIL


def test_a_good_statement_does_not_hide_an_open_one() -> None:
    assert verdict(federated(GITHUB, sub="repo:octo-org/*"), federated(GITHUB, aud="x")) is Verdict.FAIL


def test_a_hidden_condition_of_a_shared_provider_is_unknown_and_of_a_cluster_is_not() -> None:
    hidden = unknown("not resolved", "")
    assert verdict(trust({"Federated": PROVIDER + GITHUB}, hidden)) is Verdict.UNKNOWN
    assert verdict(trust({"Federated": f"{PROVIDER}oidc.eks.eu-west-1.amazonaws.com/id/A"}, hidden)) is Verdict.PASS


# -- Deny ----------------------------------------------------------------------------------------------------------

OUTSIDERS = {"StringNotLike": {f"{GITHUB}:sub": "repo:octo-org/*"}}


@pytest.mark.parametrize(
    "deny",
    [
        trust({"Federated": PROVIDER + GITHUB}, OUTSIDERS, Effect="Deny"),
        trust("*", OUTSIDERS, ["sts:AssumeRole*"], Effect="Deny"),
        {"Effect": "Deny", "Principal": "*", "NotAction": "sts:TagSession", "Condition": OUTSIDERS},
        trust({"Federated": "*"}, Effect="Deny"),
        {"Effect": "Deny", "NotPrincipal": {"AWS": "123456789012"}, "Action": WEB},
    ],
)
def test_a_deny_for_all_but_an_owner_closes_a_shared_provider(deny: Any) -> None:
    assert verdict(federated(GITHUB, aud="x", action=[WEB, "sts:TagSession"]), deny) is Verdict.PASS


@pytest.mark.parametrize(
    "deny",
    [
        trust({"Federated": f"{PROVIDER}gitlab.com"}, OUTSIDERS, Effect="Deny"),
        trust("*", {"StringNotLike": {f"{GITHUB}:sub": "repo:*"}}, Effect="Deny"),
        trust("*", OUTSIDERS, "sts:TagSession", Effect="Deny"),
        {"Effect": "Deny", "Principal": "*", "NotAction": WEB},
        {"Effect": "Deny", "NotPrincipal": {"Federated": PROVIDER + GITHUB}, "Action": WEB},
    ],
)
def test_a_deny_that_misses_some_customers_closes_nothing(deny: Any) -> None:
    assert verdict(federated(GITHUB, aud="x"), deny) is Verdict.FAIL
