"""What counts as the internet, and as open."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from tests.aws.test_addresses import PUBLIC, pieces

from nephoscope.domain import Finding, Resource, Rule, Verdict, unknown
from nephoscope.domain.examples import example, resource
from nephoscope.testing import ACCOUNT, judge_example
from nephoscope_aws.network import PREFIX_LIST, Ports, parse_ports
from nephoscope_baseline.aws import ec2, eks
from nephoscope_baseline.aws.ec2_network import nacl_admin


def judged(rule: Rule, *entries: Any, lists: Iterable[Resource] = ()) -> Finding:
    return judge_example(rule, example({"GroupName": "web", "SecurityGroupIngress": list(entries)}, neighbours=lists))


def tcp(first: Any, last: Any, **source: Any) -> dict[str, Any]:
    return {"IpProtocol": "tcp", "FromPort": first, "ToPort": last, **source}


@pytest.mark.parametrize("protocol", ["tcp", "TCP", "6", 6, " tcp "])
@pytest.mark.parametrize(("first", "last"), [(22, 22), ("22", "22"), (0, 65535), (-1, -1), (None, None), (20, 25)])
def test_a_tcp_rule_covers_the_ports_between_its_bounds(protocol: Any, first: Any, last: Any) -> None:
    ports = parse_ports(protocol, first, last)
    assert ports is not None
    assert ports.cover(22)


@pytest.mark.parametrize("protocol", ["-1", -1, "all"])
def test_any_protocol_covers_every_port_whatever_its_bounds_say(protocol: Any) -> None:
    assert parse_ports(protocol, 0, 0) == Ports("", 0, 65535)


@pytest.mark.parametrize("protocol", ["icmp", "icmpv6", "1", 58, "esp", "50", None])
def test_protocols_without_ports_open_none(protocol: Any) -> None:
    assert parse_ports(protocol, 8, -1) is None


def test_udp_does_not_open_a_tcp_port() -> None:
    ports = parse_ports("17", 22, 22)
    assert ports is not None
    assert not ports.cover(22)
    assert ports.cover(22, "UDP")


@pytest.mark.parametrize(
    ("ports", "words"),
    [
        (Ports("TCP", 22, 22), "TCP 22"),
        (Ports("UDP", 0, 1024), "UDP 0-1024"),
        (Ports("TCP", 0, 65535), "Every TCP port"),
        (Ports("", 0, 65535), "All traffic"),
    ],
)
def test_ports_are_named_as_a_person_would(ports: Ports, words: str) -> None:
    assert str(ports) == words


def test_the_finding_names_the_rule_and_points_at_its_range() -> None:
    finding = judged(
        ec2.sg_ssh,
        tcp(443, 443, CidrIp="0.0.0.0/0"),
        tcp(22, 22, CidrIp="10.0.0.0/8"),
        tcp(22, 22, CidrIp="0.0.0.0/0", Description="temporary ssh"),
    )
    assert finding.verdict is Verdict.FAIL
    assert finding.message == "TCP 22 is open to 0.0.0.0/0 (rule 'temporary ssh')"
    assert "SecurityGroupIngress[2].CidrIp" in [each.path for each in finding.evidence]
    assert all(each.path.startswith("SecurityGroupIngress[2].") for each in finding.evidence)


def test_a_hostile_description_stays_one_short_line() -> None:
    text = "<script>alert(1)</script>\n\x1b[31m\u202egnp" + "x" * 500
    message = judged(ec2.sg_ssh, tcp(22, 22, CidrIp="0.0.0.0/0", Description=text)).message
    assert message.isprintable()
    assert len(message) < 200


def test_many_open_rules_are_counted_and_the_first_named() -> None:
    message = judged(ec2.sg_ssh, *[tcp(22, 22 + number, CidrIp="0.0.0.0/0") for number in range(5)]).message
    assert message.endswith("; and 2 more")


@pytest.mark.parametrize("source", [{"SourceSecurityGroupId": "sg-0a1b2c3d"}, {"CidrIp": None}])
def test_groups_are_not_the_internet(source: dict[str, Any]) -> None:
    assert judged(ec2.sg_ssh, tcp(22, 22, **source)).verdict is Verdict.PASS


# -- Prefix lists --------------------------------------------------------------------------------------------------


def prefix_list(id: str, *cidrs: Any, owner: str = ACCOUNT, region: str = "eu-west-1", entries: Any = None) -> Resource:
    held = [{"Cidr": each} for each in cidrs] if entries is None else entries
    return resource(PREFIX_LIST, {"Entries": held, "Observed": {"OwnerId": owner}}, name=f"x/{id}", region=region)


UNLISTED = Resource.unreadable(PREFIX_LIST, "eu-west-1", ACCOUNT, permission="", reason="no answer")


def by_list(first: Any, last: Any, id: str = "pl-1", **more: Any) -> dict[str, Any]:
    return tcp(first, last, SourcePrefixListId=id, **more)


@pytest.mark.parametrize(
    "cidrs",
    [
        ["0.0.0.0/0"],
        ["::/0"],
        ["203.0.113.7/32", "0.0.0.0/1", "128.0.0.0/1"],
        pieces("0.0.0.0/0", 8),
        PUBLIC,
    ],
)
@pytest.mark.parametrize("owner", [ACCOUNT, "999999999999"])
def test_a_prefix_list_that_holds_the_internet_opens(cidrs: list[str], owner: str) -> None:
    finding = judged(ec2.sg_ssh, by_list(22, 22), lists=[prefix_list("pl-1", *cidrs, owner=owner)])
    assert finding.verdict is Verdict.FAIL
    assert finding.message.startswith("TCP 22 is open to prefix list pl-1 (")


def test_a_finding_names_the_widest_range_of_the_list() -> None:
    entry = by_list(22, 22, Description="offices")
    found = judged(ec2.sg_ssh, entry, lists=[prefix_list("pl-1", "203.0.113.0/24", "0.0.0.0/0")])
    assert found.message == "TCP 22 is open to prefix list pl-1 (0.0.0.0/0 and 1 more) (rule 'offices')"


@pytest.mark.parametrize(
    ("entry", "lists"),
    [
        (by_list(22, 22), [prefix_list("pl-1", "203.0.113.0/24", "10.0.0.0/8", "224.0.0.0/4")]),
        (by_list(22, 22), [prefix_list("pl-1")]),
        (by_list(22, 22), [prefix_list("pl-1", entries=unknown("not read"), owner="AWS")]),
        (by_list(22, 22), [prefix_list("pl-2", "0.0.0.0/0"), prefix_list("pl-1", "203.0.113.0/24")]),
        (by_list(443, 443), []),
        (by_list(22, 22) | {"IpProtocol": "udp"}, [prefix_list("pl-1", "0.0.0.0/0")]),
    ],
)
def test_a_prefix_list_that_is_harmless_passes(entry: dict[str, Any], lists: list[Resource]) -> None:
    assert judged(ec2.sg_ssh, entry, lists=lists).verdict is Verdict.PASS


@pytest.mark.parametrize(
    "lists",
    [
        [],
        [prefix_list("pl-1", entries=unknown("denied", "ec2:GetManagedPrefixListEntries"))],
        [prefix_list("pl-1", entries=[{"Description": "odd"}])],
        [prefix_list("pl-1", "203.0.113.0/24", region="us-east-1")],
        [prefix_list("pl-2", "203.0.113.0/24"), UNLISTED],
    ],
)
def test_a_prefix_list_that_could_not_be_read_is_unknown(lists: list[Resource]) -> None:
    assert judged(ec2.sg_ssh, by_list(22, 22), lists=lists).verdict is Verdict.UNKNOWN


def test_the_permission_that_hides_the_entries_is_named() -> None:
    hidden = prefix_list("pl-1", entries=unknown("denied", "ec2:GetManagedPrefixListEntries"))
    assert judged(ec2.sg_ssh, by_list(22, 22), lists=[hidden]).permission == "ec2:GetManagedPrefixListEntries"


def test_a_rule_that_is_open_outweighs_a_list_that_could_not_be_read() -> None:
    assert judged(ec2.sg_ssh, by_list(22, 22), tcp(22, 22, CidrIp="0.0.0.0/0")).verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        (
            [by_list(22, 22), tcp(20, 25, CidrIp="9.0.0.0/8")],
            "TCP 22 is open to prefix list pl-1 (8.0.0.0/8) and 1 more, together the internet",
        ),
        (
            [by_list(22, 22), by_list(22, 22, "pl-2")],
            "TCP 22 is open to prefix list pl-1 (8.0.0.0/8) and 1 more, together the internet",
        ),
        (
            [{"IpProtocol": "-1", "CidrIp": "8.0.0.0/8"}, {"IpProtocol": "-1", "CidrIp": "9.0.0.0/8"}],
            "Every TCP port is open to 8.0.0.0/8 and 1 more, together the internet; "
            "Every UDP port is open to 8.0.0.0/8 and 1 more, together the internet",
        ),
    ],
)
def test_rules_that_share_a_port_count_together(entries: list[Any], message: str) -> None:
    lists = [prefix_list("pl-1", "8.0.0.0/8"), prefix_list("pl-2", "9.0.0.0/8")]
    assert judged(ec2.sg_unrestricted, *entries, lists=lists).message == f"{message}; allowed ports: 80, 443"


@pytest.mark.parametrize(
    "entries",
    [
        [tcp(22, 22, CidrIp="8.0.0.0/8"), tcp(23, 30, CidrIp="9.0.0.0/8")],
        [tcp(22, 22, CidrIp="8.0.0.0/8"), tcp(22, 22, CidrIp="9.0.0.0/8") | {"IpProtocol": "udp"}],
        [tcp(22, 22, CidrIp="8.0.0.0/8"), tcp(22, 22, CidrIp="9.0.0.0/8", ToPort=21)],
        [tcp(22, 22, CidrIp="8.0.0.0/8"), tcp(22, 22, CidrIp="11.0.0.0/8"), tcp(22, 22, CidrIp="10.0.0.0/8")],
    ],
)
def test_rules_that_share_no_port_or_do_not_touch_do_not(entries: list[Any]) -> None:
    assert judged(ec2.sg_ssh, *entries).verdict is Verdict.PASS


def test_what_rules_open_together_is_only_what_all_of_them_cover() -> None:
    halves = [tcp(80, 8080, CidrIp="8.0.0.0/8"), tcp(80, 80, CidrIp="9.0.0.0/8")]
    assert judged(ec2.sg_unrestricted, *halves).verdict is Verdict.PASS


def test_the_two_versions_are_judged_apart() -> None:
    lists = [prefix_list("pl-1", "0.0.0.0/0"), prefix_list("pl-2", "::/0")]
    four, six = by_list(22, 22), by_list(22, 22, "pl-2")
    verdicts = [judged(rule, each, lists=lists).verdict for each in (four, six) for rule in VERSIONS]
    assert verdicts == [Verdict.FAIL, Verdict.PASS, Verdict.PASS, Verdict.FAIL]


VERSIONS = (ec2.sg_admin_v4, ec2.sg_admin_v6)


EVERYTHING_PUBLIC = [*PUBLIC, "168.0.0.0/5", "172.0.0.0/7", "192.0.0.0/2"]


# -- The same definition elsewhere ---------------------------------------------------------------------------------


def acl(*entries: tuple[str, str]) -> dict[str, Any]:
    numbered = enumerate(entries, 1)
    return {
        "Entries": [
            {"RuleNumber": n, "RuleAction": action, "Egress": False, "Protocol": "-1", "CidrBlock": cidr}
            for n, (action, cidr) in numbered
        ]
    }


@pytest.mark.parametrize(
    ("entries", "verdict"),
    [
        ([("allow", each) for each in pieces("0.0.0.0/0", 8)], Verdict.FAIL),
        ([("deny", "203.0.113.0/24"), ("allow", "0.0.0.0/0")], Verdict.FAIL),
        ([("allow", "8.0.0.0/8"), ("deny", "0.0.0.0/0"), ("allow", "9.0.0.0/8")], Verdict.PASS),
        ([*(("deny", each) for each in EVERYTHING_PUBLIC), ("allow", "0.0.0.0/0")], Verdict.PASS),
        ([("allow", "224.0.0.0/3"), ("allow", "10.0.0.0/8")], Verdict.PASS),
        ([("allow", "8.0.0.0/8"), ("allow", "9.0.0.0/8")], Verdict.FAIL),
    ],
)
def test_a_network_acl_is_judged_by_what_it_lets_in_as_a_whole(entries: list[Any], verdict: Verdict) -> None:
    assert judge_example(nacl_admin, acl(*entries)).verdict is verdict


@pytest.mark.parametrize(
    ("cidrs", "verdict"),
    [
        (["8.0.0.0/8", "9.0.0.0/8"], Verdict.FAIL),
        (["8.0.0.0/8", "10.0.0.0/8", "224.0.0.0/4"], Verdict.PASS),
        (["8.0.0.0/8", unknown("not read")], Verdict.UNKNOWN),
    ],
)
def test_an_endpoint_is_judged_by_all_its_ranges(cidrs: list[Any], verdict: Verdict) -> None:
    config = {"EndpointPublicAccess": True, "PublicAccessCidrs": cidrs}
    assert judge_example(eks.public_endpoint, {"ResourcesVpcConfig": config}).verdict is verdict


# -- What is not known ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "entry",
    [
        tcp(22, 22, CidrIp=unknown("var.cidr has no value")),
        tcp(22, 22, CidrIp="${var.cidr}"),
        tcp(unknown("var.port has no value"), 22, CidrIp="0.0.0.0/0"),
        tcp("${var.port}", 22, CidrIp="0.0.0.0/0"),
        unknown("dynamic block"),
        "a text",
    ],
)
def test_a_rule_that_may_be_open_is_unknown(entry: Any) -> None:
    assert judged(ec2.sg_ssh, entry).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    "entry",
    [
        tcp(443, 443, CidrIp=unknown("var.cidr has no value")),
        tcp(unknown("var.port has no value"), 22, CidrIp="10.0.0.0/8"),
        tcp(22, 22, CidrIp="10.0.0.0/8", Description=unknown("var.text has no value")),
    ],
)
def test_what_is_not_known_does_not_matter_where_the_rest_is_harmless(entry: Any) -> None:
    assert judged(ec2.sg_ssh, entry).verdict is Verdict.PASS


def test_a_rule_that_is_open_outweighs_one_that_is_not_known() -> None:
    opened = tcp(22, 22, CidrIp="0.0.0.0/0", Description=unknown("var.text has no value"))
    finding = judged(ec2.sg_ssh, tcp(22, 22, CidrIp=unknown("var.cidr has no value")), opened)
    assert finding.verdict is Verdict.FAIL


def test_ipv6_that_is_not_known_leaves_the_ipv4_rule_alone() -> None:
    entry = tcp(22, 22, CidrIpv6=unknown("var.cidr has no value"))
    assert judged(ec2.sg_admin_v4, entry).verdict is Verdict.PASS
    assert judged(ec2.sg_admin_v6, entry).verdict is Verdict.UNKNOWN
