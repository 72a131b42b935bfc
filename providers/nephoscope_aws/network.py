"""What the rules of a security group open to the internet.

Two definitions that every rule and document shares:

**The internet** ("the world") is a range of addresses too wide to belong to one organisation: for IPv4 wider than /8,
for IPv6 wider than /16. ``0.0.0.0/0`` and ``::/0`` are, and so are ``0.0.0.0/1`` with ``128.0.0.0/1`` or
``2000::/3``, which admit the same strangers and are missed by a comparison of texts. No network of one organisation
is wider: /8 is the largest IPv4 block that was ever handed out
(https://www.iana.org/assignments/ipv4-address-space/ipv4-address-space.xhtml), and a /16 of IPv6 is a sixteenth of
what a whole regional registry gets at a time
(https://www.iana.org/assignments/ipv6-unicast-address-assignments/ipv6-unicast-address-assignments.xhtml). Private
ranges (RFC 1918, unique local IPv6) are never the internet, nor are prefix lists and other security groups.
Each wide range counts by itself, so that a world cut into pieces is found piece by piece.

**Open** is a port that an ingress rule covers: any protocol (``-1``) covers every port; TCP rules cover TCP ports only
and UDP rules UDP ports only; ICMP and other protocols have no ports
(https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpPermission.html).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

from nephoscope.domain import NotKnown, Unknown, View

Network = IPv4Network | IPv6Network

NARROWER_THAN_WORLD = {4: 8, 6: 16}
"""By IP version, the length in bits of the widest prefix that is not the internet."""

IPV4, IPV6 = "CidrIp", "CidrIpv6"
"""The properties of an ingress rule that hold a range of addresses."""

LAST_PORT = 65535

HIGH_RISK_PORTS = (
    20,
    21,
    22,
    23,
    25,
    110,
    135,
    143,
    445,
    1433,
    1434,
    3000,
    3306,
    3389,
    4333,
    5000,
    5432,
    5500,
    5601,
    8080,
    8088,
    8888,
    9200,
    9300,
)
"""TCP ports of services that are attacked as soon as they can be reached
(https://docs.aws.amazon.com/securityhub/latest/userguide/ec2-controls.html#ec2-19)."""

_PROTOCOLS = {"tcp": "TCP", "6": "TCP", "udp": "UDP", "17": "UDP", "-1": "", "all": ""}
_MAX_NAMED = 3
_MAX_DESCRIPTION = 80


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports that one rule covers, both ends included; an empty protocol is every protocol."""

    protocol: str
    first: int
    last: int

    def cover(self, port: int, protocol: str = "TCP") -> bool:
        return self.protocol in ("", protocol) and self.first <= port <= self.last

    def __str__(self) -> str:
        if not self.protocol:
            return "All traffic"
        if (self.first, self.last) == (0, LAST_PORT):
            return f"Every {self.protocol} port"
        return f"{self.protocol} {self.first}" + (f"-{self.last}" if self.last != self.first else "")


@dataclass(frozen=True, slots=True)
class Opening:
    """One ingress rule that lets the internet reach ports."""

    entry: View
    ports: Ports
    source: Network

    def __str__(self) -> str:
        return f"{self.ports} is open to {self.source}{_named(self.entry)}"


def is_world(network: Network) -> bool:
    """Say whether these addresses are the internet, as defined at the top of this module."""
    return network.prefixlen < NARROWER_THAN_WORLD[network.version] and not network.is_private


def parse_range(cidr: str) -> Network:
    """Return the addresses that a CIDR text names; blanks, odd zeros and host bits are forgiven. Raises ValueError."""
    return ip_network(cidr.strip(), strict=False)


def parse_ports(protocol: Any, first: Any, last: Any) -> Ports | None:
    """Return the ports that a rule covers, or None if its protocol has none.

    Templates give numbers as text, and a missing bound (or -1) is no bound. Raises ValueError for anything else.
    """
    name = _PROTOCOLS.get(str(protocol).strip().lower())
    if name is None:
        return None
    if not name:
        return Ports("", 0, LAST_PORT)
    lowest, highest = (-1 if each is None else int(each) for each in (first, last))
    return Ports(name, max(lowest, 0), LAST_PORT if highest < 0 else highest)


def openings(
    group: View,
    wanted: Callable[[Ports], bool],
    sources: Iterable[str] = (IPV4, IPV6),
    at: str = "SecurityGroupIngress",
) -> list[Opening]:
    """Return the ingress rules of a security group that let the internet reach wanted ports.

    A rule that is certainly open outweighs another that could not be read. Raises NotKnown when none is certainly open
    and one may be: a part of it was not collected, or is a text that no cloud would accept, as an unresolved variable.
    """
    found: list[Opening] = []
    gap: NotKnown | None = None
    entries = group[at]
    for index in range(len(entries) if isinstance(entries, View) else 0):
        try:
            found.extend(_openings_of(entries[index], f"{at}[{index}]", wanted, sources))
        except NotKnown as unread:
            gap = gap or unread
    if gap and not found:
        raise gap
    return found


def reaching(*ports: int) -> Callable[[Ports], bool]:
    """Return the wish for rules that cover any of these TCP ports."""
    return lambda covered: any(covered.cover(port) for port in ports)


def in_words(found: Sequence[Opening]) -> str:
    """Say what is open, the first few by name."""
    more = [f"and {len(found) - _MAX_NAMED} more"] if len(found) > _MAX_NAMED else []
    return "; ".join([str(each) for each in found[:_MAX_NAMED]] + more)


def _openings_of(entry: Any, path: str, wanted: Callable[[Ports], bool], sources: Iterable[str]) -> Iterator[Opening]:
    if not isinstance(entry, View):
        raise NotKnown(path, Unknown("it is not a rule"))
    for name in sources:
        if name in entry and (opening := _opening(entry, name, wanted)):
            yield opening


def _opening(entry: View, name: str, wanted: Callable[[Ports], bool]) -> Opening | None:
    """Judge one rule. One half of it that is harmless settles it, even where the other half is not known."""
    try:
        ports = _ports(entry)
    except NotKnown:
        if _world(entry, name):
            raise
        return None
    if ports is None or not wanted(ports):
        return None
    source = _world(entry, name)
    return Opening(entry, ports, source) if source else None


def _ports(entry: View) -> Ports | None:
    try:
        return parse_ports(entry["IpProtocol"], entry["FromPort"], entry["ToPort"])
    except ValueError as error:
        raise NotKnown(entry.path, Unknown("its ports are not numbers")) from error


def _world(entry: View, name: str) -> Network | None:
    """Return the rule's range of addresses if it is the internet."""
    if (cidr := entry[name]) is None:
        return None
    try:
        source = parse_range(str(cidr))
    except ValueError as error:
        raise NotKnown(f"{entry.path}.{name}", Unknown("it is not a range of addresses")) from error
    return source if is_world(source) else None


def _named(entry: View) -> str:
    """The rule's description as a person would quote it. Anyone may write one: it is cut, on one line, plain text."""
    try:
        description = str(entry.get("Description", ""))
    except NotKnown:
        return ""
    text = " ".join("".join(each if each.isprintable() else " " for each in description).split())
    if len(text) > _MAX_DESCRIPTION:
        text = f"{text[: _MAX_DESCRIPTION - 1]}…"
    return f" (rule '{text}')" if text else ""
