"""Networks: what network ACLs let in, what VPCs record, and who gets a public address."""

from __future__ import annotations

from typing import Any

from tests.truth.account import ABROAD, HOME, Truth, holds
from tests.truth.ec2_instances import tagged

Entry = dict[str, Any]


def entry(number: int, action: str, ports: int | tuple[int, int] | None = None, **more: Any) -> Entry:
    """An inbound entry for TCP from anywhere; without ports, for all traffic."""
    first, last = ports if isinstance(ports, tuple) else (ports, ports)
    given = {} if ports is None else {"PortRange": {"From": first, "To": last}}
    protocol = "-1" if ports is None else "6"
    source = {} if "Ipv6CidrBlock" in more else {"CidrBlock": "0.0.0.0/0"}
    entry = {"RuleNumber": number, "RuleAction": action, "Egress": False, "Protocol": protocol}
    return {**entry, **given, **source, **more}


V6 = {"Ipv6CidrBlock": "::/0"}

ACLS: dict[str, tuple[bool, list[Entry]]] = {
    "nothing": (False, []),
    "web": (False, [entry(100, "allow", 443), entry(110, "allow", (32768, 65535))]),
    "office": (False, [entry(100, "allow", 22, CidrBlock="203.0.113.0/24")]),
    "inside": (False, [entry(100, "allow", CidrBlock="10.0.0.0/8")]),
    "denied-before": (False, [entry(90, "deny", 22), entry(91, "deny", 3389), entry(100, "allow")]),
    "denied-all-before": (False, [entry(90, "deny"), entry(100, "allow", 22)]),
    "denied-in-halves": (
        False,
        [
            entry(90, "deny", (0, 4000), CidrBlock="0.0.0.0/1"),
            entry(91, "deny", (0, 4000), CidrBlock="128.0.0.0/1"),
            entry(100, "allow"),
        ],
    ),
    "out-only": (False, [entry(100, "allow", Egress=True), entry(101, "allow", 22, Egress=True)]),
    "icmp": (False, [entry(100, "allow", Protocol="1", IcmpTypeCode={"Type": -1, "Code": -1})]),
    "around": (False, [entry(100, "allow", 21), entry(110, "allow", (23, 3388)), entry(120, "allow", 3390)]),
    "ssh": (True, [entry(100, "allow", 22)]),
    "rdp": (True, [entry(100, "allow", 3389)]),
    "rdp-second": (True, [entry(90, "deny", 22), entry(100, "allow", 443), entry(110, "allow", 3389)]),
    "range": (True, [entry(100, "allow", (1024, 65535))]),
    "all": (True, [entry(100, "allow")]),
    "denied-after": (True, [entry(100, "allow", 22), entry(200, "deny", 22)]),
    "denied-one": (True, [entry(90, "deny", 22), entry(100, "allow")]),
    "denied-some": (True, [entry(90, "deny", 22, CidrBlock="198.51.100.0/24"), entry(100, "allow", 22)]),
    "denied-half": (True, [entry(90, "deny", 22, CidrBlock="0.0.0.0/1"), entry(100, "allow", 22)]),
    "denied-v4": (True, [entry(90, "deny", 22), entry(100, "allow", 22, **V6)]),
    "v6": (True, [entry(100, "allow", 22, **V6)]),
    "half": (True, [entry(100, "allow", 22, CidrBlock="128.0.0.0/1")]),
    "udp": (False, [entry(100, "allow", 22, Protocol="17")]),
    "udp-denied-tcp-not": (True, [entry(90, "deny", 22, Protocol="17"), entry(100, "allow", 22)]),
}
"""Each network ACL with whether it lets the internet at SSH or Remote Desktop, over TCP as EC2.21 says."""

LOGS: dict[str, tuple[bool, list[tuple[str, str]]]] = {
    "silent": (True, []),
    "logs-all": (False, [("VPC", "ALL")]),
    "logs-reject": (False, [("VPC", "REJECT")]),
    "logs-accept": (True, [("VPC", "ACCEPT")]),
    "logs-accept-and-reject": (False, [("VPC", "ACCEPT"), ("VPC", "REJECT")]),
    "logs-of-a-subnet": (True, [("Subnet", "ALL")]),
}
"""Each VPC with whether nothing records its refused traffic, and the flow logs made."""


@holds(services=("vpc",))
def networks(truth: Truth) -> None:
    home, abroad = truth.client("ec2", HOME), truth.client("ec2", ABROAD)
    for region in (HOME, ABROAD):
        _judged_as_made(truth, region)
    vpc = home.describe_vpcs()["Vpcs"][0]["VpcId"]
    for name, (fails, entries) in ACLS.items():
        acl = home.create_network_acl(VpcId=vpc, **tagged("network-acl", name))["NetworkAcl"]["NetworkAclId"]
        for each in entries:
            home.create_network_acl_entry(NetworkAclId=acl, **each)
        _judged(truth, name, "nacl_admin", fails)
    for traffic in ("all", "accept", "reject"):
        truth.client("s3").create_bucket(Bucket=f"logs-{truth.cloud.account}-{traffic}")
    for number, (name, (fails, logs)) in enumerate(LOGS.items()):
        _vpc(truth, abroad, number, name, fails, logs)
    _addresses(truth, home)
    _gateways(truth, abroad)
    home.modify_vpc_block_public_access_options(InternetGatewayBlockMode="block-ingress")
    truth.judged(_arn(truth, HOME, "vpc-block-public-access"), passes="vpc_bpa")
    truth.judged(_arn(truth, ABROAD, "vpc-block-public-access"), fails="vpc_bpa")


