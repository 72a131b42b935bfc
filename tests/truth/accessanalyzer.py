"""Analyzers of each region: those for access from outside count, when they work."""

from __future__ import annotations

from tests.truth.account import Truth, holds

ANALYZERS = {
    "us-east-1": [("ACCOUNT", "ACTIVE")],
    "us-east-2": [("ORGANIZATION", "ACTIVE")],
    "us-west-1": [("ACCOUNT_UNUSED_ACCESS", "ACTIVE"), ("ACCOUNT", "FAILED"), ("ORGANIZATION", "ACTIVE")],
    "us-west-2": [],
    "eu-west-1": [("ACCOUNT_UNUSED_ACCESS", "ACTIVE"), ("ORGANIZATION_UNUSED_ACCESS", "ACTIVE")],
    "eu-west-2": [("ACCOUNT_INTERNAL_ACCESS", "ACTIVE"), ("ORGANIZATION_INTERNAL_ACCESS", "ACTIVE")],
    "eu-west-3": [("ORGANIZATION", "DISABLED")],
    "eu-central-1": [("ACCOUNT", "FAILED"), ("ORGANIZATION", "DISABLED")],
}
RIGHT = ("us-east-1", "us-east-2", "us-west-1")
CREATING, DELETED, DENIED = "ap-south-1", "eu-north-1", "sa-east-1"
ONE = [("ACCOUNT", "ACTIVE")]


@holds(regions=(*ANALYZERS, CREATING, DELETED, DENIED))
def analyzers(truth: Truth) -> None:
    """Unused and internal access is something else; a disabled or failed analyzer finds nothing."""
    for region, held in {**ANALYZERS, DELETED: ONE, DENIED: ONE, CREATING: [("ACCOUNT", "CREATING")]}.items():
        for number, (type, status) in enumerate(held):
            truth.client("accessanalyzer", region).create_analyzer(analyzerName=f"a-{number}", type=type)
            truth.patch("analyzer", region=region, name=f"a-{number}", status=status)
    truth.client("accessanalyzer", DELETED).delete_analyzer(analyzerName="a-0")
    for region in (*ANALYZERS, DELETED):
        verdict = {"passes": "enabled"} if region in RIGHT else {"fails": "enabled"}
        truth.judged(f"AWS::AccessAnalyzer::RegionSettings:{region}", **verdict)
    truth.judged(f"AWS::AccessAnalyzer::RegionSettings:{CREATING}", unknown="enabled")
    truth.cloud.control("deny", actions=["access-analyzer:ListAnalyzers"], regions=[DENIED])
    truth.judged(f"unlisted:AWS::AccessAnalyzer::RegionSettings:{DENIED}:0", unknown="enabled")
