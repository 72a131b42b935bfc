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
        1. In the Macie console, select the region, then choose Get started, Enable Macie; if it is suspended, choose
           Settings, Re-enable Macie.
        2. If it is suspended, the first command below fails and the second re-enables it.
        3. Macie is charged per bucket and per amount of data inspected: check its cost estimate after the free trial.
    """,
    commands="""
        aws macie2 enable-macie --region={region}

        aws macie2 update-macie-session --region={region} --status=ENABLED
    """,
    link="https://docs.aws.amazon.com/macie/latest/user/getting-started.html",
    remediations=("aws.macie.enable",),
    good=[{"Status": "ENABLED"}, {"Status": "ENABLED", "FindingPublishingFrequency": "ONE_HOUR"}],
    bad=[{"Status": "PAUSED"}, {"Status": None}, {}],
)
def enabled(settings: ResourceView) -> bool | Fail:
    """Macie is off.

    It is hard to tell which of hundreds of buckets contain names, card numbers or credentials. Macie finds such data,
    and reports public and unencrypted buckets.
    """
    # A session of a template works unless it says otherwise.
    # https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-macie-session.html
    status = settings.get("Status", "ENABLED" if settings.type == SESSION else None)
    if status == "ENABLED":
        return True
    return Fail("Macie is suspended" if status else "Macie is not enabled in this region", "Status")
