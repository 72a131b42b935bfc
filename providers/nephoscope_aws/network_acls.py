"""What a network ACL lets in from the internet.

Entries are tried in order of their numbers, and the first that matches decides; what none matches is refused
(https://docs.aws.amazon.com/vpc/latest/userguide/nacl-rules.html). So an entry that allows is only open where no
earlier one denies the same addresses, and entries that each allow a piece of the internet are open together. What
"the internet" is, :mod:`nephoscope_aws.addresses` defines, what "open" is, :mod:`nephoscope_aws.network`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from nephoscope.domain import NotKnown, Unknown, View
from nephoscope_aws.access import is_on
from nephoscope_aws.addresses import Addresses, Network, parse_range
from nephoscope_aws.network import Ports, parse_ports

SOURCES = ("CidrBlock", "Ipv6CidrBlock")
"""The properties of an entry that hold a range of addresses."""


@dataclass(frozen=True, slots=True)
class Opening:
    """The entry by which, with those before it, the internet can reach a TCP port."""

    entry: View
    port: int
    source: Network

    def __str__(self) -> str:
        alone = "" if Addresses.of(self.source).is_world else ", with earlier rules the internet"
        return f"rule {self.entry['RuleNumber']} allows TCP port {self.port} from {self.source}{alone}"


def openings(entries: View, *ports: int) -> list[Opening]:
    """Return, for each of these TCP ports that the internet can reach, the first entry that lets it.

    Raises NotKnown when none is certainly open, and one may be because a part of an entry is not known.
    """
    found: list[Opening] = []
    gap: NotKnown | None = None
    for port in ports:
        try:
            found.extend(_first(entries, port))
        except NotKnown as unread:
            gap = gap or unread
    if gap and not found:
        raise gap
    return found


def _first(entries: View, port: int) -> list[Opening]:
    denied, allowed = Addresses(), Addresses()
    for entry in _in_order(entries):
        if not _covers(entry, port):
            continue
        allows = _allows(entry)
        for source in _sources(entry):
            if not allows:
                denied |= Addresses.of(source)
                continue
            allowed |= Addresses.of(source) - denied
            if allowed.is_world:
                return [Opening(entry, port, source)]
    return []


def _in_order(entries: View) -> list[View]:
    """Return the inbound entries by their numbers."""
    numbered = []
    for index in range(len(entries)):
        entry = entries[index]
        if not isinstance(entry, View) or entry.is_list:
            raise NotKnown(f"{entries.path}[{index}]", Unknown("it is not an entry"))
        if not is_on(entry["Egress"]):
            numbered.append((_number(entry), index, entry))
    return [entry for _, _, entry in sorted(numbered, key=lambda each: each[:2])]


def _number(entry: View) -> int:
    try:
        return int(entry["RuleNumber"])
    except (TypeError, ValueError) as error:
        raise NotKnown(f"{entry.path}.RuleNumber", Unknown("it is not a number")) from error


def _covers(entry: View, port: int) -> bool:
    protocol, first, last = entry["Protocol"], entry["PortRange.From"], entry["PortRange.To"]
    try:
        ports: Ports | None = parse_ports(protocol, first, last)
    except (TypeError, ValueError) as error:
        raise NotKnown(f"{entry.path}.PortRange", Unknown("its ports are not numbers")) from error
    # Without them the entry would deny, or allow, more or less than what it says.
    if protocol is None or (ports and ports.protocol and None in (first, last)):
        raise NotKnown(entry.path, Unknown("its protocol or its ports are not given"))
    return ports is not None and ports.cover(port)


def _allows(entry: View) -> bool:
    action = str(entry["RuleAction"]).lower()
    if action not in ("allow", "deny"):
        raise NotKnown(f"{entry.path}.RuleAction", Unknown("it is neither allow nor deny"))
    return action == "allow"


def _sources(entry: View) -> Iterator[Network]:
    for name in SOURCES:
        if (cidr := entry[name]) is None:
            continue
        try:
            yield parse_range(str(cidr))
        except ValueError as error:
            raise NotKnown(f"{entry.path}.{name}", Unknown("it is not a range of addresses")) from error
