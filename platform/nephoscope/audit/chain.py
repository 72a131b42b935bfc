"""Checking that nobody altered the audit log: every place where the chain of hashes does not hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from nephoscope.audit.canonical import spellings
from nephoscope.audit.models import Entry

GENESIS = "0" * 64
"""What the first entry has as the hash before it."""

CHUNK = 1000
"""Entries in memory at a time."""


class Fault(Enum):
    """What is wrong with an entry."""

    ALTERED = "was altered: its hash does not fit its content"
    MISSING = "does not follow the entry before it (%(before)s): some are missing, or that one was replaced"
    INSERTED = "follows entry %(since)s: what is between them, up to entry %(before)s, was inserted"
    CUT = "does not begin the log: the entries before it are missing"
    RESPELT = "is whole: 0.1 hashed its address as the web server wrote it, and the database writes it otherwise"


@dataclass(frozen=True, slots=True)
class Place:
    """An entry at which the chain does not hold, and the one before it, if there is one.

    ``since`` is the entry that it does follow, where entries were inserted between them.
    """

    entry: Entry
    fault: Fault
    before: int | None = None
    since: int | None = None

    @property
    def broken(self) -> bool:
        return self.fault is not Fault.RESPELT

    def __str__(self) -> str:
        when = f"{self.entry.at:%Y-%m-%d %H:%M:%S} UTC"
        return f"Entry {self.entry.pk} ({when}) {self.fault.value % {'before': self.before, 'since': self.since}}."


def check() -> Iterator[Place]:
    """Go through the log from its first entry to its last, and yield every place where the chain does not hold.

    Goes on after each as if it were right, so that one hides none of those after it. That entries were cut off at the
    end cannot be seen.
    """
    previous, before = GENESIS, None
    for each in Entry.objects.order_by("id").iterator(chunk_size=CHUNK):
        if each.previous != previous:
            yield _unlinked(each, before)
        if each.digest != each.compute_digest():
            yield Place(each, Fault.RESPELT if _is_respelt(each) else Fault.ALTERED, before)
        previous, before = each.digest, each.pk


def _unlinked(entry: Entry, before: int | None) -> Place:
    if before is None:
        return Place(entry, Fault.CUT)
    since = Entry.objects.filter(digest=entry.previous, pk__lt=before).values_list("pk", flat=True).first()
    return Place(entry, Fault.INSERTED if since else Fault.MISSING, before, since)


def _is_respelt(entry: Entry) -> bool:
    """Whether the hash fits the entry with its address written otherwise, which proves that nothing was altered."""
    ways = spellings(entry.address) if entry.address else ()
    return any(entry.digest == entry.compute_digest(address=way) for way in ways)


def first_broken() -> Entry | None:
    """Return the first entry at which the chain breaks, or None when it is whole."""
    return next((place.entry for place in check() if place.broken), None)
