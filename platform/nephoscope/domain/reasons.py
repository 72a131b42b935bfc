"""Why something failed, in one line: what a cloud answered may be a page of 35 KB."""

from __future__ import annotations

import re
from typing import Any

LONGEST = 500
"""Characters of a reason."""

_SHORTEST_DUMP = 60
"""Characters from which on JSON in a reason is a raw answer."""

_MARKUP = re.compile(r"<(?:!doctype|\?xml|!--|html|head|body|title|h\d|p|div|error)\b.*", re.IGNORECASE | re.DOTALL)
_DUMP = re.compile(r"[{\[]\s*(?:[\"'{\[]|$).*", re.DOTALL)
_COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_ODD = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")


def text_of(value: Any) -> str:
    """Return a text that PostgreSQL keeps: without NUL and lone surrogates."""
    return str(value).replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def in_short(reason: Any, longest: int = LONGEST) -> str:
    """Return why something failed as one line of at most so many characters, without the raw answer in it.

    Of an HTML page or a dump of JSON what stands before it is kept, and that there was one is said.
    """
    text = _cut(_MARKUP, str(reason), "a page of markup", 0)
    return one_line(_cut(_DUMP, text, "an answer in JSON", _SHORTEST_DUMP), longest)


def one_line(text: Any, longest: int) -> str:
    """Return a text as one line of at most so many characters that can be stored; how long it was is said."""
    whole = text_of(str(text).replace("\0", " "))
    line = _ODD.sub(" ", _COLOUR.sub("", whole[: 20 * longest])).strip()
    if len(line) <= longest and len(whole) <= 20 * longest:
        return line
    said = f"… ({len(whole):,} characters)"
    return line[: longest - len(said)].rstrip() + said


def _cut(raw: re.Pattern[str], text: str, what: str, shortest: int) -> str:
    found = raw.search(text)
    if found is None or len(found[0]) < shortest:
        return text
    before = text[: found.start()].rstrip(" :;,-(<'\"\n\t")
    return f"{before} ({what} is left out)" if before else f"{what[0].upper()}{what[1:]} came instead of an answer"
