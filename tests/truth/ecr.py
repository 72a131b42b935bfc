"""Repositories: who may pull from them, how they are scanned and whether tags can be moved."""

from __future__ import annotations

from typing import Any

from tests.truth.account import ABROAD, ALL_THREE, FAR, HOME, Truth, holds
from tests.truth.people import policies

FIXED: dict[str, Any] = {"imageTagMutability": "IMMUTABLE"}
GOOD = {**FIXED, "imageScanningConfiguration": {"scanOnPush": True}}


def _made(truth: Truth, name: str, region: str = HOME, **settings: Any) -> None:
    truth.client("ecr", region).create_repository(repositoryName=name, **settings)


@holds(regions=ALL_THREE)
def repositories(truth: Truth) -> None:
    """Repositories of a registry that scans nothing by itself, and of one whose policies are hidden."""
    for policy in policies("ecr:BatchGetImage", None, "ecr:PutImage"):
        _made(truth, policy.name, **GOOD)
        truth.client("ecr").set_repository_policy(repositoryName=policy.name, policyText=policy.text)
        verdict = "fails" if policy.is_open else "passes"
        truth.judged(policy.name, **{verdict: "public_policy"})
    both = "scan_on_push immutable"
    for name, settings, fails, passes in [
        ("by-default", {}, both, "public_policy"),
        ("scanned", {"imageScanningConfiguration": {"scanOnPush": True}}, "immutable", "scan_on_push"),
        ("not-scanned", {"imageScanningConfiguration": {"scanOnPush": False}}, both, ""),
        ("team/web", {"imageTagMutability": "IMMUTABLE"}, "scan_on_push", "immutable"),
        ("mutable", {"imageTagMutability": "MUTABLE"}, both, ""),
        (
            "but-latest",
            {"imageTagMutability": "IMMUTABLE_WITH_EXCLUSION", **_but("latest*")},
            "scan_on_push immutable",
            "",
        ),
        ("only-releases", {"imageTagMutability": "MUTABLE_WITH_EXCLUSION", **_but("v*")}, both, ""),
    ]:
        _made(truth, name, **settings)
        truth.judged(name, fails=fails, passes=passes)
    _made(truth, "hidden", ABROAD, imageScanningConfiguration={"scanOnPush": True})
    truth.cloud.control("deny", actions=["ecr:GetRepositoryPolicy"], regions=[ABROAD])
    truth.judged("hidden", unknown="public_policy", passes="scan_on_push", fails="immutable")
    truth.cloud.control("deny", actions=["ecr:DescribeRepositories"], regions=[FAR])
    truth.judged(f"All AWS::ECR::Repository in {FAR}", unknown="public_policy scan_on_push immutable")


def _but(pattern: str) -> dict[str, Any]:
    return {"imageTagMutabilityExclusionFilters": [{"filterType": "WILDCARD", "filter": pattern}]}


@holds()
def registries(truth: Truth) -> None:
    """A registry that scans some by itself, and one whose settings are hidden."""
    rules = [
        ("SCAN_ON_PUSH", ["pushed", "prod*", "*-end"]),
        ("CONTINUOUS_SCAN", ["team/*"]),
    ]
    for region in (HOME, ABROAD):
        truth.client("ecr", region).put_registry_scanning_configuration(
            scanType="ENHANCED",
            rules=[
                {
                    "scanFrequency": frequency,
                    "repositoryFilters": [{"filter": each, "filterType": "WILDCARD"} for each in filters],
                }
                for frequency, filters in rules
            ],
        )
    for name, is_scanned in {
        "pushed": True,
        "pushed-too": True,
        "all-pushed": True,
        "push": False,
        "production/web": True,
        "not-prod": False,
        "front-end": True,
        "front-end-old": False,
        "team/web": True,
        "team": False,
        "other": False,
    }.items():
        _made(truth, name, **FIXED)
        verdict = "passes" if is_scanned else "fails"
        truth.judged(name, **{verdict: "scan_on_push"})

    _made(truth, "own", **GOOD)  # no filter matches it, so enhanced scanning leaves it out
    truth.judged("own", fails="scan_on_push")
    _made(truth, "own-abroad", ABROAD, **GOOD)
    _made(truth, "nobody-knows", ABROAD, **FIXED)
    truth.cloud.control("deny", actions=["ecr:GetRegistryScanningConfiguration"], regions=[ABROAD])
    truth.judged("own-abroad", unknown="scan_on_push")
    truth.judged("nobody-knows", unknown="scan_on_push")


@holds(regions=(HOME,))
def abroad(truth: Truth) -> None:
    """The registry of another region counts for nothing here."""
    truth.client("ecr", ABROAD).put_registry_scanning_configuration(
        scanType="BASIC",
        rules=[{"scanFrequency": "SCAN_ON_PUSH", "repositoryFilters": [{"filter": "*", "filterType": "WILDCARD"}]}],
    )
    _made(truth, "here", imageTagMutability="IMMUTABLE")
    truth.judged("here", fails="scan_on_push")
