"""What could not be read: it never passes, and it does not hide what is certain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from nephoscope.domain import Finding, Resource, Rule, Verdict, unknown
from nephoscope.engine import Neighbours, judge
from nephoscope.testing import ACCOUNT, NOW, judge_example, resource
from nephoscope_baseline.aws import (
    accessanalyzer,
    cloudfront,
    cloudfront_origins,
    cloudtrail,
    codebuild,
    config,
    ec2,
    ec2_instances,
    ec2_storage,
    ecs,
    elb,
    iam_account,
    inspector,
    lambda_,
    s3_access,
    ssm,
)
from nephoscope_baseline.aws.cloudtrail_bucket import bucket_logging, bucket_public

TRAIL, BUCKET = "AWS::CloudTrail::Trail", "AWS::S3::Bucket"
WATCHING = {"S3BucketName": "logs", "IsMultiRegionTrail": True, "IsLogging": True}
HIDDEN = unknown("access denied", "cloudtrail:GetEventSelectors")


def judged(rule: Rule, properties: Mapping[str, Any], *neighbours: Resource) -> Finding:
    return judge(rule, resource(rule.on[0], properties), now=NOW, neighbours=Neighbours.fixed(neighbours))


def trail(name: str, **more: Any) -> Resource:
    return resource(TRAIL, {**WATCHING, **more}, name=name)


def test_a_trail_with_hidden_selectors_leaves_the_account_unknown_and_names_the_permission() -> None:
    finding = judged(cloudtrail.multi_region, {}, trail("one", AdvancedEventSelectors=HIDDEN))
    assert finding.verdict is Verdict.UNKNOWN
    assert finding.permission == "cloudtrail:GetEventSelectors"


def test_a_good_trail_outweighs_one_with_hidden_selectors() -> None:
    hidden = trail("one", AdvancedEventSelectors=HIDDEN)
    assert judged(cloudtrail.multi_region, {}, hidden, trail("two")).verdict is Verdict.PASS


def test_a_hidden_part_does_not_matter_on_a_trail_that_cannot_be_good() -> None:
    off = trail("one", AdvancedEventSelectors=HIDDEN, IsLogging=False)
    finding = judged(cloudtrail.multi_region, {}, off)
    assert finding.verdict is Verdict.FAIL
    assert finding.message == "Trail 'one': logging is off"


def test_trails_that_could_not_be_listed_leave_the_account_unknown() -> None:
    region = Resource.unreadable(TRAIL, "eu-west-1", ACCOUNT, permission="cloudtrail:DescribeTrails", reason="denied")
    assert judged(cloudtrail.multi_region, {}, region).verdict is Verdict.UNKNOWN


def test_many_failing_trails_are_counted_and_the_first_named() -> None:
    off = [trail(f"trail-{number}", IsLogging=False) for number in range(8)]
    assert judged(cloudtrail.multi_region, {}, *off).message.endswith("; and 3 more")


@pytest.mark.parametrize("rule", [bucket_public, bucket_logging], ids=lambda rule: rule.id)
def test_a_trail_whose_bucket_may_be_among_hidden_ones_is_unknown(rule: Rule) -> None:
    hidden = Resource.unreadable(BUCKET, "global", ACCOUNT, permission="s3:ListAllMyBuckets", reason="denied")
    assert judged(rule, WATCHING, hidden).verdict is Verdict.UNKNOWN


def test_an_instance_that_shut_itself_down_gives_no_date_and_is_unknown() -> None:
    observed = {"State": "stopped", "StateTransitionReason": "Client.InstanceInitiatedShutdown"}
    assert judge_example(ec2_instances.stopped_old, {"Observed": observed}).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("reason", "verdict"),
    [
        ("User initiated (2025-12-16 12:00:00 GMT)", Verdict.PASS),
        ("User initiated (2025-12-16 11:59:59 GMT)", Verdict.FAIL),
        ("User initiated (2025-12-01 10:00:00 UTC)", Verdict.FAIL),
    ],
)
def test_an_instance_may_be_stopped_for_thirty_days(reason: str, verdict: Verdict) -> None:
    observed = {"State": "stopped", "StateTransitionReason": reason}
    assert judge_example(ec2_instances.stopped_old, {"Observed": observed}).verdict is verdict


@pytest.mark.parametrize(
    "rule",
    [ec2_instances.imdsv2, ec2_instances.public_ip, ec2_instances.instance_profile, ec2_instances.stopped_old],
    ids=lambda rule: rule.id,
)
def test_terminated_instances_are_left_alone(rule: Rule) -> None:
    properties = {"PublicIp": "203.0.113.9", "Observed": {"State": "terminated"}}
    assert judge_example(rule, properties).verdict is Verdict.NOT_APPLICABLE


def recorder(status: str | None, name: str = "default", everything: bool = True, recording: bool = True) -> Any:
    return {
        "Name": name,
        "RecordingGroup": {"AllSupported": everything},
        "Observed": {"Recording": recording, "LastStatus": status},
    }


@pytest.mark.parametrize(
    ("recorders", "verdict"),
    [
        ([recorder("PENDING")], Verdict.UNKNOWN),
        ([recorder("Pending")], Verdict.UNKNOWN),
        ([recorder("PENDING"), recorder("SUCCESS", "other")], Verdict.PASS),
        ([recorder("PENDING"), recorder("FAILURE", "other")], Verdict.UNKNOWN),
        ([recorder("PENDING", everything=False)], Verdict.FAIL),
        ([recorder("PENDING", recording=False)], Verdict.FAIL),
        ([recorder("FAILURE")], Verdict.FAIL),
    ],
)
def test_a_recorder_that_has_just_started_is_unknown(recorders: list[Any], verdict: Verdict) -> None:
    found = judged(config.recorder, {"ConfigurationRecorders": recorders})
    assert found.verdict is verdict
    assert ("has just started" in found.message) is (verdict is Verdict.UNKNOWN)


@pytest.mark.parametrize(
    ("ec2", "ecr", "verdict"),
    [
        ("ENABLED", "ENABLING", Verdict.UNKNOWN),
        ("ENABLING", "ENABLING", Verdict.UNKNOWN),
        ("ENABLING", "DISABLED", Verdict.FAIL),
        ("DISABLING", "ENABLED", Verdict.FAIL),
        ("SUSPENDING", "ENABLED", Verdict.FAIL),
    ],
)
def test_scanning_that_is_being_enabled_is_unknown(ec2: str, ecr: str, verdict: Verdict) -> None:
    assert judged(inspector.enabled, {"ResourceState": {"ec2": ec2, "ecr": ecr}}).verdict is verdict


@pytest.mark.parametrize(
    ("states", "verdict"),
    [
        (["CREATING"], Verdict.UNKNOWN),
        (["CREATING", "ACTIVE"], Verdict.PASS),
        (["CREATING", "FAILED"], Verdict.UNKNOWN),
        (["FAILED"], Verdict.FAIL),
    ],
)
def test_an_analyzer_that_is_being_created_is_unknown(states: list[str], verdict: Verdict) -> None:
    analyzers = [{"AnalyzerName": each, "Type": "ACCOUNT", "Observed": {"Status": each}} for each in states]
    assert judged(accessanalyzer.enabled, {"Analyzers": analyzers}).verdict is verdict


def test_root_needs_mfa_where_nothing_says_that_it_has_no_password() -> None:
    hidden = {"RootCredentials": unknown("denied", "iam:GenerateCredentialReport")}
    properties = {"AccountSummary": {"AccountMFAEnabled": 0}, "Observed": hidden}
    assert judged(iam_account.root_mfa, properties).verdict is Verdict.FAIL


ONE_SECRET = [{"Name": "HIDDEN_TOKEN", "Value": HIDDEN}, {"Name": "DB_PASSWORD", "Value": "hunter2"}]
ASSIGNS = {"AwsvpcConfiguration": {"AssignPublicIp": "ENABLED"}}


def served(default: Any, *behaviors: Any, origins: Any = ()) -> dict[str, Any]:
    config = {"DefaultCacheBehavior": {"ViewerProtocolPolicy": default}, "CacheBehaviors": list(behaviors)}
    return {"DistributionConfig": {**config, "Origins": list(origins)}}


HTTP = {"PathPattern": "/x", "ViewerProtocolPolicy": "allow-all"}
PLAIN = {"Id": "o", "DomainName": "example.com", "CustomOriginConfig": {"OriginProtocolPolicy": "http-only"}}
BUCKET_ORIGIN = {"Id": "o", "DomainName": "b.s3.amazonaws.com", "OriginAccessControlId": None}
FORWARDS = {"Priority": "2", "Conditions": [{"Field": "path-pattern", "Values": ["/x"]}], "Actions": []}
HIDDEN_RULE = {**FORWARDS, "Priority": "1", "Actions": HIDDEN}
VERSION = {"VersionNumber": 3, "LaunchTemplateData": {"MetadataOptions": {"HttpTokens": "optional"}}}
ALL_USERS = {"Permission": "READ", "Grantee": {"URI": "http://acs.amazonaws.com/groups/global/AllUsers"}}


@pytest.mark.parametrize(
    ("rule", "properties"),
    [
        (cloudfront.https, served(HIDDEN, HTTP)),
        (cloudfront.https, served("https-only", {**HTTP, "ViewerProtocolPolicy": HIDDEN}, HTTP)),
        (cloudfront_origins.origin_https, served("https-only", origins=[HIDDEN, PLAIN])),
        (cloudfront_origins.tls_origin, served("https-only", origins=[{**PLAIN, "CustomOriginConfig": HIDDEN}, PLAIN])),
        (
            cloudfront_origins.oac,
            served("https-only", origins=[{**BUCKET_ORIGIN, "DomainName": HIDDEN}, BUCKET_ORIGIN]),
        ),
        (elb.https_redirect, {"Protocol": "HTTP", "Observed": {"Rules": [HIDDEN_RULE, FORWARDS]}}),
        (ec2_storage.lt_imdsv2, {"LaunchTemplateData": HIDDEN, "Observed": {"LatestVersion": VERSION}}),
        (ec2_storage.lt_imdsv2, {"LaunchTemplateData": HIDDEN, "Observed": {"VersionsInUse": [HIDDEN, VERSION]}}),
        (ec2_instances.public_ip, {"PublicIp": None, "Observed": {"PublicIps": [HIDDEN, "203.0.113.7"]}}),
        (ssm.document_public, {"Observed": {"AccountIds": [HIDDEN, "all"]}}),
        (s3_access.public_read, {"Observed": {"AclGrants": [{**ALL_USERS, "Grantee": HIDDEN}, ALL_USERS]}}),
        (codebuild.plain_secrets, {"Environment": {"EnvironmentVariables": ONE_SECRET}}),
        (lambda_.env_secrets, {"Environment": {"Variables": {each["Name"]: each["Value"] for each in ONE_SECRET}}}),
        (ecs.env_secrets, {"ContainerDefinitions": [{"Name": "app", "Environment": ONE_SECRET}]}),
        (ecs.public_ip, {"NetworkConfiguration": HIDDEN, "Observed": {"OtherNetworks": [ASSIGNS]}}),
        (
            ecs.public_ip,
            {"NetworkConfiguration": None, "Observed": {"OtherNetworks": [{"AwsvpcConfiguration": HIDDEN}, ASSIGNS]}},
        ),
    ],
)
def test_one_that_is_hidden_does_not_hide_what_is_wrong_in_another(rule: Rule, properties: Mapping[str, Any]) -> None:
    assert judged(rule, properties).verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("rule", "properties"),
    [
        (codebuild.plain_secrets, {"Environment": {"EnvironmentVariables": ONE_SECRET[:1]}}),
        (lambda_.env_secrets, {"Environment": {"Variables": {"HIDDEN_TOKEN": HIDDEN, "STAGE": "prod"}}}),
        (ecs.public_ip, {"NetworkConfiguration": HIDDEN, "Observed": {"OtherNetworks": []}}),
    ],
)
def test_one_that_is_hidden_among_what_is_right_is_unknown(rule: Rule, properties: Mapping[str, Any]) -> None:
    assert judged(rule, properties).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("entries", "verdict"),
    [
        ([{"Cidr": HIDDEN}, {"Cidr": "0.0.0.0/0"}], Verdict.FAIL),
        ([{"Cidr": "odd"}, {"Cidr": "0.0.0.0/0"}], Verdict.FAIL),
        ([{"Cidr": HIDDEN}, {"Cidr": "10.0.0.0/8"}], Verdict.UNKNOWN),
        (None, Verdict.UNKNOWN),
    ],
)
def test_a_hidden_entry_of_a_prefix_list_does_not_hide_the_internet_in_another(entries: Any, verdict: Verdict) -> None:
    entry = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "SourcePrefixListId": "pl-1"}
    held = resource("AWS::EC2::PrefixList", {"Entries": entries, "Observed": {"OwnerId": ACCOUNT}}, name="list/pl-1")
    assert judged(ec2.sg_ssh, {"SecurityGroupIngress": [entry]}, held).verdict is verdict


@pytest.mark.parametrize(("state", "verdict"), [("block-all-sharing", Verdict.PASS), ("unblocked", Verdict.UNKNOWN)])
def test_a_region_that_blocks_all_sharing_outweighs_a_hidden_setting_of_a_snapshot(
    state: str, verdict: Verdict
) -> None:
    block = resource(ec2_storage.SNAPSHOT_BLOCK, {"State": state})
    assert judged(ec2_storage.snapshot_public, {"Observed": {"Public": HIDDEN}}, block).verdict is verdict
