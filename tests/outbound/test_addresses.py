"""Where the guarded client connects to, and where it does not."""

from __future__ import annotations

import ast
import itertools
import socket
from collections.abc import Callable
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest
from tests.outbound.servers import LOOPBACK, OK, SECRET, Server, client, fails, say

from nephoscope.configuration import Configuration, ConfigurationError, read
from nephoscope.outbound import AddressRefused, Client, PassingFailure, PermanentFailure, is_public

PLATFORM = Path(__file__).parents[2] / "platform" / "nephoscope"


CLOSED = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "100.127.255.255",
    "127.0.0.1",
    "127.8.9.10",
    "168.63.129.16",
    "169.254.169.254",
    "169.254.170.2",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::8.8.8.8",
    "::ffff:8.8.8.8",
    "::ffff:10.0.0.1",
    "64:ff9b::808:808",
    "64:ff9b:1::a00:1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:a00:1::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%1",
    "fec0::1",
    "ff02::1",
]


@pytest.mark.parametrize("address", CLOSED)
def test_an_address_that_is_not_public_is_refused(address: str) -> None:
    problem = fails("https://hooks.example/x", client(address, allowed=()))
    assert isinstance(problem, AddressRefused) and isinstance(problem, PermanentFailure)
    assert "NEPHOSCOPE_ALLOWED_NETWORKS" in str(problem)


@pytest.mark.parametrize("address", ["1.1.1.1", "8.8.8.8", "100.63.255.255", "172.32.0.1", "2606:4700::1111"])
def test_a_public_address_is_one(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "2130706433", "0x7f000001", "127.1", "0", "[::1]", "[::ffff:127.0.0.1]", "localhost"]
)
def test_however_this_machine_is_written_it_is_refused(host: str, serve: Callable[..., Server]) -> None:
    server = serve(say(OK))
    with pytest.raises(AddressRefused):
        Client().request("GET", f"https://{host}:{server.port}/")
    assert server.connections == 0


def test_one_closed_address_among_public_ones_is_enough_to_refuse() -> None:
    assert isinstance(fails("https://hooks.example/", client("8.8.8.8", "10.0.0.1", allowed=())), AddressRefused)


def test_it_connects_to_the_address_that_it_checked_and_asks_no_second_time(serve: Callable[..., Server]) -> None:
    checked = serve(say(OK))
    other = serve(say(OK), "127.0.0.2", checked.port)
    answers = itertools.chain([["127.0.0.1"]], itertools.repeat(["127.0.0.2"]))
    rebinding = Client(LOOPBACK, resolve=lambda host, port: next(answers))
    assert rebinding.request("GET", f"http://hooks.example:{checked.port}/").body == b"ok"
    assert (checked.connections, other.connections) == (1, 0)
    with pytest.raises(AddressRefused):
        rebinding.request("GET", f"http://hooks.example:{checked.port}/")


def test_what_the_operator_allows_is_reached_and_its_neighbour_is_not(serve: Callable[..., Server]) -> None:
    server = serve(say(OK), "127.0.0.2")
    allowed = client("127.0.0.2", allowed=[ip_network("127.0.0.2/31")])
    assert allowed.request("GET", f"http://x.example:{server.port}/").status == 200
    assert isinstance(fails(f"http://x.example:{server.port}/", client("127.0.0.4")), AddressRefused)


@pytest.mark.parametrize("text", ["10.0.0.1/8", "intranet", "10.0.0.0/33"])
def test_a_network_that_is_none_is_named_with_the_setting_and_an_example(text: str) -> None:
    with pytest.raises(ConfigurationError, match="NEPHOSCOPE_ALLOWED_NETWORKS must be networks, as 10"):
        read(Configuration, {"NEPHOSCOPE_ALLOWED_NETWORKS": text})


def test_networks_are_read_as_an_operator_writes_them() -> None:
    found = read(Configuration, {"NEPHOSCOPE_ALLOWED_NETWORKS": "10.0.0.0/8, fd00::/8"})
    assert found.allowed_networks == (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))


def test_the_next_address_is_tried_when_one_does_not_answer(serve: Callable[..., Server]) -> None:
    server = serve(say(OK), "127.0.0.2")
    asked = client("127.0.0.3", "127.0.0.2", allowed=[ip_network("127.0.0.0/8")])
    assert asked.request("GET", f"http://x.example:{server.port}/").status == 200


def test_in_clear_nothing_is_sent_but_to_a_network_that_is_allowed() -> None:
    problem = fails("http://hooks.example/", client("8.8.8.8"))
    assert isinstance(problem, AddressRefused) and "https" in str(problem)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hooks.example/x",
        "file:///etc/passwd",
        "gopher://hooks.example/",
        "https:///x",
        "https://hooks.example:99999/",
        "https://[::1/",
        "https://hooks.example/a b",
        "https://hooks.example/\r\nX: y",
        "https://hooks.example\\@127.0.0.1/",
        "https://..example/",
        f"https://{'a' * 64}.example/",
        f"https://user:{SECRET}@hooks.example/",
        f"https://hooks.example\n/{SECRET}",
    ],
)
def test_what_is_no_address_is_refused_and_not_repeated(url: str) -> None:
    problem = fails(url, client("8.8.8.8"))
    assert isinstance(problem, AddressRefused) and SECRET not in str(problem)


def test_a_name_that_cannot_be_resolved_may_be_so_later() -> None:
    def unknown(host: str, port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    problem = fails("https://hooks.example/", Client(resolve=unknown))
    assert isinstance(problem, PassingFailure) and "resolved" in str(problem)


def test_proxies_of_the_environment_are_not_used(serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch) -> None:
    server, proxy = serve(say(OK)), serve(say(OK))
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
    client().request("GET", f"http://hooks.example:{server.port}/")
    assert (server.connections, proxy.connections) == (1, 0)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int, serve: Callable[..., Server]) -> None:
    other = serve(say(OK))
    server = serve(say(b"HTTP/1.1 %d X\r\nLocation: http://127.0.0.1:%d/\r\n\r\n" % (status, other.port)))
    problem = fails(f"http://hooks.example:{server.port}/")
    assert isinstance(problem, PermanentFailure) and problem.status == status
    assert (server.connections, other.connections) == (1, 0)


# -- The one way -----------------------------------------------------------------------------------

OPENERS = {"urllib.request", "http.client", "urllib3", "requests", "httpx", "aiohttp"}
EXCEPTIONS = {
    "outbound.py",
    "operations/processes.py",  # asks its own console on loopback whether it is up
}


def imported(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def test_no_other_module_of_the_platform_opens_addresses() -> None:
    openers = {
        str(path.relative_to(PLATFORM))
        for path in PLATFORM.rglob("*.py")
        if any(each in OPENERS or each.split(".")[0] in OPENERS for each in imported(path))
    }
    assert openers == EXCEPTIONS
