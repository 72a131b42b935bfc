"""What texts, numbers and times in requests look like: what is checked, and what is described."""

from __future__ import annotations

import re

LARGEST_ID = 2**63 - 1

# Patterns mean the same in Python, in ECMA's dialect, which descriptions use, and in that of other validators: what one
# of them takes for a space is none to another, so that those are listed.
_SPACES = r"\s\x1c-\x1f\x85\ufeff"
ANY_TEXT = r"^[^\x00]*$"
WRITTEN = r"^[^\x00]+$"
SHOWN = rf"^[{_SPACES}]*[^\x00{_SPACES}][^\x00]*$"
"""A text with a character that shows."""
WHOLE = re.compile("[0-9]+", re.ASCII)
"""A number from 0, as digits."""
SWITCHES = {"true": True, "false": False, "1": True, "0": False}
"""How true and false are written in an address."""
MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
"""A time with its zone, by RFC 3339."""
