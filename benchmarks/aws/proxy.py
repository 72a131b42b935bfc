"""Stands between a tool and the simulated AWS: counts its calls, delays them, refuses some, answers from memory.

A tool is run twice. The first time (``replay`` off) every call goes on to the simulator and its answer is remembered;
the second time memory answers, each call ``delay`` seconds after it came, so that the simulator takes no time from what
is measured. A call that was not remembered is asked of the simulator, and counted as missed.

``GET /__bench`` gives the counts; ``POST /__bench`` sets members of :class:`Manner` by a JSON object, and begins to
count anew.
"""

from __future__ import annotations

import argparse
import asyncio
import fnmatch
import http.client
import json
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aws.wire import Request, answer, names_of, parse, refused
from nephoscope_aws_simulator.wire import Call

CONTROL = b"/__bench"
SEED = 1
_OF_ONE_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "date", "server"}
Reply = Callable[[bytes], None]


@dataclass
class Manner:
    """How calls are treated."""

    replay: bool = False
    delay: float = 0.0
    """Seconds from a call to its answer."""
    throttled: float = 0.0
    """The share of calls that are answered with throttling."""
    denied: str = ""
    """A glob of IAM actions that are refused: ``kms:*``."""


@dataclass
class Counts:
    """What was asked since the manner was last set."""

    calls: int = 0
    """All, those that were throttled or denied too."""
    throttled: int = 0
    denied: int = 0
    missed: int = 0
    in_flight: int = 0
    most_in_flight: int = 0
    by_operation: Counter[str] = field(default_factory=Counter)
    """Without those that were throttled: these come again."""


@dataclass(slots=True)
class Known:
    """A request that was met before, and the answer if there was one."""

    call: Call
    operation: str
    action: str
    answer: bytes = b""


class Proxy:
    """The memory and the counts; all in one thread."""

    def __init__(self, upstream: str) -> None:
        self._upstream = upstream
        self._known: dict[bytes, Known] = {}
        self._asking: set[asyncio.Task[None]] = set()
        self._random = random.Random(SEED)  # noqa: S311 - the same calls at each run
        self.manner, self.counts = Manner(), Counts()

    def serve(self, request: Request, reply: Reply) -> None:
        """Answer a request, at once or later."""
        if request.target == CONTROL:
            reply(self._control(request))
            return
        key = request.key()
        known = self._known.get(key)
        if known is None:
            call = request.call()
            known = self._known[key] = Known(call, *names_of(call))
        counts, manner = self.counts, self.manner
        counts.calls += 1
        counts.in_flight += 1
        counts.most_in_flight = max(counts.most_in_flight, counts.in_flight)
        if manner.throttled and self._random.random() < manner.throttled:
            counts.throttled += 1
            self._later(refused(known.call, "Throttling"), counts, reply)
            return
        counts.by_operation[known.operation] += 1
        if manner.denied and fnmatch.fnmatch(known.action, manner.denied):
            counts.denied += 1
            self._later(refused(known.call, "AccessDenied"), counts, reply)
        elif manner.replay and known.answer:
            self._later(known.answer, counts, reply)
        else:
            counts.missed += 1
            task = asyncio.create_task(self._ask(request, known, counts, reply))
            self._asking.add(task)
            task.add_done_callback(self._asking.discard)

    def _later(self, raw: bytes, counts: Counts, reply: Reply) -> None:
        asyncio.get_running_loop().call_later(self.manner.delay, self._now, raw, counts, reply)

    def _now(self, raw: bytes, counts: Counts, reply: Reply) -> None:
        counts.in_flight -= 1
        reply(raw)

    async def _ask(self, request: Request, known: Known, counts: Counts, reply: Reply) -> None:
        status, known.answer = await asyncio.to_thread(forward, self._upstream, request)
        if status >= 500:
            # What is not simulated is refused: a fault would be tried again and again, which AWS would not cause.
            known.answer = refused(known.call, "AccessDenied")
        self._later(known.answer, counts, reply)

    def _control(self, request: Request) -> bytes:
        if request.method == b"POST":
            self.manner = Manner(**json.loads(request.body))
            self.counts = Counts()
            self._random.seed(SEED)
        return answer(200, "application/json", json.dumps(vars(self.counts)).encode())


def forward(upstream: str, request: Request) -> tuple[int, bytes]:
    """Ask the simulator; return the status and the whole answer."""
    connection = http.client.HTTPConnection(upstream, timeout=60)
    try:
        headers = {
            name.decode("latin-1"): value.decode("latin-1")
            for name, value in request.headers.items()
            if name not in (b"connection", b"content-length", b"expect", b"proxy-connection")
        }
        connection.request(request.method.decode(), request.target.decode("latin-1"), request.body or None, headers)
        got = connection.getresponse()
        body = got.read()
        kept = [(name, value) for name, value in got.getheaders() if name.lower() not in _OF_ONE_HOP]
        length = got.headers.get("Content-Length", "0") if request.method == b"HEAD" else str(len(body))
        told = (f"{name}: {value}" for name, value in [*kept, ("Content-Length", length)])
        lines = [f"HTTP/1.1 {got.status} OK", *told]
        return got.status, "\r\n".join([*lines, "", ""]).encode("latin-1") + body
    finally:
        connection.close()


class Connection(asyncio.Protocol):
    """One client's connection: requests one after the other."""

    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy
        self._buffer = b""
        self._head: tuple[bytes, bytes, dict[bytes, bytes]] | None = None
        self._busy = False
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._busy:
            self._next()

    def _next(self) -> None:
        if self._head is None:
            head, end, rest = self._buffer.partition(b"\r\n\r\n")
            if not end:
                return
            self._head, self._buffer = parse(head), rest
            if b"expect" in self._head[2]:
                self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        method, target, headers = self._head
        length = int(headers.get(b"content-length", b"0"))
        if len(self._buffer) < length:
            return
        body, self._buffer, self._head = self._buffer[:length], self._buffer[length:], None
        self._busy = True
        self._proxy.serve(Request(method, target, headers, body), self._reply)

    def _reply(self, raw: bytes) -> None:
        self._busy = False
        if not self._transport.is_closing():
            self._transport.write(raw)
            self._next()


async def serve(upstream: str) -> None:
    """Serve on a free port, and print it."""
    proxy = Proxy(upstream)
    server = await asyncio.get_running_loop().create_server(lambda: Connection(proxy), "127.0.0.1", 0, backlog=1024)
    print(json.dumps({"endpoint": f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"}), flush=True)
    await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(prog="aws.proxy", description="Counts, delays, refuses and replays calls.")
    parser.add_argument("--upstream", required=True, help="HOST:PORT of the simulated AWS")
    asyncio.run(serve(parser.parse_args().upstream))


if __name__ == "__main__":
    main()
