"""``make bench-aws``: Nephoscope beside Prowler and ScoutSuite on one account, and whether the reach is reached."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from scan import ROOT

from aws import nephoscope, tools
from aws.builder import build
from aws.calls import fewest
from aws.measure import HEAD, Proxied, as_json
from aws.reach import Result, marks
from nephoscope_aws_simulator.testing import Simulator

FOLDER = ROOT / "bench-tmp"
SIZES = (300, 3000)
THROTTLED = 0.05
DENIED = "kms"
TOOLS = {"prowler": tools.PROWLER, "scoutsuite": tools.SCOUTSUITE}


@contextmanager
def proxy(upstream: str) -> Iterator[Proxied]:
    """The proxy as a process of its own."""
    paths = [str(ROOT / each) for each in ("benchmarks", "platform", "providers")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([*paths, os.environ.get("PYTHONPATH", "")])}
    words = [sys.executable, "-m", "aws.proxy", "--upstream", upstream]
    process = subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own
    assert process.stdout is not None
    try:
        yield Proxied(json.loads(process.stdout.readline())["endpoint"], process.pid)
    finally:
        process.terminate()
        process.wait(timeout=30)
        process.stdout.close()


@contextmanager
def errors_to(log: Path) -> Iterator[None]:
    """Have processes that are started meanwhile write their errors into a file: what is asked and not simulated."""
    kept = os.dup(2)
    try:
        with log.open("wb") as file:
            os.dup2(file.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def ours(proxied: Proxied, logs: Path) -> Result:
    """All that is measured of Nephoscope on an account; see :mod:`aws.reach` for what must come out."""
    with (
        tempfile.TemporaryDirectory(prefix="nephoscope-bench-") as folder,
        nephoscope.connected(Path(folder), proxied) as scanner,
    ):
        scanner.record()
        result = Result(first=scanner.scan("Nephoscope, shared services", nephoscope.SHARED))
        before = nephoscope.versions()
        result.second = scanner.scan("  second scan", nephoscope.SHARED)
        result.written = len(nephoscope.versions() ^ before)
        nephoscope.forget()
        result.alone = scanner.alone("  manage.py scan, start to exit", nephoscope.SHARED, logs / "alone.log")
        nephoscope.forget()
        result.everything = scanner.scan("Nephoscope, all services")
        result.fewest = fewest(nephoscope.numbers())
        found = nephoscope.findings()
        nephoscope.forget()
        result.throttled = scanner.scan(f"  {THROTTLED:.0%} throttled", throttled=THROTTLED)
        result.differing = len(nephoscope.findings() ^ found)
        result.refused = scanner.scan(f"  {DENIED} denied", partial=True, denied=f"{DENIED}:*")
        result.denial = nephoscope.denial(found, DENIED)
    return result


def compare(size: int, chosen: list[tools.Tool]) -> Result:
    """Build an account of so many things and run everything on it."""
    logs = FOLDER / "aws" / str(size)
    logs.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        with errors_to(logs / "simulator.log"):
            simulator = stack.enter_context(Simulator())
        proxied = stack.enter_context(proxy(simulator.endpoint.removeprefix("http://")))
        begun = time.monotonic()
        made = build(simulator.endpoint, size)
        load = os.getloadavg()[0]
        print(
            f"\n{sum(made.values())} resources built in {time.monotonic() - begun:.0f} s, load average "
            f"{load:.1f}, {nephoscope.DELAY * 1000:.0f} ms a call",
            HEAD,
            sep="\n",
            flush=True,
        )
        result = ours(proxied, logs)
        result.load = load
        for tool in chosen:
            if program := tools.install(tool, FOLDER / "venvs"):
                result.others[tool.program] = tools.run(tool, program, proxied, logs / tool.program)
    return result


def report(size: int, result: Result) -> bool:
    """Print the ratios and what was reached, keep all figures; return whether everything was."""
    lines = marks(size, result)
    print("", *lines, sep="\n", flush=True)
    rows = as_json([*result.rows, *result.others.values()])
    reach = [{"what": each.what, "value": each.value, "held": each.held} for each in lines]
    when = datetime.now(UTC).date().isoformat()
    kept = {"size": size, "when": when, "load": result.load, "fewest": result.fewest, "rows": rows, "reach": reach}
    (FOLDER / "aws" / f"{size}.json").write_text(json.dumps(kept, indent=1))
    return all(each.held for each in lines)


def main() -> int:
    """Run what is asked for; 1 when something was not reached."""
    parser = argparse.ArgumentParser(prog="make bench-aws", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="resources of each account")
    parser.add_argument("--skip-prowler", action="store_true")
    parser.add_argument("--skip-scoutsuite", action="store_true")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("Stopped."))  # everything that was started ends in order
    skipped = {"prowler": options.skip_prowler, "scoutsuite": options.skip_scoutsuite}
    chosen = [TOOLS[name] for name, left_out in skipped.items() if not left_out]
    if len(options.sizes) == 1:
        [size] = options.sizes
        return 0 if report(size, compare(size, chosen)) else 1
    flags = [f"--skip-{name}" for name, left_out in skipped.items() if left_out]
    return max(_alone(size, flags) for size in options.sizes)


def _alone(size: int, flags: list[str]) -> int:
    """Run one size as a process of its own, since a process has one database; return its exit code."""
    process = subprocess.Popen([sys.executable, "-m", "aws", "--sizes", str(size), *flags])  # noqa: S603 - our own
    try:
        return process.wait()
    finally:
        process.terminate()
        process.wait()
