"""Sets of IP addresses, and which of them are the internet.

**The internet** ("the world") is a set with a run of public addresses too wide to belong to one organisation: for IPv4
longer than a /8, for IPv6 longer than a /16. ``0.0.0.0/0`` and ``::/0`` are, and so are ``0.0.0.0/1``,
``2000::/3``, and 256 ranges of /8 in as many rules, which admit the same strangers and are missed by a comparison of
texts. No network of one organisation is wider: /8 is the largest IPv4 block that was ever handed out
(https://www.iana.org/assignments/ipv4-address-space/ipv4-address-space.xhtml), and a /16 of IPv6 is a sixteenth of
what a whole regional registry gets at a time
(https://www.iana.org/assignments/ipv6-unicast-address-assignments/ipv6-unicast-address-assignments.xhtml).

Addresses from which nobody on the internet can send do not count: private, shared, loopback, link-local, multicast and
reserved ones, and all of IPv6 but 2000::/3, outside of which none was handed out
(https://www.iana.org/assignments/iana-ipv4-special-registry/iana-ipv4-special-registry.xhtml,
https://www.iana.org/assignments/ipv6-address-space/ipv6-address-space.xhtml).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network

Network = IPv4Network | IPv6Network

Span = tuple[int, int, int]
"""The IP version, the first and the last address of a run, as numbers."""

WIDEST = {4: 2**24, 6: 2**112}
"""By IP version, how many public addresses in a run may belong to one organisation."""


def parse_range(cidr: str) -> Network:
    """Return the addresses that a CIDR text names; blanks, odd zeros and host bits are forgiven. Raises ValueError."""
    return ip_network(cidr.strip(), strict=False)


@dataclass(frozen=True, slots=True)
class Addresses:
    """A set of addresses of both versions, as runs that neither overlap nor touch, in rising order."""

    spans: tuple[Span, ...] = ()

    @classmethod
    def of(cls, *networks: Network) -> Addresses:
        return cls(merged((each.version, int(each[0]), int(each[-1])) for each in networks))

    def __or__(self, other: Addresses) -> Addresses:
        return Addresses(merged((*self.spans, *other.spans)))

    def __sub__(self, other: Addresses) -> Addresses:
        return Addresses(tuple(left for span in self.spans for left in _left(span, other.spans)))

    def __bool__(self) -> bool:
        return bool(self.spans)

    @property
    def is_world(self) -> bool:
        """Whether they are the internet, as defined at the top of this module."""
        return any(last - first >= WIDEST[version] for version, first, last in (self - NOT_PUBLIC).spans)


def merged(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Return runs as they are kept: neither overlapping nor touching, in rising order."""
    merged: list[Span] = []
    for version, first, last in sorted(spans):
        if merged and merged[-1][0] == version and first <= merged[-1][2] + 1:
            merged[-1] = (version, merged[-1][1], max(last, merged[-1][2]))
        else:
            merged.append((version, first, last))
    return tuple(merged)


def _left(span: Span, removed: Iterable[Span]) -> Iterator[Span]:
    """Yield what is left of a run without others, which are in rising order."""
    version, first, last = span
    for other, start, end in removed:
        if other != version or end < first or start > last:
            continue
        if start > first:
            yield version, first, start - 1
        first = end + 1
    if first <= last:
        yield version, first, last


NOT_PUBLIC = Addresses.of(
    *map(
        parse_range,
        (
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.168.0.0/16",
            "224.0.0.0/3",
            "::/3",
            "4000::/2",
            "8000::/1",
        ),
    )
)
"""The addresses from which nobody on the internet can send; of the registries' ranges, the ones wide enough to
matter."""
