"""Values as PostgreSQL gives them back, so that an entry's hash is made of what will be read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

from nephoscope.domain.texts import kept


def as_stored(value: Any) -> Any:
    """Return plain JSON as it is read back from a ``jsonb`` column: every key a string, numbers as ``numeric``.

    What PostgreSQL takes no JSON for (NUL, a number that is not finite) is replaced: the entry must not fail over it.
    """
    return json.loads(json.dumps(kept(value)), parse_float=_number)


def _number(text: str) -> int | float:
    """Read a number as ``numeric`` writes it: without an exponent, and without a sign at zero."""
    written = format(Decimal(text), "f")
    return float(written) + 0.0 if "." in written else int(written)


def spellings(address: str) -> Iterator[str]:
    """Yield other ways to write an address that ``inet`` gives back as this one.

    Version 0.1 hashed addresses as the web server gave them, and the database wrote some otherwise.
    """
    known = ip_address(address)
    wide = known if isinstance(known, IPv6Address) else IPv6Address(f"::ffff:{known}")
    ways = {wide.compressed, wide.exploded, wide.compressed.upper(), wide.exploded.upper(), _dotted(wide)}
    yield from sorted(ways - {address})
    if wide.is_link_local:
        yield from (f"{way}%{zone}" for way in sorted({address, *ways}) for zone in _ZONES)


_ZONES = (
    *(f"{kind}{n}" for kind in ("eth", "en", "ens", "eno", "wlan", "docker", "br", "veth", "bond") for n in range(10)),
    *("lo", "docker0", "br0", "br-lan", "enp0s3", "enp1s0"),
    *map(str, range(65)),
)
"""Names and numbers of interfaces, as they stand in addresses that are local to a link."""


def _dotted(address: IPv6Address) -> str:
    """Write the last 32 bits as IPv4 does, as PostgreSQL and some servers do."""
    mapped = address.ipv4_mapped
    return f"::ffff:{mapped}" if mapped else address.compressed


def address_as_stored(text: str | None) -> str | None:
    """Return an address as it is read back from an ``inet`` column; None for what is no address, as a socket's name.

    The zone of a link-local address is left out, as ``inet`` has none; an IPv4 address in IPv6 is the IPv4 address.
    """
    try:
        address = ip_address((text or "").partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv4Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    # PostgreSQL writes the end of these as IPv4, which Python does not.
    return f"::{IPv4Address(int(address))}" if 0xFFFF < int(address) <= 0xFFFF_FFFF else str(address)
