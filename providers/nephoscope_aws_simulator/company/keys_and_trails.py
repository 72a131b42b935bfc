"""KMS keys and CloudTrail trails."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from nephoscope_aws_simulator.company.cloud import EUROPE, HOME, PACIFIC, REGIONS, Cloud

_TRAIL_LOG_GROUP = "northwind/cloudtrail"


@dataclass(frozen=True)
class Key:
    """One customer managed key; by default as it should be."""

    alias: str
    region: str
    description: str
    rotation: bool = True
    public: bool = False
    signing: bool = False
    disabled: bool = False
    deleted: bool = False


KEYS = (
    Key("northwind-orders", HOME, "Order and invoice data"),
    Key("northwind-trail", HOME, "Audit trail"),
    Key("northwind-mail-archive", HOME, "Mail archive", rotation=False),
    Key("northwind-partner-exchange", HOME, "Exchange with carriers", public=True),
    Key("northwind-label-signing", HOME, "Signs shipping labels", rotation=False, signing=True),
    Key("northwind-retired-2021", HOME, "Old warehouse system", rotation=False, deleted=True),
    Key("northwind-orders-eu", EUROPE, "Order data of the EU"),
    Key("northwind-backups-eu", EUROPE, "Backups of the EU", rotation=False),
    Key("northwind-telemetry", PACIFIC, "Sensor data of the warehouses", rotation=False, disabled=True),
)


def _policy(account: str, public: bool) -> str:
    statements: list[dict[str, Any]] = [
        {
            "Sid": "Enable IAM User Permissions",
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
            "Action": "kms:*",
            "Resource": "*",
        }
    ]
    if public:
        actions = ["kms:Encrypt", "kms:Decrypt"]
        statements.append({"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": actions, "Resource": "*"})
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def make_keys(cloud: Cloud) -> dict[str, str]:
    """All keys; the result is alias -> ARN."""

    def make(key: Key) -> tuple[str, str]:
        kms = cloud.client("kms", key.region)
        kind = {"KeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY"} if key.signing else {}
        made = kms.create_key(
            Description=key.description,
            Policy=_policy(cloud.account, key.public),
            Tags=[{"TagKey": "Team", "TagValue": "platform"}, {"TagKey": "Environment", "TagValue": "production"}],
            **kind,
        )["KeyMetadata"]
        kms.create_alias(AliasName=f"alias/{key.alias}", TargetKeyId=made["KeyId"])
        if key.rotation:
            kms.enable_key_rotation(KeyId=made["KeyId"])
        if key.disabled:
            kms.disable_key(KeyId=made["KeyId"])
        if key.deleted:
            kms.schedule_key_deletion(KeyId=made["KeyId"], PendingWindowInDays=30)
        return key.alias, made["Arn"]

    arns = dict(cloud.each(make, KEYS))
    for region in REGIONS:  # the first use of an AWS managed key makes it
        cloud.client("kms", region).describe_key(KeyId="alias/aws/ebs")
    cloud.made("AWS::KMS::Key", len(arns) + len(REGIONS))
    return arns


def make_trails(cloud: Cloud, keys: dict[str, str], delivery_role: str) -> None:
    """One trail that is right, one that covers its region only, one that was switched off."""
    cloud.client("logs").create_log_group(logGroupName=_TRAIL_LOG_GROUP)
    trail = cloud.client("cloudtrail")
    trail.create_trail(
        Name="northwind-audit",
        S3BucketName="northwind-cloudtrail-logs",
        IsMultiRegionTrail=True,
        IncludeGlobalServiceEvents=True,
        EnableLogFileValidation=True,
        KmsKeyId=keys["northwind-trail"],
        CloudWatchLogsLogGroupArn=f"arn:aws:logs:{HOME}:{cloud.account}:log-group:{_TRAIL_LOG_GROUP}:*",
        CloudWatchLogsRoleArn=delivery_role,
        TagsList=[{"Key": "Team", "Value": "platform"}],
    )
    trail.start_logging(Name="northwind-audit")
    europe = cloud.client("cloudtrail", EUROPE)
    europe.create_trail(Name="northwind-eu-only", S3BucketName="northwind-access-logs-eu")
    europe.start_logging(Name="northwind-eu-only")
    pacific = cloud.client("cloudtrail", PACIFIC)
    pacific.create_trail(Name="northwind-pacific-old", S3BucketName="northwind-trail-archive-ap")
    cloud.made("AWS::CloudTrail::Trail", 3)
