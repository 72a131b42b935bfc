"""Rules on VPCs: what their network ACLs let in, what they record, and who gets a public address."""

from __future__ import annotations

from typing import Any

from nephoscope.domain import Fail, NotKnown, Parameter, Severity, View, rule
from nephoscope_aws.access import is_on
from nephoscope_aws.access_policies import members
from nephoscope_aws.network_acls import openings

ADMIN = Parameter("ports", "Ports of remote administration", "ports", (22, 3389), "more")
"""SSH and Remote Desktop, over TCP (https://docs.aws.amazon.com/securityhub/latest/userguide/ec2-controls.html)."""

REFUSED = ("ALL", "REJECT")
"""The traffic types of flow logs that record refused traffic, which is what shows an attack that was held off
(https://docs.aws.amazon.com/config/latest/developerguide/vpc-flow-logs-enabled.html)."""

BLOCKING = ("block-bidirectional", "block-ingress")

_LAST = {"RuleNumber": 32767, "RuleAction": "deny", "Egress": False, "Protocol": "-1", "CidrBlock": "0.0.0.0/0"}


def _entry(number: Any, action: str, first: Any = None, last: Any = None, **more: Any) -> dict[str, Any]:
    """An example's inbound entry of a network ACL; without ports, for all traffic."""
    ports = None if first is None else {"From": first, "To": first if last is None else last}
    protocol = "-1" if first is None else "6"
    return {
        "RuleNumber": number,
        "RuleAction": action,
        "Egress": False,
        "Protocol": protocol,
        "PortRange": ports,
        "CidrBlock": "0.0.0.0/0",
        **more,
    }


def _acl(*entries: dict[str, Any]) -> dict[str, Any]:
    """An example: a network ACL with these entries and the one that refuses the rest."""
    return {"VpcId": "vpc-0a1b2c3d", "Entries": [*entries, _LAST]}


def _vpc(*logs: dict[str, Any]) -> dict[str, Any]:
    """An example: a VPC with these flow logs."""
    return {"CidrBlock": "10.0.0.0/16", "Observed": {"FlowLogs": list(logs)}}


@rule(
    "aws.ec2.nacl_admin",
    on="AWS::EC2::NetworkAcl",
    severity=Severity.MEDIUM,
    parameters=[ADMIN],
    fix="""
        1. In the VPC console open Network ACLs, choose the ACL, then Inbound rules, Edit inbound rules.
        2. Replace the source of the rule that the alert names by your own networks, or add a rule with a lower number
           that denies the port. Keep the ports that answers come back on: a network ACL does not remember connections.
        3. By command line: aws ec2 create-network-acl-entry --network-acl-id ACL_ID --ingress --rule-number 90
           --protocol tcp --port-range From=22,To=22 --cidr-block 0.0.0.0/0 --rule-action deny
        """,
    link="https://docs.aws.amazon.com/vpc/latest/userguide/nacl-rules.html",
    good=[
        _acl(_entry(100, "allow", 443), _entry(110, "allow", 32768, 65535)),
        _acl(_entry(100, "allow", 22, CidrBlock="10.0.0.0/8"), _entry(110, "allow", 3389, CidrBlock="203.0.113.0/24")),
        _acl(_entry(200, "allow"), _entry("100", "deny", 22), _entry(110, "deny", 3389)),
        _acl(
            _entry(90, "deny", 0, 4000, CidrBlock="0.0.0.0/1"),
            _entry(91, "deny", 0, 4000, CidrBlock="128.0.0.0/1"),
            _entry(100, "allow"),
        ),
        _acl(_entry(100, "allow", Egress=True)),
        _acl(_entry(100, "allow", 22, Protocol="17")),
        {"VpcId": "vpc-0a1b2c3d"},
    ],
    bad=[
        _acl(_entry(100, "allow")),
        _acl(_entry(100, "allow", 22), _entry(200, "deny", 22)),
        _acl(_entry(100, "allow", 1024, 65535)),
        _acl(_entry(50, "deny", 22, CidrBlock="198.51.100.0/24"), _entry(100, "allow", "22")),
        _acl(_entry(50, "deny", 22), _entry(100, "allow", 22, CidrBlock=None, Ipv6CidrBlock="::/0")),
        _acl(_entry(100, "allow", 3389, Protocol=6, CidrBlock="0.0.0.0/1")),
    ],
)
def nacl_admin(acl: View, *, ports: tuple[int, ...]) -> bool | Fail | None:
    """Network ACL lets the internet reach a remote administration port.

    A network ACL is the second lock behind the security groups: it still holds when somebody opens one of those by
    mistake. SSH (22) and Remote Desktop (3389) are the ports where such a mistake costs most.
    """
    # A template that names no entries has them elsewhere: there is nothing to judge. ACLs that AWS made as a VPC's
    # default are judged like all others, as CIS asks; Security Hub leaves those out.
    entries = acl["Entries"]
    if not isinstance(entries, View) or not entries.is_list:
        return None
    found = openings(entries, *ports)
    words = "; ".join(str(each) for each in found)
    return Fail(words[0].upper() + words[1:], *(each.entry for each in found)) if found else True


