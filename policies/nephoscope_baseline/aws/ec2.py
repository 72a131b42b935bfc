"""Rules on what EC2 instances and security groups expose.

What counts as "the internet" and as "open" is defined once, in :mod:`nephoscope_aws.network`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from nephoscope.domain import Fail, Inventory, Parameter, ResourceView, Severity, View, rule
from nephoscope.domain.examples import example, resource
from nephoscope_aws.network import HIGH_RISK_PORTS, PREFIX_LIST, Ports, in_words, openings, reaching

GROUP = "AWS::EC2::SecurityGroup"

ADMIN = Parameter("ports", "Remote administration ports", "ports", (22, 3389), "more")
RISKY = Parameter("ports", "High-risk ports", "ports", HIGH_RISK_PORTS, "more")
WEB_PORTS = Parameter("ports", "Ports open to everyone", "ports", (80, 443), "fewer")

RULES_LINK = "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/security-group-rules-reference.html"


def _ingress(*entries: dict[str, Any]) -> dict[str, Any]:
    """An example: a security group with these ingress rules."""
    return {"GroupName": "web", "SecurityGroupIngress": list(entries), "SecurityGroupEgress": []}


def _tcp(first: Any, last: Any = None, cidr: str = "0.0.0.0/0", **more: Any) -> dict[str, Any]:
    """An example's ingress rule for TCP ports; an address with a colon in it is IPv6."""
    ports = {"IpProtocol": "tcp", "FromPort": first, "ToPort": first if last is None else last}
    return {**ports, ("CidrIpv6" if ":" in cidr else "CidrIp"): cidr, **more}


def _by_list(port: int, *ranges: str, owner: str = "123456789012", beside: Iterable[Any] = ()) -> dict[str, Any]:
    """An example: a group with a rule for a prefix list of these ranges, beside other rules."""
    held = {"Entries": [{"Cidr": each} for each in ranges], "Observed": {"OwnerId": owner}}
    rule = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "SourcePrefixListId": "pl-0a1b"}
    return example(_ingress(rule, *beside), neighbours=[resource(PREFIX_LIST, held, name="list/pl-0a1b")])


ALL_TRAFFIC = {"IpProtocol": "-1", "CidrIp": "0.0.0.0/0"}
WEB = _ingress(_tcp(80), _tcp(443), _tcp(443, cidr="::/0"))


CLOSE = """
    aws ec2 describe-security-group-rules --region={region} --filters=Name=group-id,Values={GroupId} --output=table
      --query='SecurityGroupRules[?!IsEgress].[SecurityGroupRuleId,IpProtocol,FromPort,ToPort,CidrIpv4,CidrIpv6]'

    aws ec2 revoke-security-group-ingress --region={region} --group-id={GroupId} --security-group-rule-ids={RULE_ID}
"""
CLOSE_INPUTS = {"RULE_ID": "the ID of the rule to delete, which the first command lists"}


def _closing(what: str) -> str:
    """The steps by hand that close a port to the internet."""
    return f"""
        1. In the EC2 console, choose Security Groups, select the group, then choose Inbound rules, Edit inbound rules.
        2. Delete the rule that allows {what}, or restrict its source to the addresses of your office or VPN.
        3. Administrators who need a shell can use Systems Manager Session Manager, which needs no open port.
        """


def _administering(*ports: int) -> Callable[[Ports], bool]:
    """Return the wish for rules that cover any of these ports over TCP or UDP, as the controls ask for.

    https://docs.aws.amazon.com/config/latest/developerguide/vpc-sg-port-restriction-check.html
    """
    return lambda covered: any(covered.cover(port, protocol) for port in ports for protocol in ("TCP", "UDP"))


def _closed(
    group: ResourceView, inventory: Inventory, wanted: Callable[[Ports], bool], versions: Iterable[int] = (4, 6)
) -> bool | Fail:
    found = openings(group, inventory, wanted, versions)
    return Fail(in_words(found), *(entry for opening in found for entry in opening.entries)) if found else True


