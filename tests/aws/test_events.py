"""Which resources an event of CloudTrail is about."""

from __future__ import annotations

import json
from typing import Any

import pytest

from nephoscope_aws.event_table import EC2_IDS, SOURCES
from nephoscope_aws.event_templates import MAX_PATTERN, pattern
from nephoscope_aws.events import _GLOBAL, MAX_TOUCHED, event
from nephoscope_aws.provider import AwsProvider, reads

ACCOUNT = "123456789012"
REGION = "eu-west-1"
HERE = f"{REGION}:{ACCOUNT}"
SERVICES = {each.id: each for each in AwsProvider.services}


def message(name: str, request: Any = None, response: Any = None, **detail: Any) -> dict[str, Any]:
    """Return an event as EventBridge hands it over: ``message("s3:PutBucketPolicy", {...})``."""
    source, _, call = name.partition(":")
    given = {
        "eventID": "b7c1",
        "eventName": call,
        "eventSource": f"{source}.amazonaws.com",
        "awsRegion": REGION,
        "requestParameters": request,
        "responseElements": response,
    }
    return {"account": ACCOUNT, "detail": {**given, **detail}}


def changed(name: str, request: Any = None, response: Any = None, **detail: Any) -> set[tuple[str, str, str]]:
    """Return what the event touched: service, region, and the id, else the name, else nothing."""
    found = event(message(name, request, response, **detail)).changed
    return {(each.service, each.region, each.id or each.name) for each in found}


GROUP = {"groupId": "sg-0123456789abcdef0"}
SG = ("ec2", REGION, f"arn:aws:ec2:{HERE}:security-group/sg-0123456789abcdef0")
ROOT = ("account", "global", f"arn:aws:iam::{ACCOUNT}:root")


