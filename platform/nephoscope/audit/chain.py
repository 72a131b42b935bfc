"""Checking that nobody altered the audit log: every place where the chain of hashes does not hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from django.db import DataError

from nephoscope.audit.canonical import spellings
from nephoscope.audit.models import Entry, EntryQuerySet

GENESIS = "0" * 64
"""What the first entry has as the hash before it."""

CHUNK = 1000
"""Entries in memory at a time."""


class Fault(Enum):
    """What is wrong with an entry."""

    ALTERED = "was altered: its hash does not fit its content"
    MISSING = "does not follow the entry before it (%(before)s): some are missing, or that one was replaced"
    INSERTED = "follows entry %(since)s: what is between them, up to entry %(before)s, was inserted"
    UNREADABLE = "was altered: it holds what nobody could have recorded, and cannot be read"
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
        try:
            when = f" ({self.entry.at:%Y-%m-%d %H:%M:%S} UTC)"
        except DataError:  # a time out of Python's range
            when = ""
        return f"Entry {self.entry.pk}{when} {self.fault.value % {'before': self.before, 'since': self.since}}."


def check() -> Iterator[Place]:
    """Go through the log from its first entry to its last, and yield every place where the chain does not hold.

    Goes on after each as if it were right, so that one hides none of those after it. That entries were cut off at the
    end cannot be seen.
    """
    previous, before = GENESIS, None
    for each in _entries():
        if each.previous != previous:
            yield _unlinked(each, before)
        if fault := _fault_of(each):
            yield Place(each, fault, before)
        previous, before = each.digest, each.pk


_ODD = (DataError, ValueError, RecursionError)
"""What reading values raises that SQL can put there and Python cannot hold, such as the year 20,000."""


def _entries() -> Iterator[Entry]:
    rows = Entry.objects.order_by("id")
    chunk = _chunk(rows)
    while chunk:
        yield from chunk
        chunk = _chunk(rows.filter(pk__gt=chunk[-1].pk))


def _chunk(rows: EntryQuerySet) -> list[Entry]:
    """Return the first of these entries; one by one, if not all can be read."""
    try:
        return list(rows[:CHUNK])
    except _ODD:
        return [_one(rows.filter(pk=pk)) for pk in rows.values_list("pk", flat=True)[:CHUNK]]


def _one(row: EntryQuerySet) -> Entry:
    """Return an entry; of one that cannot be read, what links it."""
    try:
        return row.get()
    except _ODD:
        return row.only("previous", "digest").get()


def _fault_of(entry: Entry) -> Fault | None:
    """Return what is wrong with an entry by itself."""
    try:
        if entry.digest == entry.compute_digest():
            return None
        return Fault.RESPELT if _is_respelt(entry) else Fault.ALTERED
    except _ODD:
        return Fault.UNREADABLE


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
