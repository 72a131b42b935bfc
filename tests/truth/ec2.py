"""Security groups: which ports they open to whom.

Only TCP leads to SSH, Remote Desktop, file shares and databases; the controls on administration ports
(https://docs.aws.amazon.com/config/latest/developerguide/vpc-sg-port-restriction-check.html) ask for UDP, too.
"""

from __future__ import annotations

from typing import Any

from tests.truth.account import ABROAD, HOME, Truth, holds

MOST_GROUPS = 16
"""The most security groups that AWS allows on one network interface."""

ALL = "sg_ssh sg_rdp sg_admin_v4 sg_admin_v6 sg_high_risk_ports sg_cifs sg_unrestricted"
SSH = "sg_ssh sg_admin_v4 sg_high_risk_ports sg_unrestricted"
RDP = "sg_rdp sg_admin_v4 sg_high_risk_ports sg_unrestricted"
SSH6, RDP6 = SSH.replace("v4", "v6"), RDP.replace("v4", "v6")
RISKY, CIFS = "sg_high_risk_ports sg_unrestricted", "sg_cifs sg_high_risk_ports sg_unrestricted"
ALL4, ALL6 = ALL.replace(" sg_admin_v6", ""), ALL.replace(" sg_admin_v4", "")
OTHER = "sg_unrestricted"


def opening(protocol: str, first: int | None, last: int | None, *sources: str, **more: Any) -> dict[str, Any]:
    """A permission; a source with a colon is a range of IPv6, one of ``sg-`` or ``pl-`` a group or a list."""
    kinds = {
        "IpRanges": [{"CidrIp": each} for each in sources if "." in each],
        "Ipv6Ranges": [{"CidrIpv6": each} for each in sources if ":" in each],
        "UserIdGroupPairs": [{"GroupId": each} for each in sources if each.startswith("sg-")],
        "PrefixListIds": [{"PrefixListId": each} for each in sources if each.startswith("pl-")],
    }
    ports = {} if first is None else {"FromPort": first, "ToPort": last}
    return {"IpProtocol": protocol, **ports, **{name: each for name, each in kinds.items() if each}, **more}


def tcp(first: int, *sources: str, to: int | None = None) -> dict[str, Any]:
    return opening("tcp", first, first if to is None else to, *(sources or ("0.0.0.0/0",)))


