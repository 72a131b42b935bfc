"""Macie, which is on in a region, suspended, or was never enabled."""

from __future__ import annotations

from tests.truth.account import Truth, holds

WORKS, SUSPENDED, DISABLED, NEVER, DENIED = "us-east-1", "eu-west-1", "eu-central-1", "ap-south-1", "sa-east-1"


@holds(regions=(WORKS, SUSPENDED, DISABLED, NEVER, DENIED))
def sessions(truth: Truth) -> None:
    """AWS refuses to describe a session that there is not; a refusal for another reason says nothing."""
    for region in (WORKS, SUSPENDED, DISABLED, DENIED):
        status = "PAUSED" if region == SUSPENDED else "ENABLED"
        truth.client("macie2", region).enable_macie(status=status)
    truth.client("macie2", DISABLED).disable_macie()
    truth.judged(f"AWS::Macie::RegionSettings:{WORKS}", passes="enabled")
    for region in (SUSPENDED, DISABLED, NEVER):
        truth.judged(f"AWS::Macie::RegionSettings:{region}", fails="enabled")
    truth.cloud.control("deny", actions=["macie2:GetMacieSession"], regions=[DENIED])
    truth.judged(f"unlisted:AWS::Macie::RegionSettings:{DENIED}:0", unknown="enabled")
