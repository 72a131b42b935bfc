"""How many calls a second the proxy carries: ``python -m aws.ceiling``. Its limit must not pass for a tool's.

Bare connections, each with one call in flight at any time, against answers from memory.
"""

from __future__ import annotations

import asyncio
import time

from meter import cpu_seconds

from aws.measure import Proxied
from aws.nephoscope import DELAY
from aws.run import proxy
from nephoscope_aws_simulator.testing import Simulator

BODY = b"Action=GetCallerIdentity&Version=2011-06-15"
CREDENTIAL = b"Credential=AKIAIOSFODNN7EXAMPLE/20260101/us-east-1/sts/aws4_request"
CALL = b"\r\n".join(
    [
        b"POST / HTTP/1.1",
        b"Host: aws",
        b"Authorization: AWS4-HMAC-SHA256 " + CREDENTIAL,
        b"Content-Type: application/x-www-form-urlencoded",
        b"Content-Length: %d" % len(BODY),
        b"",
        BODY,
    ]
)
IN_FLIGHT = (50, 200, 800)
SECONDS = 5.0


async def _one(host: str, port: int, until: float) -> int:
    reader, writer = await asyncio.open_connection(host, port)
    calls = 0
    while time.monotonic() < until:
        writer.write(CALL)
        head = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(int(head.lower().partition(b"content-length:")[2].split()[0]))
        calls += 1
    writer.close()
    return calls


async def _many(endpoint: str, connections: int) -> int:
    host, _, port = endpoint.removeprefix("http://").partition(":")
    until = time.monotonic() + SECONDS
    return sum(await asyncio.gather(*(_one(host, int(port), until) for _ in range(connections))))


def main() -> None:
    """Print calls a second, and the proxy's CPU for each, for several numbers of connections."""
    with Simulator() as simulator, proxy(simulator.endpoint.removeprefix("http://")) as proxied:
        _measure(proxied)


def _measure(proxied: Proxied) -> None:
    proxied.manner(replay=False)
    asyncio.run(_one_call(proxied.endpoint))
    for connections in IN_FLIGHT:
        proxied.manner(replay=True, delay=DELAY)
        before = cpu_seconds(proxied.pid)
        calls = asyncio.run(_many(proxied.endpoint, connections))
        each = (cpu_seconds(proxied.pid) - before) / calls
        print(
            f"{connections:4d} in flight: {calls / SECONDS:7.0f} calls/s of {connections / DELAY:7.0f} that "
            f"{DELAY * 1000:.0f} ms allow; {each * 1e6:4.0f} µs of the proxy's CPU a call"
        )


async def _one_call(endpoint: str) -> None:
    host, _, port = endpoint.removeprefix("http://").partition(":")
    await _one(host, int(port), time.monotonic() + 0.001)


if __name__ == "__main__":
    main()