GROUPS: dict[str, tuple[str, list[dict[str, Any]]]] = {
    "empty": ("", []),
    "web": ("", [tcp(80), tcp(443, "0.0.0.0/0", "::/0")]),
    "web-quic": ("", [opening("udp", 443, 443, "0.0.0.0/0")]),
    "ping": ("", [opening("icmp", -1, -1, "0.0.0.0/0"), opening("icmpv6", -1, -1, "::/0")]),
    "tunnel": ("", [opening("50", -1, -1, "0.0.0.0/0")]),
    "ssh": (SSH, [tcp(22)]),
    "ssh-second": (SSH, [tcp(443), tcp(22, "10.0.0.0/8", "198.51.100.7/32", "0.0.0.0/0")]),
    "ssh-v6": (SSH6, [tcp(22, "::/0")]),
    "ssh-both": ("sg_admin_v6 " + SSH, [tcp(22, "0.0.0.0/0", "::/0")]),
    "ssh-by-number": (SSH, [opening("6", 22, 22, "0.0.0.0/0")]),
    "ssh-halves": (SSH, [tcp(22, "0.0.0.0/1", "128.0.0.0/1")]),
    "ssh-all-unicast": (SSH6, [tcp(22, "2000::/3")]),
    "ssh-private": ("", [tcp(22, "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fd00::/8")]),
    "ssh-multicast": ("", [tcp(22, "224.0.0.0/4")]),
    "ssh-office": ("", [tcp(22, "203.0.113.7/32", "198.51.100.0/24", "2001:db8::/32")]),
    "ssh-below": (OTHER, [tcp(19), tcp(24)]),
    "ssh-range": (RISKY + " sg_ssh sg_admin_v4", [tcp(22, to=24)]),
    "ssh-range-ends": (SSH, [tcp(0, to=22)]),
    "ssh-range-after": (RISKY, [tcp(23, to=100)]),
    "ssh-udp": ("sg_admin_v4 sg_unrestricted", [opening("udp", 22, 22, "0.0.0.0/0")]),
    "rdp": (RDP, [tcp(3389)]),
    "rdp-v6": (RDP6, [tcp(3389, "::/0")]),
    "rdp-udp-v6": ("sg_admin_v6 sg_unrestricted", [opening("udp", 3389, 3389, "::/0")]),
    "rdp-around": (OTHER, [tcp(3388), tcp(3390)]),
    "rdp-range": (RDP, [tcp(3380, to=3399)]),
    "smb": (CIFS, [tcp(445)]),
    "smb-v6": (CIFS, [tcp(445, "::/0")]),
    "smb-range": (CIFS, [tcp(444, to=446)]),
    "smb-around": (OTHER, [tcp(444), tcp(446)]),
    "smb-inside": ("", [tcp(445, "10.0.0.0/8")]),
    "postgres": (RISKY, [tcp(5432)]),
    "postgres-v6": (RISKY, [tcp(5432, "::/0")]),
    "postgres-inside": ("", [tcp(5432, "10.1.0.0/16")]),
    "mysql-udp": (OTHER, [opening("udp", 3306, 3306, "0.0.0.0/0")]),
    "dns": (OTHER, [opening("udp", 53, 53, "0.0.0.0/0")]),
    "web-range": (OTHER, [tcp(80, to=81)]),
    "web-high": (OTHER, [tcp(8443)]),
    "all": (ALL4, [opening("-1", None, None, "0.0.0.0/0")]),
    "all-v6": (ALL6, [opening("-1", None, None, "::/0")]),
    "all-inside": ("", [opening("-1", None, None, "10.0.0.0/8")]),
    "all-tcp": (ALL4, [tcp(0, to=65535)]),
    "all-udp": ("sg_admin_v4 sg_unrestricted", [opening("udp", 0, 65535, "0.0.0.0/0")]),
}
"""Each group with the rules that it fails, and what it lets in."""

RISKY_PORTS = (20, 21, 23, 25, 110, 135, 143, 1433, 1434, 3000, 3306, 4333, 5000, 5432, 5500, 5601, 8080, 8088, 8888)
"""Those of https://docs.aws.amazon.com/securityhub/latest/userguide/ec2-controls.html#ec2-19 that have no rule of their
own; besides 9200 and 9300."""


class Groups:
    """Makes security groups in the default VPC of a region, all in use."""

    def __init__(self, truth: Truth, region: str = HOME) -> None:
        self.ec2 = truth.client("ec2", region)
        subnet = self.ec2.describe_subnets()["Subnets"][0]
        self.vpc, self.subnet, self.made = subnet["VpcId"], subnet["SubnetId"], list[str]()

    def __call__(self, name: str, *permissions: dict[str, Any]) -> str:
        group = self.ec2.create_security_group(GroupName=name, Description="truth", VpcId=self.vpc)["GroupId"]
        if permissions:
            self.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=permissions)
        self.made.append(group)
        return str(group)

    def attach(self) -> None:
        for first in range(0, len(self.made), MOST_GROUPS):
            self.ec2.create_network_interface(SubnetId=self.subnet, Groups=self.made[first : first + MOST_GROUPS])


@holds(services=("ec2",))
def security_groups(truth: Truth) -> None:
    make = Groups(truth)
    ports = {f"port-{port}": (RISKY, [tcp(port)]) for port in (*RISKY_PORTS, 9200, 9300)}
    beside = {"ports-beside": (OTHER, [tcp(port) for port in (19, 24, 26, 3307, 5433, 8081, 9201)])}
    for name, (fails, permissions) in {**GROUPS, **ports, **beside}.items():
        make(name, *permissions)
        judged(truth, name, fails)
    _judged_groups_of_groups(truth, make)
    make.attach()
    _judged_default(truth)


def _judged_groups_of_groups(truth: Truth, make: Groups) -> None:
    """Other groups are never the internet; and what goes out is nobody's way in."""
    first = make("first")
    make("second", opening("-1", None, None, first), tcp(22, first))
    out = make("out")
    make.ec2.authorize_security_group_egress(GroupId=out, IpPermissions=[tcp(22)])
    for name in ("first", "second", "out"):
        judged(truth, name, "")


