"""What is being deleted is not collected, and its end is believed when it is missed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.aws.collectors.conftest import Reader
from tests.aws.collectors.world import ACCOUNT, READS, Clients, collected

from nephoscope_aws import lookups
from nephoscope_aws.api import Api
from nephoscope_aws.collectors import ALL

Readers = Callable[[str], Reader]

ENDING = [
    ("rds", "rds", "DescribeDBInstances", ("DBInstances",), "DBInstanceStatus", "deleting", "AWS::RDS::DBInstance"),
    ("rds", "rds", "DescribeDBClusters", ("DBClusters",), "Status", "deleting", "AWS::RDS::DBCluster"),
    ("redshift", "redshift", "DescribeClusters", ("Clusters",), "ClusterStatus", "deleting", "AWS::Redshift::Cluster"),
    ("eks", "eks", "DescribeCluster", ("cluster",), "status", "DELETING", "AWS::EKS::Cluster"),
    ("ecs", "ecs", "DescribeServices", ("services",), "status", "DRAINING", "AWS::ECS::Service"),
    ("dynamodb", "dynamodb", "DescribeTable", ("Table",), "TableStatus", "DELETING", "AWS::DynamoDB::Table"),
    (
        *("ec2", "ec2", "DescribeInstances", ("Reservations", "Instances"), "State"),
        *({"Code": 32, "Name": "shutting-down"}, "AWS::EC2::Instance"),
    ),
]


def items(answer: Any, path: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    found = [answer]
    for name in path:
        inside = [each[name] for each in found]
        found = [item for each in inside for item in (each if isinstance(each, list) else [each])]
    yield from found


@pytest.mark.parametrize(
    ("service", "client", "operation", "path", "member", "state", "type"), ENDING, ids=[each[-1] for each in ENDING]
)
def test_what_is_being_deleted_is_not_collected_and_counts_as_gone(
    readers: Readers,
    service: str,
    client: str,
    operation: str,
    path: tuple[str, ...],
    member: str,
    state: Any,
    type: str,
) -> None:
    reader = readers(service)
    known = next(each for each in reader.collect() if each.type == type)
    clients = Clients(reader.simulator.endpoint)

    def end(parsed: dict[str, Any], **context: Any) -> None:
        for item in items(parsed, path):
            item[member] = state

    clients.client(client, reader.region).meta.events.register(f"after-call.*.{operation}", end)
    api = Api(ACCOUNT, clients, READS)
    assert type not in {each.type for each in collected(api, service, reader.region)}
    assert ALL[service].reread(api, known) is None
    assert lookups.is_gone(api, known) is True
    api.close()