@rule(
    "aws.ec2.flow_logs",
    on="AWS::EC2::VPC",
    severity=Severity.MEDIUM,
    live_only=True,
    fix="""
        1. In the VPC console choose the VPC, then Actions, Create flow log.
        2. Set Filter to Reject (or All), and choose a log group with a role, or a bucket, as the destination.
        3. By command line: aws ec2 create-flow-logs --resource-type VPC --resource-ids VPC_ID --traffic-type REJECT
           --log-destination-type s3 --log-destination arn:aws:s3:::BUCKET
        """,
    link="https://docs.aws.amazon.com/vpc/latest/userguide/working-with-flow-logs.html",
    good=[
        _vpc({"FlowLogId": "fl-1", "FlowLogStatus": "ACTIVE", "TrafficType": "ALL"}),
        _vpc(
            {"FlowLogId": "fl-1", "FlowLogStatus": "ACTIVE", "TrafficType": "ACCEPT"},
            {"FlowLogId": "fl-2", "FlowLogStatus": "ACTIVE", "TrafficType": "REJECT"},
        ),
    ],
    bad=[
        _vpc(),
        _vpc({"FlowLogId": "fl-1", "FlowLogStatus": "ACTIVE", "TrafficType": "ACCEPT"}),
        _vpc({"FlowLogId": "fl-1", "FlowLogStatus": "FAILED", "TrafficType": "ALL"}),
    ],
)
def flow_logs(vpc: View) -> bool | Fail:
    """VPC keeps no record of refused traffic.

    After a break-in, flow logs are what tells which machines talked to whom. Before one, refused connections show who
    is looking for a way in.
    """
    gaps: list[NotKnown] = []
    logs = list(members(vpc["Observed.FlowLogs"], gaps))
    for log in logs:
        if isinstance(log, View) and log["FlowLogStatus"] == "ACTIVE" and log["TrafficType"] in REFUSED:
            return True
    if gaps:
        raise gaps[0]
    what = "None of its flow logs is active and records refused traffic" if logs else "It has no flow log"
    return Fail(what, "Observed.FlowLogs")


@rule(
    "aws.ec2.subnet_auto_public",
    on="AWS::EC2::Subnet",
    severity=Severity.MEDIUM,
    fix="""
        1. In the VPC console open Subnets, choose the subnet, then Actions, Edit subnet settings.
        2. Clear Enable auto-assign public IPv4 address, and save. Machines that run keep the address they have.
        3. By command line: aws ec2 modify-subnet-attribute --subnet-id SUBNET_ID --no-map-public-ip-on-launch
        """,
    link="https://docs.aws.amazon.com/vpc/latest/userguide/subnet-public-ip.html",
    good=[{"MapPublicIpOnLaunch": False}, {"MapPublicIpOnLaunch": "false"}, {"CidrBlock": "10.0.1.0/24"}],
    bad=[{"MapPublicIpOnLaunch": True}, {"MapPublicIpOnLaunch": "true", "CidrBlock": "10.0.2.0/24"}],
)
def subnet_auto_public(subnet: View) -> bool | Fail:
    """Subnet gives every new machine a public address.

    Whoever launches something here puts it on the internet without having asked for it. Where a public address is
    wanted it can be asked for, machine by machine.
    """
    # Absent, it is off: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-ec2-subnet.html
    if not is_on(subnet["MapPublicIpOnLaunch"]):
        return True
    return Fail("Machines get a public IPv4 address at launch", "MapPublicIpOnLaunch")


