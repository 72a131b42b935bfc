"""VPCs that record no refused traffic."""

from __future__ import annotations

import json
from typing import Any

from tests.fixes.rounds.round import ACCOUNT, Made, goes_round

from nephoscope_aws_simulator.testing import Cloud

BUCKET = "arn:aws:s3:::round-flow-logs"
GROUP = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:round-flow-logs"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/round-flow-logs"


def vpc(cloud: Cloud, *traffic: str) -> Made:
    """Make a VPC with a flow log of each of these kinds of traffic, and beside it one without any."""
    ec2 = cloud.client("ec2")
    cloud.client("s3").create_bucket(Bucket=f"round-{len(traffic)}-logged")
    ids = [ec2.create_vpc(CidrBlock="10.97.0.0/16")["Vpc"]["VpcId"] for _ in range(2)]
    for each in traffic:
        ec2.create_flow_logs(
            ResourceType="VPC",
            ResourceIds=[ids[0]],
            TrafficType=each,
            LogDestinationType="s3",
            LogDestination=f"arn:aws:s3:::round-{len(traffic)}-logged",
        )

    def logs(id: str) -> Any:
        return ec2.describe_flow_logs(Filter=[{"Name": "resource-id", "Values": [id]}])["FlowLogs"]

    arn = f"arn:aws:ec2:us-east-1:{ACCOUNT}:vpc/{ids[0]}"
    return Made("AWS::EC2::VPC", arn, ids[0], lambda: logs(ids[0]), lambda: logs(ids[1]))


@goes_round(
    "aws.ec2.create_flow_log",
    "aws.ec2.flow_logs",
    inputs={"destination": BUCKET},
    dependent=("logs:CreateLogDelivery", "logs:DeleteLogDelivery"),
)
def that_logs_accepted_traffic(cloud: Cloud) -> Made:
    cloud.client("s3").create_bucket(Bucket=BUCKET.rpartition(":")[2])
    return vpc(cloud, "ACCEPT")


@goes_round(
    "aws.ec2.create_flow_log",
    "aws.ec2.flow_logs",
    inputs={"destination": GROUP, "role": ROLE},
    dependent=("iam:PassRole",),
)
def that_logs_nothing(cloud: Cloud) -> Made:
    cloud.client("logs").create_log_group(logGroupName="round-flow-logs")
    trusted = {"Effect": "Allow", "Principal": {"Service": "vpc-flow-logs.amazonaws.com"}, "Action": "sts:AssumeRole"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [trusted]})
    cloud.client("iam").create_role(RoleName="round-flow-logs", AssumeRolePolicyDocument=policy)
    return vpc(cloud)