LISTS: dict[str, tuple[str, str, list[str]]] = {
    "list-world": ("IPv4", SSH, ["0.0.0.0/0"]),
    "list-halves": ("IPv4", SSH, ["0.0.0.0/1", "128.0.0.0/1"]),
    "list-second": ("IPv4", SSH, ["198.51.100.0/24", "0.0.0.0/0"]),
    "list-world-v6": ("IPv6", SSH6, ["::/0"]),
    "list-office": ("IPv4", "", ["198.51.100.0/24", "10.0.0.0/8"]),
    "list-office-v6": ("IPv6", "", ["2001:db8::/32"]),
}
"""Prefix lists, each opened to SSH by a group of its name: the addresses, and what the group then fails."""


@holds(services=("ec2",))
def prefix_lists(truth: Truth) -> None:
    make = Groups(truth)
    held = make.ec2.describe_managed_prefix_lists()["PrefixLists"]
    lists = {each["PrefixListName"]: each["PrefixListId"] for each in held}
    by_name = {"list-of-aws": ("", lists[f"com.amazonaws.{HOME}.s3"])}
    for name, (family, fails, cidrs) in LISTS.items():
        given = {"AddressFamily": family, "MaxEntries": 5, "Entries": [{"Cidr": each} for each in cidrs]}
        made = make.ec2.create_managed_prefix_list(PrefixListName=name, **given)
        by_name[name] = (fails, made["PrefixList"]["PrefixListId"])
    for name, (fails, prefixes) in by_name.items():
        make(name, tcp(22, prefixes))
        judged(truth, name, fails)
    make.attach()
    _judged_default(truth)


@holds(services=("ec2",))
def unreadable_groups(truth: Truth) -> None:
    """What cannot be listed in one region is unknown there, and only there."""
    truth.judged(arn(truth, HOME, default_of(truth.client("ec2"))), passes=ALL, fails="default_sg_closed")
    truth.hide("ec2:DescribeSecurityGroups", "AWS::EC2::SecurityGroup")


def judged(truth: Truth, name: str, fails: str, uses: str = "passes") -> None:
    """Say which rules on what a group lets in fail, and how the one on its use has to judge it."""
    verdicts = {"fails": fails} | {uses: f"{fails * (uses == 'fails')} sg_unused"}
    truth.judged(name, **verdicts, skipped="default_sg_closed", of=ALL)


def _judged_default(truth: Truth) -> None:
    """The default groups: emptied at home, of both directions; abroad as AWS makes them; of others one direction."""
    home, abroad = truth.client("ec2", HOME), truth.client("ec2", ABROAD)
    _emptied(home, default_of(home))
    truth.judged(arn(truth, HOME, default_of(home)), passes=f"{ALL} default_sg_closed")
    truth.judged(arn(truth, ABROAD, default_of(abroad)), passes=ALL, fails="default_sg_closed")
    for number, directions in enumerate((("ingress",), ("egress",))):
        vpc = abroad.create_vpc(CidrBlock=f"10.{number}.0.0/16")["Vpc"]["VpcId"]
        group = default_of(abroad, vpc)
        _emptied(abroad, group, directions)
        truth.judged(arn(truth, ABROAD, group), passes=ALL, fails="default_sg_closed")
    make = Groups(truth, ABROAD)
    judged(truth, arn(truth, ABROAD, make("Default")), "")
    make.attach()


def arn(truth: Truth, region: str, group: str) -> str:
    return f"arn:aws:ec2:{region}:{truth.cloud.account}:security-group/{group}"


def default_of(ec2: Any, vpc: str = "") -> str:
    wanted = [{"Name": "group-name", "Values": ["default"]}] + [{"Name": "vpc-id", "Values": [vpc]}] * bool(vpc)
    return str(ec2.describe_security_groups(Filters=wanted)["SecurityGroups"][0]["GroupId"])


def _emptied(ec2: Any, group: str, directions: tuple[str, ...] = ("ingress", "egress")) -> None:
    held = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]
    for direction, name in (("ingress", "IpPermissions"), ("egress", "IpPermissionsEgress")):
        if direction in directions:
            revoke = getattr(ec2, f"revoke_security_group_{direction}")
            revoke(GroupId=group, IpPermissions=held[name])
