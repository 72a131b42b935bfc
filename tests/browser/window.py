"""A browser whose requests Django's test client answers: any page with any data, without a server."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.base import AXE_SCRIPT
from django.db import DEFAULT_DB_ALIAS, connections
from django.test import Client
from playwright.sync_api import Browser, Page, Route

HOME = "http://testserver"
DESKTOP, PHONE = (1280, 800), (375, 800)
MEASURE = (Path(__file__).parent / "measure.js").read_text()

_AXE: dict[str, Any] = {"resultTypes": ["violations"], "iframes": False, "preload": False}
AXE_WHOLE = {**_AXE, "rules": {"target-size": {"enabled": True}}}
"""All of axe's rules, and the one of WCAG 2.2 that it leaves off. Without ``preload``, which reads every stylesheet."""
AXE_LOOKS = {
    **_AXE,
    "runOnly": ["color-contrast", "link-in-text-block", "target-size", "scrollable-region-focusable"],
}
"""Those that hang on colours and widths."""


class Window:
    """One page of a signed-in person. ``loaded`` has the paths that the page last opened asked for, with their size."""

    def __init__(self, browser: Browser, client: Client, elsewhere: Executor) -> None:
        self._client = client
        self._elsewhere = elsewhere
        self._static: dict[str, dict[str, Any]] = {}
        self.loaded: dict[str, int] = {}
        self.page: Page = browser.new_context(viewport=_size(DESKTOP)).new_page()
        self.page.route("**/*", self._answer)

    def _answer(self, route: Route) -> None:
        parts = urlsplit(route.request.url)
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        answer = self._static.get(path) or self._elsewhere.submit(self._ask, path).result()
        if path.startswith("/static/"):
            self._static[path] = answer
        self.loaded[path] = len(answer["body"])
        route.fulfill(**answer)

    def _ask(self, path: str) -> dict[str, Any]:
        answer = self._client.get(path)
        body = b"".join(answer) if answer.streaming else answer.content  # type: ignore[arg-type]
        return {"status": answer.status_code, "headers": dict(answer.headers), "body": body}

    def open(self, path: str) -> None:
        """Open a page at a desk in the light, whatever the last one was turned into."""
        self.loaded.clear()
        self.page.set_viewport_size(_size(DESKTOP))
        self.page.emulate_media(color_scheme="light", reduced_motion="reduce")
        self.page.goto(HOME + path)

    def turn(self) -> None:
        """Make it a phone in the dark."""
        self.page.set_viewport_size(_size(PHONE))
        self.page.emulate_media(color_scheme="dark", reduced_motion="reduce")
        self.page.evaluate("document.documentElement.classList.add('dark')")  # the theme asks only when a page opens

    def violations(self, options: dict[str, Any]) -> list[str]:
        """What axe finds wrong with the page: rule, gravity, what to do, and where."""
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE_SCRIPT)
        found = self.page.evaluate("options => axe.run(document, options)", options)["violations"]
        return [_told(each) for each in found]

    def misfits(self) -> list[str]:
        """What runs out of its box, or is broken within a word."""
        found: list[str] = self.page.evaluate(MEASURE)
        return found


@contextmanager
def another_thread() -> Iterator[Executor]:
    """A thread that asks the database over this one's connection, in its transaction, while this one waits.

    Playwright runs an event loop in a test's own thread, where Django would make a connection that sees nothing of it.
    """
    shared = connections[DEFAULT_DB_ALIAS]
    shared.inc_thread_sharing()
    try:
        with ThreadPoolExecutor(1, initializer=lambda: connections.__setitem__(DEFAULT_DB_ALIAS, shared)) as executor:
            yield executor
    finally:
        shared.dec_thread_sharing()


def _size(pair: tuple[int, int]) -> Any:
    return dict(zip(("width", "height"), pair, strict=True))


def _told(violation: dict[str, Any]) -> str:
    nodes = violation["nodes"]
    where = "; ".join(f"{' '.join(map(str, node['target']))} {node['html'][:160]}" for node in nodes[:3])
    return f"{violation['id']} ({violation['impact']}), {len(nodes)} times: {violation['help']}: {where}"
