"""Rules on AWS Config."""

from __future__ import annotations

from nephoscope.domain import Fail, NotKnown, ResourceView, Severity, Unknown, View, rule
from nephoscope_aws.access import is_on

SETTINGS = "AWS::Config::RegionSettings"
RECORDER = "AWS::Config::ConfigurationRecorder"
EVERYTHING = {"AllSupported": True, "IncludeGlobalResourceTypes": True}
WORKING = {"Recording": True, "LastStatus": "SUCCESS"}


@rule(
    "aws.config.recorder",
    on=(SETTINGS, RECORDER),
    severity=Severity.MEDIUM,
    fix="""
        1. In the AWS Config console, select the region, then choose Set up AWS Config (or Settings, Edit), and record
           all resource types with customizable overrides, without an override that excludes a type.
        2. Choose the delivery bucket, and AWSServiceRoleForConfig as the role.
        3. If it runs but does not deliver, check the status of the recorder: the last command below shows the reason.
    """,
    commands="""
        aws configservice put-configuration-recorder --region={region} --recording-group=allSupported=true
          --configuration-recorder=name=default,roleARN={ROLE_ARN}
        aws configservice put-delivery-channel --region={region}
          --delivery-channel=name=default,s3BucketName={LOG_BUCKET}
        aws configservice start-configuration-recorder --region={region} --configuration-recorder-name=default

        aws configservice describe-configuration-recorder-status --region={region}
    """,
    inputs={"ROLE_ARN": "the ARN of AWSServiceRoleForConfig", "LOG_BUCKET": "the delivery bucket"},
    link="https://docs.aws.amazon.com/config/latest/developerguide/stop-start-recorder.html",
    remediations=("aws.config.record_everything",),
    good=[
        {"ConfigurationRecorders": [{"Name": "default", "RecordingGroup": EVERYTHING, "Observed": WORKING}]},
        {
            "ConfigurationRecorders": [
                {"Name": "some", "RecordingGroup": {"AllSupported": False}, "Observed": WORKING},
                {
                    "Name": "all",
                    "RecordingGroup": {"AllSupported": True},
                    "Observed": {"Recording": True, "LastStatus": "Success"},
                },
            ]
        },
    ],
    bad=[
        {"ConfigurationRecorders": []},
        {"ConfigurationRecorders": [{"Name": "some", "RecordingGroup": {"AllSupported": False}, "Observed": WORKING}]},
        {
            "ConfigurationRecorders": [
                {
                    "Name": "default",
                    "RecordingGroup": EVERYTHING,
                    "Observed": {"Recording": False, "LastStatus": "SUCCESS"},
                }
            ]
        },
        {
            "ConfigurationRecorders": [
                {
                    "Name": "default",
                    "RecordingGroup": EVERYTHING,
                    "Observed": {"Recording": True, "LastStatus": "FAILURE"},
                }
            ]
        },
        {
            "ConfigurationRecorders": [
                {"Name": "default", "RecordingGroup": EVERYTHING, "Observed": {"Recording": True, "LastStatus": None}}
            ]
        },
    ],
)
def recorder(settings: ResourceView) -> bool | Fail:
    """AWS Config does not record all resources.

    The configuration history shows what changed, when, and from what. Without it, nobody can tell after an incident how
    things were before.
    """
    if settings.type == RECORDER:
        # A recorder without a recording group records all types that are supported.
        # https://docs.aws.amazon.com/config/latest/APIReference/API_ConfigurationRecorder.html
        return settings["RecordingGroup"] is None or is_on(settings["RecordingGroup.AllSupported"])
    problems, gaps = [], list[NotKnown]()
    for each in settings.objects("ConfigurationRecorders"):
        try:
            problem = _problem(each)
        except NotKnown as gap:
            gaps.append(gap)
            continue
        if not problem:
            return True
        problems.append(f"Recorder '{each['Name']}' {problem}")
    if gaps:
        raise gaps[0]
    return Fail("; ".join(problems) or "No configuration recorder in this region", "ConfigurationRecorders")


def _problem(recorder: View) -> str:
    if not is_on(recorder["RecordingGroup.AllSupported"]):
        return "excludes resource types"
    if not recorder["Observed.Recording"]:
        return "is stopped"
    # The API reference writes Success, the API answers SUCCESS.
    status = str(recorder["Observed.LastStatus"] or "")
    if status.upper() == "SUCCESS":
        return ""
    if status.upper() == "PENDING":
        why = Unknown("the recorder has just started and has not delivered yet")
        raise NotKnown(f"{recorder.path}.Observed.LastStatus", why)
    return (
        f"is running, but its last delivery status is {status}" if status else "is running, but has not delivered yet"
    )
