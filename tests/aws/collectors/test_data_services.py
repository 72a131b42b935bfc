"""DynamoDB, EFS, ElastiCache, OpenSearch, DMS, EMR and SageMaker: collected over HTTP and judged."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.aws.collectors.data_world import permit
from tests.aws.collectors.world import ACCOUNT, READS, REGION, Clients, at, collected, why

from nephoscope.domain import Resource, Verdict
from nephoscope.engine import judge
from nephoscope_aws.api import Api, Denied
from nephoscope_aws.collectors import ALL
from nephoscope_aws.defaults import DEFAULTS
from nephoscope_aws_simulator.testing import Simulator
from nephoscope_baseline import plugin

SERVICES = ("dynamodb", "efs", "elasticache", "opensearch", "dms", "emr", "sagemaker")
OTHER_REGION, EMPTY_REGION = "eu-central-1", "eu-north-1"
RULES = {rule.id: rule for rule in plugin.register_rules()}
NOW = datetime(2026, 1, 15, tzinfo=UTC)


@pytest.fixture(scope="module")
def aws(simulators: Callable[[str], Simulator]) -> Simulator:
    return simulators("services")


@pytest.fixture
def reader(aws: Simulator) -> Iterator[Api]:
    api = Api(ACCOUNT, Clients(aws.endpoint), READS)
    yield api
    api.close()
    aws.control("reset-denials", {})


@pytest.fixture(scope="module")
def found(aws: Simulator) -> dict[tuple[str, str], Resource]:
    """Everything in the account by service and name."""
    api = Api(ACCOUNT, Clients(aws.endpoint), READS)
    resources = {(service, each.name): each for service in SERVICES for each in collected(api, service)}
    api.close()
    return resources


def verdict(rule: str, resource: Resource | None) -> Verdict:
    assert resource
    return judge(RULES[rule], resource, now=NOW, defaults=DEFAULTS).verdict


# -- Collected and judged ------------------------------------------------------------------------------------------

MINE = [
    "aws.dynamodb.pitr",
    "aws.dynamodb.deletion_protection",
    "aws.efs.encrypted",
    "aws.efs.backup",
    "aws.elasticache.transit",
    "aws.elasticache.rest",
    "aws.opensearch.encrypted",
    "aws.opensearch.public",
    "aws.opensearch.node_tls",
    "aws.opensearch.https",
    "aws.dms.public",
    "aws.sagemaker.notebook_internet",
    "aws.sagemaker.notebook_root",
]

MEMBERS = (
    "PointInTimeRecoveryEnabled",
    "Status",
    "Enabled",
    "SubnetIds",
    "EnforceHTTPS",
    "TLSSecurityPolicy",
    "BlockPublicSecurityGroupRules",
    "PermittedPublicSecurityGroupRuleRanges",
    "UnencryptedResources",
    "UnencryptedResourceCount",
)


@pytest.mark.parametrize("rule", MINE)
def test_what_is_right_passes_and_what_is_wrong_fails(found: dict[tuple[str, str], Resource], rule: str) -> None:
    service = rule.split(".")[1]
    assert verdict(rule, found[service, "right"]) is Verdict.PASS
    assert verdict(rule, found[service, "wrong"]) is Verdict.FAIL


def test_emr_is_judged_by_the_ports_that_it_lets_open(
    aws: Simulator, found: dict[tuple[str, str], Resource], reader: Api
) -> None:
    tight = found["emr", f"EMR in {REGION}"]
    assert verdict("aws.emr.bpa", tight) is Verdict.PASS
    permit(aws, 8088)
    assert verdict("aws.emr.bpa", ALL["emr"].reread(reader, tight)) is Verdict.FAIL
    permit(aws, 22)


@pytest.mark.parametrize("odd", [[], {"Odd": True}, "odd", 1, -1.5, None])
@pytest.mark.parametrize("rule", [*MINE, "aws.emr.bpa", "aws.backup.vault_encrypted"])
def test_odd_shapes_fail_or_are_unknown_and_never_raise(rule: str, odd: Any) -> None:
    on = RULES[rule].on[0]
    names = {path.split(".")[0] for each in RULES[rule].bad for path in each}
    one, deeper = dict.fromkeys(names, odd), {name: dict.fromkeys(MEMBERS, odd) for name in names}
    for properties in (one, deeper):
        found = verdict(rule, Resource(on, "arn", "odd", REGION, ACCOUNT, properties))
        assert found in (Verdict.FAIL, Verdict.UNKNOWN)


def test_an_endpoint_with_outdated_tls_says_which_policy_it_has(found: dict[tuple[str, str], Resource]) -> None:
    finding = judge(RULES["aws.opensearch.https"], found["opensearch", "old-tls"], now=NOW)
    assert finding.verdict is Verdict.FAIL
    assert "Policy-Min-TLS-1-0-2019-07" in finding.message


SHAPES: list[tuple[str, str, dict[str, Any]]] = [
    (
        "dynamodb",
        "wrong",
        {
            "DeletionProtectionEnabled": False,
            "BillingMode": "PAY_PER_REQUEST",
            "PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled": False,
        },
    ),
    (
        "efs",
        "wrong",
        {
            "Encrypted": False,
            "BackupPolicy": None,
            "AvailabilityZoneName": None,
            "FileSystemTags": [{"Key": "Name", "Value": "wrong"}],
        },
    ),
    ("efs", "right", {"BackupPolicy": {"Status": "ENABLED"}}),
    (
        "elasticache",
        "right",
        {
            "ReplicationGroupDescription": "a cache",
            "TransitEncryptionEnabled": True,
            "AutomaticFailoverEnabled": False,
            "UserGroupIds": [],
            "Observed.StorageEncryptionType": None,
        },
    ),
    (
        "opensearch",
        "right",
        {
            "DomainName": "right",
            "VPCOptions.SubnetIds": ["subnet-0a1b2c3d"],
            "AccessPolicies": {"Version": "2012-10-17", "Statement": []},
            "DomainEndpointOptions.TLSSecurityPolicy": "Policy-Min-TLS-1-2-PFS-2023-10",
        },
    ),
    ("opensearch", "wrong", {"VPCOptions": None, "AccessPolicies": None, "EncryptionAtRestOptions.Enabled": False}),
    (
        "dms",
        "right",
        {
            "PubliclyAccessible": False,
            "ReplicationInstanceClass": "dms.t3.micro",
            "VpcSecurityGroupIds": [],
            "ReplicationSubnetGroupIdentifier": None,
        },
    ),
    ("sagemaker", "right", {"SubnetId": "subnet-0a1b2c3d", "RootAccess": "Disabled", "LifecycleConfigName": None}),
    (
        "emr",
        f"EMR in {REGION}",
        {
            "BlockPublicAccessConfiguration": {
                "BlockPublicSecurityGroupRules": True,
                "PermittedPublicSecurityGroupRuleRanges": [{"MinRange": 22, "MaxRange": 22}],
            }
        },
    ),
]


@pytest.mark.parametrize(("service", "name", "wanted"), SHAPES)
def test_properties_are_as_cloudformation_names_them(
    found: dict[tuple[str, str], Resource], service: str, name: str, wanted: dict[str, Any]
) -> None:
    assert {path: at(found[service, name], path) for path in wanted} == wanted


# -- Calls, and reading again --------------------------------------------------------------------------------------


# -- What was hidden, or vanished ----------------------------------------------------------------------------------

DETAILS = [
    ("dynamodb", "dynamodb:DescribeTable", "DeletionProtectionEnabled", "aws.dynamodb.deletion_protection"),
    ("dynamodb", "dynamodb:DescribeContinuousBackups", "PointInTimeRecoverySpecification", "aws.dynamodb.pitr"),
    ("efs", "elasticfilesystem:DescribeBackupPolicy", "BackupPolicy", "aws.efs.backup"),
    ("opensearch", "es:DescribeDomains", "VPCOptions", "aws.opensearch.public"),
    ("sagemaker", "sagemaker:DescribeNotebookInstance", "RootAccess", "aws.sagemaker.notebook_root"),
]


@pytest.mark.parametrize(("service", "action", "path", "rule"), DETAILS)
def test_a_denied_detail_is_unknown_with_its_permission_and_nothing_else_is(
    aws: Simulator, reader: Api, found: dict[tuple[str, str], Resource], service: str, action: str, path: str, rule: str
) -> None:
    aws.control("deny", actions=[action])
    resources = collected(reader, service)
    assert {each.id for each in resources} == {each.id for (of, _), each in found.items() if of == service}
    for resource in resources:
        finding = judge(RULES[rule], resource, now=NOW)
        assert (finding.verdict, finding.permission) == (Verdict.UNKNOWN, action)
        assert why(at(resource, path))["permission"] == action
        was = found[service, resource.name].properties
        assert all(value == was[name] for name, value in resource.properties.items() if "$unknown" not in str(value))


LISTS = [
    ("dynamodb", "dynamodb:ListTables"),
    ("efs", "elasticfilesystem:DescribeFileSystems"),
    ("elasticache", "elasticache:DescribeReplicationGroups"),
    ("opensearch", "es:ListDomainNames"),
    ("dms", "dms:DescribeReplicationInstances"),
    ("sagemaker", "sagemaker:ListNotebookInstances"),
    ("emr", "elasticmapreduce:GetBlockPublicAccessConfiguration"),
]


@pytest.mark.parametrize(("service", "action"), LISTS)
def test_a_denied_list_hides_the_type(aws: Simulator, reader: Api, service: str, action: str) -> None:
    aws.control("deny", actions=[action])
    [hidden] = collected(reader, service)
    assert hidden.unlisted
    assert (hidden.type,) == ALL[service].service.types
    assert why(hidden.properties)["permission"] == action


@pytest.mark.parametrize(
    ("service", "action"),
    [
        ("dynamodb", "dynamodb:DescribeTable"),
        ("efs", "elasticfilesystem:DescribeFileSystems"),
        ("elasticache", "elasticache:DescribeReplicationGroups"),
        ("opensearch", "es:DescribeDomains"),
        ("dms", "dms:DescribeReplicationInstances"),
        ("sagemaker", "sagemaker:DescribeNotebookInstance"),
    ],
)
def test_reading_again_raises_when_existence_cannot_be_read(
    aws: Simulator, reader: Api, found: dict[tuple[str, str], Resource], service: str, action: str
) -> None:
    aws.control("deny", actions=[action])
    with pytest.raises(Denied, match=action):
        ALL[service].reread(reader, found[service, "right"])


def test_a_table_and_a_notebook_deleted_between_list_and_detail_are_dropped(aws: Simulator) -> None:
    tables, notebooks = aws.client("dynamodb", OTHER_REGION), aws.client("sagemaker", OTHER_REGION)
    tables.create_table(
        TableName="brief",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    )
    notebooks.create_notebook_instance(
        NotebookInstanceName="brief", InstanceType="ml.t3.medium", RoleArn=f"arn:aws:iam::{ACCOUNT}:role/notebook"
    )

    def delete_notebook(**_: Any) -> None:
        notebooks.stop_notebook_instance(NotebookInstanceName="brief")
        notebooks.delete_notebook_instance(NotebookInstanceName="brief")

    before = {
        "dynamodb.DescribeTable": lambda **_: tables.delete_table(TableName="brief") and None,
        "sagemaker.DescribeNotebookInstance": delete_notebook,
    }
    api = Api(ACCOUNT, Clients(aws.endpoint, before), READS)
    assert collected(api, "dynamodb", OTHER_REGION) == []
    assert collected(api, "sagemaker", OTHER_REGION) == []
    api.close()
