"""Subnets and transit gateways."""

from __future__ import annotations

from typing import Any

from tests.fixes.rounds.round import ACCOUNT, Made, goes_round

from nephoscope_aws_simulator.testing import Cloud


@goes_round("aws.ec2.keep_subnet_private", "aws.ec2.subnet_auto_public")
def with_public_addresses(cloud: Cloud) -> Made:
    ec2 = cloud.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.98.0.0/16")["Vpc"]["VpcId"]
    ids = []
    for third in (0, 1):
        ids.append(ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.98.{third}.0/24")["Subnet"]["SubnetId"])
        ec2.modify_subnet_attribute(SubnetId=ids[-1], MapPublicIpOnLaunch={"Value": True})

    def described(id: str) -> Any:
        return ec2.describe_subnets(SubnetIds=[id])["Subnets"][0]

    arn = f"arn:aws:ec2:us-east-1:{ACCOUNT}:subnet/{ids[0]}"
    return Made("AWS::EC2::Subnet", arn, ids[0], lambda: described(ids[0]), lambda: described(ids[1]))


@goes_round("aws.ec2.stop_auto_accept", "aws.ec2.tgw_auto_accept")
def that_accepts(cloud: Cloud) -> Made:
    ec2 = cloud.client("ec2")
    options = {"AutoAcceptSharedAttachments": "enable", "DnsSupport": "enable"}
    ids = [ec2.create_transit_gateway(Options=options)["TransitGateway"]["TransitGatewayId"] for _ in range(2)]

    def described(id: str) -> Any:
        return ec2.describe_transit_gateways(TransitGatewayIds=[id])["TransitGateways"][0]

    arn = f"arn:aws:ec2:us-east-1:{ACCOUNT}:transit-gateway/{ids[0]}"
    return Made("AWS::EC2::TransitGateway", arn, ids[0], lambda: described(ids[0]), lambda: described(ids[1]))
