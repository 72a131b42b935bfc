"""Rules on GuardDuty."""

from __future__ import annotations

from nephoscope.domain import Fail, ResourceView, Severity, rule
from nephoscope_aws.access import is_on

SETTINGS = "AWS::GuardDuty::RegionSettings"
DETECTOR = "AWS::GuardDuty::Detector"


@rule(
    "aws.guardduty.enabled",
    on=(SETTINGS, DETECTOR),
    severity=Severity.HIGH,
    fix="""
        1. In the GuardDuty console, select the region, then choose Get started, Enable GuardDuty; if it is suspended,
           choose Settings, Re-enable GuardDuty.
        2. A suspended detector is enabled again by the second command.
        3. In an organization, let the delegated administrator enable it for all accounts, in every region.
    """,
    commands="""
        aws guardduty create-detector --region={region} --enable

        aws guardduty update-detector --region={region} --detector-id={DETECTOR_ID} --enable
    """,
    inputs={
        "DETECTOR_ID": "the ID of a suspended detector",
    },
    link="https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_settingup.html",
    remediations=("aws.guardduty.enable",),
    good=[
        {"Detectors": [{"Id": "12abc34d567e8fa901bc2d34e56789f0", "Enable": True}]},
        {"Detectors": [{"Id": "one", "Enable": False}, {"Id": "two", "Enable": True}]},
    ],
    bad=[{"Detectors": []}, {"Detectors": [{"Id": "one", "Enable": False}]}, {"Detectors": [{"Id": "one"}]}],
)
def enabled(settings: ResourceView) -> bool | Fail:
    """GuardDuty is off.

    GuardDuty finds what configuration checks cannot: stolen credentials in use, instances that talk to an attacker.
    Attackers like unused regions, so enable it there too.
    """
    if settings.type == DETECTOR:
        return is_on(settings["Enable"])
    detectors = list(settings.objects("Detectors"))
    if any(is_on(each["Enable"]) for each in detectors):
        return True
    return Fail("The detector is suspended" if detectors else "No detector in this region", "Detectors")
