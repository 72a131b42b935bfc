"""Rules on Security Hub."""

from __future__ import annotations

from nephoscope.domain import Fail, Severity, View, rule

SETTINGS = "AWS::SecurityHub::RegionSettings"


@rule(
    "aws.securityhub.enabled",
    on=SETTINGS,
    severity=Severity.MEDIUM,
    live_only=True,
    fix="""
        1. First turn on AWS Config in the region: most Security Hub checks use what it records.
        2. In the Security Hub CSPM console, select the region, then choose Go to Security Hub CSPM, Enable.
        3. In an organization, let the delegated administrator enable it for all accounts and regions at once.
    """,
    commands="""
        aws securityhub enable-security-hub --region={region} --enable-default-standards
    """,
    link="https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-settingup.html",
    remediations=("aws.securityhub.enable",),
    good=[
        {"HubArn": "arn:aws:securityhub:eu-west-1:123456789012:hub/default"},
        {"HubArn": "arn:aws-us-gov:securityhub:us-gov-west-1:123456789012:hub/default"},
    ],
    bad=[{"HubArn": None}, {"HubArn": ""}, {}],
)
def enabled(settings: View) -> bool | Fail:
    """Security Hub is off.

    Security Hub collects the findings of GuardDuty, Inspector, Macie and others in one place and one format. Without
    it, each has to be checked separately, which is how findings get missed.
    """
    return bool(settings["HubArn"]) or Fail("Security Hub is not enabled in this region", "HubArn")
