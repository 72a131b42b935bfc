"""Security Hub, which is on in a region or not."""

from __future__ import annotations

from tests.truth.account import Truth, holds

BARE, FULL, DISABLED, NEVER, DENIED = "us-east-1", "eu-west-1", "eu-central-1", "ap-south-1", "sa-east-1"


@holds(regions=(BARE, FULL, DISABLED, NEVER, DENIED))
def hubs(truth: Truth) -> None:
    """With and without standards, disabled again, never enabled."""
    for region in (BARE, FULL, DISABLED, DENIED):
        truth.client("securityhub", region).enable_security_hub(EnableDefaultStandards=region == FULL)
    truth.client("securityhub", DISABLED).disable_security_hub()
    for region in (BARE, FULL):
        truth.judged(f"AWS::SecurityHub::RegionSettings:{region}", passes="enabled")
    for region in (DISABLED, NEVER):
        truth.judged(f"AWS::SecurityHub::RegionSettings:{region}", fails="enabled")
    truth.cloud.control("deny", actions=["securityhub:DescribeHub"], regions=[DENIED])
    truth.judged(f"unlisted:AWS::SecurityHub::RegionSettings:{DENIED}:0", unknown="enabled")
