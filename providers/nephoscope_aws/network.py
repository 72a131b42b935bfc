"""What the rules of a security group open to the internet.

What **the internet** is, :mod:`nephoscope_aws.addresses` defines. A rule's source is a range, or a prefix list with
ranges of its own; other security groups are never the internet. Rules that share a port count together: a world cut
into pieces, in one list or over many rules, is found.

**Open** is a port that an ingress rule covers: any protocol (``-1``) covers every port; TCP rules cover TCP ports only
and UDP rules UDP ports only; ICMP and other protocols have no ports
(https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpPermission.html).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from nephoscope.domain import NO_LIST, NO_OBJECT, Inventory, NotKnown, ResourceView, Unknown, View
from nephoscope_aws.addresses import Addresses, Network, merged, parse_range

PREFIX_LIST = "AWS::EC2::PrefixList"

RANGES = {"CidrIp": 4, "CidrIpv6": 6}
"""The properties of an ingress rule that hold a range of addresses, with the IP version."""

LIST = "SourcePrefixListId"

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
    """Ports that the internet can reach, and the ingress rules that let it, together."""

    entries: tuple[View, ...]
    ports: Ports
    source: str

    def __str__(self) -> str:
        return f"{self.ports} is open to {self.source}{_named(self.entries)}"


@dataclass(frozen=True, slots=True)
class _Rule:
    """An ingress rule as far as it lets addresses reach wanted ports."""

    entry: View
    ports: Ports
    source: str
    addresses: Addresses


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
    group: ResourceView, inventory: Inventory, wanted: Callable[[Ports], bool], versions: Iterable[int] = (4, 6)
) -> list[Opening]:
    """Return what the ingress rules of a security group let the internet reach of wanted ports.

    What is certainly open outweighs a rule that could not be read. Raises NotKnown when nothing is certainly open
    and something may be: a part of a rule or of its prefix list was not collected, or is a text that no cloud would
    accept, as an unresolved variable.

    :param wanted: says so of ports only if it does of all ports that hold them.
    """
    lists = PrefixLists(group, inventory)
    rules: list[_Rule] = []
    gap: NotKnown | None = None
    entries = group["SecurityGroupIngress"]
    if entries is None:
        return []
    if not isinstance(entries, View) or not entries.is_list:
        raise NotKnown("SecurityGroupIngress", Unknown(NO_LIST))
    for index in range(len(entries)):
        try:
            rules.extend(_rules(entries[index], f"SecurityGroupIngress[{index}]", wanted, set(versions), lists))
        except NotKnown as unread:
            gap = gap or unread
    found = _alone(rules) or list(_together(rules, wanted))
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


@dataclass(frozen=True, slots=True)
class PrefixLists:
    """The prefix lists that a security group's rules can name: those of its region, own and shared ones.

    Lists that AWS manages hold addresses of its services, never the internet
    (https://docs.aws.amazon.com/vpc/latest/userguide/working-with-aws-managed-prefix-lists.html).
    """

    group: ResourceView
    inventory: Inventory

    def networks(self, id: str) -> tuple[list[Network], NotKnown | None]:
        """Return what a list holds, and what hides a part of it. Raises NotKnown when it could not be read."""
        for each in self.inventory.of(PREFIX_LIST, self.group.region):
            if each.id.rpartition("/")[2] == id:
                return ([], None) if each["Observed.OwnerId"] == "AWS" else _held(each["Entries"])
        raise NotKnown(LIST, Unknown(f"prefix list {id[:80]} is not among those of the region"))


def _rules(
    entry: Any, path: str, wanted: Callable[[Ports], bool], versions: set[int], lists: PrefixLists
) -> Iterator[_Rule]:
    """Yield what one entry says. One half of it that is harmless settles it, even where the other is not known."""
    if not isinstance(entry, View) or entry.is_list:
        raise NotKnown(path, Unknown("it is not a rule"))
    try:
        ports = _ports(entry)
    except NotKnown:
        if any(addresses.is_world for _, addresses in _sources(entry, versions, lists)):
            raise
        return
    if ports is not None and wanted(ports):
        yield from (_Rule(entry, ports, *source) for source in _sources(entry, versions, lists))


def _ports(entry: View) -> Ports | None:
    try:
        return parse_ports(entry["IpProtocol"], entry["FromPort"], entry["ToPort"])
    except (TypeError, ValueError) as error:
        raise NotKnown(entry.path, Unknown("its ports are not numbers")) from error


def _sources(entry: View, versions: set[int], lists: PrefixLists) -> Iterator[tuple[str, Addresses]]:
    """Yield in words and as addresses what a rule admits."""
    for name, version in RANGES.items():
        if version in versions and name in entry and (cidr := entry[name]) is not None:
            network = _network(cidr, f"{entry.path}.{name}")
            yield str(network), Addresses.of(network)
    if LIST in entry and (id := entry[LIST]) is not None:
        networks, gap = lists.networks(str(id))
        counted = sorted((each for each in networks if each.version in versions), key=lambda each: each.prefixlen)
        if counted:
            more = f" and {len(counted) - 1} more" if len(counted) > 1 else ""
            yield f"prefix list {str(id)[:80]} ({counted[0]}{more})", Addresses.of(*counted)
        if gap:
            raise gap


def _held(entries: Any) -> tuple[list[Network], NotKnown | None]:
    """Return what the entries of a prefix list say as far as they can be read, and what hides the others."""
    if not isinstance(entries, View) or not entries.is_list:
        raise NotKnown("Entries", Unknown("they are not a list"))
    networks: list[Network] = []
    gap: NotKnown | None = None
    for index in range(len(entries)):
        try:
            networks.append(_network(_entry(entries, index)["Cidr"], f"Entries[{index}].Cidr"))
        except NotKnown as unread:
            gap = gap or unread
    return networks, gap


def _entry(entries: View, index: int) -> View:
    entry = entries[index]
    if not isinstance(entry, View):
        raise NotKnown(f"Entries[{index}]", Unknown(NO_OBJECT))
    return entry


def _network(range: Any, path: str) -> Network:
    try:
        return parse_range(str(range))
    except ValueError as error:
        raise NotKnown(path, Unknown("it is not a range of addresses")) from error


def _alone(rules: Iterable[_Rule]) -> list[Opening]:
    """Return the rules each of which admits the internet."""
    return [Opening((each.entry,), each.ports, each.source) for each in rules if each.addresses.is_world]


def _together(rules: Sequence[_Rule], wanted: Callable[[Ports], bool]) -> Iterator[Opening]:
    """Yield the ports to which rules admit the internet only with each other."""
    if not _sum(rules).is_world:
        return
    for ports in _shared(rules):
        those = [each for each in rules if each.ports.cover(ports.first, ports.protocol)]
        if wanted(ports) and _sum(those).is_world:
            sources = f"{those[0].source} and {len(those) - 1} more, together the internet"
            yield Opening(tuple(each.entry for each in those), ports, sources)


def _sum(rules: Iterable[_Rule]) -> Addresses:
    return Addresses(merged(span for each in rules for span in each.addresses.spans))


def _shared(rules: Iterable[_Rule]) -> Iterator[Ports]:
    """Yield the ports between the bounds of rules, by protocol: each rule covers all of such ports or none."""
    for protocol in ("TCP", "UDP"):
        covering = [each.ports for each in rules if each.ports.protocol in ("", protocol)]
        bounds = {bound for ports in covering for bound in (ports.first, ports.last + 1)}
        yield from (Ports(protocol, first, after - 1) for first, after in pairwise(sorted(bounds)))


def _named(entries: Sequence[View]) -> str:
    """The rule's description as a person would quote it. Anyone may write one: it is cut, on one line, plain text."""
    try:
        description = str(entries[0].get("Description", "")) if len(entries) == 1 else ""
    except NotKnown:
        return ""
    text = " ".join("".join(each if each.isprintable() else " " for each in description).split())
    if len(text) > _MAX_DESCRIPTION:
        text = f"{text[: _MAX_DESCRIPTION - 1]}…"
    return f" (rule '{text}')" if text else ""
