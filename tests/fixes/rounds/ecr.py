"""Repositories."""

from __future__ import annotations

from typing import Any

from tests.fixes.rounds.policies import open_policy
from tests.fixes.rounds.round import ACCOUNT, Made, goes_round

from nephoscope_aws_simulator.testing import Cloud


def repository(cloud: Cloud, name: str, policy: str = "", **settings: Any) -> Made:
    """Make a repository, and one like it beside it."""
    ecr = cloud.client("ecr")
    for each in (name, f"{name}-beside"):
        ecr.create_repository(repositoryName=each, **settings)
        if policy:
            ecr.set_repository_policy(repositoryName=each, policyText=policy)

    def now(name: str) -> Any:
        described = ecr.describe_repositories(repositoryNames=[name])["repositories"]
        return described, ecr.get_repository_policy(repositoryName=name)["policyText"] if policy else ""

    arn = f"arn:aws:ecr:us-east-1:{ACCOUNT}:repository/{name}"
    return Made("AWS::ECR::Repository", arn, name, lambda: now(name), lambda: now(f"{name}-beside"))


@goes_round("aws.ecr.scan_on_push", "aws.ecr.scan_on_push")
def unscanned(cloud: Cloud) -> Made:
    return repository(cloud, "team/unscanned")


@goes_round("aws.ecr.immutable_tags", "aws.ecr.immutable")
def mutable(cloud: Cloud) -> Made:
    return repository(cloud, "round-mutable")


@goes_round("aws.ecr.immutable_tags", "aws.ecr.immutable")
def mutable_in_part(cloud: Cloud) -> Made:
    filters = [{"filterType": "WILDCARD", "filter": "latest*"}]
    settings = {"imageTagMutability": "IMMUTABLE_WITH_EXCLUSION", "imageTagMutabilityExclusionFilters": filters}
    return repository(cloud, "round-but-latest", **settings)


@goes_round("aws.ecr.remove_public_access", "aws.ecr.public_policy")
def public(cloud: Cloud) -> Made:
    return repository(cloud, "round-public", open_policy("ecr:BatchGetImage", resource=""))
