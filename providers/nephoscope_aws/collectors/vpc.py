"""The networks of one region: network ACLs, VPCs with their flow logs, subnets, addresses and transit gateways.

Calls per region: 7, and one more for each further 1,000 of a kind; 6 in a region without a VPC.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from functools import partial
from typing import Any

from nephoscope.domain import Resource, Service
from nephoscope_aws.answers import Item
from nephoscope_aws.api import Api
from nephoscope_aws.collector import Collector
from nephoscope_aws.collectors import ec2_kinds
from nephoscope_aws.collectors.ec2_kinds import PAGE, Kind, Shaped, listed
from nephoscope_aws.collectors.shape import actions, needed, one_of, part, picked

NETWORK_ACL = "AWS::EC2::NetworkAcl"
VPC = "AWS::EC2::VPC"
SUBNET = "AWS::EC2::Subnet"
EIP = "AWS::EC2::EIP"
TRANSIT_GATEWAY = "AWS::EC2::TransitGateway"
BLOCK_PUBLIC_ACCESS = "AWS::EC2::VPCBlockPublicAccessOptions"

SYNTHETIC = {NETWORK_ACL: ("Entries",)}
"""Properties that CloudFormation's schema of the type lacks: an ACL's entries are resources of their own there
(``AWS::EC2::NetworkAclEntry``), whose property names they keep."""

READS = {
    ("ec2", "describe_network_acls"): "ec2:DescribeNetworkAcls",
    ("ec2", "describe_vpcs"): "ec2:DescribeVpcs",
    ("ec2", "describe_flow_logs"): "ec2:DescribeFlowLogs",
    ("ec2", "describe_subnets"): "ec2:DescribeSubnets",
    ("ec2", "describe_addresses"): "ec2:DescribeAddresses",
    ("ec2", "describe_transit_gateways"): "ec2:DescribeTransitGateways",
    ("ec2", "describe_vpc_block_public_access_options"): "ec2:DescribeVpcBlockPublicAccessOptions",
}

_VPCS = listed("describe_vpcs", "Vpcs", "vpc-id", **PAGE)
_FLOW_LOGS = listed("describe_flow_logs", "FlowLogs", "resource-id", "Filter", **PAGE)


def collect(api: Api, region: str) -> Iterator[Resource]:
    """Yield what the region holds."""
    return ec2_kinds.collect(api, region, _KINDS.values())


def reread(api: Api, resource: Resource) -> Resource | None:
    """Read one again, in one call; a VPC in two."""
    return ec2_kinds.reread(api, resource, _KINDS[resource.type])


def _vpcs(api: Api, region: str, id: str) -> Iterator[Item]:
    """Yield the VPCs, each with the list of its flow logs, or with what stands for that."""
    logs: Any = None
    for vpc in _VPCS(api, region, id):
        if logs is None:
            logs = part(lambda: _flow_logs(api, region, id))
        yield vpc.plus(FlowLogs=part(partial(_of, vpc, logs)))


def _of(vpc: Item, logs: Any) -> Any:
    return logs.get(vpc["VpcId"], []) if isinstance(logs, defaultdict) else logs


def _flow_logs(api: Api, region: str, id: str) -> defaultdict[str, list[Shaped]]:
    """Return the flow logs of whole VPCs by their VPC; those of single subnets and interfaces are left out."""
    by_vpc: defaultdict[str, list[Shaped]] = defaultdict(list)
    for log in _FLOW_LOGS(api, region, id):
        if log["ResourceId"].startswith("vpc-"):
            by_vpc[log["ResourceId"]].append(needed(log, "FlowLogId", "FlowLogStatus", "TrafficType"))
    for logs in by_vpc.values():
        logs.sort(key=lambda log: str(log["FlowLogId"]))
    return by_vpc


def _vpc(vpc: Item) -> Shaped:
    observed = picked(vpc, "IsDefault", "FlowLogs")
    return {**picked(vpc, "VpcId", "CidrBlock", "InstanceTenancy"), "Observed": observed}


def _network_acl(acl: Item) -> Shaped:
    return {
        "Id": acl["NetworkAclId"],
        "VpcId": acl.get("VpcId"),
        "Entries": part(lambda: [_entry(one) for one in _in_order(acl["Entries"])]),
        "Observed": {
            "IsDefault": acl.get("IsDefault"),
            "SubnetIds": part(lambda: sorted(str(one["SubnetId"]) for one in acl.get("Associations", ()))),
        },
    }


def _in_order(entries: list[Item]) -> list[Item]:
    return sorted(entries, key=lambda one: (one["Egress"], one["RuleNumber"]))


def _entry(entry: Item) -> Shaped:
    ports = entry.get("PortRange")
    return {
        **picked(entry, "RuleNumber", "RuleAction", "Egress", "Protocol", "CidrBlock", "Ipv6CidrBlock"),
        "PortRange": picked(ports, "From", "To") if ports else None,
    }


def _subnet(subnet: Item) -> Shaped:
    return {
        **picked(
            subnet,
            "SubnetId",
            "VpcId",
            "CidrBlock",
            "AvailabilityZone",
            "AssignIpv6AddressOnCreation",
        ),
        **needed(subnet, "MapPublicIpOnLaunch"),
        "Observed": picked(subnet, "DefaultForAz"),
    }


def _address(address: Item) -> Shaped:
    return {
        **picked(address, "AllocationId", "PublicIp", "InstanceId", "Domain", "NetworkBorderGroup"),
        "Observed": picked(address, "AssociationId", "NetworkInterfaceId", "ServiceManaged"),
    }


def _transit_gateway(gateway: Item) -> Shaped:
    return {
        "Id": gateway["TransitGatewayId"],
        **picked(gateway, "TransitGatewayArn", "Description"),
        "AutoAcceptSharedAttachments": one_of(gateway["Options"], "AutoAcceptSharedAttachments", "enable", "disable"),
        **picked(
            gateway["Options"],
            "AmazonSideAsn",
            "DnsSupport",
            "DefaultRouteTableAssociation",
            "DefaultRouteTablePropagation",
        ),
    }


def _block_public_access(api: Api, region: str, _: str) -> Iterator[Item]:
    answer = api.call("ec2", "describe_vpc_block_public_access_options", region=region)
    yield answer["VpcBlockPublicAccessOptions"]


_ALL = (
    Kind(
        NETWORK_ACL,
        listed("describe_network_acls", "NetworkAcls", "network-acl-id", **PAGE),
        "network-acl",
        "NetworkAclId",
        _network_acl,
    ),
    Kind(VPC, _vpcs, "vpc", "VpcId", _vpc),
    Kind(SUBNET, listed("describe_subnets", "Subnets", "subnet-id", **PAGE), "subnet", "SubnetId", _subnet),
    # DescribeAddresses has no pages.
    Kind(
        EIP,
        listed("describe_addresses", "Addresses", "allocation-id"),
        "elastic-ip",
        "AllocationId",
        _address,
        "PublicIp",
    ),
    Kind(
        TRANSIT_GATEWAY,
        listed("describe_transit_gateways", "TransitGateways", "transit-gateway-id", **PAGE),
        "transit-gateway",
        "TransitGatewayId",
        _transit_gateway,
    ),
    Kind(
        BLOCK_PUBLIC_ACCESS,
        _block_public_access,
        "vpc-block-public-access",
        None,
        lambda options: needed(options, "InternetGatewayBlockMode"),
        tagged=False,
    ),
)
_KINDS = {kind.type: kind for kind in _ALL}

COLLECTOR = Collector(Service("vpc", "Amazon VPC", tuple(_KINDS), actions(READS)), READS, collect, reread)
