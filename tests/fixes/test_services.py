"""What fixes refuse that switch services on, and that an undo takes nothing away that is used."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

import pytest
from tests.fixes.buckets import CONNECTION, PROVIDER
from tests.fixes.refusals import planned, refused
from tests.fixes.rounds.round import ACCOUNT, Made
from tests.fixes.rounds.services import has_config_role, settings
from tests.fixes.test_meta import REGISTRY

from nephoscope import surgery
from nephoscope.domain import LiveSession
from nephoscope.testing import Notes
from nephoscope_aws_simulator.testing import Cloud

GUARDDUTY = ("aws.guardduty.enable", "aws.guardduty.enabled")
ANALYZER = ("aws.accessanalyzer.enable", "aws.accessanalyzer.enabled")
HUB = ("aws.securityhub.enable", "aws.securityhub.enabled")
MACIE = ("aws.macie.enable", "aws.macie.enabled")
INSPECTOR = ("aws.inspector.enable", "aws.inspector.enabled")
CONFIG = ("aws.config.record_everything", "aws.config.recorder")

REGION = "ap-northeast-1"
"""A region that no round is about."""


def _region(service: str, region: str = REGION) -> Made:
    return settings(service, region, lambda region: None)


def _filter(cloud: Cloud) -> None:
    client = cloud.client("guardduty", REGION)
    [detector] = client.list_detectors()["DetectorIds"]
    client.create_filter(DetectorId=detector, Name="own", FindingCriteria={"Criterion": {}})


def _archive_rule(cloud: Cloud) -> None:
    client = cloud.client("accessanalyzer", REGION)
    client.create_archive_rule(analyzerName="external-access", ruleName="own", filter={"resource": {"eq": ["a"]}})


def _member(cloud: Cloud) -> None:
    details = [{"AccountId": "210987654321", "Email": "a@example.com"}]
    cloud.client("securityhub", REGION).create_members(AccountDetails=details)


def _frequency(cloud: Cloud) -> None:
    cloud.client("macie2", REGION).update_macie_session(findingPublishingFrequency="ONE_HOUR")


@pytest.mark.parametrize(
    ("fix", "service", "use"),
    [
        (GUARDDUTY, "GuardDuty", _filter),
        (ANALYZER, "AccessAnalyzer", _archive_rule),
        (HUB, "SecurityHub", _member),
        (MACIE, "Macie", _frequency),
    ],
)
def test_what_somebody_has_used_since_is_not_switched_off(
    simulator: Cloud, session: LiveSession, fix: tuple[str, str], service: str, use: Callable[[Cloud], None]
) -> None:
    if service == "Macie":
        simulator.client("macie2", REGION).disable_macie()
    plan, remediation, notes = planned(session, *fix, _region(service)), REGISTRY.remediations[fix[0]], Notes()
    assert "Undo deletes what the service has found until then." in plan.warnings
    with closing(surgery.open_writer(PROVIDER, CONNECTION, plan.permissions)) as writer:
        assert surgery.apply(remediation, plan.steps, session, writer, notes), notes
        use(simulator)
        with pytest.raises(surgery.StaleError, match="changed by somebody else"):
            surgery.undo(remediation, plan.steps, [0], notes.kept, session, writer, notes)


def test_what_is_on_already_is_left_out(simulator: Cloud, session: LiveSession) -> None:
    region = "ap-northeast-2"
    simulator.client("guardduty", region).create_detector(Enable=True)
    simulator.client("securityhub", region).enable_security_hub()
    simulator.client("macie2", region).enable_macie()
    simulator.client("inspector2", region).enable(accountIds=[ACCOUNT], resourceTypes=["EC2", "ECR"])
    for fix, service in (GUARDDUTY, "GuardDuty"), (HUB, "SecurityHub"), (MACIE, "Macie"), (INSPECTOR, "InspectorV2"):
        assert refused(session, *fix, _region(service, region)) == "it is on already."


def test_a_second_analyzer_for_external_access_is_not_made(simulator: Cloud, session: LiveSession) -> None:
    region = "ap-northeast-2"
    simulator.client("accessanalyzer", region).create_analyzer(analyzerName="own", type="ACCOUNT")
    where = {"account": simulator.account, "region": region, "name": "own"}
    simulator.control("patch", {"kind": "analyzer", **where, "status": "FAILED"})
    assert refused(session, *ANALYZER, _region("AccessAnalyzer", region)) == (
        "it has the analyzer own with status FAILED, and AWS allows no second one."
    )


def test_scanning_that_is_suspended_is_left_to_whoever_did_that(simulator: Cloud, session: LiveSession) -> None:
    region = "ap-northeast-3"
    simulator.client("inspector2", region).enable(accountIds=[ACCOUNT], resourceTypes=["EC2"])
    where = {"account": simulator.account, "region": region}
    simulator.control("patch", {"kind": "inspector", **where, "scanned": "ec2", "status": "SUSPENDED"})
    assert refused(session, *INSPECTOR, _region("InspectorV2", region)) == (
        "the status of scanning of EC2 is SUSPENDED."
    )


# -- AWS Config ------------------------------------------------------------------------------------


def _recorder(simulator: Cloud, region: str) -> Made:
    """Make a recorder of everything that runs."""
    client = simulator.client("config", region)
    recorder = {"name": "own", "roleARN": f"arn:aws:iam::{ACCOUNT}:role/config"}
    client.put_configuration_recorder(ConfigurationRecorder=recorder)
    client.put_delivery_channel(DeliveryChannel={"name": "own", "s3BucketName": "history"})
    client.start_configuration_recorder(ConfigurationRecorderName="own")
    return _region("Config", region)


def test_a_region_without_a_delivery_channel_needs_a_bucket(simulator: Cloud, session: LiveSession) -> None:
    if not has_config_role(simulator):
        said = refused(session, *CONFIG, _region("Config"), {"bucket": "history"})
        assert said.startswith("the account has no role AWSServiceRoleForConfig yet: run aws iam create-service-linked")
        simulator.client("iam").create_service_linked_role(AWSServiceName="config.amazonaws.com")
    assert refused(session, *CONFIG, _region("Config")) == (
        "it has no delivery channel: enter the bucket to deliver to."
    )


def test_a_recorder_that_runs_and_cannot_deliver_is_left_to_a_person(simulator: Cloud, session: LiveSession) -> None:
    made = _recorder(simulator, "ap-northeast-2")
    where = {"account": simulator.account, "region": "ap-northeast-2", "name": "own"}
    simulator.control("patch", {"kind": "config_recorder", **where, "last_status": "FAILURE"})
    assert refused(session, *CONFIG, made) == (
        "it records everything; why it does not deliver, its status in the console says."
    )


def test_a_recorder_with_rules_is_not_stopped_again(simulator: Cloud, session: LiveSession) -> None:
    made = _recorder(simulator, "ap-northeast-3")
    client = simulator.client("config", "ap-northeast-3")
    client.stop_configuration_recorder(ConfigurationRecorderName="own")
    plan, fix, notes = planned(session, *CONFIG, made), REGISTRY.remediations[CONFIG[0]], Notes()
    with closing(surgery.open_writer(PROVIDER, CONNECTION, plan.permissions)) as writer:
        assert surgery.apply(fix, plan.steps, session, writer, notes), notes
        rule = {"ConfigRuleName": "own", "Source": {"Owner": "AWS", "SourceIdentifier": "S3_BUCKET_VERSIONING_ENABLED"}}
        client.put_config_rule(ConfigRule=rule)
        with pytest.raises(surgery.StaleError):
            surgery.undo(fix, plan.steps, [0], notes.kept, session, writer, notes)


# -- Contacts --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"phone": "1"}, "it needs an email address: enter one."),
        ({"email": "nobody", "phone": "1"}, "it needs an email address: enter one."),
        ({"email": "a@example.com"}, "it needs a phone number, of digits, spaces and + ( ) -: enter one."),
        ({"email": "a@example.com", "phone": "call me"}, "it needs a phone number, of digits, spaces and + ( ) -:"),
    ],
)
def test_a_contact_needs_an_address_and_a_number(session: LiveSession, given: dict[str, str], why: str) -> None:
    contact = "AWS::Account::AlternateContact"
    made = Made(contact, f"{contact}:SECURITY", "Security contact", lambda: None, lambda: None, region="global")
    fix = ("aws.account.set_security_contact", "aws.account.security_contact")
    assert refused(session, *fix, made, given).startswith(why)
