"""An account of any size on the simulated AWS, the same at each building: what a company has, some of it wrong.

Everything is made by real boto3 calls over HTTP from several threads. Things are numbered, and a thing's number alone
decides about how it is made, so that two accounts of one size are alike to the last setting.
"""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from nephoscope_aws_simulator.testing import client_for

REGIONS = ("us-east-1", "eu-west-1", "ap-southeast-2")
THREADS = 8

SHARES = {
    "bucket": 12,
    "user": 8,
    "role": 10,
    "policy": 4,
    "group": 10,
    "instance": 6,
    "volume": 5,
    "snapshot": 5,
    "function": 6,
    "table": 5,
    "queue": 5,
    "topic": 4,
    "key": 4,
    "log_group": 6,
    "database": 2,
    "secret": 3,
    "repository": 3,
    "file_system": 1,
    "trail": 1,
}
"""Of a hundred things, how many are of which kind."""

MOST_TRAILS = 5
"""Trails in a region: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/WhatIsCloudTrail-Limits.html"""

BLOCKS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
"""What a public access block consists of."""

ZIP = b"PK\x05\x06" + bytes(18)
"""The smallest archive there is: one without files."""


@dataclass
class Account:
    """The account that is being filled, and what the kinds need of each other."""

    endpoint: str
    made: Counter[str] = field(default_factory=Counter)
    images: dict[str, str] = field(default_factory=dict)
    subnets: dict[str, str] = field(default_factory=dict)
    vpcs: dict[str, str] = field(default_factory=dict)
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict)

    def client(self, service: str, region: str = REGIONS[0]) -> Any:
        """A client, made once for each region."""
        at = (service, region)
        if at not in self._clients:
            self._clients[at] = client_for(self.endpoint, service, region)
        return self._clients[at]

    def learn(self) -> None:
        """Find out what AWS has put into each region: a network, and images to start machines from."""
        for region in REGIONS:
            ec2 = self.client("ec2", region)
            subnet = ec2.describe_subnets()["Subnets"][0]
            self.subnets[region], self.vpcs[region] = subnet["SubnetId"], subnet["VpcId"]
            self.images[region] = ec2.register_image(Name="bench", RootDeviceName="/dev/xvda")["ImageId"]


Maker = Callable[[Account, int, str], object]


def tags(number: int, key: str = "Key", value: str = "Value") -> list[dict[str, str]]:
    """Tags as most services take them."""
    stage = ("production", "staging", "test")[number % 3]
    return [{key: "environment", value: stage}, {key: "owner", value: f"team-{number % 7}"}]


def document(*statements: dict[str, Any]) -> str:
    """A policy as text."""
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def statement(action: str, on: str, effect: str = "Allow", **members: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": action, "Resource": on, **members}


def bucket(account: Account, number: int, region: str) -> None:
    """Two of three have a policy, half keep versions, one of forty is open to everyone."""
    s3, name = account.client("s3", region), f"bench-bucket-{number}"
    place = {} if region == REGIONS[0] else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    s3.create_bucket(Bucket=name, **place)
    everyone = number % 40 == 7
    if everyone:  # new buckets are closed: https://docs.aws.amazon.com/AmazonS3/latest/userguide/configuring-block-public-access-bucket.html
        s3.delete_public_access_block(Bucket=name)
    elif number % 2:
        s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=dict.fromkeys(BLOCKS, True))
    if everyone or number % 3:
        on = f"arn:aws:s3:::{name}"
        plain = {"Bool": {"aws:SecureTransport": "false"}}
        opened = statement("s3:GetObject", f"{on}/*", Principal="*")
        closed = statement("s3:*", f"{on}/*", "Deny", Principal="*", Condition=plain)
        s3.put_bucket_policy(Bucket=name, Policy=document(opened if everyone else closed))
    if number % 2:
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    if number % 4 == 1:
        s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": tags(number)})


