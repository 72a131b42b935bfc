"""A script in a real terminal, and the person in front of it."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import subprocess
import termios
from pathlib import Path


def _take_terminal() -> None:
    """Make the terminal that of the new session, and have Ctrl-C end it, also where this process ignores Ctrl-C."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Terminal:
    """A person who runs a script in a terminal of its own, and types when asked."""

    def __init__(self, command: list[str], environment: dict[str, str], folder: Path) -> None:
        self.screen = ""
        ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            command,
            env=environment,
            cwd=folder,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            preexec_fn=_take_terminal,
        )
        os.close(theirs)
        self.terminal = ours

    def _read(self, seconds: float) -> bool:
        if not select.select([self.terminal], [], [], seconds)[0]:
            return False
        try:
            found = os.read(self.terminal, 65536)
        except OSError:  # the other end was closed
            return False
        self.screen += found.decode().replace("\r\n", "\n")
        return bool(found)

    def until(self, text: str) -> str:
        """Wait until the last thing on the screen is this, and return what came since it was last waited for."""
        while not self.screen.endswith(text):
            assert self._read(30), self.screen
        shown, self.screen = self.screen, ""
        return shown

    def type(self, text: str) -> None:
        os.write(self.terminal, text.encode())

    def end(self) -> tuple[int, str]:
        """Return how it ended, and the last that it showed."""
        while self._read(60):
            pass
        os.close(self.terminal)
        return self.process.wait(30), self.screen
