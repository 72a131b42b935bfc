"""What the guarded client sends and returns, what its errors say, and that they hold no secret."""

from __future__ import annotations

import json
import socket
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from tests.outbound.servers import CUT, HEAD, OK, SECRET, Authority, SecureServer, Server, client, fails, say

from nephoscope.outbound import MessageRefused, OutboundError, PassingFailure, PermanentFailure

# -- What it sends and returns ---------------------------------------------------------------------


def test_the_request_arrives_as_it_was_given_and_the_answer_comes_back(serve: Callable[..., Server]) -> None:
    answer = json.dumps({"id": 7}).encode()
    head = b"HTTP/1.1 201 Created\r\nX-Request-Id: r1\r\nContent-Length: %d\r\n\r\n" % len(answer)
    server = serve(say(head + answer))
    url = f"http://hooks.example:{server.port}/in?token={SECRET}"
    headers = {"Authorization": f"Bearer {SECRET}", "Host": "evil.example"}
    got = client().request("POST", url, headers=headers, body=b"{}")
    assert (got.status, got.headers["x-request-id"], got.json(), got.whole) == (201, "r1", {"id": 7}, True)
    head, _blank, body = server.requests[0].partition(b"\r\n\r\n")
    assert head.splitlines()[0] == f"POST /in?token={SECRET} HTTP/1.1".encode() and body == b"{}"
    assert f"host: hooks.example:{server.port}".encode() in head and b"evil" not in head
    assert f"Authorization: Bearer {SECRET}".encode() in head


@pytest.mark.parametrize("body", [b"<html>proxy</html>", b"", b'{"cut": ', b"[" * 200_000])
def test_an_answer_that_is_no_json_is_a_failure_and_not_empty(body: bytes, serve: Callable[..., Server]) -> None:
    server = serve(say(HEAD + b"Content-Length: %d\r\n\r\n%s" % (len(body), body)))
    answer = client().request("GET", f"http://hooks.example:{server.port}/")
    with pytest.raises(PassingFailure, match="JSON"):
        answer.json()


@pytest.mark.parametrize("value", ["a\r\nX-Injected: 1", "a\nb", "naïve", "a\0b"])
def test_a_header_that_would_break_the_request_is_not_sent(value: str, serve: Callable[..., Server]) -> None:
    server = serve(say(OK))
    problem = fails(f"http://hooks.example:{server.port}/", headers={"Authorization": SECRET + value})
    assert isinstance(problem, PermanentFailure) and SECRET not in str(problem)
    assert server.connections == 0


@pytest.mark.parametrize("name", ["", "a:b", "a b", "naïve", "a\r\nb"])
def test_a_header_whose_name_is_none_is_not_sent(name: str, serve: Callable[..., Server]) -> None:
    server = serve(say(OK))
    problem = fails(f"http://hooks.example:{server.port}/", headers={name: SECRET})
    assert isinstance(problem, PermanentFailure) and SECRET not in str(problem)
    assert server.connections == 0


def test_how_long_the_body_is_and_how_it_is_sent_are_not_the_callers_to_say(serve: Callable[..., Server]) -> None:
    server = serve(say(OK))
    given = {"Transfer-Encoding": "chunked", "content-length": "999"}
    client().request("POST", f"http://hooks.example:{server.port}/", headers=given, body=b"{}")
    head, _blank, body = server.requests[0].partition(b"\r\n\r\n")
    assert body == b"{}" and b"Content-Length: 2" in head and b"999" not in head and b"chunked" not in head


# -- What failed, and whether it may work later ----------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "statuses"),
    [
        (PermanentFailure, [401, 403, 404, 410]),
        (MessageRefused, [400, 402, 405, 409, 413, 422]),
        (PassingFailure, [408, 425, 429, 500, 502, 503, 504, 599]),
    ],
)
def test_the_status_says_whether_the_address_the_message_or_the_moment_is_at_fault(
    kind: type[OutboundError], statuses: list[int], serve: Callable[..., Server]
) -> None:
    for status in statuses:
        server = serve(say(b"HTTP/1.1 %d No\r\nContent-Length: 7\r\n\r\nbecause" % status))
        problem = fails(f"http://hooks.example:{server.port}/{SECRET}")
        assert type(problem) is kind, status
        assert (problem.status, problem.answer, problem.host) == (status, b"because", "hooks.example")
        assert str(problem).startswith(f"hooks.example: it answered {status}")


