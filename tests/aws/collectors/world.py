"""The account that the collectors are tried on, and short ways to ask about what they found."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from nephoscope.domain import ALL_REGIONS, Resource
from nephoscope_aws.api import Api
from nephoscope_aws.collectors import ALL
from nephoscope_aws_simulator.testing import Simulator, client_for

ACCOUNT = "123456789012"
REGION = "eu-west-1"
MARKUP = "<script>alert(1)</script>"
READS = {call: action for each in ALL.values() for call, action in each.reads.items()}
TYPES = {type: each.service.id for each in ALL.values() for type in each.service.types}
DOCUMENT = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}

LISTINGS = [
    ("iam", "iam:ListServerCertificates", {"AWS::IAM::ServerCertificate"}),
    ("iam", "iam:ListAccessKeys", {"AWS::IAM::AccessKey"}),
    ("iam", "iam:GetAccountAuthorizationDetails", set(ALL["iam"].service.types) - {"AWS::IAM::ServerCertificate"}),
    ("s3", "s3:ListAllMyBuckets", {"AWS::S3::Bucket"}),
    ("s3control", "s3:ListAccessPoints", {"AWS::S3::AccessPoint"}),
    ("ec2", "ec2:DescribeInstances", {"AWS::EC2::Instance"}),
    ("cloudtrail", "cloudtrail:DescribeTrails", {"AWS::CloudTrail::Trail"}),
    ("kms", "kms:ListKeys", {"AWS::KMS::Key"}),
]
"""Service, the action that lists, and the types that are hidden without it."""


class Clients:
    """Real boto3 clients of one endpoint; ``before`` runs before each call of an operation, as S3's "GetBucketAcl"."""

    def __init__(self, endpoint: str, before: dict[str, Callable[..., Any]] | None = None) -> None:
        self.endpoint, self.before = endpoint, before or {}
        self._clients: dict[tuple[str, str], Any] = {}
        self._lock = threading.Lock()

    def client(self, service: str, region: str) -> Any:
        with self._lock:
            if (service, region) not in self._clients:
                client = client_for(self.endpoint, service, region or "us-east-1")
                for event, function in self.before.items():
                    client.meta.events.register(f"provide-client-params.{event}", function)
                self._clients[service, region] = client
            return self._clients[service, region]


def seed(simulator: Simulator) -> None:
    seed_iam(simulator)
    seed_s3(simulator)
    seed_region(simulator)


def seed_iam(simulator: Simulator) -> None:
    iam = simulator.client("iam")
    iam.create_account_alias(AccountAlias="example")
    iam.update_account_password_policy(MinimumPasswordLength=14)
    iam.create_group(GroupName="admins")
    iam.put_group_policy(GroupName="admins", PolicyName="all", PolicyDocument=json.dumps(DOCUMENT))
    iam.create_user(UserName="anna", Path="/staff/", Tags=[{"Key": "team", "Value": MARKUP}])
    iam.create_login_profile(UserName="anna", Password="correct horse battery")
    iam.add_user_to_group(UserName="anna", GroupName="admins")
    iam.create_access_key(UserName="anna")
    iam.create_user(UserName="berta")
    policy = iam.create_policy(PolicyName="own", PolicyDocument=json.dumps(DOCUMENT), Description=MARKUP)["Policy"]
    iam.attach_user_policy(UserName="berta", PolicyArn=policy["Arn"])
    iam.create_role(
        RoleName="app", AssumeRolePolicyDocument=json.dumps(TRUST), Description="runs", MaxSessionDuration=7200
    )
    iam.upload_server_certificate(ServerCertificateName="old", CertificateBody=certificate(), PrivateKey="key")


