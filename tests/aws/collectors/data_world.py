"""Data services: one right and one wrong thing of each type, said to be so by their names."""

from __future__ import annotations

import json

from tests.aws.collectors.world import ACCOUNT, REGION

from nephoscope_aws_simulator.testing import Simulator


def seed(simulator: Simulator) -> None:
    for part in (seed_storage, seed_caches, seed_search, seed_machines):
        part(simulator)


def seed_storage(simulator: Simulator) -> None:
    dynamodb = simulator.client("dynamodb", REGION)
    for name in ("right", "wrong"):
        dynamodb.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            DeletionProtectionEnabled=name == "right",
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        )
    dynamodb.update_continuous_backups(
        TableName="right", PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    efs = simulator.client("efs", REGION)
    for name in ("right", "wrong"):
        efs.create_file_system(
            CreationToken=name, Encrypted=name == "right", Backup=name == "right", Tags=[{"Key": "Name", "Value": name}]
        )


def seed_caches(simulator: Simulator) -> None:
    client = simulator.client("elasticache", REGION)
    for name in ("right", "wrong"):
        client.create_replication_group(
            ReplicationGroupId=name,
            ReplicationGroupDescription="a cache",
            Engine="redis",
            CacheNodeType="cache.t3.small",
            TransitEncryptionEnabled=name == "right",
            AtRestEncryptionEnabled=name == "right",
        )


def seed_search(simulator: Simulator) -> None:
    client = simulator.client("opensearch", REGION)
    client.create_domain(
        DomainName="right",
        EngineVersion="OpenSearch_2.19",
        EncryptionAtRestOptions={"Enabled": True},
        NodeToNodeEncryptionOptions={"Enabled": True},
        VPCOptions={"SubnetIds": ["subnet-0a1b2c3d"]},
        DomainEndpointOptions={"EnforceHTTPS": True, "TLSSecurityPolicy": "Policy-Min-TLS-1-2-PFS-2023-10"},
        AccessPolicies=json.dumps({"Version": "2012-10-17", "Statement": []}),
    )
    client.create_domain(DomainName="wrong")
    client.create_domain(
        DomainName="old-tls",
        DomainEndpointOptions={"EnforceHTTPS": True, "TLSSecurityPolicy": "Policy-Min-TLS-1-0-2019-07"},
    )
    for number in range(4):
        client.create_domain(DomainName=f"more-{number}")


def seed_machines(simulator: Simulator) -> None:
    dms, sagemaker = simulator.client("dms", REGION), simulator.client("sagemaker", REGION)
    for name in ("right", "wrong"):
        dms.create_replication_instance(
            ReplicationInstanceIdentifier=name,
            PubliclyAccessible=name == "wrong",
            ReplicationInstanceClass="dms.t3.micro",
        )
        switch = "Disabled" if name == "right" else "Enabled"
        sagemaker.create_notebook_instance(
            NotebookInstanceName=name,
            InstanceType="ml.t3.medium",
            RoleArn=f"arn:aws:iam::{ACCOUNT}:role/notebook",
            SubnetId="subnet-0a1b2c3d",
            DirectInternetAccess=switch,
            RootAccess=switch,
        )
    permit(simulator, 22)


def permit(simulator: Simulator, last: int) -> None:
    """Let EMR open ports from 22 to the last one; moto keeps one configuration for all regions, and always on."""
    block = {
        "BlockPublicSecurityGroupRules": True,
        "PermittedPublicSecurityGroupRuleRanges": [{"MinRange": 22, "MaxRange": last}],
    }
    simulator.client("emr", REGION).put_block_public_access_configuration(BlockPublicAccessConfiguration=block)
