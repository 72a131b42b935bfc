"""Containers and messages: one right and one wrong thing of each type."""

from __future__ import annotations

import json

from tests.aws.collectors.world import ACCOUNT, REGION

from nephoscope_aws_simulator.testing import Simulator

LEAK = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"


def seed(simulator: Simulator) -> None:
    for part in (seed_clusters, seed_images, seed_messages, seed_secrets, seed_machine):
        part(simulator)


def allow(arn: str, action: str) -> str:
    return json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Principal": "*", "Action": action, "Resource": arn}],
        }
    )


def seed_clusters(simulator: Simulator) -> None:
    client = simulator.client("eks", REGION)
    role = f"arn:aws:iam::{ACCOUNT}:role/eks"
    client.create_cluster(
        name="closed",
        version="1.34",
        roleArn=role,
        tags={"team": "core"},
        resourcesVpcConfig={
            "subnetIds": ["subnet-1", "subnet-2"],
            "endpointPublicAccess": True,
            "publicAccessCidrs": ["203.0.113.0/24"],
        },
        encryptionConfig=[{"resources": ["secrets"], "provider": {"keyArn": "arn:aws:kms:eu-west-1:1:key/k"}}],
        logging={
            "clusterLogging": [{"types": ["api", "audit"], "enabled": True}, {"types": ["scheduler"], "enabled": False}]
        },
    )
    client.create_cluster(
        name="open",
        version="1.29",
        roleArn=role,
        resourcesVpcConfig={
            "subnetIds": ["subnet-1"],
            "endpointPublicAccess": True,
            "publicAccessCidrs": ["0.0.0.0/0"],
        },
        logging={"clusterLogging": [{"types": ["api"], "enabled": True}, {"types": ["audit"], "enabled": False}]},
    )


def seed_images(simulator: Simulator) -> None:
    client = simulator.client("ecs", REGION)
    network = simulator.client("ec2", REGION)
    subnet = network.describe_subnets()["Subnets"][0]["SubnetId"]
    group = network.describe_security_groups()["SecurityGroups"][0]["GroupId"]
    client.create_cluster(clusterName="prod")
    client.create_cluster(clusterName="empty")
    client.register_task_definition(
        family="bad",
        containerDefinitions=[
            {"name": "one", "image": "app", "memory": 64},
            {
                "name": "two",
                "image": "app",
                "memory": 64,
                "privileged": True,
                "readonlyRootFilesystem": True,
                "environment": [{"name": "AWS_SECRET_ACCESS_KEY", "value": LEAK}],
            },
        ],
    )
    for _ in range(2):  # the first revision is history
        client.register_task_definition(
            family="good",
            networkMode="awsvpc",
            tags=[{"key": "team", "value": "web"}],
            containerDefinitions=[
                {
                    "name": "app",
                    "image": "app",
                    "memory": 64,
                    "readonlyRootFilesystem": True,
                    "environment": [{"name": "LOG_LEVEL", "value": LEAK}],
                }
            ],
        )
    for family, flags in (("lagging", (True, False)), ("adhoc", (True, False)), ("retired", (True,))):
        for flag in flags:
            one = {"name": "app", "image": "app", "memory": 64, "privileged": flag}
            client.register_task_definition(family=family, containerDefinitions=[one])
    client.create_service(cluster="prod", serviceName="lags", taskDefinition="lagging:1", desiredCount=0)
    client.create_service(cluster="prod", serviceName="retires", taskDefinition="retired:1", desiredCount=0)
    client.deregister_task_definition(taskDefinition="retired:1")
    alone = {"awsvpcConfiguration": {"subnets": [subnet]}}
    client.run_task(cluster="prod", taskDefinition="adhoc:1", launchType="FARGATE", networkConfiguration=alone)
    for name, public in [("inside", "DISABLED"), ("outside", "ENABLED"), *((f"s{n}", "DISABLED") for n in range(9))]:
        client.create_service(
            cluster="prod",
            serviceName=name,
            taskDefinition="good",
            desiredCount=0,
            launchType="FARGATE",
            networkConfiguration={
                "awsvpcConfiguration": {"subnets": [subnet], "securityGroups": [group], "assignPublicIp": public}
            },
        )
    client = simulator.client("ecr", REGION)
    client.create_repository(
        repositoryName="team/good", imageTagMutability="IMMUTABLE", imageScanningConfiguration={"scanOnPush": True}
    )
    for name in ("team/scanned", "bad"):
        client.create_repository(repositoryName=name)
    text = json.dumps({"Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": ["ecr:BatchGetImage"]}]})
    client.set_repository_policy(repositoryName="bad", policyText=text)
    client.put_registry_scanning_configuration(
        scanType="ENHANCED",
        rules=[
            {"scanFrequency": "CONTINUOUS_SCAN", "repositoryFilters": [{"filter": "team/*", "filterType": "WILDCARD"}]}
        ],
    )


def seed_messages(simulator: Simulator) -> None:
    client = simulator.client("sqs", REGION)
    client.create_queue(QueueName="good")
    client.create_queue(QueueName="keyed", Attributes={"SqsManagedSseEnabled": "false", "KmsMasterKeyId": "alias/q"})
    url = client.create_queue(QueueName="bad", Attributes={"SqsManagedSseEnabled": "false"})["QueueUrl"]
    policy = allow(f"arn:aws:sqs:{REGION}:{ACCOUNT}:bad", "sqs:*")
    client.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    client = simulator.client("sns", REGION)
    client.create_topic(Name="good", Attributes={"KmsMasterKeyId": "alias/aws/sns"})
    arn = client.create_topic(Name="bad")["TopicArn"]
    client.set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=allow(arn, "sns:Publish"))


def seed_secrets(simulator: Simulator) -> None:
    client = simulator.client("secretsmanager", REGION)
    client.create_secret(Name="db", SecretString=LEAK, Tags=[{"Key": "team", "Value": "core"}])
    client.create_secret(Name="db-2", SecretString=LEAK)
    client = simulator.client("ssm", REGION)
    text = json.dumps({"schemaVersion": "2.2", "description": "x", "mainSteps": []})
    for name in ("own", "shared"):
        client.create_document(Name=name, Content=text, DocumentType="Command")
    client.modify_document_permission(Name="shared", PermissionType="Share", AccountIdsToAdd=["all"])


def seed_machine(simulator: Simulator) -> None:
    """An instance that Systems Manager manages, because its role lets it report."""
    iam, ec2 = simulator.client("iam"), simulator.client("ec2", REGION)
    trust = {
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]
    }
    iam.create_role(RoleName="machine", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", **trust}))
    iam.attach_role_policy(RoleName="machine", PolicyArn="arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore")
    iam.create_instance_profile(InstanceProfileName="machine")
    iam.add_role_to_instance_profile(InstanceProfileName="machine", RoleName="machine")
    made = ec2.run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    ec2.associate_iam_instance_profile(IamInstanceProfile={"Name": "machine"}, InstanceId=made)
