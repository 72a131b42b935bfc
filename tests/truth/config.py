"""What AWS Config records in each region: everything, and it arrives."""

from __future__ import annotations

from typing import Any

from tests.truth.account import Truth, holds

SOME = {"allSupported": False, "resourceTypes": ["AWS::EC2::Instance"]}
LESS = {
    "allSupported": False,
    "exclusionByResourceTypes": {"resourceTypes": ["AWS::IAM::User"]},
    "recordingStrategy": {"useOnly": "EXCLUSION_BY_RESOURCE_TYPES"},
}
ALL = {"allSupported": True, "includeGlobalResourceTypes": True}
LOCAL = {"allSupported": True}

RECORDED: dict[str, tuple[dict[str, Any] | None, bool, str]] = {
    "us-east-1": (ALL, True, "SUCCESS"),
    "us-east-2": (LOCAL, True, "SUCCESS"),
    "us-west-1": (None, True, "SUCCESS"),
    "us-west-2": (SOME, True, "SUCCESS"),
    "eu-west-1": (LESS, True, "SUCCESS"),
    "eu-west-2": (ALL, False, ""),
    "eu-west-3": (ALL, True, "FAILURE"),
    "eu-central-1": (ALL, True, "PENDING"),
    "sa-east-1": (ALL, True, "SUCCESS"),
    "ca-central-1": (ALL, True, "SUCCESS"),
}
"""By region: the recording group, whether it was started, and what became of the last delivery."""
RIGHT, JUST_STARTED = ("us-east-1", "us-east-2", "us-west-1"), "eu-central-1"
STOPPED, DELETED, NEVER = "eu-north-1", "ap-south-1", "ap-southeast-1"
UNLISTED, UNREAD = "sa-east-1", "ca-central-1"


@holds(regions=(*RECORDED, STOPPED, DELETED, NEVER))
def recorders(truth: Truth) -> None:
    """A region for each way to record, or to seem to."""
    for region, (group, started, status) in {
        **RECORDED,
        STOPPED: (ALL, True, "SUCCESS"),
        DELETED: (ALL, False, ""),
    }.items():
        _record(truth, region, group, started, status)
    truth.client("config", STOPPED).stop_configuration_recorder(ConfigurationRecorderName="default")
    truth.client("config", DELETED).delete_configuration_recorder(ConfigurationRecorderName="default")
    for region in {*RECORDED, STOPPED, DELETED, NEVER} - {UNLISTED, UNREAD, JUST_STARTED}:
        verdict = {"passes": "recorder"} if region in RIGHT else {"fails": "recorder"}
        truth.judged(f"AWS::Config::RegionSettings:{region}", **verdict)
    truth.cloud.control("deny", actions=["config:DescribeConfigurationRecorders"], regions=[UNLISTED])
    truth.cloud.control("deny", actions=["config:DescribeConfigurationRecorderStatus"], regions=[UNREAD])
    truth.judged(f"unlisted:AWS::Config::RegionSettings:{UNLISTED}:0", unknown="recorder")
    for region in (UNREAD, JUST_STARTED):
        truth.judged(f"AWS::Config::RegionSettings:{region}", unknown="recorder")


def _record(truth: Truth, region: str, group: dict[str, Any] | None, started: bool, status: str) -> None:
    config, role = truth.client("config", region), f"arn:aws:iam::{truth.cloud.account}:role/config"
    recorder = {"name": "default", "roleARN": role, **({"recordingGroup": group} if group else {})}
    config.put_configuration_recorder(ConfigurationRecorder=recorder)
    if not started:
        return
    truth.client("s3").create_bucket(Bucket=f"config-{region}")
    config.put_delivery_channel(DeliveryChannel={"name": "default", "s3BucketName": f"config-{region}"})
    config.start_configuration_recorder(ConfigurationRecorderName="default")
    truth.patch("config_recorder", region=region, name="default", last_status=status)
