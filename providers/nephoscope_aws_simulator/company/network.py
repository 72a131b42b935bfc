"""Networks, security groups and instances."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from nephoscope_aws_simulator.company.cloud import EUROPE, HOME, PACIFIC, REGIONS, Cloud, odd, tag_list

_ANY4, _ANY6 = "0.0.0.0/0", "::/0"
_OFFICE = "203.0.113.0/24"
_IMAGE = "ami-12c6146b"

Rule = tuple[str, int, int, str]
"""protocol, from port, to port, source: an address range or the name of another group"""


@dataclass(frozen=True)
class Group:
    """One security group."""

    name: str
    region: str
    description: str
    rules: tuple[Rule, ...] = ()
    owner: str = "platform@northwind.example"


GROUPS = (
    Group("web-public", HOME, "Webshop", (("tcp", 80, 80, _ANY4), ("tcp", 443, 443, _ANY4), ("tcp", 443, 443, _ANY6))),
    Group("ssh-open", HOME, "SSH for everybody", (("tcp", 22, 22, _ANY4),), "bob.tanaka@northwind.example"),
    Group("ssh-open-v6", HOME, "SSH over IPv6", (("tcp", 22, 22, _ANY6),)),
    Group("ftp-range", HOME, "Old file transfer", (("tcp", 20, 30, _ANY4),), odd("unknown")),
    Group("everything-open", HOME, "Test, remove me", (("-1", -1, -1, _ANY4),), "dave.oconnor@northwind.example"),
    Group(
        "half-and-half", HOME, "Two halves of it all", (("tcp", 22, 22, "0.0.0.0/1"), ("tcp", 22, 22, "128.0.0.0/1"))
    ),
    Group("rdp-open", HOME, "Remote desktop", (("tcp", 3389, 3389, _ANY4),)),
    Group("mysql-open", HOME, "Reporting", (("tcp", 3306, 3306, _ANY4),)),
    Group("all-tcp-open", HOME, "Load test", (("tcp", 0, 65535, _ANY4),)),
    Group("udp-22-open", HOME, "Telemetry on UDP 22", (("udp", 22, 22, _ANY4),)),
    Group("icmp-open", HOME, "Ping", (("icmp", -1, -1, _ANY4),)),
    Group("office-ssh", HOME, "SSH from the office", (("tcp", 22, 22, _OFFICE),)),
    Group("db-private", HOME, "Orders database", (("tcp", 5432, 5432, "web-public"),)),
    Group("unused-open", HOME, "Nobody knows", (("tcp", 22, 22, _ANY4),)),
    Group("unused-empty", HOME, "Nobody knows"),
    Group("web-public-eu", EUROPE, "Webshop EU", (("tcp", 443, 443, _ANY4), ("tcp", 443, 443, _ANY6))),
    Group("admin-open-eu", EUROPE, "Admin", (("tcp", 22, 22, _ANY4), ("tcp", 3389, 3389, _ANY6))),
    Group("db-private-eu", EUROPE, "Orders database EU", (("tcp", 5432, 5432, "web-public-eu"),)),
    Group("vpn-eu", EUROPE, "VPN", (("udp", 1194, 1194, _ANY4),)),
    Group("mongo-open-eu", EUROPE, "Product catalogue", (("tcp", 27017, 27017, _ANY4),)),
    Group("unused-eu", EUROPE, "Left over from the migration"),
    Group("scanner-gateway", PACIFIC, "Handheld scanners", (("tcp", 8883, 8883, "198.51.100.0/24"),)),
    Group("depot-ssh", PACIFIC, "SSH from the depot", (("tcp", 22, 22, "198.51.100.0/24"),)),
    Group("depot-all-v6", PACIFIC, "Temporary", (("-1", -1, -1, _ANY6),)),
)


@dataclass(frozen=True)
class Instance:
    """One instance; by default as it should be: IMDSv2 only, no public address."""

    name: str
    region: str
    groups: tuple[str, ...]
    age_days: int
    imdsv2: bool = True
    public: bool = False
    stopped: bool = False
    tags: dict[str, str] = field(default_factory=dict)


PROFILE = "northwind-servers"
"""The instance profile of the newer instances; the old ones, with IMDSv1, have none."""

INSTANCES = (
    Instance("webshop-1", HOME, ("web-public",), 40, public=True),
    Instance("webshop-2", HOME, ("web-public",), 40, public=True),
    Instance("orders-api-1", HOME, ("db-private",), 75),
    Instance("orders-db-1", HOME, ("db-private",), 210),
    Instance("bastion", HOME, ("ssh-open", "ssh-open-v6"), 800, imdsv2=False, public=True),
    Instance("legacy-ftp", HOME, ("ftp-range",), 1900, imdsv2=False, public=True, tags={"Owner": odd("unknown")}),
    Instance("route-planner", HOME, ("office-ssh", "udp-22-open"), 120, imdsv2=False),
    Instance("reporting-win", HOME, ("rdp-open", "mysql-open"), 400, imdsv2=False, public=True),
    Instance("loadtest", HOME, ("everything-open", "all-tcp-open", "icmp-open", "half-and-half"), 15, stopped=True),
    Instance("webshop-eu-1", EUROPE, ("web-public-eu",), 33, public=True),
    Instance("orders-db-eu-1", EUROPE, ("db-private-eu",), 180),
    Instance("catalogue-eu", EUROPE, ("mongo-open-eu",), 500, imdsv2=False, public=True),
    Instance("admin-eu", EUROPE, ("admin-open-eu", "vpn-eu"), 260, imdsv2=False, public=True),
    Instance("scanner-broker", PACIFIC, ("scanner-gateway", "depot-ssh"), 90),
    Instance("depot-gateway", PACIFIC, ("depot-all-v6",), 365, imdsv2=False),
)


def _permission(rule: Rule, groups: dict[str, str]) -> dict[str, Any]:
    protocol, first, last, source = rule
    permission: dict[str, Any] = {"IpProtocol": protocol}
    if protocol != "-1":
        permission |= {"FromPort": first, "ToPort": last}
    if source in groups:
        permission["UserIdGroupPairs"] = [{"GroupId": groups[source]}]
    elif ":" in source:
        permission["Ipv6Ranges"] = [{"CidrIpv6": source}]
    else:
        permission["IpRanges"] = [{"CidrIp": source, "Description": "see ticket NW-1042"}]
    return permission


def _tags(kind: str, **tags: str) -> list[dict[str, Any]]:
    return [{"ResourceType": kind, "Tags": tag_list(**tags)}]


def _make_network(ec2: Any, region: str) -> tuple[str, str, str]:
    """A network with a public and a private subnet: (network, public, private)."""
    octet = 10 + REGIONS.index(region)
    vpc = ec2.create_vpc(CidrBlock=f"10.{octet}.0.0/16", TagSpecifications=_tags("vpc", Name="northwind"))
    vpc_id = vpc["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(
            VpcId=vpc_id,
            CidrBlock=f"10.{octet}.{index}.0/24",
            AvailabilityZone=f"{region}a",
            TagSpecifications=_tags("subnet", Name=name),
        )["Subnet"]["SubnetId"]
        for index, name in enumerate(("public", "private"))
    ]
    return vpc_id, subnets[0], subnets[1]


def _make_groups(cloud: Cloud, ec2: Any, region: str, vpc_id: str) -> dict[str, str]:
    ids: dict[str, str] = {}
    for group in (one for one in GROUPS if one.region == region):
        ids[group.name] = ec2.create_security_group(
            GroupName=group.name,
            Description=group.description,
            VpcId=vpc_id,
            TagSpecifications=_tags("security-group", Owner=group.owner, Environment="production"),
        )["GroupId"]
        if group.rules:
            permissions = [_permission(rule, ids) for rule in group.rules]
            ec2.authorize_security_group_ingress(GroupId=ids[group.name], IpPermissions=permissions)
    cloud.made("AWS::EC2::SecurityGroup", len(ids))
    return ids


def _set_default_groups(ec2: Any, region: str, vpc_id: str) -> None:
    """At home the network's default group is emptied as it should be; in Europe it was opened to the world."""
    filters = [{"Name": "vpc-id", "Values": [vpc_id]}, {"Name": "group-name", "Values": ["default"]}]
    group = ec2.describe_security_groups(Filters=filters)["SecurityGroups"][0]
    if region == HOME:
        ec2.revoke_security_group_ingress(GroupId=group["GroupId"], IpPermissions=group["IpPermissions"])
        ec2.revoke_security_group_egress(GroupId=group["GroupId"], IpPermissions=group["IpPermissionsEgress"])
    if region == EUROPE:
        ec2.authorize_security_group_ingress(
            GroupId=group["GroupId"], IpPermissions=[_permission(("-1", -1, -1, _ANY4), {})]
        )


