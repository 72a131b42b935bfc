"""China and GovCloud: no constant stands where the cloud's answer belongs."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.aws.collectors.world import ACCOUNT, READS, Clients, collected
from tests.aws.test_events import message

from nephoscope.domain import ALL_REGIONS, ExportedResource, Resource, Verdict
from nephoscope.engine import judge
from nephoscope.plugins import Registry
from nephoscope.testing import NOW
from nephoscope_aws.api import Api
from nephoscope_aws.asff import _resource
from nephoscope_aws.clients import home_region, new_session
from nephoscope_aws.collectors import ALL
from nephoscope_aws.events import event
from nephoscope_aws.names import home_of, partition, partition_of
from nephoscope_aws_simulator.testing import Simulator

SHELVES = Path(__file__).parents[2]
STANDARD = "arn:aws:"
ALLOWED = {("settings.py", "_EXAMPLE")}
"""The example of a form."""

REGISTRY = Registry(["aws", "baseline", "aws_fixes"]).load_all()


def constants(path: Path) -> Iterator[str]:
    """Yield the texts of a module that are no docstrings, each after the name that it is assigned to."""
    tree = ast.parse(path.read_text())
    alone = {id(each.value) for each in ast.walk(tree) if isinstance(each, ast.Expr)}
    named = {
        id(part): target.id
        for each in ast.walk(tree)
        if isinstance(each, ast.Assign)
        for target in each.targets
        if isinstance(target, ast.Name)
        for part in ast.walk(each.value)
    }
    for each in ast.walk(tree):
        text = isinstance(each, ast.Constant) and isinstance(each.value, str) and id(each) not in alone
        if text and (path.name, named.get(id(each), "")) not in ALLOWED:
            yield each.value


@pytest.mark.parametrize("package", ["providers/nephoscope_aws", "remediations/nephoscope_aws_fixes"])
def test_no_module_writes_the_partition(package: str) -> None:
    modules = sorted((SHELVES / package).rglob("*.py"))
    assert len(modules) > 3
    assert [path.name for path in modules for text in constants(path) if STANDARD in text] == []


def test_no_rule_writes_the_partition_but_in_its_examples() -> None:
    for rule in REGISTRY.rules.values():
        texts = [rule.fix, *(rule.commands.templates.values() if rule.commands else ())]
        texts += [each for each in rule.check.__code__.co_consts if isinstance(each, str)]
        assert not any(STANDARD in text for text in texts if text is not rule.check.__doc__), rule.id


@pytest.mark.parametrize(
    ("name", "expected"),
    [("aws", Verdict.FAIL), ("aws-cn", Verdict.NOT_APPLICABLE), ("aws-us-gov", Verdict.NOT_APPLICABLE)],
)
@pytest.mark.parametrize("rule", ["aws.iam.root_mfa", "aws.iam.root_hardware_mfa"])
def test_root_needs_mfa_where_it_can_sign_in(rule: str, name: str, expected: Verdict) -> None:
    summary = {"AccountMFAEnabled": 0, "AccountAccessKeysPresent": 0, "AccountSigningCertificatesPresent": 0}
    id = f"arn:{name}:iam::{ACCOUNT}:root"
    account = Resource("AWS::::Account", id, ACCOUNT, ALL_REGIONS, ACCOUNT, {"AccountSummary": summary})
    assert judge(REGISTRY.rules[rule], account, now=NOW).verdict is expected


@pytest.mark.parametrize(
    ("region", "expected"),
    [
        ("eu-west-1", "aws"),
        ("us-east-1", "aws"),
        ("cn-northwest-1", "aws-cn"),
        ("us-gov-east-1", "aws-us-gov"),
        ("us-isob-east-1", "aws-iso-b"),
        ("eusc-de-east-1", "aws-eusc"),
        (ALL_REGIONS, "aws"),
    ],
)
def test_a_region_tells_its_partition(region: str, expected: str) -> None:
    assert partition_of(region) == partition(f"AWS::X::Y:{region}", region) == expected
    assert partition_of(home_of(expected)) == expected


def test_the_home_region_is_one_of_the_partition(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    assert [home_region(new_session(), each) for each in ("", "aws", "aws-cn")] == [
        "eu-west-1",
        "eu-west-1",
        "cn-north-1",
    ]


@pytest.mark.parametrize(
    ("id", "region", "expected"),
    [
        ("arn:aws:iam::123456789012:user/ann", ALL_REGIONS, ("aws", "us-east-1")),
        ("arn:aws-cn:iam::123456789012:user/ann", ALL_REGIONS, ("aws-cn", "cn-north-1")),
        ("arn:aws-us-gov:iam::123456789012:root", ALL_REGIONS, ("aws-us-gov", "us-gov-west-1")),
        ("arn:aws-us-gov:sqs:us-gov-east-1:123456789012:q", "us-gov-east-1", ("aws-us-gov", "us-gov-east-1")),
        ("AWS::GuardDuty::Detector:cn-north-1", "cn-north-1", ("aws-cn", "cn-north-1")),
    ],
)
def test_a_finding_about_the_whole_account_is_exported_with_the_home_region_of_its_partition(
    id: str, region: str, expected: tuple[str, str]
) -> None:
    row = _resource(ExportedResource("AWS::IAM::User", id, "ann", region))
    assert (row["Partition"], row["Region"]) == expected


@pytest.mark.parametrize(
    ("name", "request_", "region", "expected"),
    [
        ("s3:PutBucketPolicy", {"bucketName": "b"}, "cn-north-1", "arn:aws-cn:s3:::b"),
        (
            "dynamodb:DeleteTable",
            {"tableName": "t"},
            "us-gov-west-1",
            f"arn:aws-us-gov:dynamodb:us-gov-west-1:{ACCOUNT}:table/t",
        ),
        ("iam:UpdateAccountPasswordPolicy", {}, "cn-north-1", f"arn:aws-cn:iam::{ACCOUNT}:root"),
        (
            "ec2:AuthorizeSecurityGroupIngress",
            {"groupId": "sg-0123456789abcdef0"},
            "cn-north-1",
            f"arn:aws-cn:ec2:cn-north-1:{ACCOUNT}:security-group/sg-0123456789abcdef0",
        ),
    ],
)
def test_an_event_is_about_the_resource_of_its_own_partition(
    name: str, request_: dict[str, Any], region: str, expected: str
) -> None:
    found = event(message(name, request_, awsRegion=region))
    assert expected in {each.id for each in found.changed}


class Beijing(Clients):
    """Clients of an account in China."""

    def client(self, service: str, region: str) -> Any:
        return super().client(service, region or "cn-north-1")


@pytest.fixture(scope="module")
def china() -> Iterator[Api]:
    with Simulator() as simulator:
        clients = Beijing(simulator.endpoint)
        here: Any = lambda service: clients.client(service, "cn-north-1")  # noqa: E731
        here("s3").create_bucket(Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": "cn-north-1"})
        here("sqs").create_queue(QueueName="q")
        here("kms").create_key()
        here("ec2").create_volume(AvailabilityZone="cn-north-1a", Size=1)
        here("iam").create_user(UserName="ann")
        here("cloudtrail").create_trail(Name="trail", S3BucketName="bucket")
        here("elb").create_load_balancer(
            LoadBalancerName="old",
            Listeners=[{"Protocol": "HTTP", "LoadBalancerPort": 80, "InstancePort": 80}],
            AvailabilityZones=["cn-north-1a"],
        )
        here("dynamodb").create_table(
            TableName="t",
            KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        here("logs").create_log_group(logGroupName="g")
        here("logs").put_metric_filter(
            logGroupName="g",
            filterName="f",
            filterPattern="",
            metricTransformations=[{"metricName": "m", "metricNamespace": "n", "metricValue": "1"}],
        )
        yield Api(ACCOUNT, clients, READS, ["cn-north-1"], "aws-cn")


SERVICES = ["account", "iam", "s3", "sqs", "kms", "ec2", "vpc", "ebs", "dynamodb", "logs", "elb", "cloudtrail", "emr"]


@pytest.mark.parametrize("service", SERVICES)
def test_resources_of_an_account_in_china_have_ids_of_its_partition(china: Api, service: str) -> None:
    found = collected(china, service, "cn-north-1")
    assert found and not any(each.unlisted for each in found)
    assert {partition(each.id) for each in found if each.id.startswith("arn:")} <= {"aws-cn"}
    assert "$unknown" not in str(found[0].properties)
    for each in found[:3]:
        assert ALL[service].reread(china, each) == each
