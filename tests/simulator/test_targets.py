"""Which resource a call is for, when its session may do something to one only."""

from __future__ import annotations

import pytest

from nephoscope_aws_simulator.actions import resources
from nephoscope_aws_simulator.wire import Call

HERE = "us-east-1:444444444444"
BALANCER = f"arn:aws:elasticloadbalancing:{HERE}:loadbalancer/app/front/1"


@pytest.mark.parametrize(
    ("service", "operation", "named", "arn"),
    [
        ("dynamodb", "UpdateTable", {"TableName": "orders"}, f"arn:aws:dynamodb:{HERE}:table/orders"),
        ("eks", "UpdateClusterConfig", {"name": "orders"}, f"arn:aws:eks:{HERE}:cluster/orders"),
        (
            "elasticache",
            "ModifyReplicationGroup",
            {"ReplicationGroupId": "orders"},
            f"arn:aws:elasticache:{HERE}:replicationgroup:orders",
        ),
        (
            "elasticfilesystem",
            "PutBackupPolicy",
            {"FileSystemId": "fs-1"},
            f"arn:aws:elasticfilesystem:{HERE}:file-system/fs-1",
        ),
        ("elasticloadbalancing", "ModifyLoadBalancerAttributes", {"LoadBalancerArn": BALANCER}, BALANCER),
        ("rds", "ModifyDBInstance", {"DBInstanceIdentifier": "orders"}, f"arn:aws:rds:{HERE}:db:orders"),
        ("rds", "ModifyDBCluster", {"DBClusterIdentifier": "orders"}, f"arn:aws:rds:{HERE}:cluster:orders"),
        (
            "rds",
            "ModifyDBSnapshotAttribute",
            {"DBSnapshotIdentifier": "orders"},
            f"arn:aws:rds:{HERE}:snapshot:orders",
        ),
        (
            "rds",
            "ModifyDBClusterParameterGroup",
            {"DBClusterParameterGroupName": "orders"},
            f"arn:aws:rds:{HERE}:cluster-pg:orders",
        ),
        ("redshift", "ModifyCluster", {"ClusterIdentifier": "orders"}, f"arn:aws:redshift:{HERE}:cluster:orders"),
        ("rds", "DescribeDBInstances", {}, None),
    ],
)
def test_a_call_is_for_the_resource_that_it_names(
    service: str, operation: str, named: dict[str, str], arn: str | None
) -> None:
    call = Call(service, service, operation, "us-east-1", "", "", "query", "POST", named)
    assert resources(call, "444444444444", lambda *_: None) == [arn]
