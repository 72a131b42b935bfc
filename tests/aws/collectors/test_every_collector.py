"""What holds for every collector, tried on the place where something of each of its types is."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER, ResourceNotFoundError
from moto.iam.aws_managed_policies import aws_managed_policies_data
from tests.aws.collectors.conftest import Reader
from tests.aws.collectors.places import CALLS, ELSEWHERE, LACKING, NOTHING_THERE, PLACE_OF
from tests.aws.collectors.world import ACCOUNT, READS, TYPES, Clients, everything, why
from tests.baseline.test_meta import RULES, SYNTHETIC, reads_of, reads_on, unreal

from nephoscope.domain import Resource
from nephoscope.engine import Neighbours
from nephoscope.plugins import Registry
from nephoscope_aws import lookups
from nephoscope_aws.api import Api
from nephoscope_aws.collectors import ALL, account
from nephoscope_aws.collectors.account_wide import credential_report
from nephoscope_aws.event_table import SOURCES
from nephoscope_aws.lookups import LOOKUPS
from nephoscope_aws.provider import AwsProvider, reads

CLOSED_REGION = "ap-east-1"
Readers = Callable[[str], Reader]
Found = Callable[[str], list[Resource]]
NOT_NEEDED_HERE = {("s3", "get_bucket_location")}
"""Asked only of an AWS that lists buckets without their regions."""

ALWAYS_THERE = {"AWS::EC2::SnapshotBlockPublicAccess", "AWS::EC2::VPCBlockPublicAccessOptions"}

SEEN_ONLY = {"AWS::IAM::AccessKey"}
"""Types of which AWS says that one is there, and nothing of one that is gone."""

NO_ERROR_HERE = {
    "AWS::CloudWatch::Alarm",
    "AWS::CloudWatch::CompositeAlarm",
    "AWS::CodeBuild::Project",
    "AWS::DMS::ReplicationInstance",
    "AWS::EC2::PrefixList",
    "AWS::EC2::TransitGateway",
    "AWS::RDS::DBParameterGroup",
    "AWS::SSM::ManagedInstanceInventory",
}
"""Types that moto answers with an empty list where AWS answers with an error; for alarms AWS does so as well."""

NAMED_ELSEWHERE = {
    "access-analyzer:CreateAnalyzer",
    "access-analyzer:DeleteAnalyzer",
    "config:DeleteConfigurationRecorder",
    "config:DeleteDeliveryChannel",
    "config:StopConfigurationRecorder",
    "ec2:DisableEbsEncryptionByDefault",
    "ec2:DisableImageBlockPublicAccess",
    "ec2:DisableSnapshotBlockPublicAccess",
    "ec2:EnableEbsEncryptionByDefault",
    "ec2:EnableImageBlockPublicAccess",
    "ec2:EnableSnapshotBlockPublicAccess",
    "ec2:ModifyInstanceMetadataDefaults",
    "ec2:ModifyInstanceMetadataOptions",
    "ec2:ModifyVpcBlockPublicAccessOptions",
    "elasticache:ModifyReplicationGroup",
    "es:UpdateDomainConfig",
    "guardduty:UnarchiveFindings",
    "iam:DeleteAccountPasswordPolicy",
    "iam:DeleteUserPolicy",
    "kms:CancelKeyDeletion",
    "kms:DisableKey",
    "kms:DisableKeyRotation",
    "kms:EnableKey",
    "kms:EnableKeyRotation",
    "lambda:UpdateFunctionUrlConfig",
    "macie2:DisableMacie",
    "macie2:EnableMacie",
    "macie2:UpdateMacieSession",
    "redshift:DisableLogging",
    "redshift:EnableLogging",
    "redshift:ModifyClusterParameterGroup",
    "redshift:ResetClusterParameterGroup",
    "secretsmanager:CancelRotateSecret",
    "securityhub:ListMembers",
    "ssm:ModifyDocumentPermission",
}
"""In each service's page of the service authorization reference.
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html"""

each_service = pytest.mark.parametrize("service", PLACE_OF)


@pytest.fixture(scope="module")
def read_before() -> dict[str, list[Resource]]:
    return {}


@pytest.fixture
def found(read_before: dict[str, list[Resource]], readers: Readers) -> Found:
    """Gives all that a collector finds in its place, read once for all tests of this file."""

    def of(service: str) -> list[Resource]:
        if service not in read_before:
            read_before[service] = readers(service).collect()
        return read_before[service]

    return of


def test_every_collector_is_tried_somewhere() -> None:
    assert {*PLACE_OF, *ELSEWHERE} == set(ALL)
    assert set(LACKING) <= set(TYPES)
    for file in {*ELSEWHERE.values(), *LACKING.values()}:
        assert (Path(__file__).parent / f"{file}.py").is_file()


def test_every_permission_is_an_action_that_aws_names_in_its_own_policies() -> None:
    named_by_aws = set(re.findall(r'"([a-z0-9-]+:[A-Za-z0-9]+)"', json.dumps(json.loads(aws_managed_policies_data))))
    registry = Registry(["aws", "baseline", "aws_fixes"]).load_all()
    fixes = [action for fix in registry.remediations.values() for action in (*fix.reads, *fix.writes)]
    declared = [each for service in AwsProvider.services for each in service.permissions]
    assert len(declared) > 120 and len(fixes) > 5, "there is something to look at"
    assert {*declared, *fixes, *reads().values()} - named_by_aws == NAMED_ELSEWHERE
    assert not {"s3:GetBucketEncryption", "s3:ListBuckets", "iam:NoSuchAction"} & named_by_aws, "calls are no actions"


@each_service
def test_every_type_is_collected_and_no_other(found: Found, service: str) -> None:
    resources = found(service)
    assert {each.type for each in resources} == set(ALL[service].service.types) - set(LACKING)
    assert all(not each.unlisted and each.account == ACCOUNT for each in resources)
    assert len({each.id for each in resources}) == len(resources)
    properties = [each.properties for each in resources]
    assert json.loads(json.dumps(properties)) == properties
    assert "$unknown" not in json.dumps(properties)


@each_service
def test_every_property_is_of_the_published_schema(found: Found, service: str) -> None:
    own = getattr(sys.modules[ALL[service].collect.__module__], "SYNTHETIC", {})
    for resource in found(service):
        known = {*own.get(resource.type, ()), "Observed"}
        try:
            known |= set(PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", resource.type).schema["properties"])
        except ResourceNotFoundError:
            assert resource.type in own
        assert set(resource.properties) <= known, resource.type


def test_every_fact_of_our_own_that_a_rule_reads_is_one_that_a_collector_writes(found: Found) -> None:
    """What no published schema has: members of ``Observed``, and the properties that a collector names as its own."""
    written = {(each.type, name) for service in PLACE_OF for each in found(service) for name in facts(each.properties)}
    tried = {type for type, _ in written}
    read = {(type, fact) for rule in RULES for type, path in reads_of(rule) for fact in [own_fact(type, path)] if fact}
    assert len(read) > 50
    assert {type for type, _ in read} - tried <= {
        *LACKING,
        *(type for each in ELSEWHERE for type in ALL[each].service.types),
    }
    assert sorted(each for each in read - written if each[0] in tried) == []


def test_what_rules_read_of_collected_resources_is_real_too(found: Found) -> None:
    """Examples need not go down every branch of a rule; here are other resources that take some of the rest."""
    collected = [each for service in PLACE_OF for each in found(service)]
    neighbours = Neighbours.fixed(collected)
    read = {
        pair
        for rule in RULES
        for each in collected
        if each.type in rule.on
        for pair in reads_on(rule, each, neighbours)
    }
    assert len(read) > 300
    assert sorted(unreal(read)) == []


def test_commands_are_filled_in_from_what_is_collected(found: Found) -> None:
    """What a collected resource lacks would be left to a person to look up; here it is what AWS has not told."""
    collected = [each for service in PLACE_OF for each in found(service)]
    lacking, filled = set(), 0
    for rule in RULES:
        for each in collected if rule.commands else ():
            block = rule.commands.fill(each, rule.defaults) if rule.commands else None
            filled += block is not None
            lacking |= {(rule.id, name) for name in (block.missing if block else ())}
    assert filled > 150
    assert sorted(lacking) == []


def facts(properties: Mapping[str, Any]) -> Iterator[str]:
    yield from properties
    yield from (f"Observed.{name}" for name in properties.get("Observed") or ())


def own_fact(type: str, path: str) -> str:
    """Return the part of a path that a collector answers for; nothing for what the published schema has."""
    first, _, rest = path.partition(".")
    if first == "Observed":
        return f"Observed.{rest.split('.')[0]}" if rest else ""
    return first if first in SYNTHETIC.get(type, ()) else ""


@each_service
def test_every_declared_read_is_used_and_the_calls_are_as_few_as_the_docstrings_say(
    readers: Readers, service: str
) -> None:
    """In the region where its things are; then, of the regional ones, where nothing is."""
    reader = readers(service)
    if service in ("account", "iam"):
        credential_report(reader.api)  # as many calls as AWS needs to make it
    before = reader.api.calls
    resources = reader.collect()
    full = reader.api.calls - before
    for resource in resources:
        ALL[service].reread(reader.api, resource)
    by_name = {(each.service, each.operation) for each in LOOKUPS.values()}
    assert reader.api.asked | by_name >= set(ALL[service].reads) - NOT_NEEDED_HERE >= reader.api.asked
    if ALL[service].service.regional:
        empty = readers(service)
        empty.collect(NOTHING_THERE)
        assert (full, empty.api.calls) == CALLS[service]
    else:
        assert full == CALLS[service]


HARMLESS = {
    "iam:ListAccountAliases",
    "acm:DescribeCertificate",
    "es:DescribeDomain",
    "iam:GetGroup",
    "iam:GetPolicy",
    "iam:GetServerCertificate",
    "secretsmanager:DescribeSecret",
    "wafv2:GetWebACL",
}
"""What only gives a thing its name, or is asked when a list lost it."""

DENIALS = [(service, action) for service in PLACE_OF for action in ALL[service].service.permissions]


@pytest.mark.parametrize(("service", "action"), DENIALS)
def test_what_a_denial_hides_is_said_and_nothing_else_is_lost(
    readers: Readers, found: Found, service: str, action: str
) -> None:
    before = found(service)
    reader = readers(service)
    reader.simulator.control("deny", actions=[action])
    after = reader.collect()
    hidden = {each.type for each in after if each.unlisted}
    assert all(not each.unlisted or why(each.properties)["permission"] == action for each in after)
    assert len(hidden) == sum(each.unlisted for each in after), "one stand-in for each type"
    there = {each.id for each in after}
    lost = [each for each in before if each.id not in there]
    assert {each.type for each in lost} <= hidden
    asked = {READS[call] for call in reader.api.asked}
    assert action in json.dumps([each.properties for each in after]) or action not in asked or action in HARMLESS
    same = {each.id: each.properties for each in before}
    for each in after:
        if not each.unlisted and "$unknown" not in json.dumps(each.properties):
            assert each.properties == same[each.id]


@each_service
def test_a_region_that_is_not_enabled_is_unreadable_for_all_types(readers: Readers, service: str) -> None:
    if not ALL[service].service.regional:
        pytest.skip("is not asked in a region")
    resources = readers(service).collect(CLOSED_REGION)
    assert sorted(each.type for each in resources) == sorted(ALL[service].service.types)
    assert not any(not each.unlisted for each in resources)
    assert all(why(each.properties)["reason"] for each in resources)


def test_a_dead_endpoint_leaves_nothing_but_stand_ins_and_an_unknown_account() -> None:
    api = Api(ACCOUNT, Clients("http://127.0.0.1:9"), READS)
    [found, *others] = everything(api)
    assert all(why(value) for name, value in found.properties.items() if name != "Observed")
    assert sorted(each.type for each in others) == sorted(set(TYPES) - {account.ACCOUNT})
    assert not any(not each.unlisted for each in others)
    api.close()


@each_service
def test_reading_one_again_gives_the_same_as_collecting_it(readers: Readers, found: Found, service: str) -> None:
    reader = readers(service)
    resources = reader.collect()
    assert resources == found(service), "what did not change is collected unchanged"
    for resource in resources:
        assert ALL[service].reread(reader.api, resource) == resource


def can_go(type: str) -> bool:
    """Settings of an account or a region are always there."""
    return not type.endswith(("::Account", "::AlternateContact", "::RegionSettings", "::RegistryScanningConfiguration"))


@pytest.mark.parametrize(
    "type", [type for type in TYPES if TYPES[type] in PLACE_OF and type not in LACKING and can_go(type)]
)
def test_reading_again_what_is_gone_gives_none(readers: Readers, found: Found, type: str) -> None:
    reader = readers(TYPES[type])
    known = next(each for each in found(TYPES[type]) if each.type == type)
    parent, part = known.id.removesuffix("/url"), "/url" * known.id.endswith("/url")
    gone = Resource(type, f"{parent}0{part}", f"{known.name}0", known.region, ACCOUNT, known.properties)
    assert ALL[TYPES[type]].reread(reader.api, gone) is None


@pytest.mark.parametrize("type", [type for type in TYPES if TYPES[type] in PLACE_OF and type not in LACKING])
def test_what_is_there_is_not_gone_by_name_and_what_is_not_is(type: str, readers: Readers, found: Found) -> None:
    reader = readers(TYPES[type])
    known = next(each for each in found(TYPES[type]) if each.type == type)
    if type not in LOOKUPS:
        assert lookups.is_gone(reader.api, known) is None
        return
    assert lookups.is_gone(reader.api, known) is False
    gone = Resource(type, f"{known.id}0", f"{known.name}0", known.region, ACCOUNT, known.properties)
    assert lookups.is_gone(reader.api, gone) is (None if type in NO_ERROR_HERE | SEEN_ONLY else True)


@pytest.mark.parametrize(
    ("described", "over"),
    [
        ({"State": "Inactive"}, False),
        ({"State": {"Name": "stopped"}}, False),
        ({"State": {"Name": "terminated"}}, True),
        ({"status": "INACTIVE"}, True),
        ({"status": "DRAINING"}, True),
        ({"State": {"Name": "shutting-down"}}, True),
        ({"DBInstanceStatus": "deleting"}, True),
        ({"DBInstanceStatus": "modifying"}, False),
        ({"TableStatus": "DELETING"}, True),
        ({"ClusterStatus": "deleting"}, True),
        ({"DeletedDate": "2026-11-01"}, True),
        ({}, False),
    ],
)
def test_what_is_described_is_there_unless_it_was_deleted(described: dict[str, Any], over: bool) -> None:
    assert lookups.is_over(described) is over


def test_lookups_are_made_by_declared_calls_about_known_types() -> None:
    assert LOOKUPS.keys() <= set(TYPES)
    assert {(each.service, each.operation) for each in LOOKUPS.values()} <= set(reads())
    assert {type for type in TYPES if can_go(type) and type not in LOOKUPS} == {
        "AWS::AutoScaling::LaunchConfiguration",
        "AWS::Backup::BackupVault",
        "AWS::Lambda::Url",
        "AWS::Logs::MetricFilter",
        "AWS::SNS::Subscription",
        *ALWAYS_THERE,
    }, "AWS has no call about one of these that tells absence from a refusal"


@each_service
def test_what_an_event_names_is_what_the_collector_found(service: str, found: Found) -> None:
    kinds = [kind for source in SOURCES.values() for kind in source.kinds if kind.service == service and kind.arn]
    for each in (each for each in found(service) if not each.unlisted):
        region = each.id.split(":")[3]  # moto has all access points in one
        for kind in (kind for kind in kinds if kind.type == each.type):
            pattern = kind.pattern(region, ACCOUNT)
            assert pattern and pattern.fullmatch(each.id), each.id
            assert kind.id(region, ACCOUNT, kind.called(each.id)) == (each.id if kind.made else "")
