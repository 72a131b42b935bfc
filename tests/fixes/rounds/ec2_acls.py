"""Network ACLs that let the internet reach administration ports."""

from __future__ import annotations

from typing import Any

from tests.fixes.rounds.round import ACCOUNT, Made, goes_round

from nephoscope_aws_simulator.testing import Cloud

ALL = {"CidrBlock": "0.0.0.0/0"}
TCP = {"Protocol": "6", "PortRange": {"From": 22, "To": 22}}


def acl(cloud: Cloud, *entries: dict[str, Any]) -> Made:
    """Make a network ACL with these inbound entries, and one like it beside it."""
    ec2 = cloud.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.96.0.0/16")["Vpc"]["VpcId"]
    ids = [ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"] for _ in range(2)]
    for id in ids:
        for entry in entries:
            ec2.create_network_acl_entry(
                NetworkAclId=id, **{"Egress": False, "RuleAction": "allow", "Protocol": "-1"} | entry
            )

    def described(id: str) -> Any:
        found = ec2.describe_network_acls(NetworkAclIds=[id])["NetworkAcls"][0]["Entries"]
        return sorted(found, key=lambda each: (each["Egress"], each["RuleNumber"]))

    arn = f"arn:aws:ec2:us-east-1:{ACCOUNT}:network-acl/{ids[0]}"
    return Made("AWS::EC2::NetworkAcl", arn, ids[0], lambda: described(ids[0]), lambda: described(ids[1]))


@goes_round("aws.ec2.deny_admin_ports", "aws.ec2.nacl_admin")
def open_after_an_office(cloud: Cloud) -> Made:
    office = {"RuleNumber": 90, "CidrBlock": "203.0.113.0/24", **TCP}
    return acl(cloud, office, {"RuleNumber": 100, **ALL}, {"RuleNumber": 101, "Ipv6CidrBlock": "::/0"})


@goes_round("aws.ec2.deny_admin_ports", "aws.ec2.nacl_admin")
def open_by_halves(cloud: Cloud) -> Made:
    return acl(
        cloud,
        {"RuleNumber": 100, "CidrBlock": "0.0.0.0/1", **TCP},
        {"RuleNumber": 110, "CidrBlock": "128.0.0.0/1", **TCP},
        {"RuleNumber": 120, **ALL, "Protocol": "6", "PortRange": {"From": 443, "To": 443}},
    )
