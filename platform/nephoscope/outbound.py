"""The one way to an address that a person named: a guarded HTTP client.

It connects to the very address that it checked, so a name that resolves to another one a moment later gains nothing.
Private and special addresses are refused unless the operator allows them; redirects are not followed, proxies of the
environment not used; time and size are bounded. It stands on the standard library, because a bound on the whole time
needs the socket from the first byte of the handshake on.

No error's text holds more of an address than its host: in paths, queries and answers there may be secrets.
"""

from __future__ import annotations

import contextlib
import json
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPResponse, IncompleteRead
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any
from urllib.parse import urlsplit

from nephoscope.configuration import Network

Resolve = Callable[[str, int], Sequence[str]]
"""Takes a host's name and a port, and returns the addresses that the name has now. Raises OSError."""

CLOSED_V4 = [
    ip_network(each)
    for each in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "168.63.129.16/32",  # a metadata service at a public address
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",
    )
]
"""Not for everyone: https://www.iana.org/assignments/iana-ipv4-special-registry, multicast and what is above."""

OPEN_V6 = ip_network("2000::/3")
"""All that is assigned to be reached by everyone; IPv4-mapped and NAT64 addresses lie outside."""
CLOSED_V6 = [ip_network(each) for each in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")]
"""Within that: tunnels that hold an IPv4 address, and documentation."""

PERMANENT = {401, 403, 404, 410}
PASSING = {408, 425, 429}
LONGEST_WAIT = 24 * 3600.0

HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""A token: https://www.rfc-editor.org/rfc/rfc9110#name-field-names."""
OURS = {"host", "connection", "accept-encoding", "content-length", "transfer-encoding"}
"""Headers that follow from the address, the body and this client, whatever somebody gives."""


class OutboundError(Exception):
    """A request that failed; its text names the host and nothing else of the address.

    ``answer`` holds what the server said, for who can tell what of it may be shown; ``status`` is 0 without an answer.
    """

    def __init__(self, host: str, why: str, *, status: int = 0, answer: bytes = b"") -> None:
        super().__init__(f"{host}: {why}")
        self.host, self.status, self.answer = host, status, answer


class PermanentFailure(OutboundError):
    """Nothing that is sent to this address, with these credentials, will arrive until somebody changes them."""


class AddressRefused(PermanentFailure):
    """The address may not be connected to, or is none."""


class MessageRefused(OutboundError):
    """This one message is not taken; others may be."""


class PassingFailure(OutboundError):
    """It may work later, after ``retry_after`` seconds where the server said so. The message may have arrived."""

    def __init__(
        self, host: str, why: str, *, status: int = 0, answer: bytes = b"", retry_after: float | None = None
    ) -> None:
        super().__init__(host, why, status=status, answer=answer)
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered: a status of 200 to 299. ``whole``: nothing of the body was cut off."""

    host: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    whole: bool

    def json(self) -> Any:
        """Return the body as JSON.

        :raises PassingFailure: it was cut off, or is none.
        """
        try:
            if self.whole:
                return json.loads(self.body)
        except (ValueError, RecursionError):  # also one that is nested too deeply
            pass
        raise PassingFailure(self.host, "the answer is no JSON, or too long", status=self.status)


def addresses_of(host: str, port: int) -> Sequence[str]:
    """Ask the system's resolver, whose time limits are its own."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address belongs to everyone's internet, and not to this machine, its network or its cloud."""
    if isinstance(address, IPv4Address):
        return not any(address in each for each in CLOSED_V4)
    return address in OPEN_V6 and not any(address in each for each in CLOSED_V6)


@dataclass(frozen=True, slots=True)
class _Target:
    """An address, taken apart once."""

    secure: bool
    host: str
    port: int
    path: str

    @classmethod
    def of(cls, url: str) -> _Target:
        try:
            parts = urlsplit(url)
            host, port = (parts.hostname or "").rstrip("."), parts.port
            host.encode("idna")  # raises for what is no name
        except ValueError:
            host, port = "", None
        if not host or not url.isascii() or not url.isprintable() or set(url) & set(" \\"):
            raise AddressRefused("The address", "it is not one, like https://host/path")
        if parts.scheme not in ("https", "http") or parts.username is not None:
            raise AddressRefused(host, "write its address like https://host/path, without user and password")
        secure = parts.scheme == "https"
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return cls(secure, host, port or (443 if secure else 80), path)

    @property
    def authority(self) -> str:
        """The Host header."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        return name if self.port == (443 if self.secure else 80) else f"{name}:{self.port}"


class _Clock:
    """Cuts the connection when the time is up, wherever it is: in the handshake, in a header, in the body."""

    def __init__(self, seconds: float) -> None:
        self.until = time.monotonic() + seconds
        self.up = False
        self.socket: socket.socket | None = None
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True
        self._timer.start()

    def _cut(self) -> None:
        self.up = True
        if self.socket:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(self.socket, socket.SHUT_RDWR)

    def left(self) -> float:
        """Return the seconds that are left.

        :raises TimeoutError: none are.
        """
        if (left := self.until - time.monotonic()) <= 0:
            raise TimeoutError
        return left

    def stop(self) -> None:
        self._timer.cancel()


class _Response(HTTPResponse):
    """Takes no chunk of a negative size: reading one would read all that comes, whatever the bound."""

    def _read_next_chunk_size(self) -> int:
        """Return the size. Raises ValueError, of which the standard library makes a body that was cut."""
        size: int = super()._read_next_chunk_size()  # type: ignore[misc]
        if size < 0:
            raise ValueError
        return size


class Client:
    """Sends requests to addresses that people named.

    :param allowed: networks that the operator allows although they are not public; there, http will do as well.
    :param connect: seconds to connect to one address. :param read: seconds that the server may be silent.
    :param total: seconds that a request may take, from after the name is resolved.
    :param most: bytes of a body that are read; the rest is cut off.
    :param context: what certificates are trusted; without it those of the system, or of SSL_CERT_FILE.
    """

    def __init__(
        self,
        allowed: Sequence[Network] = (),
        *,
        connect: float = 5.0,
        read: float = 10.0,
        total: float = 30.0,
        most: int = 1_048_576,
        resolve: Resolve = addresses_of,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self.allowed, self.resolve = tuple(allowed), resolve
        self.connect, self.read, self.total, self.most = connect, read, total, most
        self.context = context or ssl.create_default_context()

    def request(self, method: str, url: str, *, headers: Mapping[str, str] | None = None, body: bytes = b"") -> Answer:
        """Send one request and return the answer.

        :raises AddressRefused: the address is none, or may not be connected to.
        :raises PermanentFailure: 401, 403, 404, 410, or a redirect; or a header that cannot be sent.
        :raises MessageRefused: any other status from 400 to 499.
        :raises PassingFailure: 408, 425, 429, 500 and above; no answer, none in time, or none that is HTTP.
        """
        target = _Target.of(url)
        sent = _headers(target, headers or {})
        addresses = self._checked(target)
        clock = _Clock(self.total)
        try:
            with self._connected(target, addresses, clock) as connected:
                return self._exchange(target, connected, clock, method, sent, body)
        except (OSError, HTTPException) as problem:
            raise PassingFailure(target.host, self._why(problem, clock)) from None
        finally:
            clock.stop()

    def _checked(self, target: _Target) -> list[str]:
        """Return the addresses to connect to, if none of the host's is closed to us."""
        try:
            found = [ip_address(each) for each in self.resolve(target.host, target.port)]
        except UnicodeError:
            raise AddressRefused(target.host, "it is not the name of a host") from None
        except OSError:
            raise PassingFailure(target.host, "the name cannot be resolved") from None
        allowed = [any(address in network for network in self.allowed) for address in found]
        if not all(ours or is_public(address) for address, ours in zip(found, allowed, strict=True)):
            why = "it is not at a public address; an operator can allow its network by NEPHOSCOPE_ALLOWED_NETWORKS"
            raise AddressRefused(target.host, why)
        if not target.secure and not all(allowed):
            raise AddressRefused(target.host, "write https: what is sent there would travel in clear")
        return [str(each) for each in found]

    @contextlib.contextmanager
    def _connected(self, target: _Target, addresses: list[str], clock: _Clock) -> Iterator[socket.socket]:
        problem = OSError(None, "it has no address")
        for address in addresses:
            try:
                made = socket.create_connection((address, target.port), timeout=min(self.connect, clock.left()))
                break
            except OSError as caught:
                problem = caught
        else:
            raise problem
        made.settimeout(self.read)
        with made, self._secured(target, made) if target.secure else made as connected:
            clock.socket = connected
            clock.left()
            if isinstance(connected, ssl.SSLSocket):
                connected.do_handshake()
            yield connected

    def _secured(self, target: _Target, made: socket.socket) -> ssl.SSLSocket:
        return self.context.wrap_socket(made, server_hostname=target.host, do_handshake_on_connect=False)

    def _exchange(
        self,
        target: _Target,
        connected: socket.socket,
        clock: _Clock,
        method: str,
        headers: Mapping[str, str],
        body: bytes,
    ) -> Answer:
        connection = HTTPConnection(target.host, target.port)
        connection.sock = connected
        connection.response_class = _Response
        connection.request(method, target.path, body=body or None, headers=headers)
        # Closed here, as it holds the socket open: a failure that somebody keeps would keep it, too.
        with connection.getresponse() as response:
            if not 200 <= response.status < 300:
                raise _failure(target.host, response, self._read_what_there_is(response))
            content = response.read(self.most + 1)
        clock.left()
        if len(content) <= self.most and response.length:
            raise IncompleteRead(b"", response.length)
        found = {name.lower(): value for name, value in response.getheaders()}
        return Answer(target.host, response.status, found, content[: self.most], len(content) <= self.most)

    def _read_what_there_is(self, response: HTTPResponse) -> bytes:
        with contextlib.suppress(OSError, HTTPException):
            return response.read(self.most)
        return b""

    def _why(self, problem: Exception, clock: _Clock) -> str:
        """Say in words of our own what went wrong: an exception's may repeat what was sent, or what came."""
        if clock.up or isinstance(problem, TimeoutError):
            return "no answer in time"
        if isinstance(problem, ssl.SSLCertVerificationError):
            return f"its certificate cannot be trusted: {problem.verify_message}"
        if isinstance(problem, ssl.SSLError):
            return "no secure connection can be made"
        if isinstance(problem, ConnectionError) or not isinstance(problem, OSError):
            return "the connection was refused or cut, or the answer is not HTTP"
        return problem.strerror or "it cannot be reached"


def _headers(target: _Target, given: Mapping[str, str]) -> dict[str, str]:
    for name, value in given.items():
        if not HEADER_NAME.fullmatch(name) or not value.isascii() or not value.isprintable():
            raise PermanentFailure(target.host, "a header holds characters that cannot be sent")
    ours = {"host": target.authority, "connection": "close", "accept-encoding": "identity"}
    return {"User-Agent": "Nephoscope", **{k: v for k, v in given.items() if k.lower() not in OURS}, **ours}


def _failure(host: str, response: HTTPResponse, answer: bytes) -> OutboundError:
    status = response.status
    phrase = HTTPStatus(status).phrase if status in set(HTTPStatus) else ""
    why = f"it answered {status} {phrase}".rstrip()
    if status < 400:
        return PermanentFailure(host, f"{why}, and redirects are not followed", status=status, answer=answer)
    if status in PERMANENT:
        return PermanentFailure(host, why, status=status, answer=answer)
    if status in PASSING or status >= 500:
        wait = _seconds(response.headers.get("Retry-After", ""))
        return PassingFailure(host, why, status=status, answer=answer, retry_after=wait)
    return MessageRefused(host, why, status=status, answer=answer)


def _seconds(text: str) -> float | None:
    """Return how long to wait by a Retry-After header, which holds seconds or a date; a day at most."""
    if text.isascii() and text.isdigit() and len(text) < 10:
        return min(float(text), LONGEST_WAIT)
    try:
        until = parsedate_to_datetime(text)
        return min(max(0.0, (until - datetime.now(UTC)).total_seconds()), LONGEST_WAIT)
    except (TypeError, ValueError, OverflowError):  # no date, or one without a zone, or with one that cannot be
        return None
