"""A running demo, a browser, and one visitor who goes through the tests of a file in their order, as the files do."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Error, expect, sync_playwright
from tests.browser import running
from tests.browser.running import Demo
from tests.browser.visitor import Visitor

BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
"""The headless shell first: it needs half of what the others need."""
CHROMIUM = next(filter(None, map(shutil.which, BROWSERS)), None)
NO_CHROMIUM = "no Chromium was found; install the package chromium to run the browser tests"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-quic",
    "--no-first-run",
    "--disable-sync",
]
_stopped_at = pytest.StashKey[str]()


def _file(item: pytest.Item) -> pytest.Module:
    found = item.getparent(pytest.Module)
    assert found
    return found


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip, or fail where a browser is required, without Chromium; and do not walk on after a step that failed."""
    if not item.get_closest_marker("browser"):
        return
    if CHROMIUM is None:
        (pytest.fail if os.environ.get("NEPHOSCOPE_BROWSER_REQUIRED") else pytest.skip)(NO_CHROMIUM)
    if step := _file(item).stash.get(_stopped_at, ""):
        pytest.skip(f"the walk ended at: {step}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """Keep a picture of the page on which a step failed."""
    report = yield
    if report.failed and item.get_closest_marker("browser"):
        _file(item).stash.setdefault(_stopped_at, item.name)
        visitor = getattr(item, "funcargs", {}).get("visitor")
        if visitor and call.when == "call":
            with suppress(Error):  # the browser itself may be what failed
                visitor.picture(f"FAILED-{item.name}", whole=True)
    return report


@pytest.fixture(scope="module")
def album(request: pytest.FixtureRequest, artefacts: Path) -> Path:
    """Where the pictures of a file's tests are kept, numbered in their order."""
    return emptied(artefacts / Path(request.path).stem)


def emptied(path: Path) -> Path:
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir()
    return path


@pytest.fixture(scope="session")
def demo(artefacts: Path) -> Iterator[Demo]:
    """The demo, as `make demo` starts it and as a person stops it; it must leave nothing running. Its logs are kept."""
    data = Path(tempfile.mkdtemp(prefix="neph-"))  # short: a Unix socket of PostgreSQL lies in it
    process = running.start(data)
    try:
        yield running.ready(process, data)
    finally:
        code = running.stop(process)
        output, left = (data / "output").read_text(), running.processes(data)
        album = emptied(artefacts / "demo")
        for log in (data / "output", *data.glob("demo/*.log")):
            shutil.copy(log, album)
        shutil.rmtree(data, ignore_errors=True)
    assert code == 0, output
    assert "Stopped." in output
    assert left == []


@pytest.fixture(scope="module")
def enter(demo: Demo, album: Path) -> Iterator[Callable[[], Visitor]]:
    """Open a browser window with a session of its own: ``enter()``."""
    expect.set_options(timeout=10_000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)

        def window() -> Visitor:
            context = browser.new_context(viewport={"width": 1440, "height": 900})
            context.set_default_timeout(10_000)
            return Visitor(context, demo.url, album)

        yield window
        browser.close()


@pytest.fixture(scope="module")
def admin(enter: Callable[[], Visitor]) -> Visitor:
    return enter()


@pytest.fixture
def visitor(admin: Visitor) -> Iterator[Visitor]:
    """The administrator. No page may write to the browser's console, open a dialog or ask any other host."""
    admin.problems.clear()
    yield admin
    assert admin.problems == []
