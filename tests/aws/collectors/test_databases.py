"""Databases of RDS, DocumentDB, Neptune and Redshift: what is read of them, and what the rules make of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER
from tests.aws.collectors.databases_world import PASSWORD, REGION
from tests.aws.collectors.world import ACCOUNT, READS, Clients, at, collected, named, why

from nephoscope.domain import Resource, Rule, Verdict
from nephoscope.engine import judge
from nephoscope.testing import NOW
from nephoscope_aws.api import Api, Denied
from nephoscope_aws.collectors import ALL
from nephoscope_aws.collectors import rds_shapes as shapes
from nephoscope_aws.collectors.rds_groups import CLUSTER_GROUP, PARAMETER_GROUP
from nephoscope_aws.collectors.redshift import CLUSTER as WAREHOUSE
from nephoscope_aws.collectors.redshift import PARAMETER_GROUP as WAREHOUSE_GROUP
from nephoscope_aws_simulator.testing import Simulator
from nephoscope_baseline.aws import neptune, rds, rds_clusters, rds_members, redshift

EMPTY_REGION = "eu-west-3"
SERVICES = ("rds", "redshift")
SERVICE_OF = {type: service for service in SERVICES for type in ALL[service].service.types}


@pytest.fixture(scope="module")
def found(clients: Clients) -> Iterator[list[Resource]]:
    api = Api(ACCOUNT, clients, READS)
    yield read(api)
    api.close()


def read(api: Api, *services: str) -> list[Resource]:
    return [each for service in services or SERVICES for each in collected(api, service, REGION)]


# -- What is read --------------------------------------------------------------------------------------------------


def test_everything_is_told_apart_and_has_the_published_shape(found: list[Resource]) -> None:
    # moto also makes automated snapshots, whose names begin so.
    assert sorted((each.type, each.name) for each in found if not each.name.startswith("rds:")) == sorted(
        [
            (shapes.RDS_INSTANCE, "right"),
            (shapes.RDS_INSTANCE, "wrong"),
            (shapes.RDS_INSTANCE, "bare-1"),
            (shapes.RDS_CLUSTER, "safe"),
            (shapes.RDS_CLUSTER, "bare"),
            (shapes.NEPTUNE_INSTANCE, "graph-1"),
            (shapes.NEPTUNE_CLUSTER, "graph-true"),
            (shapes.NEPTUNE_CLUSTER, "graph-false"),
            (shapes.SNAPSHOT, "of-right"),
            (shapes.SNAPSHOT, "of-wrong"),
            (shapes.CLUSTER_SNAPSHOT, "of-safe"),
            (shapes.CLUSTER_SNAPSHOT, "of-bare"),
            (PARAMETER_GROUP, "tls"),
            (PARAMETER_GROUP, "open"),
            (CLUSTER_GROUP, "loose"),
            (WAREHOUSE, "right"),
            (WAREHOUSE, "wrong"),
            (WAREHOUSE_GROUP, "mine"),
            (WAREHOUSE_GROUP, "default.redshift-1.0"),
        ]
    )
    assert len({each.id for each in found}) == len(found)
    for each in found:
        schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", each.type).schema["properties"]
        assert set(each.properties) <= {*schema, "Observed"}, each.type
        assert "$unknown" not in json.dumps(each.properties)


def test_an_instance_in_the_names_of_cloudformation(found: list[Resource]) -> None:
    right = named(found, shapes.RDS_INSTANCE, "right")
    assert right.id == f"arn:aws:rds:{REGION}:{ACCOUNT}:db:right"
    assert right.tags == {"team": "<b>"}
    wanted = {
        "DBClusterIdentifier": None,
        "DBParameterGroupName": "tls",
        "SourceDBInstanceIdentifier": None,
        "EnableIAMDatabaseAuthentication": True,
        "BackupRetentionPeriod": 7,
        "EnableCloudwatchLogsExports": ["postgresql", "upgrade"],
    }
    assert {name: right.properties[name] for name in wanted} == wanted


def test_a_warehouse_in_the_names_of_cloudformation(found: list[Resource]) -> None:
    right, wrong = named(found, WAREHOUSE, "right"), named(found, WAREHOUSE, "wrong")
    assert right.id == f"arn:aws:redshift:{REGION}:{ACCOUNT}:cluster:right"
    assert (right.tags, right.properties["ClusterParameterGroupName"]) == ({"team": "<b>"}, "mine")
    assert at(right, "LoggingProperties.LogExports") == ["connectionlog", "userlog"]
    assert wrong.properties["LoggingProperties"] is None


# -- What the rules make of it -------------------------------------------------------------------------------------

VERDICTS = [
    (rule, type, right, wrong)
    for type, right, wrong, rules in (
        (
            shapes.RDS_INSTANCE,
            "right",
            "wrong",
            (
                rds.public,
                rds.encrypted,
                rds.minor_upgrade,
                rds.multi_az,
                rds.backups,
                rds.deletion_protection,
                rds_members.iam_auth,
                rds_members.logs,
            ),
        ),
        (
            shapes.RDS_CLUSTER,
            "safe",
            "bare",
            (rds_clusters.cluster_encrypted, rds_clusters.cluster_deletion_protection),
        ),
        (shapes.NEPTUNE_CLUSTER, "graph-true", "graph-false", (neptune.encrypted,)),
        (
            shapes.SNAPSHOT,
            "of-right",
            "of-wrong",
            (rds_clusters.snapshot_public, rds_clusters.snapshot_encrypted),
        ),
        (
            shapes.CLUSTER_SNAPSHOT,
            "of-safe",
            "of-bare",
            (rds_clusters.snapshot_public, rds_clusters.snapshot_encrypted),
        ),
        (PARAMETER_GROUP, "tls", "open", (rds_clusters.tls_required,)),
        (WAREHOUSE, "right", "wrong", (redshift.public, redshift.encrypted, redshift.audit)),
    )
    for rule in rules
]


@pytest.mark.parametrize(("rule", "type", "right", "wrong"), VERDICTS, ids=lambda each: getattr(each, "id", each))
def test_the_right_one_passes_and_the_wrong_one_fails(
    found: list[Resource], rule: Rule, type: str, right: str, wrong: str
) -> None:
    assert judge(rule, named(found, type, right), now=NOW).verdict is Verdict.PASS
    finding = judge(rule, named(found, type, wrong), now=NOW)
    assert finding.verdict is Verdict.FAIL
    assert finding.message


def test_a_member_of_a_cluster_is_not_judged_by_what_its_cluster_decides(found: list[Resource]) -> None:
    member = named(found, shapes.RDS_INSTANCE, "bare-1")
    for rule in (rds.multi_az, rds.deletion_protection):
        assert judge(rule, member, now=NOW).verdict is Verdict.NOT_APPLICABLE


# -- What could not be read ----------------------------------------------------------------------------------------

INSTANCES = [shapes.RDS_INSTANCE, shapes.DOCDB_INSTANCE, shapes.NEPTUNE_INSTANCE]
CLUSTERS = [shapes.RDS_CLUSTER, shapes.DOCDB_CLUSTER, shapes.NEPTUNE_CLUSTER]


@pytest.mark.parametrize(
    ("service", "action", "types"),
    [
        ("rds", "rds:DescribeDBInstances", [*INSTANCES, PARAMETER_GROUP]),
        ("rds", "rds:DescribeDBClusters", [*CLUSTERS, CLUSTER_GROUP]),
        ("rds", "rds:DescribeDBClusterParameterGroups", [CLUSTER_GROUP]),
        ("rds", "rds:DescribeDBSnapshots", [shapes.SNAPSHOT]),
        ("rds", "rds:DescribeDBClusterSnapshots", [shapes.CLUSTER_SNAPSHOT]),
        ("rds", "rds:DescribeDBParameterGroups", [PARAMETER_GROUP]),
        ("redshift", "redshift:DescribeClusters", [WAREHOUSE, WAREHOUSE_GROUP]),
        ("redshift", "redshift:DescribeClusterParameterGroups", [WAREHOUSE_GROUP]),
    ],
)
def test_a_denied_listing_hides_its_own_types(
    simulator: Simulator, api: Api, found: list[Resource], service: str, action: str, types: list[str]
) -> None:
    before = [each for each in found if each.type in ALL[service].service.types]
    simulator.control("deny", actions=[action])
    after = read(api, service)
    assert [each.type for each in after if each.unlisted] == types
    assert all(why(each.properties)["permission"] == action for each in after if each.unlisted)
    assert [each for each in after if not each.unlisted] == [each for each in before if each.type not in types]
    known = next(each for each in before if each.type == types[0])
    with pytest.raises(Denied, match=action):
        ALL[service].reread(api, known)


@pytest.mark.parametrize(
    ("action", "type", "name", "path", "rule"),
    [
        (
            "rds:DescribeDBSnapshotAttributes",
            shapes.SNAPSHOT,
            "of-wrong",
            "Observed.Public",
            rds_clusters.snapshot_public,
        ),
        (
            "rds:DescribeDBClusterSnapshotAttributes",
            shapes.CLUSTER_SNAPSHOT,
            "of-bare",
            "Observed.Public",
            rds_clusters.snapshot_public,
        ),
        ("rds:DescribeDBParameters", PARAMETER_GROUP, "open", "Parameters", rds_clusters.tls_required),
        ("rds:DescribeDBClusterParameters", CLUSTER_GROUP, "loose", "Parameters", rds_clusters.cluster_tls_required),
        ("redshift:DescribeLoggingStatus", WAREHOUSE, "wrong", "LoggingProperties", redshift.audit),
        ("redshift:DescribeClusterParameters", WAREHOUSE_GROUP, "mine", "Parameters", redshift.ssl),
    ],
)
def test_a_denied_detail_is_unknown_and_nothing_else_is(
    simulator: Simulator, api: Api, action: str, type: str, name: str, path: str, rule: Rule
) -> None:
    service = action.partition(":")[0]
    simulator.control("deny", actions=[action])
    found = read(api, service)
    assert all(not each.unlisted for each in found)
    hit = named(found, type, name)
    assert why(at(hit, path))["permission"] == action
    assert json.dumps(hit.properties).count("$unknown") == 1
    finding = judge(rule, hit, now=NOW)
    assert (finding.verdict, finding.permission) == (Verdict.UNKNOWN, action)


# -- Again, and gone -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("type", SERVICE_OF)
def test_reading_again_what_is_gone_gives_none(api: Api, type: str) -> None:
    gone = Resource(type, f"arn:aws:{type}:no-such-name", "no-such-name", REGION, ACCOUNT, {})
    assert ALL[SERVICE_OF[type]].reread(api, gone) is None


def test_what_vanishes_between_list_and_detail_is_dropped(simulator: Simulator, watched: Callable[..., Api]) -> None:
    rds, redshift = simulator.client("rds", REGION), simulator.client("redshift", REGION)
    rds.create_db_snapshot(DBSnapshotIdentifier="brief", DBInstanceIdentifier="wrong")
    redshift.create_cluster(ClusterIdentifier="brief", NodeType="ra3.large", **PASSWORD)

    def snapshot(params: dict[str, Any], **_: Any) -> None:
        if params["DBSnapshotIdentifier"] == "brief":
            rds.delete_db_snapshot(DBSnapshotIdentifier="brief")

    def cluster(params: dict[str, Any], **_: Any) -> None:
        if params["ClusterIdentifier"] == "brief":
            redshift.delete_cluster(ClusterIdentifier="brief", SkipFinalClusterSnapshot=True)

    api = watched(rds__DescribeDBSnapshotAttributes=snapshot, redshift__DescribeLoggingStatus=cluster)
    assert "brief" not in {each.name for each in read(api)}


def test_a_group_of_moto_does_not_demand_tls(found: list[Resource]) -> None:
    group = named(found, WAREHOUSE_GROUP, "mine")
    assert judge(redshift.ssl, group, now=NOW).verdict is Verdict.FAIL