def _make_instances(cloud: Cloud, ec2: Any, region: str, subnets: tuple[str, str], groups: dict[str, str]) -> None:
    patches = []
    for instance in (one for one in INSTANCES if one.region == region):
        tags = {"Name": instance.name, "Team": "operations", "Environment": "production"} | instance.tags
        interface = {
            "DeviceIndex": 0,
            "SubnetId": subnets[0 if instance.public else 1],
            "Groups": [groups[name] for name in instance.groups],
            "AssociatePublicIpAddress": instance.public,
        }
        made = ec2.run_instances(
            ImageId=_IMAGE,
            InstanceType="t3.small",
            MinCount=1,
            MaxCount=1,
            NetworkInterfaces=[interface],
            MetadataOptions={"HttpTokens": "required" if instance.imdsv2 else "optional", "HttpEndpoint": "enabled"},
            TagSpecifications=_tags("instance", **tags),
            **({"IamInstanceProfile": {"Name": PROFILE}} if instance.imdsv2 else {}),
        )["Instances"][0]["InstanceId"]
        if instance.stopped:
            ec2.stop_instances(InstanceIds=[made])
        patches.append({"kind": "instance_launch", "id": made, "region": region, "age_days": instance.age_days})
    cloud.patch(patches)
    cloud.made("AWS::EC2::Instance", len(patches))
    cloud.made("AWS::EC2::NetworkInterface", len(patches))


def make_network(cloud: Cloud) -> None:
    """All three regions at once."""
    cloud.client("iam").create_instance_profile(InstanceProfileName=PROFILE)

    def make(region: str) -> None:
        ec2 = cloud.client("ec2", region)
        vpc_id, public, private = _make_network(ec2, region)
        groups = _make_groups(cloud, ec2, region, vpc_id)
        _set_default_groups(ec2, region, vpc_id)
        _make_instances(cloud, ec2, region, (public, private), groups)
        if region == EUROPE:
            ec2.enable_ebs_encryption_by_default()
        cloud.made("AWS::EC2::VPC", 2)
        cloud.made("AWS::EC2::SecurityGroup", 2)  # the default groups of both networks

    cloud.each(make, REGIONS)
