"""Which addresses are the internet, alone and together."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from nephoscope_aws.addresses import Addresses, parse_range


def is_world(*cidrs: str) -> bool:
    return Addresses.of(*map(parse_range, cidrs)).is_world


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
        "2000::/3",
        "2a00::/15",
    ],
)
def test_a_range_wider_than_one_organisation_is_the_internet(cidr: str) -> None:
    assert is_world(cidr)


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
        "224.0.0.0/4",
        "224.0.0.0/3",
        "0.0.0.0/8",
        "127.0.0.0/8",
        "126.0.0.0/7",
        "10.0.0.0/7",
        "169.254.0.0/16",
        "100.64.0.0/10",
        "2a00::/16",
        "2001:db8::/32",
        "fc00::/7",
        "fd00::/8",
        "::1/128",
        "fe80::/10",
        "ff00::/8",
        "8000::/1",
        "4000::/2",
        "::/8",
    ],
)
def test_a_narrow_or_private_range_is_not_the_internet(cidr: str) -> None:
    assert not is_world(cidr)


def pieces(cidr: str, length: int) -> list[str]:
    return [str(each) for each in ip_network(cidr).subnets(new_prefix=length)]


PUBLIC = [
    *("1.0.0.0/8", "2.0.0.0/7", "4.0.0.0/6", "8.0.0.0/7", "11.0.0.0/8", "12.0.0.0/6", "16.0.0.0/4", "32.0.0.0/3"),
    *("64.0.0.0/3", "96.0.0.0/4", "112.0.0.0/5", "120.0.0.0/6", "124.0.0.0/7", "126.0.0.0/8", "128.0.0.0/3"),
    *("160.0.0.0/5", "168.0.0.0/8", "169.0.0.0/9", "170.0.0.0/7", "172.0.0.0/12", "174.0.0.0/7", "176.0.0.0/4"),
]
"""Everything that is not private, as people write it down."""


@pytest.mark.parametrize(
    "cidrs",
    [
        pieces("0.0.0.0/0", 8),
        pieces("32.0.0.0/3", 10),
        ["11.0.0.0/8", "12.0.0.0/8"],
        ["12.0.0.0/8", "11.0.0.0/8", "12.0.0.0/9"],
        PUBLIC,
        pieces("2000::/3", 16),
        ["203.0.113.0/24", "::/0"],
    ],
)
def test_pieces_that_touch_are_the_internet_together(cidrs: list[str]) -> None:
    assert is_world(*cidrs)


@pytest.mark.parametrize(
    "cidrs",
    [
        [],
        ["3.0.0.0/8", "18.0.0.0/8", "52.0.0.0/8"],
        ["9.0.0.0/8", "10.0.0.0/8", "11.0.0.0/8"],
        ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "224.0.0.0/4"],
        pieces("224.0.0.0/3", 8),
        ["fc00::/7", "fe80::/10", "ff00::/8", "2a00::/16", "2600::/16"],
    ],
)
def test_ranges_apart_and_private_ones_are_not_the_internet_together(cidrs: list[str]) -> None:
    assert not is_world(*cidrs)


def test_what_is_taken_away_is_gone() -> None:
    ten = Addresses.of(parse_range("10.0.0.0/8"))
    left = ten - Addresses.of(parse_range("10.1.0.0/16")) - Addresses.of(parse_range("10.255.0.0/16"))
    assert left | Addresses.of(parse_range("10.1.0.0/16"), parse_range("10.255.0.0/16")) == ten
    assert [(hex(first), hex(last)) for _, first, last in left.spans] == [
        ("0xa000000", "0xa00ffff"),
        ("0xa020000", "0xafeffff"),
    ]
    assert not left - ten
