"""Services that are off in a region, or do nothing there; the same service in another region must not be touched."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.fixes.rounds.round import ACCOUNT, Made, goes_round

from nephoscope_aws_simulator.testing import Cloud

ROLE = ("iam:CreateServiceLinkedRole",)
BESIDE = "eu-north-1"


def settings(service: str, region: str, now: Callable[[str], Any]) -> Made:
    """A region's settings, and the state of the service there and beside it."""
    type = f"AWS::{service}::RegionSettings"
    return Made(type, f"{type}:{region}", region, lambda: now(region), lambda: now(BESIDE), region=region)


def _guardduty(cloud: Cloud, region: str) -> Made:
    def now(region: str) -> Any:
        client = cloud.client("guardduty", region)
        detectors = (client.get_detector(DetectorId=id) for id in client.list_detectors()["DetectorIds"])
        return [(each["Status"], each["FindingPublishingFrequency"]) for each in detectors]

    return settings("GuardDuty", region, now)


@goes_round("aws.guardduty.enable", "aws.guardduty.enabled", dependent=ROLE)
def guardduty_is_off(cloud: Cloud) -> Made:
    cloud.client("guardduty", BESIDE).create_detector(Enable=True)
    return _guardduty(cloud, "eu-west-1")


@goes_round("aws.guardduty.enable", "aws.guardduty.enabled")
def guardduty_is_suspended(cloud: Cloud) -> Made:
    cloud.client("guardduty", "eu-west-2").create_detector(Enable=False, FindingPublishingFrequency="ONE_HOUR")
    return _guardduty(cloud, "eu-west-2")


@goes_round("aws.accessanalyzer.enable", "aws.accessanalyzer.enabled", dependent=ROLE)
def no_analyzer(cloud: Cloud) -> Made:
    cloud.client("accessanalyzer", "eu-west-1").create_analyzer(analyzerName="unused", type="ACCOUNT_UNUSED_ACCESS")
    cloud.client("accessanalyzer", BESIDE).create_analyzer(analyzerName="own", type="ACCOUNT")

    def now(region: str) -> Any:
        return cloud.client("accessanalyzer", region).list_analyzers()["analyzers"]

    return settings("AccessAnalyzer", "eu-west-1", now)


@goes_round("aws.securityhub.enable", "aws.securityhub.enabled", dependent=ROLE)
def no_hub(cloud: Cloud) -> Made:
    cloud.client("securityhub", BESIDE).enable_security_hub()

    def now(region: str) -> Any:
        client = cloud.client("securityhub", region)
        try:
            return client.describe_hub()["HubArn"]
        except client.exceptions.ClientError as error:
            return error.response["Error"]["Code"]

    return settings("SecurityHub", "eu-west-1", now)


def _macie(cloud: Cloud, region: str) -> Made:
    def now(region: str) -> Any:
        client = cloud.client("macie2", region)
        try:
            found = client.get_macie_session()
        except client.exceptions.ClientError as error:
            return error.response["Error"]["Code"]
        return found["status"], found["findingPublishingFrequency"]

    return settings("Macie", region, now)


@goes_round("aws.macie.enable", "aws.macie.enabled", dependent=ROLE)
def macie_is_off(cloud: Cloud) -> Made:
    cloud.client("macie2", BESIDE).enable_macie()
    cloud.client("macie2", "eu-west-1").disable_macie()
    return _macie(cloud, "eu-west-1")


@goes_round("aws.macie.enable", "aws.macie.enabled")
def macie_is_suspended(cloud: Cloud) -> Made:
    cloud.client("macie2", "eu-west-2").enable_macie(status="PAUSED", findingPublishingFrequency="ONE_HOUR")
    return _macie(cloud, "eu-west-2")


def _inspector(cloud: Cloud, region: str, *kinds: str) -> Made:
    for each in (region, BESIDE):
        if kinds:
            cloud.client("inspector2", each).enable(accountIds=[ACCOUNT], resourceTypes=list(kinds))

    def now(region: str) -> Any:
        found = cloud.client("inspector2", region).batch_get_account_status(accountIds=[ACCOUNT])["accounts"]
        states = found[0]["resourceState"] if found else {}
        return {kind: state["status"] for kind, state in states.items() if state["status"] != "DISABLED"}

    return settings("InspectorV2", region, now)


@goes_round("aws.inspector.enable", "aws.inspector.enabled", dependent=ROLE)
def scanning_is_off(cloud: Cloud) -> Made:
    return _inspector(cloud, "eu-west-1")


