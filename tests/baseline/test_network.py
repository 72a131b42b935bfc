"""What counts as the internet, and as open."""

from __future__ import annotations

from typing import Any

import pytest

from nephoscope.domain import Finding, Rule, Verdict, unknown
from nephoscope.testing import judge_example
from nephoscope_aws.network import Ports, is_world, parse_ports, parse_range
from nephoscope_baseline.aws import ec2


def judged(rule: Rule, *entries: Any) -> Finding:
    return judge_example(rule, {"GroupName": "web", "SecurityGroupIngress": list(entries)})


def tcp(first: Any, last: Any, **source: Any) -> dict[str, Any]:
    return {"IpProtocol": "tcp", "FromPort": first, "ToPort": last, **source}


@pytest.mark.parametrize(
    "cidr",
    [
        "0.0.0.0/0",
        "0.0.0.0/00",
        " 0.0.0.0/0 ",
        "203.0.113.9/0",
        "0.0.0.0/1",
        "128.0.0.0/1",
        "64.0.0.0/2",
        "8.0.0.0/7",
        "::/0",
        "0::/0",
        "0:0:0:0:0:0:0:0/0",
        "::/1",
        "8000::/1",
        "2000::/3",
        "2a00::/15",
    ],
)
def test_a_range_wider_than_one_organisation_is_the_internet(cidr: str) -> None:
    assert is_world(parse_range(cidr))


@pytest.mark.parametrize(
    "cidr",
    [
        "8.0.0.0/8",
        "203.0.113.0/24",
        "203.0.113.9",
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "240.0.0.0/4",
        "2a00::/16",
        "2001:db8::/32",
        "fc00::/7",
        "fd00::/8",
        "::1/128",
    ],
)
def test_a_narrow_or_private_range_is_not_the_internet(cidr: str) -> None:
    assert not is_world(parse_range(cidr))


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


@pytest.mark.parametrize(
    "source", [{"SourceSecurityGroupId": "sg-0a1b2c3d"}, {"SourcePrefixListId": "pl-0a1b2c3d"}, {"CidrIp": None}]
)
def test_groups_and_prefix_lists_are_not_the_internet(source: dict[str, Any]) -> None:
    assert judged(ec2.sg_ssh, tcp(22, 22, **source)).verdict is Verdict.PASS


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
