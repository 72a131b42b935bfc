"""An answer has to have come whole within the time limit, not just a piece of it: else one that drips never ends.

The limit that botocore knows is between two pieces of what is read. Here it is set anew before each piece, to what is
left of the whole: https://docs.python.org/3/library/socket.html#socket.socket.settimeout
"""

from __future__ import annotations

import io
import socket
import time
from http.client import HTTPResponse
from typing import Any

from botocore.awsrequest import (
    AWSHTTPConnection,
    AWSHTTPConnectionPool,
    AWSHTTPSConnection,
    AWSHTTPSConnectionPool,
)


class _Bounded(io.RawIOBase):
    """What is read of a socket, until the time that it had at first is over; raises TimeoutError then."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket) -> None:
        self._raw, self._sock = raw, sock
        patience = sock.gettimeout()
        self._until = None if patience is None else time.monotonic() + patience

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self._until is not None:
            left = self._until - time.monotonic()
            if left <= 0:
                raise TimeoutError("the answer took too long")
            self._sock.settimeout(left)
        read: int | None = self._raw.readinto(buffer)
        return read

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(HTTPResponse):
    def __init__(self, sock: socket.socket, *arguments: Any, **named: Any) -> None:
        super().__init__(sock, *arguments, **named)
        reader: Any = self.fp
        self.fp = io.BufferedReader(_Bounded(reader.detach(), sock))


class _Connection(AWSHTTPConnection):  # type: ignore[misc,unused-ignore]
    response_class: Any = _Response


class _SecureConnection(AWSHTTPSConnection):  # type: ignore[misc,unused-ignore]
    response_class: Any = _Response


class _Pool(AWSHTTPConnectionPool):  # type: ignore[misc,unused-ignore]
    ConnectionCls = _Connection


class _SecurePool(AWSHTTPSConnectionPool):  # type: ignore[misc,unused-ignore]
    ConnectionCls = _SecureConnection


def bound_answers(client: Any) -> None:
    """Have the client's read timeout hold for each answer as a whole. botocore has no door of its own for this."""
    client._endpoint.http_session._pool_classes_by_scheme.update(http=_Pool, https=_SecurePool)