@rule(
    "aws.ec2.sg_ssh",
    on=GROUP,
    needs=(PREFIX_LIST,),
    severity=Severity.HIGH,
    fix=_closing("TCP port 22"),
    commands=CLOSE,
    inputs=CLOSE_INPUTS,
    link=RULES_LINK,
    remediations=("aws.ec2.close_ingress",),
    good=[
        WEB,
        _ingress(_tcp(22, cidr="10.0.0.0/8"), _tcp(22, cidr="203.0.113.7/32"), _tcp(22, cidr="fd00::/8")),
        _ingress({"IpProtocol": "udp", "FromPort": 22, "ToPort": 22, "CidrIp": "0.0.0.0/0"}),
        _ingress({"IpProtocol": "icmp", "FromPort": -1, "ToPort": -1, "CidrIp": "0.0.0.0/0"}),
        _ingress({"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "SourceSecurityGroupId": "sg-0a1b2c3d"}),
        _by_list(22, "203.0.113.0/24", "10.0.0.0/8", "224.0.0.0/4"),
        _by_list(22, "0.0.0.0/0", owner="AWS"),
        _by_list(443, "0.0.0.0/0"),
        {},
    ],
    bad=[
        _ingress(_tcp(443), _tcp(22, Description="temporary ssh")),
        _ingress(_tcp(22, cidr="::/0")),
        _ingress(_tcp("0", "1024")),
        _ingress(ALL_TRAFFIC),
        _ingress(_tcp(22, cidr="0.0.0.0/1"), _tcp(22, cidr="128.0.0.0/1")),
        _ingress(*(_tcp(22, cidr=f"{first}.0.0.0/8") for first in range(256))),
        _by_list(22, "203.0.113.0/24", "0.0.0.0/0"),
        _by_list(22, *(f"{first}.0.0.0/8" for first in range(128)), owner="999999999999"),
        _by_list(22, "8.0.0.0/8", beside=[_tcp(20, 23, cidr="9.0.0.0/8")]),
    ],
)
def sg_ssh(group: ResourceView, inventory: Inventory) -> bool | Fail:
    """Security group allows SSH from the internet.

    Every public IP address is probed for weak or stolen SSH credentials within minutes. A shell on one instance gives
    an attacker a foothold in the network and the credentials of the instance's role.
    """
    return _closed(group, inventory, reaching(22))


@rule(
    "aws.ec2.sg_rdp",
    on=GROUP,
    needs=(PREFIX_LIST,),
    severity=Severity.HIGH,
    fix=_closing("TCP port 3389"),
    commands=CLOSE,
    inputs=CLOSE_INPUTS,
    link=RULES_LINK,
    remediations=("aws.ec2.close_ingress",),
    good=[WEB, _ingress(_tcp(3389, cidr="192.168.0.0/16")), _ingress(_tcp(3390, 3400))],
    bad=[_ingress(_tcp(3389)), _ingress(_tcp(3000, 4000, cidr="2000::/3")), _ingress(ALL_TRAFFIC)],
)
def sg_rdp(group: ResourceView, inventory: Inventory) -> bool | Fail:
    """Security group allows RDP from the internet.

    Guessed RDP passwords are among the most common entry points of ransomware. Vulnerabilities in the service itself,
    such as BlueKeep, need no password at all.
    """
    return _closed(group, inventory, reaching(3389))


@rule(
    "aws.ec2.sg_admin_v4",
    on=GROUP,
    needs=(PREFIX_LIST,),
    severity=Severity.HIGH,
    parameters=[ADMIN],
    fix=_closing("an admin port (such as 22 or 3389) from any IPv4 address"),
    commands=CLOSE,
    inputs=CLOSE_INPUTS,
    link=RULES_LINK,
    remediations=("aws.ec2.close_ingress",),
    good=[WEB, _ingress(_tcp(22, cidr="::/0")), _ingress(_tcp(22, cidr="198.51.100.0/24"))],
    bad=[
        _by_list(22, "0.0.0.0/0"),
        _ingress(_tcp(22)),
        _ingress(_tcp(3389)),
        _ingress(_tcp(22, cidr="0.0.0.0/00 ", IpProtocol="6")),
        _ingress(_tcp(3389, IpProtocol="udp")),
    ],
)
def sg_admin_v4(group: ResourceView, inventory: Inventory, *, ports: tuple[int, ...]) -> bool | Fail:
    """Security group allows admin ports from any IPv4 address.

    SSH (22) and RDP (3389) give full control of an instance to whoever signs in. Only the networks of its
    administrators need to reach them.
    """
    return _closed(group, inventory, _administering(*ports), (4,))


@rule(
    "aws.ec2.sg_admin_v6",
    on=GROUP,
    needs=(PREFIX_LIST,),
    severity=Severity.HIGH,
    parameters=[ADMIN],
    fix=_closing("an admin port (such as 22 or 3389) from any IPv6 address"),
    commands=CLOSE,
    inputs=CLOSE_INPUTS,
    link=RULES_LINK,
    remediations=("aws.ec2.close_ingress",),
    good=[WEB, _ingress(_tcp(22)), _ingress(_tcp(3389, cidr="2001:db8:1::/48")), _by_list(22, "0.0.0.0/0")],
    bad=[
        _ingress(_tcp(22, cidr="::/0")),
        _ingress(_tcp(3389, cidr="::/1"), _tcp(3389, cidr="8000::/1")),
        _by_list(22, "::/0"),
        _ingress({"IpProtocol": -1, "CidrIpv6": "::/0"}),
        _ingress(_tcp(3000, 4000, cidr="::/0", IpProtocol="17")),
    ],
)
def sg_admin_v6(group: ResourceView, inventory: Inventory, *, ports: tuple[int, ...]) -> bool | Fail:
    """Security group allows admin ports from any IPv6 address.

    Rules that are tight for IPv4 are often duplicated for IPv6 and left wide open. SSH (22) and RDP (3389) give full
    control of an instance over either protocol.
    """
    return _closed(group, inventory, _administering(*ports), (6,))


@rule(
    "aws.ec2.sg_high_risk_ports",
    on=GROUP,
    needs=(PREFIX_LIST,),
    severity=Severity.CRITICAL,
    parameters=[RISKY],
    fix=_closing("the port named in the finding"),
    commands=CLOSE,
    inputs=CLOSE_INPUTS,
    link=RULES_LINK,
    remediations=("aws.ec2.close_ingress",),
    good=[WEB, _ingress(_tcp(5432, cidr="10.1.0.0/16")), _ingress(_tcp(8443))],
    bad=[_ingress(_tcp(5432)), _ingress(_tcp(9000, 9999)), _ingress(_tcp(23, cidr="::/0")), _ingress(ALL_TRAFFIC)],
)
def sg_high_risk_ports(group: ResourceView, inventory: Inventory, *, ports: tuple[int, ...]) -> bool | Fail:
    """Security group allows high-risk ports from the internet.

    Databases, file shares, mail, Telnet and management consoles on these ports are scanned for around the clock. Many
    were never designed to face the internet, and some require no password.
    """
    return _closed(group, inventory, reaching(*ports))


@rule(
    "aws.ec2.sg_cifs",
    on=GROUP,
    needs=(PREFIX_LIST,),
    severity=Severity.CRITICAL,
    fix=_closing("TCP port 445"),
    commands=CLOSE,
    inputs=CLOSE_INPUTS,
    link=RULES_LINK,
    remediations=("aws.ec2.close_ingress",),
    good=[WEB, _ingress(_tcp(445, cidr="172.16.0.0/12"))],
    bad=[_ingress(_tcp(445)), _ingress(_tcp(137, 445, cidr="::/0"))],
)
def sg_cifs(group: ResourceView, inventory: Inventory) -> bool | Fail:
    """Security group allows SMB (CIFS) from the internet.

    File sharing on port 445 exposes documents to anyone who guesses a password. Worms such as WannaCry spread through
    vulnerabilities in the service without one.
    """
    return _closed(group, inventory, reaching(445))


@rule(
    "aws.ec2.sg_unrestricted",
    on=GROUP,
    needs=(PREFIX_LIST,),
    severity=Severity.HIGH,
    parameters=[WEB_PORTS],
    fix=_closing("ports other than 80 and 443"),
    commands=CLOSE,
    inputs=CLOSE_INPUTS,
    link=RULES_LINK,
    remediations=("aws.ec2.close_ingress",),
    good=[
        WEB,
        _ingress({"IpProtocol": "udp", "FromPort": "443", "ToPort": "443", "CidrIp": "0.0.0.0/0"}),
        _ingress({"IpProtocol": "icmp", "FromPort": 8, "ToPort": -1, "CidrIp": "0.0.0.0/0"}),
        _ingress(_tcp(8443, cidr="198.51.100.0/24")),
    ],
    bad=[
        _ingress(_tcp(8443)),
        _ingress(_tcp(80, 443)),
        _ingress({"IpProtocol": "udp", "FromPort": 53, "ToPort": 53, "CidrIp": "0.0.0.0/0"}),
        _ingress(ALL_TRAFFIC),
    ],
)
def sg_unrestricted(group: ResourceView, inventory: Inventory, *, ports: tuple[int, ...]) -> bool | Fail:
    """Security group allows unauthorized ports from the internet.

    A public website needs ports 80 and 443 and nothing else. Every other reachable port is one more service that must
    be free of vulnerabilities and weak passwords.
    """
    found = _closed(group, inventory, lambda covered: covered.first != covered.last or covered.first not in ports)
    allowed = ", ".join(map(str, ports)) or "none"
    return Fail(f"{found.message}; allowed ports: {allowed}", *found.at) if isinstance(found, Fail) else found


@rule(
    "aws.ec2.default_sg_closed",
    on=GROUP,
    severity=Severity.HIGH,
    fix="""
        1. Find what uses the group, and assign a security group of its own.
        2. In the VPC console, choose Security groups, select the group named default, and delete all its inbound and
           outbound rules.
    """,
    commands="""
        aws ec2 describe-network-interfaces --region={region} --filters=Name=group-id,Values={GroupId}
          --query='NetworkInterfaces[].[NetworkInterfaceId,Description]' --output=table
        aws ec2 describe-security-group-rules --region={region} --filters=Name=group-id,Values={GroupId}
          --query='SecurityGroupRules[].[SecurityGroupRuleId,IsEgress,IpProtocol,CidrIpv4,CidrIpv6]' --output=table

        aws ec2 revoke-security-group-ingress --region={region} --group-id={GroupId}
          --security-group-rule-ids={INBOUND_RULE}

        aws ec2 revoke-security-group-egress --region={region} --group-id={GroupId}
          --security-group-rule-ids={OUTBOUND_RULE}
    """,
    inputs={"INBOUND_RULE": "the ID of an inbound rule", "OUTBOUND_RULE": "the ID of an outbound rule"},
    link="https://docs.aws.amazon.com/vpc/latest/userguide/default-security-group.html",
    remediations=("aws.ec2.empty_default_group",),
    good=[
        {"GroupName": "default", "SecurityGroupIngress": [], "SecurityGroupEgress": []},
        {"GroupName": "web", "SecurityGroupIngress": [_tcp(443)], "SecurityGroupEgress": [ALL_TRAFFIC]},
    ],
    bad=[
        {
            "GroupName": "default",
            "SecurityGroupIngress": [{"IpProtocol": "-1", "SourceSecurityGroupId": "sg-0a1b2c3d"}],
            "SecurityGroupEgress": [ALL_TRAFFIC],
        },
        {"GroupName": "default", "SecurityGroupIngress": [], "SecurityGroupEgress": [ALL_TRAFFIC]},
    ],
)
def default_sg_closed(group: View) -> bool | Fail | None:
    """Default security group has rules.

    Resources launched without a security group get the default one, and can then reach everything else in it. With no
    rules in it, such a mistake exposes nothing.
    """
    if group["GroupName"] != "default":
        return None
    counts = {name: len(list(group.objects(name))) for name in ("SecurityGroupIngress", "SecurityGroupEgress")}
    inbound, outbound = counts.values()
    if not inbound and not outbound:
        return True
    return Fail(f"The default group has {inbound} inbound and {outbound} outbound rules", *counts)


@rule(
    "aws.ec2.sg_unused",
    on=GROUP,
    severity=Severity.MEDIUM,
    live_only=True,
    fix="""
        1. Check that nothing will start with the group: launch templates, Auto Scaling groups and functions may name
           it.
        2. Remove the rules of other security groups that name it as their source or destination.
        3. In the EC2 console, choose Security Groups, select the group, then Actions, Delete security groups.
    """,
    commands="""
        aws ec2 describe-security-groups --region={region} --filters=Name=ip-permission.group-id,Values={GroupId}
          --query='SecurityGroups[].[GroupId,GroupName]' --output=table

        aws ec2 delete-security-group --region={region} --group-id={GroupId}
    """,
    link="https://docs.aws.amazon.com/vpc/latest/userguide/deleting-security-groups.html",
    remediations=("aws.ec2.delete_unused_group",),
    good=[
        {"GroupName": "web", "Observed": {"Attached": True}},
        {"GroupName": "default", "Observed": {"Attached": False}},
    ],
    bad=[{"GroupName": "web", "Observed": {"Attached": False}}],
)
def sg_unused(group: View) -> bool | Fail | None:
    """Security group is unused.

    A forgotten group is no longer reviewed, but may be attached again because its name fits. Whatever its rules still
    allow is then open at once.
    """
    # Attached to a network interface, as Security Hub asks; a VPC's default group cannot be deleted.
    # https://docs.aws.amazon.com/config/latest/developerguide/ec2-security-group-attached-to-eni-periodic.html
    if group["GroupName"] == "default":
        return None
    return bool(group["Observed.Attached"]) or Fail("It is not attached to any network interface", "Observed.Attached")
