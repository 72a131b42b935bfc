"""What the tests of the guarded client share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.outbound.servers import Server, Talk


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    servers: list[Server] = []

    def start(talk: Talk, *arguments: Any) -> Server:
        servers.append(Server(talk, *arguments))
        return servers[-1]

    yield start
    for each in servers:
        each.socket.close()
