"""What goes to the log: one line for what a client did wrong, a traceback for what we did, and no secret in either."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable

from django.core.exceptions import BadRequest, PermissionDenied, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, UnreadablePostError
from redis import RedisError

AWAY = (OperationalError, InterfaceError, RedisError)
"""What is raised while a database or Redis cannot be reached."""

LONGEST = 2_000
"""Characters of a message that are logged."""

MOST, WINDOW = 30, 60.0
"""Lines about clients' mistakes, of one logger and level, that are written in so many seconds."""

_ODD = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_ODD_BUT_LINES = re.compile(_ODD.pattern.replace(r"\x00-\x1f", r"\x00-\x08\x0b-\x1f"))
_THEIRS = (
    BadRequest,
    PermissionDenied,
    SuspiciousOperation,
    Http404,
    UnreadablePostError,
    BrokenPipeError,
    ConnectionResetError,
)
"""What is raised when a client did something wrong, or went away."""

_QUERY = re.compile(r"(?<=[\w/])\?[^\s'\"<>]+")
_LOGIN = re.compile(r"(?<=://)[^\s/@]+(?=@)")
_COOKIES = re.compile(r"(?i)\b((?:set-)?cookie['\"]?\s*[:=]\s*)[^\r\n'\"]+")
_SECRET = re.compile(
    r"(?i)\b(authorization|proxy-authorization|password|passwd|secret|token|csrfmiddlewaretoken"
    r"|x-csrftoken|sessionid|external_?id)\b(['\"]?\s*[:=]\s*)"
    r"(?:(?:token|bearer|basic)\s+)?(?:'[^']*'|\"[^\"]*\"|[^\s,;&})\]]+)"
)


class OneLine(logging.Formatter):
    """Writes control characters as escapes and indents tracebacks, so that nobody's text looks like a line of ours.

    What looks like a secret (a header, a cookie, a password, a query) is left out, wherever it comes from. That a store
    is away takes no traceback.
    """

    def format(self, record: logging.LogRecord) -> str:
        shown, said = logging.makeLogRecord(record.__dict__), record.getMessage()
        away = record.exc_info[1] if record.exc_info and isinstance(record.exc_info[1], AWAY) else None
        if away:
            said += f": {type(away).__name__}: " + str(away).partition("\n")[0]
            shown.exc_info = None
        shown.msg, shown.args = _escaped(_ODD, without_secrets(said))[:LONGEST], None
        if record.exc_info and not away:
            text = _escaped(_ODD_BUT_LINES, without_secrets(self.formatException(record.exc_info)))
            shown.exc_text = "\n".join(f"  {line}" for line in text.split("\n"))
        return super().format(shown)


def without_secrets(text: str) -> str:
    """Return a text without passwords, tokens, cookies, and queries and users of addresses."""
    text = _COOKIES.sub(r"\1…", _LOGIN.sub("…", _QUERY.sub("?…", text)))
    return _SECRET.sub(lambda found: f"{found[1]}{found[2]}…", text)


def _escaped(odd: re.Pattern[str], text: str) -> str:
    return odd.sub(lambda found: found[0].encode("unicode_escape", "backslashreplace").decode(), text)


class ClientMistakes(logging.Filter):
    """Takes the traceback from what a client did wrong, and lets few of such lines through at a time.

    The next line that gets through says how many did not.
    """

    def __init__(self, most: int = MOST, window: float = WINDOW, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._most, self._window, self._clock = most, window, clock
        self._told: dict[tuple[str, int], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if not _is_of_a_client(record):
            return True
        record.exc_info = record.exc_text = None
        key, now = (record.name, record.levelno), self._clock()
        begun, count = self._told.get(key, (now, 0))
        if now - begun >= self._window:
            left_out, begun, count = max(0, count - self._most), now, 0
            if left_out:
                record.msg, record.args = f"{record.getMessage()} ({left_out} more lines before it were left out)", None
        self._told[key] = begun, count + 1
        return count < self._most


def _is_of_a_client(record: logging.LogRecord) -> bool:
    """Whether a record tells of a request that was refused, was wrong, or broke off; not that we failed."""
    if not record.name.startswith(("django.request", "django.security", "django.server", "axes")):
        return False
    if record.exc_info and isinstance(record.exc_info[1], _THEIRS):
        return True
    return record.levelno < logging.ERROR or record.name.startswith("django.security")
