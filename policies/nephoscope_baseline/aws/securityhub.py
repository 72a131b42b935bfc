"""Rules on Security Hub."""

from __future__ import annotations

from nephoscope.domain import Severity, View, rule

SETTINGS = "AWS::SecurityHub::RegionSettings"


@rule(
    "aws.securityhub.enabled",
    on=SETTINGS,
    severity=Severity.MEDIUM,
    live_only=True,
    fix="""
        1. Switch on AWS Config in the region first: most checks of Security Hub read what it records.
        2. In the Security Hub CSPM console choose the region, then Go to Security Hub CSPM, Enable.
        3. By command line: aws securityhub enable-security-hub --enable-default-standards --region REGION
        4. In an organization let the delegated administrator enable it for all accounts and regions at once.
        """,
    link="https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-settingup.html",
    good=[
        {"HubArn": "arn:aws:securityhub:eu-west-1:123456789012:hub/default"},
        {"HubArn": "arn:aws-us-gov:securityhub:us-gov-west-1:123456789012:hub/default"},
    ],
    bad=[{"HubArn": None}, {"HubArn": ""}, {}],
)
def enabled(settings: View) -> bool:
    """Security Hub is off.

    Security Hub gathers what GuardDuty, Inspector, Macie and others find in one place and in one form. Without it each
    of them has to be looked at by itself, which is how findings are missed.
    """
    return bool(settings["HubArn"])
