"""Databases as AWS documents its answers, where the simulator gives none: read from a server that gives those."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import pytest
from tests.aws.collectors.databases_world import REGION
from tests.aws.collectors.world import ACCOUNT, READS, Clients, collected, named
from tests.serving import serving

from nephoscope.domain import Resource, Rule, Verdict
from nephoscope.engine import judge
from nephoscope.testing import NOW
from nephoscope_aws.api import Api
from nephoscope_aws.collectors import rds_shapes as shapes
from nephoscope_aws.collectors.rds_groups import PARAMETER_GROUP
from nephoscope_aws.collectors.redshift import CLUSTER as WAREHOUSE
from nephoscope_aws.collectors.redshift import PARAMETER_GROUP as WAREHOUSE_GROUP
from nephoscope_baseline.aws import docdb, rds, rds_clusters, redshift

DOCDB = f"arn:aws:rds:{REGION}:{ACCOUNT}:cluster:docs"
PUBLISHED: dict[str, dict[str, Any]] = {
    "DescribeDBInstances": {
        "DBInstances": {
            "DBInstance": [
                {
                    "DBInstanceIdentifier": "docs-1",
                    "Engine": "docdb",
                    "DBClusterIdentifier": "docs",
                    "DBInstanceArn": "arn:1",
                },
                {
                    "DBInstanceIdentifier": "newer",
                    "Engine": "postgres",
                    "DBInstanceArn": "arn:2",
                    "StorageEncrypted": "false",
                    "StorageEncryptionType": "sse-rds",
                    "DBParameterGroups": {
                        "DBParameterGroup": [
                            {"DBParameterGroupName": "default.postgres16", "ParameterApplyStatus": "in-sync"}
                        ]
                    },
                },
            ]
        }
    },
    "DescribeDBClusters": {
        "DBClusters": {
            "DBCluster": [
                {"DBClusterIdentifier": "docs", "Engine": "docdb", "DBClusterArn": DOCDB, "StorageEncrypted": "false"},
                {
                    "DBClusterIdentifier": "sealed",
                    "Engine": "docdb",
                    "DBClusterArn": "arn:3",
                    "StorageEncrypted": "true",
                },
            ]
        }
    },
    "DescribeDBSnapshots": {
        "DBSnapshots": {
            "DBSnapshot": [
                {
                    "DBSnapshotIdentifier": "rds:newer",
                    "Engine": "postgres",
                    "DBSnapshotArn": "arn:4",
                    "Encrypted": "false",
                    "SnapshotType": "automated",
                },
                {
                    "DBSnapshotIdentifier": "shared",
                    "Engine": "postgres",
                    "DBSnapshotArn": "arn:5",
                    "Encrypted": "true",
                    "SnapshotType": "manual",
                    "StorageEncryptionType": "sse-rds",
                },
            ]
        }
    },
    "DescribeDBSnapshotAttributes": {
        "DBSnapshotAttributesResult": {
            "DBSnapshotIdentifier": "shared",
            "DBSnapshotAttributes": {
                "DBSnapshotAttribute": [
                    {"AttributeName": "restore", "AttributeValues": {"AttributeValue": ["210987654321"]}}
                ]
            },
        }
    },
    "DescribeDBClusterSnapshots": {"DBClusterSnapshots": ""},
    "DescribeDBParameterGroups": {
        "DBParameterGroups": {
            "DBParameterGroup": [
                {
                    "DBParameterGroupName": "default.postgres16",
                    "DBParameterGroupFamily": "postgres16",
                    "DBParameterGroupArn": "arn:6",
                },
                {
                    "DBParameterGroupName": "default.postgres12",
                    "DBParameterGroupFamily": "postgres12",
                    "DBParameterGroupArn": "arn:7",
                },
            ]
        }
    },
    "DescribeDBParameters": {
        "Parameters": {"Parameter": [{"ParameterName": "rds.force_ssl", "Source": "engine-default"}]}
    },
    "DescribeClusters": {
        "Clusters": {
            "Cluster": [
                {
                    "ClusterIdentifier": "tls",
                    "ClusterParameterGroups": {
                        "ClusterParameterGroup": [{"ParameterGroupName": "mine", "ParameterApplyStatus": "in-sync"}]
                    },
                }
            ]
        }
    },
    "DescribeLoggingStatus": {"LoggingEnabled": "true", "BucketName": "audit"},
    "DescribeClusterParameterGroups": {
        "ParameterGroups": {
            "ClusterParameterGroup": [
                {"ParameterGroupName": "mine", "ParameterGroupFamily": "redshift-1.0", "Description": "mine"}
            ]
        }
    },
    "DescribeClusterParameters": {
        "Parameters": {"Parameter": [{"ParameterName": "require_ssl", "ParameterValue": "true", "Source": "user"}]}
    },
}
"""Answers in the shape of https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/ and
https://docs.aws.amazon.com/redshift/latest/APIReference/."""


def xml(value: Any) -> str:
    if not isinstance(value, dict):
        return str(value)
    items = ((name, each) for name, held in value.items() for each in (held if isinstance(held, list) else [held]))
    return "".join(f"<{name}>{xml(each)}</{name}>" for name, each in items)


class Published(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        action = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())["Action"][0]
        body = xml({f"{action}Response": {f"{action}Result": PUBLISHED[action]}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture(scope="module")
def published() -> Iterator[list[Resource]]:
    with serving(ThreadingHTTPServer(("127.0.0.1", 0), Published)) as endpoint:
        api = Api(ACCOUNT, Clients(endpoint), READS)
        yield [each for service in ("rds", "redshift") for each in collected(api, service, REGION)]
        api.close()


@pytest.mark.parametrize(
    ("rule", "type", "name", "verdict"),
    [
        (docdb.encrypted, shapes.DOCDB_CLUSTER, "docs", Verdict.FAIL),
        (docdb.encrypted, shapes.DOCDB_CLUSTER, "sealed", Verdict.PASS),
        (rds.encrypted, shapes.RDS_INSTANCE, "newer", Verdict.PASS),
        (rds_clusters.snapshot_public, shapes.SNAPSHOT, "rds:newer", Verdict.PASS),
        (rds_clusters.snapshot_public, shapes.SNAPSHOT, "shared", Verdict.PASS),
        (rds_clusters.tls_required, PARAMETER_GROUP, "default.postgres16", Verdict.PASS),
        (redshift.ssl, WAREHOUSE_GROUP, "mine", Verdict.PASS),
        (redshift.audit, WAREHOUSE, "tls", Verdict.PASS),
    ],
)
def test_published_answers_are_judged(
    published: list[Resource], rule: Rule, type: str, name: str, verdict: Verdict
) -> None:
    assert judge(rule, named(published, type, name), now=NOW).verdict is verdict


def test_published_answers_give_nothing_more(published: list[Resource]) -> None:
    assert len(published) == 9
    assert named(published, shapes.DOCDB_INSTANCE, "docs-1").properties["DBClusterIdentifier"] == "docs"
