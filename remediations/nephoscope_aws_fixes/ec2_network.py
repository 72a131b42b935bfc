"""Fixes for subnets, transit gateways, and a region's block of public access to its VPCs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nephoscope.domain import FixRequest, LiveSession, PlanProblem, Resource, Wait
from nephoscope_aws_fixes.ec2_regions import RegionMembers
from nephoscope_aws_fixes.setting import Members, Target, at, in_short_list, operation

INTERFACES = operation("ec2", "describe_network_interfaces", "ec2:DescribeNetworkInterfaces", anywhere=True)


def is_public(interface: Mapping[str, Any]) -> bool:
    """Whether a network interface has a public IPv4 address."""
    addresses = (interface, *interface.get("PrivateIpAddresses", []))
    return any(each.get("Association", {}).get("PublicIp") for each in addresses)


class KeepAddressesPrivate(Members):
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifySubnetAttribute.html"""

    id = "aws.ec2.keep_subnet_private"
    title = "Turn off the subnet’s automatic public IP addresses"
    summary = "Stops giving instances in the subnet a public IPv4 address at launch. Running instances keep theirs."
    breaks = (
        "What is launched here from now on and needs the internet, but does not ask for a public IP address itself, "
        "cannot reach it without a NAT gateway: Auto Scaling groups, node groups and tasks, for instance."
    )
    group = "Subnets and flow logs"
    on = ("AWS::EC2::Subnet",)
    keys = ("SubnetId",)
    getter = operation("ec2", "describe_subnets", "ec2:DescribeSubnets")
    setter = operation("ec2", "modify_subnet_attribute", "ec2:ModifySubnetAttribute")
    also_reads = INTERFACES.actions
    path = ("Subnets", 0)
    wants = {"MapPublicIpOnLaunch": False}

    def names(self, resource: Resource) -> dict[str, Any]:
        return {"SubnetId": resource.id.rpartition("/")[2]}

    def asked(self, target: Target) -> Mapping[str, Any]:
        return {"SubnetIds": [target.names["SubnetId"]]}

    def parameters(self, state: Any) -> Mapping[str, Any]:
        return {name: {"Value": value} for name, value in state.items()}

    def uses(self, request: FixRequest, session: LiveSession) -> list[str]:
        target = self.target(request.resource)
        asked = {"Filters": [{"Name": "subnet-id", "Values": [target.names["SubnetId"]]}]}
        found = (session.read(INTERFACES.on(target, asked)) or {}).get("NetworkInterfaces", [])
        public = sum(map(is_public, found))
        return [
            f"It has {len(found)} network interface{'' if len(found) == 1 else 's'}, {public} with a public address."
        ]


class AskBeforeAttaching(Members):
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyTransitGateway.html"""

    id = "aws.ec2.stop_auto_accept"
    title = "Turn off automatic acceptance of shared attachments"
    summary = "Makes somebody accept each new attachment of another account to the transit gateway. Existing ones stay."
    breaks = "Automation that attaches VPCs of other accounts waits until somebody accepts each attachment."
    group = "Transit gateways"
    on = ("AWS::EC2::TransitGateway",)
    keys = ("TransitGatewayId",)
    getter = operation("ec2", "describe_transit_gateways", "ec2:DescribeTransitGateways")
    setter = operation("ec2", "modify_transit_gateway", "ec2:ModifyTransitGateway")
    attachments = operation(
        "ec2", "describe_transit_gateway_attachments", "ec2:DescribeTransitGatewayAttachments", anywhere=True
    )
    also_reads = attachments.actions
    path = ("TransitGateways", 0, "Options")
    wants = {"AutoAcceptSharedAttachments": "disable"}

    def names(self, resource: Resource) -> dict[str, Any]:
        return {"TransitGatewayId": resource.id.rpartition("/")[2]}

    def asked(self, target: Target) -> Mapping[str, Any]:
        return {"TransitGatewayIds": [target.names["TransitGatewayId"]]}

    def found(self, answer: Mapping[str, Any]) -> Any:
        state = at(answer, ("TransitGateways", 0, "State"))
        return None if state in ("deleting", "deleted") else super().found(answer)

    def parameters(self, state: Any) -> Mapping[str, Any]:
        return {"Options": state}

    def wait(self, target: Target) -> Wait:
        return Wait(self.getter.on(target, self.asked(target)), "TransitGateways.0.State", ("available",))

    def uses(self, request: FixRequest, session: LiveSession) -> list[str]:
        target = self.target(request.resource)
        asked = {"Filters": [{"Name": "transit-gateway-id", "Values": [target.names["TransitGatewayId"]]}]}
        found = (session.read(self.attachments.on(target, asked)) or {}).get("TransitGatewayAttachments", [])
        owners = {str(each.get("ResourceOwnerId", "")) for each in found} - {request.resource.account, ""}
        return [f"Accounts that are attached, and stay so: {in_short_list(sorted(owners))}."] if owners else []


class BlockPublicVpcs(RegionMembers):
    """https://docs.aws.amazon.com/vpc/latest/userguide/security-vpc-bpa-basics.html"""

    id = "aws.ec2.block_public_vpcs"
    title = "Block inbound internet traffic to all VPCs in the region"
    summary = (
        "Turns on VPC Block Public Access for inbound traffic. VPCs and subnets that are excluded stay reachable; NAT "
        "gateways and egress-only internet gateways go on working."
    )
    breaks = (
        "Everything in the region that is reached from the internet through an internet gateway stops being reachable: "
        "instances, load balancers and VPNs. Exclude what must stay reachable first."
    )
    group = "VPC Block Public Access"
    on = ("AWS::EC2::VPCBlockPublicAccessOptions",)
    getter = operation(
        "ec2", "describe_vpc_block_public_access_options", "ec2:DescribeVpcBlockPublicAccessOptions", anywhere=True
    )
    setter = operation(
        "ec2", "modify_vpc_block_public_access_options", "ec2:ModifyVpcBlockPublicAccessOptions", anywhere=True
    )
    exclusions = operation(
        "ec2",
        "describe_vpc_block_public_access_exclusions",
        "ec2:DescribeVpcBlockPublicAccessExclusions",
        anywhere=True,
    )
    also_reads = (*INTERFACES.actions, *exclusions.actions)
    path = ("VpcBlockPublicAccessOptions",)
    wants = {"InternetGatewayBlockMode": "block-ingress"}

    def wanted(self, before: Any, request: FixRequest, session: LiveSession) -> Any:
        if self.described(request.resource, session).get("State") == "update-in-progress":
            raise PlanProblem("another change of it is under way; try again in a few minutes.")
        return super().wanted(before, request, session)

    def wait(self, target: Target) -> Wait:
        state = ".".join((*map(str, self.path), "State"))
        return Wait(self.getter.on(target, {}), state, ("update-complete",), timeout=900, every=15)

    def uses(self, request: FixRequest, session: LiveSession) -> list[str]:
        target = self.target(request.resource)
        found = [*filter(is_public, (session.read(INTERFACES.on(target, {})) or {}).get("NetworkInterfaces", []))]
        answer = session.read(self.exclusions.on(target, {})) or {}
        excluded = [str(each["ResourceArn"]) for each in answer.get("VpcBlockPublicAccessExclusions", [])]
        public = in_short_list([f"{each['NetworkInterfaceId']} in {each.get('VpcId', 'no VPC')}" for each in found])
        return [
            f"{len(found)} network interfaces have a public address: {public}."
            if found
            else "No network interface in the region has a public address.",
            f"Excluded: {in_short_list(excluded)}." if excluded else "No VPC and no subnet is excluded.",
        ]
