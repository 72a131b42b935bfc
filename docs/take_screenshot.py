"""Takes the README's picture from a demo of its own: ``make screenshot``."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[1]
PICTURE = ROOT / "docs" / "console.png"
SIZE = (1440, 900)
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
ARGUMENTS = ["--no-sandbox", "--disable-background-networking"]


def browser() -> str:
    """Return the path of a Chromium."""
    if found := next(filter(None, map(shutil.which, BROWSERS)), None):
        return found
    raise SystemExit(f"There is no Chromium here; looked for {', '.join(BROWSERS)}.")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def demo(data: str) -> Iterator[dict[str, str]]:
    """Run the demo, and give what it prints: Console, User, Password."""
    process = subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "manage.py", "demo", "--port", str(free_port())],
        cwd=ROOT,
        env=os.environ | {"NEPHOSCOPE_DATA_DIR": data},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    try:
        said: dict[str, str] = {}
        for line in process.stdout:
            print(line, end="", flush=True)
            if line.startswith("Ctrl-C"):
                break
            name, _, value = line.strip().partition(" ")
            said[name] = value.strip()
        if "Password" not in said:
            raise SystemExit("The demo did not start.")
        yield said
    finally:
        process.terminate()
        print(process.stdout.read(), end="")
        process.wait(timeout=60)


def take(console: dict[str, str], chromium: str) -> None:
    """Sign in and photograph the list of alerts."""
    width, height = SIZE
    with sync_playwright() as playwright:
        driven = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        page = driven.new_page(viewport={"width": width, "height": height}, color_scheme="light")
        page.goto(f"{console['Console']}login/")
        page.fill("input[name=username]", console["User"])
        page.fill("input[name=password]", console["Password"])
        page.press("input[name=password]", "Enter")
        page.wait_for_url(console["Console"])
        page.goto(f"{console['Console']}alerts/alert/", wait_until="networkidle")
        page.screenshot(path=PICTURE)
        driven.close()


def main() -> None:
    chromium = browser()
    with tempfile.TemporaryDirectory(prefix="nephoscope-screenshot-") as data, demo(data) as console:
        take(console, chromium)
    print(f"Saved {PICTURE.relative_to(ROOT)}.")


if __name__ == "__main__":
    main()
