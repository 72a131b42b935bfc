"""One odd item costs itself and nothing else: how items become resources, and what stands for what they lack.

A member that AWS left out of an answer is :class:`nephoscope_aws.answers.Unread`. As a property it becomes unknown;
what is computed of it is put in ``part(...)``; an item without its identity becomes the stand-in of its type.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import wraps
from typing import Any, TypeVar

from nephoscope.domain import Resource, Share, unknown
from nephoscope_aws.answers import Unavailable, Unread
from nephoscope_aws.api import Api, code_of
from nephoscope_aws.collector import Collector
from nephoscope_aws.collectors.many import first_stand_ins
from nephoscope_aws.collectors.shape import GONE, PROBLEMS, Listing, unreadable

log = logging.getLogger(__name__)

T = TypeVar("T")


def is_one_of(value: Any, states: Collection[Any]) -> bool:
    """Tell whether a state is one of these; one that could not be read is none, so that its resource stays."""
    return not isinstance(value, Unread) and value in states


Made = Resource | Iterable[Resource] | None
"""What is made of one item: a resource, several, or none, since it is gone."""


def isolated(
    api: Api, region: str, types: str | Sequence[str], make: Callable[[T], Made]
) -> Callable[[T], list[Resource]]:
    """Return what makes the resources of one item, with a stand-in for each type where that cannot be done.

    So what is odd in one item costs no other one, and what is gone is none.
    """

    def made(item: T) -> list[Resource]:
        try:
            found = make(item)
            return [found] if isinstance(found, Resource) else list(found or ())
        except PROBLEMS as problem:
            if code_of(problem) in GONE:
                return []
            log.warning("an item of %s in %s could not be read", types, region, exc_info=True)
            return [unreadable(api, region, type, problem) for type in _listed(types)]

    return made


def each(
    api: Api,
    region: str,
    types: str | Sequence[str],
    make: Callable[[T], Made],
    items: Iterable[T],
    *,
    calls: bool = False,
) -> Iterator[Resource]:
    """Yield the resources that ``make`` makes of each item, as :func:`isolated`.

    :param calls: whether making one asks AWS for more: then many are made at a time.
    """
    made = isolated(api, region, types, make)
    for found in api.map(made, items) if calls else map(made, items):
        yield from found
    if isinstance(items, Listing):
        yield from items.unreadable(api, region, *_listed(types))


def _listed(types: str | Sequence[str]) -> Sequence[str]:
    return [types] if isinstance(types, str) else types


def whole(collector: Collector) -> Collector:
    """Return a collector whose resources are all :func:`told`, with one stand-in per type."""

    @wraps(collector.collect)
    def collect(api: Api, region: str, *share: Share) -> Iterator[Resource]:
        return first_stand_ins(told(api, each) for each in collector.collect(api, region, *share))

    @wraps(collector.reread)
    def reread(api: Api, resource: Resource) -> Resource | None:
        found = collector.reread(api, resource)
        again = told(api, found) if found else None
        if again and again.unlisted:
            raise Unavailable(f"{resource.type}: AWS's answer does not identify it")
        return again

    return replace(collector, collect=collect, reread=reread)


def told(api: Api, resource: Resource) -> Resource:
    """Return a resource with unknown in place of what is Unread; one without an identity is a stand-in of its type.

    The stand-in is for the whole region: which of its things this was is what is not known.
    """
    if not _identifies(resource.id):
        why = resource.id.why if isinstance(resource.id, Unread) else "AWS's answer does not identify it"
        return unreadable(api, resource.region, resource.type, Unavailable(why))
    name = resource.name if isinstance(resource.name, str) and resource.name else _tail(resource.id)
    return replace(resource, name=name, properties=_plain(resource.properties))


def _identifies(id: Any) -> bool:
    """Tell whether this is an id; one that is made of names begins or ends with what parts them if one is empty."""
    return isinstance(id, str) and id.strip("/:") == id != ""


def _tail(id: str) -> str:
    return re.split("[/:]", id)[-1] or id


def _plain(value: Any) -> Any:
    if isinstance(value, Unread):
        return unknown(value.why)
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value