@rule(
    "aws.ec2.eip_unused",
    on="AWS::EC2::EIP",
    severity=Severity.LOW,
    live_only=True,
    fix="""
        1. Ask whether the address is kept for a purpose: others may have it in their firewalls or DNS.
        2. In the EC2 console open Elastic IPs, choose the address, then Actions, Release Elastic IP addresses.
        3. By command line: aws ec2 release-address --allocation-id ALLOCATION_ID
        4. Delete the DNS records that still point to it: the next owner of the address would answer for you.
        """,
    link="https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/working-with-eips.html",
    good=[
        {"PublicIp": "203.0.113.7", "Observed": {"AssociationId": "eipassoc-0a1b2c3d"}},
        {"PublicIp": "203.0.113.8", "Observed": {"AssociationId": None, "ServiceManaged": "alb"}},
    ],
    bad=[
        {"PublicIp": "203.0.113.9", "Observed": {"AssociationId": None, "ServiceManaged": None}},
        {"PublicIp": "203.0.113.10", "InstanceId": "", "Observed": {}},
    ],
)
def eip_unused(address: View) -> bool | Fail | None:
    """Elastic IP address is attached to nothing.

    An address that nobody uses costs money every hour. One that partners or firewalls still trust can be attached to
    anything by whoever may use it.
    """
    if address["Observed.ServiceManaged"]:
        return None  # AWS holds it for a load balancer or a gateway, and releases it itself.
    if address["Observed.AssociationId"]:
        return True
    return Fail(f"{address['PublicIp']} is attached to nothing", "Observed.AssociationId")


@rule(
    "aws.ec2.tgw_auto_accept",
    on="AWS::EC2::TransitGateway",
    severity=Severity.HIGH,
    fix="""
        1. In the VPC console open Transit gateways, choose the gateway, then Actions, Modify transit gateway.
        2. Clear Auto accept shared attachments, and save. Attachments that exist stay: look through them.
        3. By command line: aws ec2 modify-transit-gateway --transit-gateway-id TGW_ID
           --options AutoAcceptSharedAttachments=disable
        """,
    link="https://docs.aws.amazon.com/vpc/latest/tgw/tgw-modifying.html",
    good=[{"AutoAcceptSharedAttachments": "disable"}, {"Description": "hub", "AmazonSideAsn": 64512}],
    bad=[{"AutoAcceptSharedAttachments": "enable"}, {"AutoAcceptSharedAttachments": "enable", "DnsSupport": "enable"}],
)
def tgw_auto_accept(gateway: View) -> bool:
    """Transit gateway lets other accounts attach their networks without asking.

    Every account that the gateway is shared with can join its network to yours, unseen. A person should look at each
    request before two networks become one.
    """
    # Absent, it is off: .../AWSCloudFormation/latest/UserGuide/aws-resource-ec2-transitgateway.html
    return bool(gateway["AutoAcceptSharedAttachments"] != "enable")


@rule(
    "aws.ec2.vpc_bpa",
    on="AWS::EC2::VPCBlockPublicAccessOptions",
    severity=Severity.MEDIUM,
    fix="""
        1. Find out what needs the internet: in the VPC console, Network Access Analyzer shows the paths that exist.
        2. Exclude the VPCs or subnets that do: VPC console, Settings, Block public access, Create exclusions.
        3. On the same page choose Edit public access settings and block ingress, or both directions.
        4. By command line: aws ec2 modify-vpc-block-public-access-options --internet-gateway-block-mode block-ingress
        """,
    link="https://docs.aws.amazon.com/vpc/latest/userguide/security-vpc-bpa.html",
    good=[{"InternetGatewayBlockMode": "block-ingress"}, {"InternetGatewayBlockMode": "block-bidirectional"}],
    bad=[{"InternetGatewayBlockMode": "off"}, {"InternetGatewayBlockMode": None}],
)
def vpc_bpa(options: View) -> bool:
    """Region does not block traffic from internet gateways.

    With the block on, no route, gateway or security group made by mistake can put a machine on the internet. What has
    to be reachable is excluded by name, and nothing else is.
    """
    return options["InternetGatewayBlockMode"] in BLOCKING
