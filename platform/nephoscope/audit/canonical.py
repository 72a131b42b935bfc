"""Values as PostgreSQL gives them back, so that an entry's hash is made of what will be read."""

from __future__ import annotations

import json
from decimal import Decimal
from ipaddress import IPv4Address, ip_address
from typing import Any


def as_stored(value: Any) -> Any:
    """Return plain JSON as it is read back from a ``jsonb`` column: every key a string, numbers as ``numeric``."""
    return json.loads(json.dumps(value), parse_float=_number)


def _number(text: str) -> int | float:
    """Read a number as ``numeric`` writes it: without an exponent, and without a sign at zero."""
    written = format(Decimal(text), "f")
    return float(written) + 0.0 if "." in written else int(written)


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
