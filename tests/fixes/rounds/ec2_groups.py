"""Security groups that lose rules."""

from __future__ import annotations

from typing import Any

from tests.fixes.rounds.round import ACCOUNT, Made, goes_round

from nephoscope_aws_simulator.testing import Cloud

TCP = {"IpProtocol": "tcp"}


def rules(cloud: Cloud, group: str) -> Any:
    found = cloud.client("ec2").describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])
    kept = (
        {k: v for k, v in each.items() if not k.startswith("SecurityGroupRule")} for each in found["SecurityGroupRules"]
    )
    return sorted(kept, key=str)


def group(cloud: Cloud, id: str, beside: str, name: str) -> Made:
    arn = f"arn:aws:ec2:us-east-1:{ACCOUNT}:security-group/{id}"
    return Made("AWS::EC2::SecurityGroup", arn, name, lambda: rules(cloud, id), lambda: rules(cloud, beside))


@goes_round("aws.ec2.close_ingress", "aws.ec2.sg_ssh")
def beside_rules_that_must_stay(cloud: Cloud) -> Made:
    ec2 = cloud.client("ec2")
    known = [
        {**TCP, "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0", "Description": "for now"}]},
        {**TCP, "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "10.0.0.0/8", "Description": "office"}]},
        {**TCP, "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]},
        {**TCP, "FromPort": 20, "ToPort": 30, "Ipv6Ranges": [{"CidrIpv6": "::/0"}]},
    ]
    ids = []
    for name in ("round-ssh", "round-ssh-beside"):
        ids.append(ec2.create_security_group(GroupName=name, Description=name)["GroupId"])
        ec2.authorize_security_group_ingress(GroupId=ids[-1], IpPermissions=known)
    return group(cloud, *ids, "round-ssh")


@goes_round("aws.ec2.close_ingress", "aws.ec2.sg_rdp", dependent=("ec2:CreateTags",))
def with_tags(cloud: Cloud) -> Made:
    ec2 = cloud.client("ec2")
    id = ec2.create_security_group(GroupName="round-rdp", Description="round")["GroupId"]
    ec2.authorize_security_group_ingress(
        GroupId=id,
        IpPermissions=[{**TCP, "FromPort": 3389, "ToPort": 3389, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}],
        TagSpecifications=[{"ResourceType": "security-group-rule", "Tags": [{"Key": "owner", "Value": "desk"}]}],
    )
    beside = ec2.create_security_group(GroupName="round-rdp-beside", Description="round")["GroupId"]
    return group(cloud, id, beside, "round-rdp")


@goes_round("aws.ec2.empty_default_group", "aws.ec2.default_sg_closed", dependent=("ec2:CreateTags",))
def default(cloud: Cloud) -> Made:
    ec2 = cloud.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.99.0.0/16")["Vpc"]["VpcId"]
    named = [{"Name": "vpc-id", "Values": [vpc]}, {"Name": "group-name", "Values": ["default"]}]
    [id] = (each["GroupId"] for each in ec2.describe_security_groups(Filters=named)["SecurityGroups"])
    beside = ec2.create_security_group(GroupName="round-own", Description="round", VpcId=vpc)["GroupId"]
    tags = [{"ResourceType": "security-group-rule", "Tags": [{"Key": "why", "Value": "made by hand"}]}]
    permissions = [{**TCP, "FromPort": 5432, "ToPort": 5432, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}]
    ec2.authorize_security_group_ingress(GroupId=id, IpPermissions=permissions, TagSpecifications=tags)
    return group(cloud, id, beside, "default")