@pytest.mark.parametrize(
    ("name", "request_", "response", "expected"),
    [
        ("s3:PutBucketPolicy", {"bucketName": "logs"}, None, {("s3", "global", "arn:aws:s3:::logs")}),
        ("s3:CreateBucket", {"bucketName": "new"}, None, {("s3", "global", "arn:aws:s3:::new")}),
        ("s3:PutAccountPublicAccessBlock", {"accountId": ACCOUNT}, None, {ROOT, ("s3", "global", "")}),
        (
            "s3:CreateAccessPoint",
            {"name": "ap", "bucket": "logs"},
            None,
            {("s3control", REGION, f"arn:aws:s3:{HERE}:accesspoint/ap")},
        ),
        ("ec2:AuthorizeSecurityGroupIngress", GROUP, None, {SG}),
        (
            "ec2:ModifySecurityGroupRules",
            {
                "ModifySecurityGroupRulesRequest": {
                    "GroupId": GROUP["groupId"],
                    "SecurityGroupRule": {"SecurityGroupRuleId": "sgr-01234567"},
                }
            },
            None,
            {SG},
        ),
        ("ec2:RevokeSecurityGroupIngress", {"securityGroupRuleIds": ["sgr-01234567"]}, None, {("ec2", REGION, "")}),
        (
            "ec2:AuthorizeSecurityGroupIngress",
            {"groupName": "default"},
            {"securityGroupRuleSet": {"items": [GROUP]}},
            {SG},
        ),
        (
            "ec2:RunInstances",
            {"subnetId": "subnet-01234567", "groupSet": {"items": [GROUP]}},
            {"instancesSet": {"items": [{"instanceId": "i-0123456789abcdef0"}]}},
            {("ec2", REGION, f"arn:aws:ec2:{HERE}:instance/i-0123456789abcdef0")},
        ),
        (
            "ec2:ModifySnapshotAttribute",
            {"snapshotId": "snap-01234567"},
            None,
            {("ebs", REGION, f"arn:aws:ec2:{REGION}::snapshot/snap-01234567")},
        ),
        ("ec2:EnableEbsEncryptionByDefault", {}, None, {("ebs", REGION, f"arn:aws:ec2:{HERE}:settings")}),
        ("ec2:DeleteFlowLogs", {"flowLogId": "fl-01234567"}, None, {("vpc", REGION, "")}),
        ("ec2:CreateVpnConnection", {"x": "vpn-01234567"}, None, set()),
        ("iam:PutUserPolicy", {"userName": "eve"}, None, {("iam", "global", "eve")}),
        (
            "iam:CreateUser",
            {"userName": "eve"},
            {"user": {"arn": f"arn:aws:iam::{ACCOUNT}:user/p/eve"}},
            {("iam", "global", f"arn:aws:iam::{ACCOUNT}:user/p/eve")},
        ),
        (
            "iam:AttachRolePolicy",
            {"roleName": "r", "policyArn": f"arn:aws:iam::{ACCOUNT}:policy/own"},
            None,
            {("iam", "global", "r"), ("iam", "global", f"arn:aws:iam::{ACCOUNT}:policy/own")},
        ),
        (
            "iam:AttachRolePolicy",
            {"roleName": "r", "policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"},
            None,
            {("iam", "global", "r")},
        ),
        ("iam:UpdateAccountPasswordPolicy", {"minimumPasswordLength": 6}, None, {ROOT}),
        (
            "iam:CreateAccessKey",
            {"userName": "eve"},
            {"accessKey": {"accessKeyId": "AKIA1"}},
            {ROOT, ("iam", "global", "eve"), ("iam", "global", "AKIA1")},
        ),
        ("kms:DisableKeyRotation", {"keyId": "1-2"}, None, {("kms", REGION, f"arn:aws:kms:{HERE}:key/1-2")}),
        ("kms:CreateGrant", {"keyId": "1-2"}, None, set()),
        ("rds:ModifyDBInstance", {"dBInstanceIdentifier": "db"}, None, {("rds", REGION, "db")}),
        ("rds:ModifyDBSnapshotAttribute", {"dBSnapshotIdentifier": "snap"}, None, {("rds", REGION, "snap")}),
        (
            "lambda:UpdateFunctionConfiguration20150331v2",
            {"functionName": f"arn:aws:lambda:{HERE}:function:f"},
            None,
            {("lambda", REGION, f"arn:aws:lambda:{HERE}:function:f")},
        ),
        (
            "lambda:AddPermission20150331v2",
            {"functionName": "f"},
            None,
            {("lambda", REGION, f"arn:aws:lambda:{HERE}:function:f")},
        ),
        ("dynamodb:DeleteTable", {"tableName": "t"}, None, {("dynamodb", REGION, f"arn:aws:dynamodb:{HERE}:table/t")}),
        (
            "cloudtrail:StopLogging",
            {"name": "t"},
            None,
            {("cloudtrail", "global", f"arn:aws:cloudtrail:{HERE}:trail/t")},
        ),
        (
            "elasticloadbalancing:ModifyLoadBalancerAttributes",
            {"loadBalancerArn": f"arn:aws:elasticloadbalancing:{HERE}:loadbalancer/app/l/1"},
            None,
            {("elb", REGION, f"arn:aws:elasticloadbalancing:{HERE}:loadbalancer/app/l/1")},
        ),
        (
            "sns:SetTopicAttributes",
            {"topicArn": f"arn:aws:sns:{HERE}:t"},
            None,
            {("sns", REGION, f"arn:aws:sns:{HERE}:t")},
        ),
        ("sqs:SetQueueAttributes", {"queueUrl": "https://attacker.example/1/q"}, None, {("sqs", REGION, "q")}),
        ("eks:UpdateClusterConfig", {"name": "c"}, None, {("eks", REGION, f"arn:aws:eks:{HERE}:cluster/c")}),
        (
            "ecs:RegisterTaskDefinition",
            {"family": "f"},
            {"taskDefinition": {"taskDefinitionArn": f"arn:aws:ecs:{HERE}:task-definition/f:3"}},
            {("ecs", REGION, f"arn:aws:ecs:{HERE}:task-definition/f")},
        ),
        (
            "secretsmanager:CancelRotateSecret",
            {"secretId": f"arn:aws:secretsmanager:{HERE}:secret:a/b-AbCdEf"},
            None,
            {("secretsmanager", REGION, f"arn:aws:secretsmanager:{HERE}:secret:a/b-AbCdEf")},
        ),
        ("secretsmanager:CreateSecret", {"name": "a/b"}, None, {("secretsmanager", REGION, "a/b")}),
        (
            "cloudfront:UpdateDistribution",
            {"id": "E1", "distributionConfig": {"origins": [{"id": "o"}]}},
            None,
            {("cloudfront", "global", f"arn:aws:cloudfront::{ACCOUNT}:distribution/E1")},
        ),
        ("config:StopConfigurationRecorder", {"configurationRecorderName": "default"}, None, {("config", REGION, "")}),
        ("config:PutEvaluations", {}, None, set()),
        ("logs:CreateLogStream", {"logGroupName": "g"}, None, set()),
        ("ssm:UpdateInstanceInformation", {"instanceId": "i-01234567"}, None, set()),
        ("sts:AssumeRole", {"roleArn": "x"}, None, set()),
    ],
)
def test_an_event_says_where_to_look(name: str, request_: Any, response: Any, expected: set[Any]) -> None:
    assert changed(name, request_, response) == expected


