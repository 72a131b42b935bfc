"""The address of a client, also behind proxies, and the part of it that one person holds."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from nephoscope.configuration import Network

Address = IPv4Address | IPv6Address


def parsed(text: str) -> Address | None:
    """Read an address as proxies write it: with a port, in brackets, IPv4 within IPv6; None for anything else."""
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def is_trusted(peer: str, proxies: Sequence[Network]) -> bool:
    """Whether a peer is one of the proxies. A Unix socket has no address, and only a proxy on this machine opens it."""
    if not proxies or not peer:
        return bool(proxies)
    address = parsed(peer)
    return address is not None and any(address in each for each in proxies)


def client_address(peer: str, forwarded: str, proxies: Sequence[Network]) -> str:
    """Return who sent a request: the peer, or behind trusted proxies the last address that none of them has.

    What stands further left in ``X-Forwarded-For`` is what the client claims. Where an entry is no address, nothing
    left of it counts, and the address is that of the proxy which passed it on.
    """
    found = peer
    for entry in reversed(forwarded.split(",")):
        if not is_trusted(found, proxies):
            break
        address = parsed(entry)
        if address is None:
            break
        found = str(address)
    known = parsed(found)
    return str(known) if known else found


def one_client(text: str) -> str:
    """Return what counts as one client: an IPv4 address, or the /64 network that one IPv6 host has to itself.

    https://www.rfc-editor.org/rfc/rfc6177. Nothing for what is no address.
    """
    address = parsed(text)
    if isinstance(address, IPv6Address):
        return str(ip_network((address.packed[:8] + bytes(8), 64)))
    return str(address or "")