def certificate() -> str:
    """A certificate of ten days that ended yesterday."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.not_valid_before(now - timedelta(days=11)).not_valid_after(now - timedelta(days=1))
    signed = builder.serial_number(1).sign(key, hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM).decode()


def seed_s3(simulator: Simulator) -> None:
    s3 = simulator.client("s3", REGION)
    for name in ("full-bucket", "bare-bucket"):
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    simulator.client("s3").create_bucket(Bucket="american-bucket")
    policy = DOCUMENT | {
        "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::full-bucket/*"}]
    }
    s3.put_bucket_policy(Bucket="full-bucket", Policy=json.dumps(policy))
    s3.put_bucket_versioning(Bucket="full-bucket", VersioningConfiguration={"Status": "Enabled"})
    s3.put_bucket_tagging(Bucket="full-bucket", Tagging={"TagSet": [{"Key": "note", "Value": MARKUP}]})
    s3.put_bucket_lifecycle_configuration(
        Bucket="full-bucket",
        LifecycleConfiguration={
            "Rules": [
                {
                    "ID": "old",
                    "Status": "Enabled",
                    "Filter": {"And": {"Prefix": "logs/", "Tags": [{"Key": "a", "Value": "b"}]}},
                    "Transitions": [{"Days": 30, "StorageClass": "GLACIER"}],
                    "Expiration": {"Days": 90},
                }
            ]
        },
    )
    s3.delete_public_access_block(Bucket="bare-bucket")
    simulator.client("s3control", REGION).create_access_point(AccountId=ACCOUNT, Name="door", Bucket="full-bucket")


def seed_region(simulator: Simulator) -> None:
    ec2 = simulator.client("ec2", REGION)
    group = ec2.create_security_group(GroupName="web", Description=MARKUP)["GroupId"]
    ec2.authorize_security_group_ingress(
        GroupId=group,
        IpPermissions=[
            {
                "IpProtocol": "tcp",
                "FromPort": 22,
                "ToPort": 22,
                "IpRanges": [{"CidrIp": "0.0.0.0/0", "Description": "all"}, {"CidrIp": "10.0.0.0/8"}],
                "Ipv6Ranges": [{"CidrIpv6": "::/0"}],
                "UserIdGroupPairs": [{"GroupId": group}],
            }
        ],
    )
    ec2.create_managed_prefix_list(
        PrefixListName="offices",
        AddressFamily="IPv4",
        MaxEntries=5,
        Entries=[{"Cidr": "203.0.113.0/24", "Description": MARKUP}, {"Cidr": "198.51.100.0/24"}],
    )
    started = ec2.run_instances(ImageId="ami-12c6146b", MinCount=2, MaxCount=2, SecurityGroupIds=[group])["Instances"]
    ec2.create_tags(Resources=[started[0]["InstanceId"]], Tags=[{"Key": "Name", "Value": MARKUP}])
    ec2.terminate_instances(InstanceIds=[started[1]["InstanceId"]])
    trail = simulator.client("cloudtrail", REGION)
    trail.create_trail(
        Name="trail", S3BucketName="full-bucket", IsMultiRegionTrail=True, TagsList=[{"Key": "owner", "Value": "audit"}]
    )
    trail.start_logging(Name="trail")
    kms = simulator.client("kms", REGION)
    rotating, *_ = [
        kms.create_key(Tags=[{"TagKey": "use", "TagValue": "data"}])["KeyMetadata"]["KeyId"],
        kms.create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY"),
    ]
    kms.enable_key_rotation(KeyId=rotating)
    kms.create_alias(AliasName="alias/data", TargetKeyId=rotating)


def collected(api: Api, service: str, region: str = REGION) -> list[Resource]:
    collector = ALL[service]
    return list(collector.collect(api, region if collector.service.regional else ALL_REGIONS))


def everything(api: Api) -> list[Resource]:
    return [resource for service in ALL for resource in collected(api, service)]


def named(resources: list[Resource], type: str, name: str) -> Resource:
    return next(each for each in resources if each.type == type and each.name == name)


def at(resource: Resource, path: str) -> Any:
    value: Any = resource.properties
    for name in path.split("."):
        value = value[name]
    return value


def why(value: Any) -> dict[str, str]:
    """The reason and permission of an unknown value."""
    assert list(value) == ["$unknown"], value
    found: dict[str, str] = value["$unknown"]
    return found
