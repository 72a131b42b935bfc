"""The wildcards of policies: `*` any characters, `?` exactly one."""

from __future__ import annotations

import functools
import re


@functools.lru_cache(maxsize=4096)
def _pattern(pattern: str, ignore_case: bool) -> re.Pattern[str]:
    escaped = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.compile(escaped, re.DOTALL | (re.IGNORECASE if ignore_case else 0))


def matches(pattern: str, value: str, *, ignore_case: bool = False) -> bool:
    """Whether the whole value fits the pattern. Actions ignore case, ARNs do not."""
    return _pattern(pattern, ignore_case).fullmatch(value) is not None
