"""EC2 instances."""

from __future__ import annotations

from typing import Any

from tests.fixes.rounds.round import ACCOUNT, Made, goes_round

from nephoscope_aws_simulator.testing import Cloud

OPTIONS = {"HttpTokens": "optional", "HttpEndpoint": "enabled", "HttpPutResponseHopLimit": 1}


@goes_round("aws.ec2.require_imdsv2", "aws.ec2.imdsv2")
def with_version_1(cloud: Cloud) -> Made:
    ec2 = cloud.client("ec2")
    asked = {"ImageId": "ami-12c6146b", "MinCount": 2, "MaxCount": 2, "MetadataOptions": OPTIONS}
    ids = [each["InstanceId"] for each in ec2.run_instances(**asked)["Instances"]]

    def described(id: str) -> Any:
        return ec2.describe_instances(InstanceIds=[id])["Reservations"][0]["Instances"][0]

    arn = f"arn:aws:ec2:us-east-1:{ACCOUNT}:instance/{ids[0]}"
    return Made("AWS::EC2::Instance", arn, ids[0], lambda: described(ids[0]), lambda: described(ids[1]))
