"""GuardDuty, which has one detector in each region or none."""

from __future__ import annotations

from tests.truth.account import Truth, holds

WORKS, SUSPENDED, AGAIN, DELETED, NEVER = "us-east-1", "eu-west-1", "eu-west-2", "eu-central-1", "ap-south-1"
UNLISTED, UNREAD = "sa-east-1", "ca-central-1"


@holds(regions=(WORKS, SUSPENDED, AGAIN, DELETED, NEVER, UNLISTED, UNREAD))
def detectors(truth: Truth) -> None:
    """A region for each state that a detector can be in; the one that works is not the others' detector."""
    for region in (WORKS, SUSPENDED, AGAIN, DELETED, UNLISTED, UNREAD):
        guardduty = truth.client("guardduty", region)
        detector = guardduty.create_detector(Enable=region not in (SUSPENDED, AGAIN))["DetectorId"]
        if region == AGAIN:
            guardduty.update_detector(DetectorId=detector, Enable=True)
        if region == DELETED:
            guardduty.delete_detector(DetectorId=detector)
    for region in (WORKS, AGAIN):
        truth.judged(f"AWS::GuardDuty::RegionSettings:{region}", passes="enabled")
    for region in (SUSPENDED, DELETED, NEVER):
        truth.judged(f"AWS::GuardDuty::RegionSettings:{region}", fails="enabled")
    truth.cloud.control("deny", actions=["guardduty:ListDetectors"], regions=[UNLISTED])
    truth.cloud.control("deny", actions=["guardduty:GetDetector"], regions=[UNREAD])
    truth.judged(f"unlisted:AWS::GuardDuty::RegionSettings:{UNLISTED}:0", unknown="enabled")
    truth.judged(f"AWS::GuardDuty::RegionSettings:{UNREAD}", unknown="enabled")