def _judged(truth: Truth, name: str, rule: str, fails: bool) -> None:
    truth.judged(name, fails=rule * fails, of=rule)


def _arn(truth: Truth, region: str, place: str) -> str:
    return f"arn:aws:ec2:{region}:{truth.cloud.account}:{place}"


def _judged_as_made(truth: Truth, region: str, logs: str = "fails") -> None:
    """The default VPC: open, silent, and with subnets that give away public addresses."""
    ec2 = truth.client("ec2", region)
    for acl in ec2.describe_network_acls()["NetworkAcls"]:
        truth.judged(_arn(truth, region, f"network-acl/{acl['NetworkAclId']}"), fails="nacl_admin")
    for vpc in ec2.describe_vpcs()["Vpcs"]:
        truth.judged(_arn(truth, region, f"vpc/{vpc['VpcId']}"), **{logs: "flow_logs"})
    for subnet in ec2.describe_subnets()["Subnets"]:
        truth.judged(_arn(truth, region, f"subnet/{subnet['SubnetId']}"), fails="subnet_auto_public")


def _vpc(truth: Truth, ec2: Any, number: int, name: str, fails: bool, logs: list[tuple[str, str]]) -> None:
    """A VPC with its flow logs and a subnet; its default ACL lets everything in."""
    vpc = ec2.create_vpc(CidrBlock=f"10.{number}.0.0/16", **tagged("vpc", name))["Vpc"]["VpcId"]
    acl = ec2.describe_network_acls(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["NetworkAcls"][0]["NetworkAclId"]
    truth.judged(_arn(truth, ABROAD, f"network-acl/{acl}"), fails="nacl_admin")
    _judged(truth, name, "flow_logs", fails)
    made = ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.{number}.0.0/24", **tagged("subnet", name))["Subnet"]["SubnetId"]
    public = (False, True, None)[number % 3]
    if public is not None:
        ec2.modify_subnet_attribute(SubnetId=made, MapPublicIpOnLaunch={"Value": public})
    _judged(truth, _arn(truth, ABROAD, f"subnet/{made}"), "subnet_auto_public", public is True)
    for type, traffic in logs:
        ec2.create_flow_logs(
            ResourceType=type,
            ResourceIds=[vpc if type == "VPC" else made],
            TrafficType=traffic,
            LogDestinationType="s3",
            LogDestination=f"arn:aws:s3:::logs-{truth.cloud.account}-{traffic.lower()}",
        )


def _addresses(truth: Truth, ec2: Any) -> None:
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    run = ec2.run_instances(ImageId="ami-12c6146b", SubnetId=subnet, MinCount=1, MaxCount=1)
    interface = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    for fails, what in (
        (False, {"InstanceId": run["Instances"][0]["InstanceId"]}),
        (False, {"NetworkInterfaceId": interface}),
        (True, {}),
    ):
        address = ec2.allocate_address(Domain="vpc")
        if what:
            ec2.associate_address(AllocationId=address["AllocationId"], **what)
        _judged(truth, address["PublicIp"], "eip_unused", fails)
    gateway = ec2.allocate_address(Domain="vpc")
    ec2.create_nat_gateway(SubnetId=subnet, AllocationId=gateway["AllocationId"])
    truth.judged(gateway["PublicIp"], passes="eip_unused")
    parted = ec2.allocate_address(Domain="vpc")
    ec2.associate_address(AllocationId=parted["AllocationId"], NetworkInterfaceId=interface, AllowReassociation=True)
    found = ec2.describe_addresses(AllocationIds=[parted["AllocationId"]])["Addresses"][0]
    ec2.disassociate_address(AssociationId=found["AssociationId"])
    truth.judged(parted["PublicIp"], fails="eip_unused")
    released = ec2.allocate_address(Domain="vpc")["AllocationId"]
    ec2.release_address(AllocationId=released)


def _gateways(truth: Truth, ec2: Any) -> None:
    for name, options in (("tgw-default", {}), ("tgw-enable", "enable"), ("tgw-disable", "disable")):
        given = {"Options": {"AutoAcceptSharedAttachments": options}} if options else {}
        ec2.create_transit_gateway(**given, **tagged("transit-gateway", name))
        _judged(truth, name, "tgw_auto_accept", options == "enable")
    deleted = ec2.create_transit_gateway(Options={"AutoAcceptSharedAttachments": "enable"})["TransitGateway"]
    ec2.delete_transit_gateway(TransitGatewayId=deleted["TransitGatewayId"])


LISTED = {
    "DescribeNetworkAcls": "NetworkAcl",
    "DescribeVpcs": "VPC",
    "DescribeSubnets": "Subnet",
    "DescribeAddresses": "EIP",
    "DescribeTransitGateways": "TransitGateway",
    "DescribeVpcBlockPublicAccessOptions": "VPCBlockPublicAccessOptions",
}


@holds(services=("vpc",))
def unreadable_networks(truth: Truth) -> None:
    """Flow logs that are hidden at home say nothing of its VPC; abroad nothing can be listed."""
    truth.client("ec2").modify_vpc_block_public_access_options(InternetGatewayBlockMode="block-bidirectional")
    truth.judged(_arn(truth, HOME, "vpc-block-public-access"), passes="vpc_bpa")
    _judged_as_made(truth, HOME, "unknown")
    for name, type in LISTED.items():
        truth.hide(f"ec2:{name}", f"AWS::EC2::{type}")
    truth.cloud.control("deny", actions=["ec2:DescribeFlowLogs"])
