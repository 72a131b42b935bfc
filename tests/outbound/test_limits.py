"""How long the guarded client waits, and how much it reads."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from queue import Queue

import pytest
from tests.outbound.servers import HEAD, Server, Talk, client, fails

from nephoscope.outbound import PassingFailure, PermanentFailure


def drip(*, first: bytes = b"", each: bytes = b"x") -> Talk:
    """Go on and on, in pieces that each come before one would stop waiting for them."""

    def talk(connection: socket.socket, request: bytes) -> None:
        connection.sendall(first)
        for _piece in range(200):
            connection.sendall(each)
            time.sleep(0.05)

    return talk


SLOW = {
    "silence": lambda connection, request: time.sleep(8),
    "status line": drip(first=b"HTTP/1.1 200 "),
    "one header": drip(first=HEAD + b"X: "),
    "many headers": drip(first=HEAD, each=b"X: y\r\n"),
    "early hints": drip(each=b"HTTP/1.1 100 Continue\r\n\r\n"),
    "body": drip(first=HEAD + b"Content-Length: 9999\r\n\r\n"),
    "body without a length": drip(first=HEAD + b"\r\n"),
    "chunks": drip(first=HEAD + b"Transfer-Encoding: chunked\r\n\r\n", each=b"1\r\nx\r\n"),
    "trailers": drip(first=HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", each=b"X: y\r\n"),
}


@pytest.mark.parametrize("talk", SLOW.values(), ids=SLOW.keys())
def test_a_server_that_never_ends_is_left_when_the_time_is_up(talk: Talk, serve: Callable[..., Server]) -> None:
    server, begun = serve(talk), time.monotonic()
    problem = fails(f"http://hooks.example:{server.port}/", client(read=1.0, total=0.6))
    assert isinstance(problem, PassingFailure) and "in time" in str(problem)
    assert time.monotonic() - begun < 4


def test_a_handshake_that_never_ends_is_left_when_the_time_is_up(serve: Callable[..., Server]) -> None:
    # The beginning of a record of 16 KB, which then comes byte by byte.
    server, begun = serve(drip(first=b"\x16\x03\x03\x40\x00")), time.monotonic()
    problem = fails(f"https://hooks.example:{server.port}/", client(read=1.0, total=0.6))
    assert isinstance(problem, PassingFailure) and "in time" in str(problem)
    assert time.monotonic() - begun < 4


def test_a_server_that_is_silent_for_too_long_is_left(serve: Callable[..., Server]) -> None:
    server, begun = serve(SLOW["silence"]), time.monotonic()
    assert isinstance(fails(f"http://hooks.example:{server.port}/", client(read=0.3)), PassingFailure)
    assert time.monotonic() - begun < 4


def endless(first: bytes, piece: bytes) -> Talk:
    def talk(connection: socket.socket, request: bytes) -> None:
        connection.sendall(first)
        while True:
            connection.sendall(piece)

    return talk


def test_of_an_endless_body_so_much_is_read_and_the_rest_is_cut_off(serve: Callable[..., Server]) -> None:
    server = serve(endless(HEAD + b"\r\n", b"x" * 65536))
    answer = client(most=100_000).request("GET", f"http://hooks.example:{server.port}/")
    assert (len(answer.body), answer.whole) == (100_000, False)
    with pytest.raises(PassingFailure):
        answer.json()


@pytest.mark.parametrize("status", [b"200 OK", b"404 No"])
def test_a_chunk_of_a_negative_size_does_not_lift_the_bound(status: bytes, serve: Callable[..., Server]) -> None:
    was_all_read: Queue[bool] = Queue()

    def talk(connection: socket.socket, request: bytes) -> None:
        connection.sendall(b"HTTP/1.1 " + status + b"\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n")
        try:
            connection.sendall(bytes(50_000_000))  # far more than the sockets between them hold
            was_all_read.put(True)
        except OSError:
            was_all_read.put(False)

    problem = fails(f"http://hooks.example:{serve(talk).port}/", client(most=1000))
    assert isinstance(problem, PermanentFailure if b"404" in status else PassingFailure)
    assert not was_all_read.get(timeout=10)


@pytest.mark.parametrize("header", [b"X: " + b"y" * 70_000, b"X: y\r\n"])
def test_headers_without_end_are_a_failure(header: bytes, serve: Callable[..., Server]) -> None:
    server = serve(endless(HEAD, header))
    assert isinstance(fails(f"http://hooks.example:{server.port}/"), PassingFailure)


def test_of_an_endless_refusal_the_status_counts(serve: Callable[..., Server]) -> None:
    server = serve(endless(b"HTTP/1.1 403 No\r\n\r\n", b"x" * 65536))
    problem = fails(f"http://hooks.example:{server.port}/", client(most=1000))
    assert isinstance(problem, PermanentFailure) and len(problem.answer) == 1000
