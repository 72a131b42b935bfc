"""One line per event: a traceback only for what nobody expected, and no line of somebody else's making."""

from __future__ import annotations

import copy
import logging
import re

from django.db import InterfaceError, OperationalError

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]")
"""What would begin a new line, or move the cursor of a terminal: https://owasp.org/www-community/attacks/Log_Injection"""

ERRORS = 500
"""Status codes from here on are faults of ours; those below are what somebody asked for wrongly."""


class OneLine(logging.Formatter):
    """Formats a record, and leaves the traceback out where its reason is said by the message."""

    def format(self, record: logging.LogRecord) -> str:
        record = copy.copy(record)
        record.msg, record.args = _CONTROL.sub(_escaped, record.getMessage()), None
        error = record.exc_info[1] if record.exc_info else None
        if error is not None and _is_expected(record, error):
            said = str(error).partition("\n")[0]
            record.msg += _CONTROL.sub(_escaped, f": {type(error).__name__}: {said}")
            record.exc_info = record.exc_text = None
        return super().format(record)


def _is_expected(record: logging.LogRecord, error: BaseException) -> bool:
    refused = getattr(record, "status_code", ERRORS) < ERRORS
    return refused or isinstance(error, OperationalError | InterfaceError)


def _escaped(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode()
