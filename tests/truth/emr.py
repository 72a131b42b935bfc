"""What EMR blocks in a region."""

from __future__ import annotations

from typing import Any

from tests.truth.account import Truth, holds

SSH = {"MinRange": 22, "MaxRange": 22}

REGIONS: dict[str, tuple[str, bool, list[dict[str, int]]]] = {
    "eu-west-1": ("passes", True, [SSH]),
    "eu-west-2": ("passes", True, []),
    "eu-west-3": ("passes", True, [{"MinRange": 22}]),
    "eu-north-1": ("fails", False, [SSH]),
    "eu-central-1": ("fails", False, []),
    "us-east-2": ("fails", True, [SSH, {"MinRange": 8088, "MaxRange": 8088}]),
    "us-west-1": ("fails", True, [{"MinRange": 22, "MaxRange": 23}]),
    "us-west-2": ("fails", True, [{"MinRange": 0, "MaxRange": 65535}]),
    "ca-central-1": ("fails", True, [{"MinRange": 3389}]),
    "ap-south-1": ("unknown", True, [SSH]),
}
"""How each region is judged, whether it blocks, and the ports it leaves out."""

UNTOUCHED = "us-east-1"


@holds(regions=(UNTOUCHED, *REGIONS))
def regions(truth: Truth) -> None:
    """One region for each block; one that nobody changed, where all but SSH is blocked; one that does not say."""
    for region, (verdict, on, ranges) in REGIONS.items():
        block: dict[str, Any] = {"BlockPublicSecurityGroupRules": on, "PermittedPublicSecurityGroupRuleRanges": ranges}
        truth.client("emr", region).put_block_public_access_configuration(BlockPublicAccessConfiguration=block)
        hidden = verdict == "unknown"
        truth.judged(f"All AWS::EMR::RegionSettings in {region}" if hidden else f"EMR in {region}", **{verdict: "bpa"})
    truth.judged(f"EMR in {UNTOUCHED}", passes="bpa")
    truth.cloud.control("deny", actions=["elasticmapreduce:GetBlockPublicAccessConfiguration"], regions=["ap-south-1"])
