"""Exit statuses, and mistakes of who types a command."""

from __future__ import annotations

from collections.abc import Iterable

OK, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130

MOST_NAMED = 5


class UsageError(Exception):
    """What was asked for cannot be done; the message says what, and what would do."""


def no_such(what: str, given: str, known: Iterable[str]) -> UsageError:
    """Return the error for a name that does not exist, with those that are near to it."""
    from difflib import get_close_matches

    names = sorted(known)
    near = [each for each in names if given in each] or get_close_matches(given, names, MOST_NAMED)
    if near:
        hint = f"Did you mean {_either(near[:MOST_NAMED])}?"
    elif len(names) <= MOST_NAMED:
        hint = f"There is {_either(names)}." if names else "There is none."
    else:
        hint = ""
    return UsageError(f"there is no {what} {given!r}. {hint}".rstrip())


def _either(names: list[str]) -> str:
    return " or ".join([*([", ".join(names[:-1])] if names[1:] else []), names[-1]])
