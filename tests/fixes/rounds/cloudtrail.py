"""Trails that lack something, beside one that lacks the same."""

from __future__ import annotations

import json
from typing import Any

from tests.fixes.rounds.round import ACCOUNT, Made, goes_round

from nephoscope_aws_simulator.testing import Cloud

KEY = "alias/round-trail"
SERVICE = {"Service": "cloudtrail.amazonaws.com"}


def trails(cloud: Cloud, name: str) -> Any:
    cloudtrail, s3 = cloud.client("cloudtrail"), cloud.client("s3")
    for each in (name, f"{name}-beside"):
        s3.create_bucket(Bucket=f"{each}-files")
        cloudtrail.create_trail(Name=each, S3BucketName=f"{each}-files")
        cloudtrail.start_logging(Name=each)
    return cloudtrail


def described(cloudtrail: Any, name: str) -> Any:
    return cloudtrail.describe_trails(trailNameList=[name])["trailList"][0]


def made(cloudtrail: Any, name: str) -> Made:
    return Made(
        "AWS::CloudTrail::Trail",
        f"arn:aws:cloudtrail:us-east-1:{ACCOUNT}:trail/{name}",
        name,
        lambda: described(cloudtrail, name),
        lambda: described(cloudtrail, f"{name}-beside"),
    )


@goes_round("aws.cloudtrail.validate_files", "aws.cloudtrail.validation")
def not_validated(cloud: Cloud) -> Made:
    return made(trails(cloud, "round-plain"), "round-plain")


@goes_round("aws.cloudtrail.encrypt", "aws.cloudtrail.kms", inputs={"kms_key": KEY})
def without_key(cloud: Cloud) -> Made:
    kms = cloud.client("kms")
    allow = {"Sid": "Trails", "Effect": "Allow", "Principal": SERVICE, "Action": "kms:GenerateDataKey*"}
    policy = {"Version": "2012-10-17", "Statement": [{**allow, "Resource": "*"}]}
    key = kms.create_key(Policy=json.dumps(policy))["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName=KEY, TargetKeyId=key)
    return made(trails(cloud, "round-key"), "round-key")


def _logs_by(cloud: Cloud, name: str) -> None:
    """Make a log group and a role of that name by which CloudTrail may write to it."""
    trust = {"Effect": "Allow", "Principal": SERVICE, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    cloud.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=document)
    cloud.client("logs").create_log_group(logGroupName=name)


@goes_round(
    "aws.cloudtrail.send_to_logs",
    "aws.cloudtrail.cloudwatch",
    inputs={"log_group": "round-logs", "role": "round-logs"},
    dependent=("iam:PassRole",),
)
def without_log_group(cloud: Cloud) -> Made:
    _logs_by(cloud, "round-logs")
    cloudtrail = trails(cloud, "round-logs")
    cloud.control(
        "patch",
        {"kind": "trail", "account": ACCOUNT, "region": "us-east-1", "name": "round-logs", "delivered_days": 0},
    )
    return made(cloudtrail, "round-logs")


@goes_round("aws.cloudtrail.extend_to_all_regions", "aws.cloudtrail.multi_region", inputs={"trail": "round-region"})
def of_one_region(cloud: Cloud) -> Made:
    cloudtrail = trails(cloud, "round-region")
    arn = f"arn:aws:iam::{ACCOUNT}:root"
    return Made(
        "AWS::::Account",
        arn,
        ACCOUNT,
        lambda: described(cloudtrail, "round-region"),
        lambda: described(cloudtrail, "round-region-beside"),
        "global",
    )