SOON = "in 90 seconds"
"""Stands for the date that it is then."""


@pytest.mark.parametrize(
    ("header", "low", "high"),
    [
        ("7", 7, 7),
        ("0", 0, 0),
        ("999999999", 86400, 86400),
        (SOON, 1, 91),
        ("Mon, 01 Jan 2001 00:00:00 GMT", 0, 0),
    ],
)
def test_how_long_to_wait_is_what_the_server_says_and_a_day_at_most(
    header: str, low: float, high: float, serve: Callable[..., Server]
) -> None:
    if header == SOON:
        header = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    server = serve(say(f"HTTP/1.1 429 Slow\r\nRetry-After: {header}\r\n\r\n".encode()))
    problem = fails(f"http://hooks.example:{server.port}/")
    assert isinstance(problem, PassingFailure) and problem.retry_after is not None
    assert low <= problem.retry_after <= high


HUGE_ZONE = "Mon, 01 Jan 2001 00:00:00 +9999999999999999999999"


@pytest.mark.parametrize("header", ["", "soon", "-5", "1e9", "²", "Mon, 99 Jan", HUGE_ZONE])
def test_a_wait_that_makes_no_sense_is_none(header: str, serve: Callable[..., Server]) -> None:
    server = serve(say(f"HTTP/1.1 503 No\r\nRetry-After: {header}\r\n\r\n".encode()))
    problem = fails(f"http://hooks.example:{server.port}/")
    assert isinstance(problem, PassingFailure) and problem.retry_after is None


@pytest.mark.parametrize("answer", CUT)
def test_a_connection_that_is_cut_or_speaks_something_else_may_work_later(
    answer: bytes, serve: Callable[..., Server]
) -> None:
    server = serve(say(answer))
    assert isinstance(fails(f"http://hooks.example:{server.port}/"), PassingFailure)


def test_a_port_that_nobody_listens_at_may_be_there_later() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    problem = fails(f"http://hooks.example:{port}/")
    assert isinstance(problem, PassingFailure) and "refused" in str(problem)


# -- TLS -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture
def secure(authority: Authority, tmp_path: Path) -> Iterator[SecureServer]:
    server = SecureServer(say(OK), authority.serving("hooks.example", tmp_path))
    yield server
    server.socket.close()


def test_name_and_certificate_stay_those_of_the_host_though_an_address_is_connected_to(
    authority: Authority, secure: SecureServer
) -> None:
    asked = client(context=authority.trusted)
    assert asked.request("POST", f"https://hooks.example:{secure.port}/in", body=b"x").body == b"ok"
    assert secure.named == "hooks.example"
    assert f"host: hooks.example:{secure.port}".encode() in secure.requests[0]


def test_a_certificate_of_another_name_is_not_trusted_and_nothing_is_sent(
    authority: Authority, secure: SecureServer
) -> None:
    problem = fails(f"https://other.example:{secure.port}/{SECRET}", client(context=authority.trusted))
    assert isinstance(problem, PassingFailure) and "certificate" in str(problem)
    assert secure.requests == []


def test_a_certificate_of_an_authority_that_is_not_known_is_not_trusted(secure: SecureServer) -> None:
    problem = fails(f"https://hooks.example:{secure.port}/{SECRET}")
    assert isinstance(problem, PassingFailure) and "certificate" in str(problem)
    assert secure.requests == []


# -- Secrets ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        *CUT,
        *(b"HTTP/1.1 %d %s\r\n\r\n%s" % (status, SECRET.encode(), SECRET.encode()) for status in (302, 400, 404, 500)),
        SECRET.encode() + b"\r\n\r\n",
        HEAD + b"Content-Length: " + SECRET.encode() + b"\r\nTransfer-Encoding: chunked\r\n\r\n" + SECRET.encode(),
    ],
)
def test_no_error_tells_more_of_an_address_than_its_host(answer: bytes, serve: Callable[..., Server]) -> None:
    server = serve(say(answer))
    url = f"http://hooks.example:{server.port}/services/{SECRET}?sig={SECRET}"
    problem = fails(url, headers={"Authorization": SECRET}, body=SECRET.encode())
    assert "hooks.example" in str(problem)
    told = [str(problem), repr(problem), *traceback.format_exception(problem)]
    assert not [each for each in told if SECRET in each]
