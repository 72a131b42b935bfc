"""How one account is reached, until when a person waits for it, and why it cannot be."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from nephoscope.domain.reasons import in_short


class Deadline:
    """When a person stops waiting for an act, however many calls it makes. It begins to run when it is made."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._at = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds that are left; none, or less than none, when it has passed."""
        return self._at - time.monotonic()

    def __str__(self) -> str:
        return "1 second" if self.seconds == 1 else f"{self.seconds:g} seconds"


@dataclass(frozen=True, slots=True)
class Connection:
    """How to reach one account: its number (may be empty until verified) and the provider's fields.

    ``regions`` are those that are scanned, for what belongs to the whole account and is told by each region.
    With a ``deadline`` a person waits: a provider then tries each call once, and makes none after the deadline.
    Without one, calls are repeated as long as it is worth while.
    """

    account: str
    settings: Mapping[str, str] = field(repr=False)
    deadline: Deadline | None = field(default=None, repr=False)
    regions: tuple[str, ...] = ()

    def until(self, deadline: Deadline | None) -> Connection:
        """Return the same, with this deadline."""
        return replace(self, deadline=deadline)


class ConnectionProblem(Exception):
    """The account cannot be reached as described; ``field`` names what the person should correct.

    The message is cut to what a person reads (:func:`nephoscope.domain.reasons.in_short`).
    """

    def __init__(self, field: str, message: str) -> None:
        message = in_short(message)
        super().__init__(message)
        self.field = field
        self.message = message
