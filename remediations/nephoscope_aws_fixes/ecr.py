"""Fixes for private Amazon ECR repositories."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from nephoscope.domain import FixRequest, LiveSession, PlanProblem, Resource, Verdict
from nephoscope_aws_fixes.public_policy import ClosePolicy
from nephoscope_aws_fixes.setting import Setting, Target, at, operation, put

REPOSITORY = "AWS::ECR::Repository"
ON_PUSH = "ImageScanningConfiguration.ScanOnPush"


class RepositorySetting(Setting):
    """A setting of a repository, which is named with its registry: the account that owns it."""

    on = (REPOSITORY,)
    keys = ("registryId", "repositoryName")
    getter = operation("ecr", "describe_repositories", "ecr:DescribeRepositories")

    def names(self, resource: Resource) -> dict[str, Any]:
        return {"registryId": resource.account, "repositoryName": resource.name}

    def asked(self, target: Target) -> Mapping[str, Any]:
        return {"registryId": target.names["registryId"], "repositoryNames": [target.names["repositoryName"]]}


class ScanOnPush(RepositorySetting):
    """https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_PutImageScanningConfiguration.html"""

    id = "aws.ecr.scan_on_push"
    title = "Scan the repository’s images on push"
    summary = "Turns on basic scanning of each image that is pushed to the repository. Images in it are not scanned."
    breaks = "Nothing stops working. Scan results come minutes after a push, and do not stop it."
    group = "Container registries"
    setter = operation("ecr", "put_image_scanning_configuration", "ecr:PutImageScanningConfiguration")

    def found(self, answer: Mapping[str, Any]) -> Any:
        return {"scanOnPush": bool(at(answer, ("repositories", 0, "imageScanningConfiguration", "scanOnPush")))}

    def wanted(self, before: Any, request: FixRequest, session: LiveSession) -> Any:
        if before is None:
            raise PlanProblem("it does not exist any more.")
        if not before["scanOnPush"] and not self._is_enough(request):
            raise PlanProblem(
                "its registry uses enhanced scanning, whose filters decide: add one that matches the repository."
            )
        return {"scanOnPush": True}

    def _is_enough(self, request: FixRequest) -> bool:
        """Whether the finding is gone then: a registry with enhanced scanning does not ask its repositories."""
        scanned = dict(request.resource.properties)
        put(scanned, ON_PUSH, True)
        judged = request.judge(replace(request.resource, properties=scanned)) if request.judge else None
        return judged is None or judged.verdict != Verdict.FAIL

    def parameters(self, state: Any) -> Mapping[str, Any]:
        return {"imageScanningConfiguration": state}

    def show(self, properties: dict[str, Any], state: Any) -> None:
        put(properties, ON_PUSH, state["scanOnPush"])


class ImmutableTags(RepositorySetting):
    """https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_PutImageTagMutability.html"""

    id = "aws.ecr.immutable_tags"
    title = "Make the repository’s image tags immutable"
    summary = "A tag that exists can no longer be moved to another image; no tags are excluded from that."
    breaks = "Pushing a tag that exists fails, so builds that push a moving tag such as latest stop working."
    group = "Container registries"
    setter = operation("ecr", "put_image_tag_mutability", "ecr:PutImageTagMutability")

    def found(self, answer: Mapping[str, Any]) -> Any:
        repository = at(answer, ("repositories", 0)) or {}
        filters = repository.get("imageTagMutabilityExclusionFilters")
        found = {"imageTagMutability": repository.get("imageTagMutability")}
        return found | ({"imageTagMutabilityExclusionFilters": filters} if filters else {})

    def wanted(self, before: Any, request: FixRequest, session: LiveSession) -> Any:
        if before is None:
            raise PlanProblem("it does not exist any more.")
        return {"imageTagMutability": "IMMUTABLE"}

    def show(self, properties: dict[str, Any], state: Any) -> None:
        properties["ImageTagMutability"] = state["imageTagMutability"]
        properties["ImageTagMutabilityExclusionFilters"] = None


class RemovePublicAccess(RepositorySetting, ClosePolicy):
    """https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_SetRepositoryPolicy.html"""

    id = "aws.ecr.remove_public_access"
    title = "Limit the repository’s policy to its own account"
    breaks = (
        "Whoever pulls or pushes images only because everyone may can no longer do so: name the accounts that need "
        "the images in the policy first. Users and roles of the account itself then need an IAM policy that allows it."
    )
    group = "Container registries"
    getter = operation("ecr", "get_repository_policy", "ecr:GetRepositoryPolicy")
    setter = operation("ecr", "set_repository_policy", "ecr:SetRepositoryPolicy")
    policy_at = ("policyText",)
    sent_as = "policyText"
    shown_at = "RepositoryPolicyText"
    longest = 10_240

    def asked(self, target: Target) -> Mapping[str, Any]:
        return target.names