def user(account: Account, number: int, region: str) -> None:
    """Three of four have an access key, half a password, one of twelve may do everything."""
    iam, name = account.client("iam"), f"bench-user-{number}"
    iam.create_user(UserName=name, Tags=tags(number))
    if number % 4:
        iam.create_access_key(UserName=name)
    if number % 2:
        iam.create_login_profile(UserName=name, Password=f"Bench-{number}-password!")
    if number % 12 == 5:
        iam.put_user_policy(UserName=name, PolicyName="all", PolicyDocument=document(statement("*", "*")))


def role(account: Account, number: int, region: str) -> None:
    """Roles of services; one of thirty trusts everyone."""
    service = ("ec2", "lambda", "ecs-tasks")[number % 3]
    who = {"AWS": "*"} if number % 30 == 11 else {"Service": f"{service}.amazonaws.com"}
    trust = document({"Effect": "Allow", "Principal": who, "Action": "sts:AssumeRole"})
    account.client("iam").create_role(RoleName=f"bench-role-{number}", AssumeRolePolicyDocument=trust)


def policy(account: Account, number: int, region: str) -> None:
    on = "*" if number % 5 == 0 else f"arn:aws:s3:::bench-bucket-{number}/*"
    text = document(statement("s3:*" if number % 2 else "s3:GetObject", on))
    account.client("iam").create_policy(PolicyName=f"bench-policy-{number}", PolicyDocument=text)


def group(account: Account, number: int, region: str) -> None:
    """A security group; one of ten lets everyone in by SSH."""
    ec2 = account.client("ec2", region)
    made = ec2.create_security_group(GroupName=f"bench-{number}", Description="bench", VpcId=account.vpcs[region])
    port, source = (22, "0.0.0.0/0") if number % 10 == 3 else (443, f"10.{number % 250}.0.0/16")
    rule = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": source}]}
    ec2.authorize_security_group_ingress(GroupId=made["GroupId"], IpPermissions=[rule])


def instance(account: Account, number: int, region: str) -> None:
    token = "optional" if number % 3 == 0 else "required"
    account.client("ec2", region).run_instances(
        ImageId=account.images[region],
        MinCount=1,
        MaxCount=1,
        InstanceType="t3.micro",
        SubnetId=account.subnets[region],
        MetadataOptions={"HttpTokens": token, "HttpEndpoint": "enabled"},
        TagSpecifications=[{"ResourceType": "instance", "Tags": tags(number)}],
    )


def volume(account: Account, number: int, region: str) -> None:
    account.client("ec2", region).create_volume(AvailabilityZone=f"{region}a", Size=8, Encrypted=bool(number % 2))


def snapshot(account: Account, number: int, region: str) -> None:
    ec2 = account.client("ec2", region)
    made = ec2.create_volume(AvailabilityZone=f"{region}a", Size=8)["VolumeId"]
    ec2.create_snapshot(VolumeId=made, Description=f"bench {number}")
    ec2.delete_volume(VolumeId=made)


def function(account: Account, number: int, region: str) -> None:
    aws, name = account.client("lambda", region), f"bench-function-{number}"
    runtime = ("python3.12", "nodejs20.x", "python3.7")[number % 3]
    aws.create_function(
        FunctionName=name,
        Runtime=runtime,
        Handler="main.handler",
        Code={"ZipFile": ZIP},
        Role="arn:aws:iam::123456789012:role/bench-role-1",
        Environment={"Variables": {"STAGE": "test"}},
    )
    if number % 4 == 0:
        aws.add_permission(
            FunctionName=name, StatementId="events", Action="lambda:InvokeFunction", Principal="events.amazonaws.com"
        )


def table(account: Account, number: int, region: str) -> None:
    account.client("dynamodb", region).create_table(
        TableName=f"bench-table-{number}",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
    )


def queue(account: Account, number: int, region: str) -> None:
    encrypted = {"SqsManagedSseEnabled": "true" if number % 2 else "false"}
    account.client("sqs", region).create_queue(QueueName=f"bench-queue-{number}", Attributes=encrypted)


def topic(account: Account, number: int, region: str) -> None:
    key = {"KmsMasterKeyId": "alias/aws/sns"} if number % 2 else {}
    account.client("sns", region).create_topic(Name=f"bench-topic-{number}", Attributes=key)


