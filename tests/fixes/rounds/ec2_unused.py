"""Security groups that nothing uses."""

from __future__ import annotations

from typing import Any

from tests.fixes.rounds.round import ACCOUNT, Made, goes_round

from nephoscope_aws_simulator.testing import Cloud

TCP = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}
OWNER = [{"Key": "owner", "Value": "desk"}]


def make(ec2: Any, vpc: str, name: str, *, closed: bool) -> str:
    """Make a group with rules of all kinds; ``closed`` is one without the outbound rule that AWS makes."""
    tags = [{"ResourceType": "security-group", "Tags": [*OWNER, {"Key": "Name", "Value": name}]}]
    made = ec2.create_security_group(GroupName=name, Description="for now", VpcId=vpc, TagSpecifications=tags)
    id: str = made["GroupId"]
    sources = {"IpRanges": [{"CidrIp": "10.0.0.0/8", "Description": "office"}, {"CidrIp": "192.0.2.0/24"}]}
    ec2.authorize_security_group_ingress(GroupId=id, IpPermissions=[{**TCP, **sources}])
    ec2.authorize_security_group_ingress(
        GroupId=id, IpPermissions=[{"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": id}]}]
    )
    ec2.authorize_security_group_ingress(
        GroupId=id,
        IpPermissions=[{**TCP, "Ipv6Ranges": [{"CidrIpv6": "2001:db8::/32"}]}],
        TagSpecifications=[{"ResourceType": "security-group-rule", "Tags": OWNER}],
    )
    if closed:
        everything = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
        ec2.revoke_security_group_egress(GroupId=id, IpPermissions=[everything])
    return id


def unused(cloud: Cloud, name: str, *, closed: bool) -> Made:
    ec2 = cloud.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.95.0.0/16")["Vpc"]["VpcId"]
    id, _ = (make(ec2, vpc, each, closed=closed) for each in (name, f"{name}-beside"))

    def group(name: str) -> Any:
        filters = [{"Name": "vpc-id", "Values": [vpc]}, {"Name": "group-name", "Values": [name]}]
        return next(iter(ec2.describe_security_groups(Filters=filters)["SecurityGroups"]), None)

    def state(name: str) -> Any:
        """All but ids; those of the group in its own rules are called so."""
        if not (found := group(name)):
            return None
        asked = [{"Name": "group-id", "Values": [found["GroupId"]]}]
        rules = ec2.describe_security_group_rules(Filters=asked)["SecurityGroupRules"]
        kept = ({k: v for k, v in each.items() if k[:13] != "SecurityGroup"} for each in rules)
        own = {k: found[k] for k in ("GroupName", "Description", "VpcId")}
        return (
            own,
            sorted(found.get("Tags", []), key=str),
            sorted(str(each).replace(found["GroupId"], "own") for each in kept),
        )

    def now() -> str:
        found = group(name)
        return f"arn:aws:ec2:us-east-1:{ACCOUNT}:security-group/{found['GroupId'] if found else id}"

    return Made(
        "AWS::EC2::SecurityGroup", now(), name, lambda: state(name), lambda: state(f"{name}-beside"), id_now=now
    )


@goes_round("aws.ec2.delete_unused_group", "aws.ec2.sg_unused")
def with_rules_and_tags(cloud: Cloud) -> Made:
    return unused(cloud, "round-unused", closed=False)


@goes_round("aws.ec2.delete_unused_group", "aws.ec2.sg_unused")
def without_outbound_rules(cloud: Cloud) -> Made:
    return unused(cloud, "round-unused-closed", closed=True)


@goes_round("aws.ec2.delete_unused_group", "aws.ec2.sg_unused", dependent=("ec2:CreateTags",))
def empty(cloud: Cloud) -> Made:
    ec2 = cloud.client("ec2")
    made = unused(cloud, "round-unused-empty", closed=True)
    id = made.id.rpartition("/")[2]
    ec2.delete_tags(Resources=[id], Tags=[{"Key": "Name"}, {"Key": "owner"}])
    return made
