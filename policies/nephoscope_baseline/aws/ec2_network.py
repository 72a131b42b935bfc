"""Rules on VPCs: what their network ACLs let in, what they record, and who gets a public address."""

from __future__ import annotations

from typing import Any

from nephoscope.domain import NO_LIST, Fail, NotKnown, Parameter, Severity, Unknown, View, rule
from nephoscope_aws.access import is_on
from nephoscope_aws.access_policies import members
from nephoscope_aws.network_acls import openings

ADMIN = Parameter("ports", "Remote administration ports", "ports", (22, 3389), "more")
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
        1. In the VPC console, choose Network ACLs, select the ACL, then Inbound rules, Edit inbound rules.
        2. Restrict the source of the rule named in the finding to your own networks, or add a deny rule with a lower
           number. Keep the ephemeral ports open: network ACLs are stateless.
    """,
    commands="""
        aws ec2 create-network-acl-entry --region={region} --network-acl-id={Id} --ingress --rule-number={RULE_NUMBER}
          --protocol=tcp --port-range=From={ADMIN_PORT},To={ADMIN_PORT} --cidr-block=0.0.0.0/0 --rule-action=deny
    """,
    inputs={
        "RULE_NUMBER": "a number lower than that of the rule named in the finding",
        "ADMIN_PORT": "the port to deny, such as 22 or 3389",
    },
    remediations=("aws.ec2.deny_admin_ports",),
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
    """Network ACL allows admin ports from the internet.

    A network ACL is the second layer behind security groups: it still holds when someone opens a security group by
    mistake. For SSH (22) and RDP (3389) such a mistake is most costly.
    """
    # A template that names no entries has them elsewhere: there is nothing to judge. ACLs that AWS made as a VPC's
    # default are judged like all others, as CIS asks; Security Hub leaves those out.
    entries = acl["Entries"]
    if entries is None:
        return None
    if not isinstance(entries, View) or not entries.is_list:
        raise NotKnown("Entries", Unknown(NO_LIST))
    found = openings(entries, *ports)
    words = "; ".join(str(each) for each in found)
    return Fail(words[0].upper() + words[1:], *(each.entry for each in found)) if found else True


@rule(
    "aws.ec2.flow_logs",
    on="AWS::EC2::VPC",
    severity=Severity.MEDIUM,
    live_only=True,
    fix="""
        1. In the VPC console, select the VPC, then choose Actions, Create flow log.
        2. Set Filter to Reject (or All), and choose a log group with a role, or a bucket, as the destination.
    """,
    commands="""
        aws ec2 create-flow-logs --region={region} --resource-type=VPC --resource-ids={VpcId} --traffic-type=REJECT
          --log-destination-type=s3 --log-destination={BUCKET_ARN}
    """,
    inputs={
        "BUCKET_ARN": "the ARN of the bucket that receives the logs",
    },
    remediations=("aws.ec2.create_flow_log",),
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
    """VPC has no flow log for rejected traffic.

    After a break-in, flow logs show which hosts talked to each other. Before one, rejected connections show who is
    probing the network.
    """
    gaps: list[NotKnown] = []
    logs = list(members(vpc["Observed.FlowLogs"], gaps))
    for log in logs:
        if isinstance(log, View) and log["FlowLogStatus"] == "ACTIVE" and log["TrafficType"] in REFUSED:
            return True
    if gaps:
        raise gaps[0]
    what = "No active flow log records rejected traffic" if logs else "The VPC has no flow log"
    return Fail(what, "Observed.FlowLogs")


@rule(
    "aws.ec2.subnet_auto_public",
    on="AWS::EC2::Subnet",
    severity=Severity.MEDIUM,
    fix="""
        1. In the VPC console, choose Subnets, select the subnet, then Actions, Edit subnet settings.
        2. Clear Enable auto-assign public IPv4 address, and save. Running instances keep their addresses.
    """,
    commands="""
        aws ec2 modify-subnet-attribute --region={region} --subnet-id={SubnetId} --no-map-public-ip-on-launch
    """,
    remediations=("aws.ec2.keep_subnet_private",),
    link="https://docs.aws.amazon.com/vpc/latest/userguide/subnet-public-ip.html",
    good=[{"MapPublicIpOnLaunch": False}, {"MapPublicIpOnLaunch": "false"}, {"CidrBlock": "10.0.1.0/24"}],
    bad=[{"MapPublicIpOnLaunch": True}, {"MapPublicIpOnLaunch": "true", "CidrBlock": "10.0.2.0/24"}],
)
def subnet_auto_public(subnet: View) -> bool | Fail:
    """Subnet auto-assigns public IP addresses.

    Anything launched here is put on the internet, whether intended or not. Where a public IP address is needed, it can
    be requested per instance.
    """
    # Absent, it is off: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-ec2-subnet.html
    if not is_on(subnet["MapPublicIpOnLaunch"]):
        return True
    return Fail("Instances get a public IPv4 address at launch", "MapPublicIpOnLaunch")


@rule(
    "aws.ec2.eip_unused",
    on="AWS::EC2::EIP",
    severity=Severity.LOW,
    live_only=True,
    fix="""
        1. Check whether the address is kept on purpose: others may have it in their firewalls or DNS.
        2. In the EC2 console, choose Elastic IPs, select the address, then Actions, Release Elastic IP addresses.
        3. Delete the DNS records that still point to it: the next owner of the address would receive your traffic.
    """,
    commands="""
        aws ec2 release-address --region={region} --allocation-id={AllocationId}
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
    """Elastic IP address is unused.

    An unused address is billed by the hour. If partners or firewalls still trust it, anyone allowed to can attach it to
    any instance.
    """
    if address["Observed.ServiceManaged"]:
        return None  # AWS holds it for a load balancer or a gateway, and releases it itself.
    if address["Observed.AssociationId"]:
        return True
    return Fail(f"{address['PublicIp']} is not associated with any resource", "Observed.AssociationId")


