"""A person at the console: opens pages, reads them, and keeps pictures of what was seen."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urljoin

from playwright.sync_api import BrowserContext, Dialog, Locator, Page, Request, expect


class Visitor:
    """One browser window with its own session. ``problems`` collects what no page may ever do."""

    def __init__(self, context: BrowserContext, url: str, album: Path) -> None:
        self.url = url
        self.context = context
        self.problems: list[str] = []
        self._album = album
        context.on("console", lambda said: self._note(said.type in ("error", "warning"), f"console: {said.text}"))
        context.on("weberror", lambda error: self._note(True, f"script error: {error.error}"))
        context.on("request", self._stays_at_home)
        self.page: Page = context.new_page()
        self.page.on("dialog", self._dismiss)

    def _note(self, wrong: bool, text: str) -> None:
        if wrong:
            self.problems.append(f"{self.page.url}: {text}")

    def _stays_at_home(self, request: Request) -> None:
        self._note(not request.url.startswith((self.url, "data:", "blob:")), f"asked for {request.url}")

    def _dismiss(self, dialog: Dialog) -> None:
        self._note(True, f"a dialog opened: {dialog.message}")
        dialog.dismiss()

    # -- Going about ---------------------------------------------------------------------------

    def go(self, path: str = "") -> None:
        answer = self.page.goto(urljoin(self.url, path))
        assert answer is not None
        assert answer.status == 200, f"{path} answered {answer.status}"

    def sign_in(self, user: str, password: str) -> None:
        self.go()
        self.page.get_by_label("User name").fill(user)
        self.page.get_by_label("Password").fill(password)
        self.page.keyboard.press("Enter")
        expect(self.page).to_have_url(self.url)

    def follow(self, name: str) -> None:
        """Click a link of the navigation; the name of its icon may be part of its name."""
        name_of_link = re.compile(rf"(^|\s){re.escape(name)}$")
        with self.page.expect_navigation():
            self.page.locator("#nav-sidebar").get_by_role("link", name=name_of_link).click()

    def alert(self, title: str) -> None:
        """Find an alert in the list and open it."""
        self.go("alerts/alert/?state=all")
        self.page.get_by_role("link", name=re.compile(f"^{re.escape(title)}")).click()
        expect(self.heading(title)).to_be_visible()

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def tab_to(self, wanted: Locator, key: str = "Tab") -> None:
        """Move the focus by keyboard until it is where it is wanted."""
        for _press in range(150):
            self.page.keyboard.press(key)
            if wanted.evaluate("element => element === document.activeElement"):
                return
        raise AssertionError(f"{key} never reaches {wanted}")

    # -- Reading -------------------------------------------------------------------------------

    def heading(self, text: str) -> Locator:
        return self.page.locator("#content").get_by_role("heading", name=re.compile(re.escape(text)))

    def section(self, title: str) -> Locator:
        """The part of a page under a heading."""
        heading = self.page.get_by_role("heading", name=re.compile(f"^{re.escape(title)}"))
        return self.page.locator("section").filter(has=heading)

    def rows(self) -> Locator:
        """The rows of a list."""
        return self.page.locator("#result_list .data-row")

    def total(self) -> int:
        """How many the foot of a list says there are; none when the list is empty."""
        self.page.wait_for_load_state()
        found = re.search(r"(\d+) (?:alert|finding|resource|scan|change|audit entr)", self.page.inner_text("body"))
        return int(found[1]) if found else 0

    def picture(self, name: str, *, whole: bool = False) -> None:
        """Keep what is to be seen, or the whole length of the page."""
        number = len(list(self._album.glob("*.png"))) + 1
        path = self._album / f"{number:02}-{name}.png"
        self.page.screenshot(path=path, full_page=whole, animations="disabled")