@goes_round("aws.inspector.enable", "aws.inspector.enabled")
def scanning_is_on_in_part(cloud: Cloud) -> Made:
    return _inspector(cloud, "eu-west-2", "ECR", "LAMBDA")


GROUPS = {
    "all": {"allSupported": True, "includeGlobalResourceTypes": True},
    "some": {"allSupported": False, "resourceTypes": ["AWS::EC2::Instance"]},
    "most": {
        "allSupported": False,
        "exclusionByResourceTypes": {"resourceTypes": ["AWS::IAM::User"]},
        "recordingStrategy": {"useOnly": "EXCLUSION_BY_RESOURCE_TYPES"},
    },
}


def _config(cloud: Cloud, region: str, group: str = "", started: bool = False) -> Made:
    for each in (region, BESIDE):
        if group:
            _record(cloud.client("config", each), group, started)

    def now(region: str) -> Any:
        client = cloud.client("config", region)
        recorders = client.describe_configuration_recorders()["ConfigurationRecorders"]
        status = client.describe_configuration_recorder_status()["ConfigurationRecordersStatus"]
        channels = client.describe_delivery_channels()["DeliveryChannels"]
        return recorders, channels, [each["recording"] for each in status]

    return settings("Config", region, now)


def _record(client: Any, group: str, started: bool) -> None:
    """Make a recorder of a region, in place of the one that it may have."""
    recorder = {"name": "own", "roleARN": f"arn:aws:iam::{ACCOUNT}:role/config", "recordingGroup": GROUPS[group]}
    for each in client.describe_configuration_recorders()["ConfigurationRecorders"]:
        client.delete_configuration_recorder(ConfigurationRecorderName=each["name"])
    client.put_configuration_recorder(ConfigurationRecorder=recorder)
    client.put_delivery_channel(DeliveryChannel={"name": "own", "s3BucketName": "config-history"})
    if started:
        client.start_configuration_recorder(ConfigurationRecorderName="own")


PASSED = ("iam:PassRole",)


def has_config_role(cloud: Cloud) -> bool:
    return "AWSServiceRoleForConfig" in [each["RoleName"] for each in cloud.client("iam").list_roles()["Roles"]]


@goes_round(
    "aws.config.record_everything", "aws.config.recorder", inputs={"bucket": "config-history"}, dependent=PASSED
)
def nothing_is_recorded(cloud: Cloud) -> Made:
    if not has_config_role(cloud):
        cloud.client("iam").create_service_linked_role(AWSServiceName="config.amazonaws.com")
    return _config(cloud, "eu-west-1")


@goes_round("aws.config.record_everything", "aws.config.recorder")
def recorder_is_stopped(cloud: Cloud) -> Made:
    return _config(cloud, "eu-west-2", "all")


@goes_round("aws.config.record_everything", "aws.config.recorder")
def recorder_includes_some(cloud: Cloud) -> Made:
    return _config(cloud, "eu-west-3", "some", started=True)


@goes_round("aws.config.record_everything", "aws.config.recorder")
def recorder_excludes_some(cloud: Cloud) -> Made:
    return _config(cloud, "eu-central-1", "most")


def _emr(cloud: Cloud, region: str, on: bool, *ports: tuple[int, int]) -> Made:
    ranges = [{"MinRange": first, "MaxRange": last} for first, last in ports]
    block = {"BlockPublicSecurityGroupRules": on, "PermittedPublicSecurityGroupRuleRanges": ranges}
    for each in (region, BESIDE):
        cloud.client("emr", each).put_block_public_access_configuration(BlockPublicAccessConfiguration=block)

    def now(region: str) -> Any:
        answer = cloud.client("emr", region).get_block_public_access_configuration()
        return answer["BlockPublicAccessConfiguration"]

    arn = f"arn:aws:elasticmapreduce:{region}:{ACCOUNT}:region-settings"
    return Made("AWS::EMR::RegionSettings", arn, region, lambda: now(region), lambda: now(BESIDE), region=region)


@goes_round("aws.emr.block_public_access", "aws.emr.bpa")
def clusters_may_be_public(cloud: Cloud) -> Made:
    return _emr(cloud, "eu-west-1", False, (22, 22))


@goes_round("aws.emr.block_public_access", "aws.emr.bpa")
def clusters_may_open_more_ports(cloud: Cloud) -> Made:
    return _emr(cloud, "eu-west-2", True, (8088, 8088), (22, 22), (20, 22))