@rule(
    "aws.ec2.tgw_auto_accept",
    on="AWS::EC2::TransitGateway",
    severity=Severity.HIGH,
    fix="""
        1. In the VPC console, choose Transit gateways, select the gateway, then Actions, Modify transit gateway.
        2. Clear Auto accept shared attachments, and save. Existing attachments stay: review them.
    """,
    commands="""
        aws ec2 modify-transit-gateway --region={region} --transit-gateway-id={Id}
          --options=AutoAcceptSharedAttachments=disable
    """,
    remediations=("aws.ec2.stop_auto_accept",),
    link="https://docs.aws.amazon.com/vpc/latest/tgw/tgw-modifying.html",
    good=[{"AutoAcceptSharedAttachments": "disable"}, {"Description": "hub", "AmazonSideAsn": 64512}],
    bad=[{"AutoAcceptSharedAttachments": "enable"}, {"AutoAcceptSharedAttachments": "enable", "DnsSupport": "enable"}],
)
def tgw_auto_accept(gateway: View) -> bool:
    """Transit gateway auto-accepts shared attachments.

    Any account that the gateway is shared with can connect its VPC to your network unnoticed. Someone should review
    each request before two networks are joined.
    """
    # Absent, it is off: .../AWSCloudFormation/latest/UserGuide/aws-resource-ec2-transitgateway.html
    return bool(gateway["AutoAcceptSharedAttachments"] != "enable")


@rule(
    "aws.ec2.vpc_bpa",
    on="AWS::EC2::VPCBlockPublicAccessOptions",
    severity=Severity.MEDIUM,
    fix="""
        1. Find out what needs the internet: in the VPC console, Network Access Analyzer shows the existing paths.
        2. Exclude those VPCs or subnets: in the VPC console, choose Settings, Block public access, Create exclusions.
        3. On the same page, choose Edit public access settings and block ingress only, or both directions.
    """,
    commands="""
        aws ec2 modify-vpc-block-public-access-options --region={region} --internet-gateway-block-mode=block-ingress
    """,
    remediations=("aws.ec2.block_public_vpcs",),
    link="https://docs.aws.amazon.com/vpc/latest/userguide/security-vpc-bpa.html",
    good=[{"InternetGatewayBlockMode": "block-ingress"}, {"InternetGatewayBlockMode": "block-bidirectional"}],
    bad=[{"InternetGatewayBlockMode": "off"}, {"InternetGatewayBlockMode": None}],
)
def vpc_bpa(options: View) -> bool:
    """VPC Block Public Access is off.

    With it on, no route, gateway or security group created by mistake can expose an instance to the internet. Only the
    VPCs and subnets that you exclude stay reachable.
    """
    return options["InternetGatewayBlockMode"] in BLOCKING
