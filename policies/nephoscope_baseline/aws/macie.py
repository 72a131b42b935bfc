"""Rules on Macie."""

from __future__ import annotations

from nephoscope.domain import Fail, ResourceView, Severity, rule

SETTINGS = "AWS::Macie::RegionSettings"
SESSION = "AWS::Macie::Session"


@rule(
    "aws.macie.enabled",
    on=(SETTINGS, SESSION),
    severity=Severity.MEDIUM,
    fix="""
        1. In the Macie console choose the region, then Get started, Enable Macie; for a suspended one choose Settings,
           Re-enable Macie.
        2. By command line: aws macie2 enable-macie --region REGION
        3. For a suspended one: aws macie2 update-macie-session --status ENABLED --region REGION
        4. Macie is charged by buckets and by data that it looks at: see its cost estimate after the free trial.
        """,
    link="https://docs.aws.amazon.com/macie/latest/user/getting-started.html",
    good=[{"Status": "ENABLED"}, {"Status": "ENABLED", "FindingPublishingFrequency": "ONE_HOUR"}],
    bad=[{"Status": "PAUSED"}, {"Status": None}, {}],
)
def enabled(settings: ResourceView) -> bool | Fail:
    """Macie is off.

    Nobody knows by heart in which of hundreds of buckets there are names, card numbers or credentials. Macie looks
    into them, and reports such data and buckets that are open or unencrypted.
    """
    # A session of a template works unless it says otherwise.
    # https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-macie-session.html
    status = settings.get("Status", "ENABLED" if settings.type == SESSION else None)
    if status == "ENABLED":
        return True
    return Fail("Macie is suspended" if status else "Macie was never enabled", "Status")
