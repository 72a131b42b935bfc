"""Which identity providers serve many customers from one address, and by which claim such a provider says whose it is.

AWS itself holds a list of shared providers and of the claim that a trust policy has to test for each
(https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_oidc_secure-by-default.html); it looks at new and
changed policies only, and not at what the claim is compared with. To that list this one adds providers whose own guides
say the same, and the keys that AWS knows besides ``sub`` and ``aud``
(https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-wif).

A provider that is not listed is one's own: a cluster's, a company's, or a tenant's with an address of its own
(``oidc.circleci.com/org/ID``, ``api.bitbucket.org/2.0/workspaces/NAME/…``, ``NAME.app.spacelift.io``). Only that
tenant's tokens carry its address, so no claim has to be tested.

The audience says for whom a token is made, and at most of these anyone can choose it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

_END = "\0"
"""Put behind a value without wildcards, so that an expression can tell a whole name from the beginning of one."""

_ANY = r"[^\0]+\0"
"""A value without wildcards, whatever it is."""

_FREE = re.compile(r"[*?]|\$\{")


@dataclass(frozen=True, slots=True)
class SharedProvider:
    """A provider that many customers share.

    ``claims`` maps the end of a condition key to the expression that a value must begin with to name an owner;
    ``keys`` does the same for whole keys that say so for this provider only. ``login``: people log in there, so an
    application is pinned by its audience.
    """

    name: str
    claims: Mapping[str, str]
    keys: Mapping[str, str]
    login: bool = False


def _after(words: str, ends: str = ":") -> str:
    """Make the expression for ``word:OWNER:…`` with an owner that is written out to its end."""
    return rf"(?:{words}):[^\0{ends}]+[\0{ends}]"


def _ci(name: str, sub: str, keys: Mapping[str, str] | None = None, **claims: str) -> SharedProvider:
    return SharedProvider(name, {"sub": sub, **claims}, keys or {})


def _login(name: str, *more: str) -> SharedProvider:
    return SharedProvider(name, dict.fromkeys(("aud", "app_id", "sub", "id", "user_id", *more), _ANY), {}, login=True)


# GitHub lets its customers choose which claims the subject is made of, and escapes colons within them, so the owner may
# stand anywhere. A name may be followed by its number.
# https://docs.github.com/en/actions/reference/security/oidc
_GITHUB = _ci(
    "GitHub Actions",
    r"(?:[^\0]*:)?"
    + _after(
        "repo|repository|repository_owner|repository_owner_id|repository_id|enterprise|enterprise_id|job_workflow_ref",
        "/:@",
    ),
    repository=r"[^\0/]+[\0/]",
    repository_id=_ANY,
    repository_owner=_ANY,
    repository_owner_id=_ANY,
    enterprise=_ANY,
    enterprise_id=_ANY,
    job_workflow_ref=r"[^\0/]+[\0/]",
)
# https://developer.hashicorp.com/terraform/cloud-docs/workspaces/dynamic-provider-credentials/workload-identity-tokens
_TERRAFORM = _ci("HCP Terraform", _after("organization"))
# https://www.ibm.com/support/pages/turbonomic-saas-iam-role-setup
_TURBONOMIC = _ci("IBM Turbonomic", r"system:serviceaccount:[^\0:]+[\0:]")
# https://learn.microsoft.com/azure/sentinel/connect-aws and .../defender-for-cloud/quickstart-onboard-aws: the subject
# is Microsoft's own, the session carries the customer's id.
_MICROSOFT = SharedProvider("Microsoft Sentinel", {}, {"sts:rolesessionname": r"\w+_[\w-]+\0"})
_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_PULUMI = r"pulumi:(?:[\w.-]+:)*?" + _after(r"org|pulumi\.organization\.login")

SHARED: Mapping[str, SharedProvider] = {
    "accounts.google.com": _login(
        "accounts.google.com",
        "email",
        "google/organization_number",
        "google/compute_engine/project_id",
        "google/compute_engine/project_number",
    ),
    **{
        host: _login(host)
        for host in (
            "appleid.apple.com",
            "cognito-identity.amazonaws.com",
            # https://docs.aws.amazon.com/govcloud-us/latest/UserGuide/govcloud-cog.html
            "cognito-identity-us-gov.amazonaws.com",
            "cognito-identity.us-gov-east-1.amazonaws.com",
            "cognito-identity.cn-north-1.amazonaws.com.cn",
            "graph.facebook.com",
            "login.salesforce.com",
            "www.amazon.com",
        )
    },
    # All personal accounts of Microsoft are in this one tenant.
    # https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference
    "login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0": _login("login.microsoftonline.com"),
    "token.actions.githubusercontent.com": _GITHUB,
    "vstoken.actions.githubusercontent.com": _GITHUB,
    # https://docs.github.com/en/enterprise-cloud@latest/admin/monitoring-activity-in-your-enterprise/reviewing-audit-logs-for-your-enterprise/streaming-the-audit-log-for-your-enterprise
    "oidc-configuration.audit-log.githubusercontent.com": _ci(
        "GitHub audit log streaming", r"https://github\.com/[^\0/]+[\0/]"
    ),
    # https://docs.gitlab.com/ci/secrets/id_token_authentication/ ; the subject of a person is a number.
    "gitlab.com": _ci("GitLab.com", _after("project_path", "/:") + r"|\d+\0"),
    "app.terraform.io": _TERRAFORM,
    "app.eu.terraform.io": _TERRAFORM,
    # https://buildkite.com/docs/agent/v3/cli-oidc : the subject may be one of the ids, and tags are claims.
    "agent.buildkite.com": _ci(
        "Buildkite",
        _after("organization") + rf"|{_UUID}\0",
        {
            f"aws:requesttag/{tag}": _ANY
            for tag in ("organization_slug", "organization_id", "pipeline_id", "cluster_id")
        },
    ),
    # https://codefresh.io/docs/docs/integrations/oidc-pipelines/
    "oidc.codefresh.io": _ci("Codefresh", _after("account")),
    # https://docs.scalr.io/docs/aws
    "scalr.io": _ci("Scalr", _after("account")),
    # https://docs.envzero.com/guides/integrations/oidc-integrations : the subject is the organization's user.
    "login.app.env0.com": _ci("env zero", _ANY, {"aws:requesttag/organizationid": _ANY}),
    # https://www.pulumi.com/docs/esc/guides/configuring-oidc/aws/ : the audience is the organization; at the second
    # address it can be chosen.
    "api.pulumi.com/oidc": _ci("Pulumi Cloud", _PULUMI, aud=_ANY),
    "api.pulumi.com/oidc/v2": _ci("Pulumi Cloud", _PULUMI),
    # https://vercel.com/docs/oidc/reference : an audience can be chosen, but this is the team's.
    "oidc.vercel.com": _ci("Vercel", _after("owner"), aud=r"https://vercel\.com/[^\0/]+\0"),
    # https://modal.com/docs/guide/oidc-integration
    "oidc.modal.com": _ci("Modal", r"modal:" + _after("workspace_id")),
    # https://docs.deno.com/deploy/reference/oidc/
    "oidc.deno.com": _ci("Deno Deploy", _after("deployment", "/:")),
    # https://docs.upbound.io/manuals/packages/providers/authentication/
    "proidc.upbound.io": _ci("Upbound", _after("mcp", "/:")),
    # https://github.com/datachain-ai/studio-terraform-templates
    "studio.datachain.ai/api": _ci("DataChain Studio", _after("credentials", "/:")),
    # https://shisho.dev/docs/g/getting-started/integrate-apps/aws/
    "tokens.cloud.shisho.dev": _ci("Shisho Cloud", _after(r"\w+", "/:")),
    # https://docs.bitrise.io/en/bitrise-platform/integrations/oidc-authentication/oidc-for-aws.html
    "token.builds.bitrise.io": _ci("Bitrise", _ANY),
    # https://cirrus-ci.org/guide/writing-tasks/#environment-variables : the audience can be chosen.
    "oidc.cirrus-ci.com": _ci("Cirrus CI", _ANY),
    # https://www.gitpod.io/docs/classic/user/configure/workspaces/oidc/aws
    "api.gitpod.io/idp": _ci("Gitpod", r"https?://[^\0/]+/[^\0/]+[\0/]"),
    "sandboxes.cloud": SharedProvider("sandboxes.cloud", {"aud": _ANY}, {}),
    "sts.windows.net/33e01921-4d64-4f8c-a055-5bdaffd5e33d": _MICROSOFT,
    **{
        f"{host}/{tenant}": _TURBONOMIC
        for host, tenant in (
            ("rh-oidc.s3.us-east-1.amazonaws.com", "22ejnvnnturfmt6km08idd0nt4hekbn7"),
            ("rh-oidc.s3.us-east-1.amazonaws.com", "23e3sd27sju1hoou6ohfs68vbno607tr"),
            ("rh-oidc.s3.us-east-1.amazonaws.com", "23ne21h005qjl3n33d8dui5dlrmv2tmg"),
            ("rh-oidc.s3.us-east-1.amazonaws.com", "24jrf12m5dj7ljlfb4ta2frhrcoadm26"),
            ("oidc.op1.openshiftapps.com", "2f785sojlpb85i7402pk3qogugim5nfb"),
            ("oidc.op1.openshiftapps.com", "2c51blsaqa9gkjt0o9rt11mle8mmropu"),
        )
    },
    # Addresses that hold the tenant, without the tenant.
    # https://circleci.com/docs/openid-connect-tokens/
    **dict.fromkeys(
        ("oidc.circleci.com", "oidc.circleci.com/org"), _ci("CircleCI", r"org/[^\0/]+[\0/]", aud=rf"{_UUID}\0")
    ),
    # https://support.atlassian.com/bitbucket-cloud/docs/integrate-pipelines-with-resource-servers-using-oidc/
    "api.bitbucket.org": _ci(
        "Bitbucket Pipelines", rf"\{{?{_UUID}[}}:\0]", aud=r"ari:cloud:bitbucket::workspace/[^\0/]+\0"
    ),
    # https://learn.microsoft.com/azure/devops/pipelines/release/configure-workload-identity
    "vstoken.dev.azure.com": _ci("Azure DevOps", r"(?:sc|p)://[^\0/]+[\0/]"),
    # https://fly.io/docs/security/openid-connect/
    "oidc.fly.io": _ci("Fly.io", r"[^\0:]+[\0:]"),
}
"""Shared providers by their address, as the ARN of a provider in IAM and its condition keys hold it."""


def shared_provider(principal: str) -> SharedProvider | None:
    """Return the shared provider that a federated principal is, named by its ARN or by its bare address."""
    return SHARED.get(_address(principal))


def is_saml(principal: str) -> bool:
    """Tell whether a federated principal is a SAML provider: those are made from one organization's metadata."""
    return principal.startswith("arn:") and principal.split(":")[-1].startswith("saml-provider/")


