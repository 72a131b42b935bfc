"""Servers of the tests' own on loopback, a certificate authority, and clients that may connect there."""

from __future__ import annotations

import re
import socket
import ssl
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from nephoscope.outbound import Client, OutboundError

LOOPBACK = (ip_network("127.0.0.1/32"),)
SECRET = "s3cr3t-word"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"

Talk = Callable[[socket.socket, bytes], Any]
"""What a server does with a connection, once it has read the request."""


def say(answer: bytes) -> Talk:
    return lambda connection, request: connection.sendall(answer)


class Server:
    """A server on loopback that answers each connection as it is told, and keeps what it was sent."""

    def __init__(self, talk: Talk, address: str = "127.0.0.1", port: int = 0) -> None:
        self.talk = talk
        self.requests: list[bytes] = []
        self.connections = 0
        self.socket = socket.create_server((address, port))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _from = self.socket.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection:
            try:
                request = _read(connection)
                self.requests.append(request)
                self.talk(connection, request)
            except OSError:
                pass


def _read(connection: socket.socket) -> bytes:
    """Read a request with its body; or the first bytes of what is none."""
    request = connection.recv(65536)
    length = re.search(rb"Content-Length: (\d+)", request)
    while length and len(request.partition(b"\r\n\r\n")[2]) < int(length[1]):
        request += connection.recv(65536)
    return request


class SecureServer(Server):
    """The same with TLS."""

    def __init__(self, talk: Talk, context: ssl.SSLContext) -> None:
        self.context, self.named = context, ""
        context.sni_callback = lambda _socket, name, _context: setattr(self, "named", name)
        super().__init__(talk)

    def _answer(self, connection: socket.socket) -> None:
        try:
            with connection, self.context.wrap_socket(connection, server_side=True) as secured:
                super()._answer(secured)
        except OSError:
            pass


def client(*addresses: str, **options: Any) -> Client:
    """A client that takes every name for these addresses, and may connect to 127.0.0.1."""
    found = list(addresses or ["127.0.0.1"])
    return Client(options.pop("allowed", LOOPBACK), resolve=lambda host, port: found, **options)


def fails(url: str, asked: Client | None = None, **options: Any) -> OutboundError:
    with pytest.raises(OutboundError) as caught:
        (asked or client()).request("POST", url, **options)
    return caught.value


CUT = [
    b"",
    b"220 mail.example ESMTP\r\n",
    b"\x16\x03\x01\x00\x00",
    HEAD + b"Content-Length: 99\r\n\r\nhalf",
    HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhal",
    HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    HEAD + b"Transfer-Encoding: chunked\r\n\r\n-5\r\nhalf",
    b"HTTP/1.1 999999 X\r\n\r\n",
]


class Authority:
    """A certificate authority of the test's own."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Test CA")])
        self.certificate = self._signed(self.name, self.key.public_key(), x509.BasicConstraints(True, 0))

    def _signed(self, name: x509.Name, key: Any, *extensions: x509.ExtensionType) -> x509.Certificate:
        now = datetime.now(UTC)
        builder = x509.CertificateBuilder().subject_name(name).issuer_name(self.name).public_key(key)
        builder = builder.serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        for each in extensions:
            builder = builder.add_extension(each, critical=isinstance(each, x509.BasicConstraints))
        return builder.sign(self.key, hashes.SHA256())

    @property
    def trusted(self) -> ssl.SSLContext:
        return ssl.create_default_context(cadata=self.certificate.public_bytes(serialization.Encoding.PEM).decode())

    def serving(self, host: str, folder: Path) -> ssl.SSLContext:
        """What a server that has a certificate for this name serves with."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([x509.DNSName(host)])
        certificate = self._signed(x509.Name([]), key.public_key(), names)
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        file = folder / "server.pem"
        file.write_bytes(pem + certificate.public_bytes(serialization.Encoding.PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context