@pytest.mark.parametrize(
    "detail",
    [{"readOnly": True}, {"errorCode": "AccessDenied"}, {"managementEvent": False}, {"eventCategory": "Data"}],
    ids=str,
)
def test_what_changed_nothing_is_dropped(detail: dict[str, Any]) -> None:
    assert changed("s3:PutBucketPolicy", {"bucketName": "logs"}, **detail) == set()


def test_nothing_that_a_scan_calls_makes_it_look_again() -> None:
    """CloudTrail takes GenerateCredentialReport for a write: it would go on for ever."""
    for _client, operation in reads():
        call = "".join(part.title() for part in operation.split("_"))
        for source in SOURCES:
            assert changed(f"{source}:{call}", {"userName": "u", "name": "n"}) == set(), (source, call)


def test_an_event_that_names_very_many_is_about_their_service() -> None:
    ids = [{"instanceId": f"i-{number:017x}"} for number in range(MAX_TOUCHED + 1)]
    assert changed("ec2:TerminateInstances", {"instancesSet": {"items": ids}}) == {("ec2", REGION, "")}


def test_the_table_names_services_and_types_that_there_are() -> None:
    kinds = [kind for source in SOURCES.values() for kind in source.kinds]
    named = {(kind.service, kind.type) for kind in kinds}
    named |= {(each.service, each.type) for source in SOURCES.values() for each in source.always}
    named |= {(each.service, each.type) for each in EC2_IDS.values()} | {(each.whole, "") for each in SOURCES.values()}
    for service, type in named - {("", "")}:
        assert not type or type in SERVICES[service].types, (service, type)
    assert {service for service, _type in named} - {""} == {id for id, each in SERVICES.items() if not each.detections}
    assert {id for id, each in SERVICES.items() if not each.regional} == _GLOBAL


def test_the_rules_pattern_fits_what_eventbridge_takes() -> None:
    assert len(json.dumps(pattern())) <= MAX_PATTERN


BAD = {
    "nothing": {},
    "detail is text": {"account": ACCOUNT, "detail": "x"},
    "no id": message("s3:CreateBucket", eventID=None),
    "an id with a line break": message("s3:CreateBucket", eventID="a\nb"),
    "a long id": message("s3:CreateBucket", eventID="x" * 200),
    "no account": {**message("s3:CreateBucket"), "account": 123456789012},
    "another account in its detail": message("s3:CreateBucket", recipientAccountId="999999999999"),
    "a region that leads elsewhere": message("s3:CreateBucket", awsRegion="attacker.example/"),
    "a call with markup": message("s3:<b>"),
    "a source that is a list": message("s3:CreateBucket", eventSource=["s3"]),
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_what_is_no_event_is_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="it "):
        event(bad)


def test_odd_parameters_do_no_harm() -> None:
    deep: Any = {"bucketName": "deep"}
    for _level in range(100):
        deep = {"x": [deep]}
    for odd in (
        deep,
        [1, None, True],
        {"bucketName": ["a", {"b": 1}, None]},
        {"bucketName": "x" * 5_000},
        "text",
        7,
        {"bucketName": "a\x00b"},
        {"bucketName": {str(n): "i-01234567" for n in range(20_000)}},
    ):
        assert changed("s3:PutBucketPolicy", odd) <= {("s3", "global", ""), ("s3", "global", "arn:aws:s3:::a")}