def is_fixed(principal: str) -> bool:
    """Tell whether a federated principal names one provider."""
    return not _FREE.search(principal) or is_saml(principal)


def _address(principal: str) -> str:
    resource = principal.rpartition(":oidc-provider/")[2]
    return resource.lower().removeprefix("https://").rstrip("/")


def names_owner(key: str, values: Sequence[str], provider: SharedProvider | None = None) -> bool:
    """Tell whether a condition key (in lower case) is a claim of a shared provider and each value names an owner.

    :param provider: the one that the statement trusts: it may say whose a token is in a key that means nothing else.
    """
    test = _test(key) or (_compiled(provider.keys[key]) if provider and key in provider.keys else None)
    return bool(test and values and all(test.match(_head(value)) for value in values))


def _head(value: str) -> str:
    """Return a value up to its first wildcard or variable, or all of it with its end marked."""
    found = _FREE.search(value)
    return value[: found.start()] if found else value.strip() + _END


def _test(key: str) -> re.Pattern[str] | None:
    address, _, claim = key.rpartition(":")
    provider = SHARED.get(address.rstrip("/"))
    return _compiled(provider.claims[claim]) if provider and claim in provider.claims else None


@cache
def _compiled(expression: str) -> re.Pattern[str]:
    return re.compile(expression, re.IGNORECASE)