def key(account: Account, number: int, region: str) -> None:
    kms = account.client("kms", region)
    made = kms.create_key(Description=f"bench {number}", Tags=tags(number, "TagKey", "TagValue"))["KeyMetadata"]
    if number % 2:
        kms.enable_key_rotation(KeyId=made["KeyId"])
    if number % 3 == 0:
        kms.create_alias(AliasName=f"alias/bench-{number}", TargetKeyId=made["KeyId"])


def log_group(account: Account, number: int, region: str) -> None:
    logs, name = account.client("logs", region), f"/bench/group-{number}"
    logs.create_log_group(logGroupName=name)
    if number % 6 == 0:
        metric = [{"metricName": f"bench-{number}", "metricNamespace": "bench", "metricValue": "1"}]
        logs.put_metric_filter(
            logGroupName=name,
            filterName=f"bench-{number}",
            metricTransformations=metric,
            filterPattern='{ $.userIdentity.type = "Root" }',
        )


def database(account: Account, number: int, region: str) -> None:
    account.client("rds", region).create_db_instance(
        DBInstanceIdentifier=f"bench-database-{number}",
        DBInstanceClass="db.t3.micro",
        Engine="postgres",
        AllocatedStorage=20,
        MasterUsername="bench",
        MasterUserPassword="bench-password",
        StorageEncrypted=bool(number % 2),
        PubliclyAccessible=number % 10 == 0,
    )


def secret(account: Account, number: int, region: str) -> None:
    account.client("secretsmanager", region).create_secret(Name=f"bench-secret-{number}", SecretString="bench")


def repository(account: Account, number: int, region: str) -> None:
    account.client("ecr", region).create_repository(
        repositoryName=f"bench/repository-{number}", imageScanningConfiguration={"scanOnPush": bool(number % 2)}
    )


def file_system(account: Account, number: int, region: str) -> None:
    account.client("efs", region).create_file_system(CreationToken=f"bench-{number}", Encrypted=bool(number % 2))


def trail(account: Account, number: int, region: str) -> None:
    cloudtrail, name = account.client("cloudtrail", region), f"bench-trail-{number}"
    cloudtrail.create_trail(Name=name, S3BucketName="bench-bucket-0", IsMultiRegionTrail=number == 0)
    cloudtrail.start_logging(Name=name)


MAKERS: dict[str, Maker] = {
    "bucket": bucket,
    "user": user,
    "role": role,
    "policy": policy,
    "group": group,
    "instance": instance,
    "volume": volume,
    "snapshot": snapshot,
    "function": function,
    "table": table,
    "queue": queue,
    "topic": topic,
    "key": key,
    "log_group": log_group,
    "database": database,
    "secret": secret,
    "repository": repository,
    "file_system": file_system,
    "trail": trail,
}
NEEDED_FIRST = ("bucket", "role")
"""What other kinds refer to: a trail its bucket, a function its role."""


def planned(size: int) -> dict[str, int]:
    """How many of each kind an account of so many things has; what trails are too many for are more security groups."""
    parts = {kind: size * share // 100 for kind, share in SHARES.items()}
    parts["trail"] = min(parts["trail"], MOST_TRAILS * len(REGIONS))
    return parts | {"group": parts["group"] + size - sum(parts.values())}


def build(endpoint: str, size: int) -> Counter[str]:
    """Fill the empty account at an endpoint with ``size`` things; return how many of each kind."""
    account, parts = Account(endpoint), planned(size)
    account.learn()
    with ThreadPoolExecutor(THREADS) as pool:
        for some in (NEEDED_FIRST, [kind for kind in parts if kind not in NEEDED_FIRST]):
            list(pool.map(lambda job: _make(account, *job), _jobs({kind: parts[kind] for kind in some})))
    return account.made


def _jobs(parts: dict[str, int]) -> Iterator[tuple[str, int]]:
    """The kinds by turns, so that no service is asked by all threads at once."""
    rows = ([(kind, number) for number in range(count)] for kind, count in parts.items())
    return (job for row in itertools.zip_longest(*rows) for job in row if job)


def _make(account: Account, kind: str, number: int) -> None:
    MAKERS[kind](account, number, REGIONS[number % len(REGIONS)])
    account.made[kind] += 1
