"""What a scan makes of wrong answers: ``make bench-faults``. Wrong closings, stuck scans and unnamed gaps must be none.

A proxy stands between Nephoscope and the simulated company. After a good scan, each call of each service is answered by
each kind of fault, in a scan of that service alone; then a good scan has to bring back all that was. ``--services``
and ``--kinds`` restrict it. Ends with 1 when anything is wrong.

Nothing in an emptied or halved list tells it from the truth: those must close nothing all the same, and name no gap
where nothing was lost.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from aws.proxy import Connection, Proxy, Reply
from aws.wire import Request, answer, names_of, refused
from scan import prepare, stop_database

from nephoscope_aws_simulator.testing import Simulator

PATIENCE = 0.3
"""Seconds that a call may take here, so that what hangs does not take all day."""

BUDGET = 60.0
"""Seconds that a scan of one service may take, whatever is wrong with it."""

NAMES_ONLY = {"iam:ListAccountAliases"}
"""What only gives a thing its name hides nothing, so no gap is named."""

STUCK = "it did not end"

OUTSIDE = "sts:"
"""Not faulted here: without knowing who it is a scan does not begin."""


def _whole(status: int, kind: str, body: bytes) -> Callable[[bytes], bytes]:
    return lambda _good: answer(status, kind, body)


def _cut(share: float) -> Callable[[bytes], bytes]:
    def cut(good: bytes) -> bytes:
        body = good.partition(b"\r\n\r\n")[2]
        return answer(200, "text/plain", body[: int(len(body) * share)])

    return cut


def _fewer(share: float) -> Callable[[bytes], bytes]:
    """Leave of each list only a share of its items, and no next page."""

    def fewer(good: bytes) -> bytes:
        body = good.partition(b"\r\n\r\n")[2]
        if body[:1] in (b"{", b"["):
            return answer(200, "application/json", json.dumps(_fewer_json(json.loads(body), share)).encode())
        try:
            root = ElementTree.fromstring(body)  # noqa: S314 - of our own simulator
        except ElementTree.ParseError:
            return good
        for element in list(root.iter()):
            tags = {child.tag.rpartition("}")[2] for child in element}
            own = element.tag.rpartition("}")[2]
            if len(tags) == 1 and (tags & {"item", "member"} or own.startswith(tags.pop())):
                del element[int(len(element) * share) :]
        return answer(200, "text/xml", ElementTree.tostring(root))

    return fewer


def _fewer_json(value: Any, share: float) -> Any:
    kept = {name: each for name, each in value.items() if "token" not in name.lower() and "marker" not in name.lower()}
    return {name: each[: int(len(each) * share)] if isinstance(each, list) else each for name, each in kept.items()}


KINDS: dict[str, Callable[[bytes], bytes]] = {
    "page": _whole(200, "text/html", b"<!DOCTYPE html><html><body>Sign in</body></html>"),
    "nothing": _whole(200, "", b""),
    "empty object": _whole(200, "application/json", b"{}"),
    "empty list": _whole(200, "application/json", b"[]"),
    "null": _whole(200, "application/json", b"null"),
    "other object": _whole(200, "application/json", b'{"result": "ok"}'),
    "other document": _whole(200, "text/xml", b"<OkResponse><Ok>true</Ok></OkResponse>"),
    "cut early": _cut(0.1),
    "cut late": _cut(0.9),
    "no gzip": lambda _good: answer(200, "text/xml", b"\x1f\x8b not gzip", (("Content-Encoding", "gzip"),)),
    "short": lambda good: good.replace(b"Content-Length: ", b"Content-Length: 9", 1)[:-1],
    "unknown code": _whole(400, "application/json", b'{"__type": "Strange", "message": "' + b"x" * 9000 + b'"}'),
    "not found page": _whole(404, "text/html", b"<html>Not Found</html>"),
    "throttled": _whole(429, "text/html", b"<html>Too Many Requests</html>"),
    "server error": _whole(500, "text/html", b"<html>Internal Server Error</html>"),
    "unavailable": _whole(503, "text/html", b"<html>Service Unavailable</html>"),
    "bad gateway": _whole(502, "text/html", b"<html>Bad Gateway</html>"),
    "elsewhere": lambda _good: answer(307, "text/html", b"", (("Location", "http://127.0.0.1:9/"),)),
    "garbage": lambda _good: b"\x16\x03\x01\x02\x00\x01 not HTTP\r\n\r\n",
    "hangs": lambda _good: b"",
    "emptied": _fewer(0),
    "halved": _fewer(0.5),
}
RIGHT_SHAPE = ("emptied", "halved")
QUICK = ("page", "nothing", "empty object", "cut late", "unknown code", "hangs", *RIGHT_SHAPE)


class FaultyProxy(Proxy):
    """Answers one operation by a fault, all others from memory. ``seen`` are the operations that were asked."""

    def __init__(self, upstream: str) -> None:
        super().__init__(upstream)
        self.fault: tuple[str, Callable[[bytes], bytes]] | None = None
        self.seen: Counter[str] = Counter()
        self.hit = 0

    def serve(self, request: Request, reply: Reply) -> None:
        operation, _action = names_of(request.call())
        self.seen[operation] += 1
        if self.fault and self.fault[0] == operation:
            self.hit += 1
            known = self._known.get(request.key())
            if raw := self.fault[1](known.answer if known and known.answer else refused(request.call(), "Throttling")):
                reply(raw)
            return
        super().serve(request, reply)


@contextmanager
def proxied(upstream: str) -> Iterator[tuple[FaultyProxy, str]]:
    """Serve in a thread; give the proxy and its address."""
    loop, proxy = asyncio.new_event_loop(), FaultyProxy(upstream)
    server = loop.run_until_complete(loop.create_server(lambda: Connection(proxy), "127.0.0.1", 0, backlog=512))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield proxy, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


def _too_long(_number: int, _frame: Any) -> None:
    raise TimeoutError


def scan(**scope: Any) -> Any:
    from nephoscope.accounts.models import Account
    from nephoscope.audit.services import Actor
    from nephoscope.inventory.models import Scan
    from nephoscope.scans.runner import work
    from nephoscope.scans.services import start_scan

    made = start_scan(Actor.system("bench"), Account.objects.get(), enqueue=False, **scope)
    signal.signal(signal.SIGALRM, _too_long)
    signal.alarm(2 * int(BUDGET))
    try:
        work(made.pk)
    except TimeoutError:
        Scan.objects.filter(pk=made.pk).update(state="failed", error=STUCK)
    finally:
        signal.alarm(0)
    return Scan.objects.get(pk=made.pk)


def state() -> dict[str, set[Any]]:
    """Return what a wrong answer must not change."""
    from nephoscope.alerts.models import Alert, Finding
    from nephoscope.inventory.models import Resource

    failing = Finding.objects.filter(failing_since__isnull=False)
    return {
        "resources": set(Resource.objects.filter(gone_at=None).values_list("type", "resource_id")),
        "findings": set(failing.values_list("rule_id", "resource__resource_id")),
        "alerts": set(Alert.objects.filter(state="open").values_list("key", flat=True)),
    }


def is_named(made: Any) -> bool:
    """Whether the scan says of some part that it could not be read, in short words."""
    from nephoscope.inventory.models import JUDGE

    gaps = [gap["reason"] for shard in made.shards.exclude(service=JUDGE) for gap in shard.gaps]
    errors = [shard.error for shard in made.shards.exclude(service=JUDGE) if shard.error]
    return bool(gaps or errors or made.error) and all(len(each) <= 300 for each in [*gaps, *errors])


def judge(proxy: FaultyProxy, service: str, operation: str, kind: str, before: dict[str, set[Any]]) -> list[str]:
    """Scan once with this fault, and return what is wrong."""
    proxy.fault, proxy.hit = (operation, KINDS[kind]), 0
    begun = time.monotonic()
    made = scan(services=[service])
    proxy.fault = None
    where, after = f"{service}  {operation}  {kind}", state()
    wrong = [f"CLOSED   {where}: {len(lost)} {name}" for name in before if (lost := before[name] - after[name])]
    # An empty list is the truth of what is off, and it opens what that opens.
    wrong += (
        []
        if kind in RIGHT_SHAPE
        else [
            f"OPENED   {where}: {len(new)} {name}"
            for name in ("findings", "alerts")
            if (new := after[name] - before[name])
        ]
    )
    if time.monotonic() - begun > BUDGET or made.active or made.error == STUCK:
        wrong.append(f"STUCK    {where}")
    if proxy.hit and operation not in NAMES_ONLY and kind not in RIGHT_SHAPE and not is_named(made):
        wrong.append(f"UNNAMED  {where}")
    return wrong


def _lists(operation: str) -> bool:
    """Whether an operation lists things; the lists inside of one thing are what it says of itself."""
    name = operation.partition(":")[2]
    return name.startswith(("List", "Describe")) or name == "GetAccountAuthorizationDetails"


def operations(proxy: FaultyProxy, service: str) -> list[str]:
    """Return the operations that a good scan of a service asks."""
    proxy.seen.clear()
    scan(services=[service])
    return [name for name in sorted(proxy.seen) if not name.startswith(OUTSIDE)]


def run(proxy: FaultyProxy, services: list[str], kinds: list[str]) -> list[str]:
    """Try everything; print a line for each service, and return what is wrong."""
    from nephoscope_aws import clients
    from nephoscope_aws.collectors import account_wide

    wrong: list[str] = []
    scan(services=services)
    proxy.manner.replay = True  # from here on the last answers: those of a report that is ready
    setattr(account_wide, "PATIENCE", PATIENCE)  # noqa: B010 - its type is that of whole seconds
    setattr(clients, "READ_TIMEOUT", PATIENCE)  # noqa: B010 - its type is that of whole seconds
    clients.ClientCache.__init__.__defaults__ = (1, None)
    for service in services:
        asked, begun, found = operations(proxy, service), time.monotonic(), []
        before = state()
        for operation in asked:
            for kind in kinds:
                if kind in RIGHT_SHAPE and not _lists(operation):
                    continue
                if problems := judge(proxy, service, operation, kind, before):
                    found += problems
                    scan(services=[service])
        scan(services=[service])
        found += [f"LOST     {service}: not all is back after a good scan"] * (state() != before)
        faults = len(asked) * len(kinds)
        print(*found, sep="\n", end="\n" * bool(found))
        print(f"{service:<20} {faults:6d} faults {len(found):4d} wrong {time.monotonic() - begun:7.1f} s", flush=True)
        wrong += found
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--services", help="ids, separated by commas; all without it")
    parser.add_argument("--kinds", default=",".join(QUICK), help=f"“all”, or some of: {', '.join(KINDS)}")
    given = parser.parse_args()
    kinds = list(KINDS) if given.kinds == "all" else given.kinds.split(",")
    with tempfile.TemporaryDirectory(prefix="nephoscope-bench-") as folder, Simulator(company=True) as simulator:  # noqa: SIM117
        with proxied(simulator.endpoint.removeprefix("http://")) as (proxy, endpoint):
            prepare(Path(folder), endpoint)
            from nephoscope.accounts.models import Account
            from nephoscope_aws import collectors

            Account.objects.update(regions=["us-east-1"])
            try:
                wrong = run(proxy, given.services.split(",") if given.services else list(collectors.ALL), kinds)
            finally:
                stop_database()
    print("\n" + ("\n".join(wrong) or "No wrong closings, no stuck scans, every gap named."))
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
