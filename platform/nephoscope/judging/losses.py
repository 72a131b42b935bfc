"""What a complete reading no longer found: it is gone, unless the listing is not to be believed.

A wrong answer can have the right shape: an empty list, or half of one. So each of these resources is asked for by its
name first: where they are few, which costs little, and where they are at least half of what was there. As soon as one
of them still exists, or does not answer, the listing counts as hidden: the rest stays as it was, and every rule that
needs the listing is unknown until the next scan. Where a type cannot be asked for by name, the loss of half of
:data:`MANY` or more is believed by the second reading in a row.
"""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from django.db.models import Count

from nephoscope import domain
from nephoscope.accounts.models import Account
from nephoscope.accounts.queries import provider_of
from nephoscope.inventory import store
from nephoscope.inventory.models import Resource

log = logging.getLogger(__name__)

MANY = 20
"""Lost resources of one listing from which on they are asked for only if they are half of what was there."""

NAMELESS = "they cannot be looked up by name"

LANES = 8
"""Resources that are asked for at a time."""


@dataclass(frozen=True, slots=True)
class Place:
    """The resources of a type that one listing brings."""

    service: domain.Service
    type: str
    region: str

    @classmethod
    def of(cls, service: domain.Service, type: str, region: str) -> Place:
        """Return where a resource is listed: a service that is not regional has one listing for all regions."""
        return cls(service, type, region if service.regional else domain.ALL_REGIONS)


@dataclass(frozen=True, slots=True)
class Held:
    """A listing that is not believed, the rows that it no longer had and that stay, and why."""

    place: Place
    rows: frozenset[int]
    reason: str


def settle(
    account: Account,
    missing: Iterable[int],
    *,
    since: datetime,
    open: Callable[[], AbstractContextManager[domain.Session]],
    still_wanted: Callable[[], bool] = lambda: True,
) -> list[Held]:
    """Mark as gone what is, of the rows that complete readings no longer found; return the listings not believed.

    :param since: when the readings began; what is new since does not count among what was there.
    :param open: opens the account, if something has to be looked up.
    :param still_wanted: asked now and then; once it says no, nothing more is looked up, and nothing more marked.
    """
    services = {each.id: each for each in provider_of(account).services}
    lost: dict[Place, list[Resource]] = defaultdict(list)
    surely, again = [], set[Place]()
    for row in Resource.objects.filter(pk__in=list(missing), account=account, gone_at=None).order_by("pk"):
        row.account = account
        if row.service not in services:
            surely.append(row.pk)
            continue
        place = Place.of(services[row.service], row.type, row.region)
        if row.unlisted:
            surely.append(row.pk)
            if NAMELESS in str(row.properties):
                again.add(place)
        else:
            lost[place].append(row)
    doubtful = _doubtful(account, lost, services, since)
    surely += [row.pk for place, rows in lost.items() if place not in doubtful for row in rows]
    store.mark_gone(surely)
    held: list[Held] = []
    if doubtful:
        lookups = [
            _Lookup(place, lost[place], there, not half or there < MANY or place in again, still_wanted)
            for place, (there, half) in doubtful.items()
        ]
        try:
            with open() as session:
                held = [found for each in lookups if (found := each.run(session))]
        except domain.ConnectionProblem as problem:
            held = [each.held(f"they could not be looked up: {problem.message}") for each in lookups]
    for each in held:
        _hide(account, each)
    return held


def _doubtful(
    account: Account, lost: Mapping[Place, Sequence[Resource]], services: Mapping[str, domain.Service], since: datetime
) -> dict[Place, tuple[int, bool]]:
    """Return the listings whose losses are looked up, with how many each had, and whether half of them are lost.

    Half of what was there, or of the type in the whole account.
    """
    there: Counter[Place] = Counter()
    rows = Resource.objects.filter(account=account, gone_at=None, unlisted=False, first_seen__lt=since)
    rows = rows.filter(type__in={place.type for place in lost}, service__in=services).order_by()
    for service, type, region, count in rows.values_list("service", "type", "region").annotate(Count("pk")):
        there[Place.of(services[service], type, region)] += count
    in_all: Counter[str] = Counter()
    lost_in_all: Counter[str] = Counter()
    for place in there:
        in_all[place.type] += there[place]
        lost_in_all[place.type] += len(lost.get(place, ()))
    half = {
        place: 2 * len(rows) >= there[place] or 2 * lost_in_all[place.type] >= in_all[place.type]
        for place, rows in lost.items()
    }
    return {
        place: (max(there[place], len(rows)), half[place])
        for place, rows in lost.items()
        if half[place] or len(rows) < MANY
    }


class _Lookup:
    """Asks for what one listing lost; ``believed`` says whether it is where nothing can be looked up."""

    def __init__(
        self, place: Place, rows: list[Resource], there: int, believed: bool, still_wanted: Callable[[], bool]
    ) -> None:
        self.place, self.left, self.believed, self.still_wanted = place, rows, believed, still_wanted
        self.lost, self.there = len(rows), there

    def run(self, session: domain.Session) -> Held | None:
        """Mark those that are gone, up to the first that is not; say why the others stay, if any do."""
        with ThreadPoolExecutor(LANES) as pool:
            while self.left and self.still_wanted():
                rows = self.left[:LANES]
                answers = list(pool.map(partial(_gone, session), [row.to_domain() for row in rows]))
                gone = {row.pk for row, answer in zip(rows, answers, strict=True) if self._closes(answer)}
                store.mark_gone(gone)
                self.left = [row for row in self.left if row.pk not in gone]
                if len(gone) < len(rows):
                    name, answer = next(
                        (row.name, answer) for row, answer in zip(rows, answers, strict=True) if row.pk not in gone
                    )
                    return self.held(_why(name, answer))
        return None

    def _closes(self, answer: bool | Exception | None) -> bool:
        return answer is True or (answer is None and self.believed)

    def held(self, why: str) -> Held:
        """Say that what is left stays."""
        reason = f"{self.lost} of {self.there} are missing from the list, and {why}"
        return Held(self.place, frozenset(row.pk for row in self.left), reason)


def _gone(session: domain.Session, resource: domain.Resource) -> bool | Exception | None:
    try:
        return session.is_gone(resource)
    except Exception as problem:
        log.info("%s could not be looked up", resource.id, exc_info=problem)
        return problem


def _why(name: str, answer: bool | Exception | None) -> str:
    if isinstance(answer, Exception):
        return f"{name} could not be looked up: {answer}"
    return f"{name} still exists" if answer is False else NAMELESS


def _hide(account: Account, held: Held) -> None:
    """Have the listing count as one that could not be read."""
    stand_in = domain.Resource.unreadable(
        held.place.type, held.place.region, account.number, permission="", reason=held.reason
    )
    store.save(account, held.place.service.id, [stand_in])
