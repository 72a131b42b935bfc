"""For what is read in batches, or parent by parent: things that have a list call of their own for each parent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TypeVar

from nephoscope.domain import Resource
from nephoscope_aws.api import Api
from nephoscope_aws.collectors.shape import PROBLEMS, existing, unreadable

T = TypeVar("T")


def batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Yield the items in lists of ``size``; what raises while going through them raises after the last full list."""
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch


def children(api: Api, region: str, type: str, read: Callable[[], list[Resource]]) -> list[Resource]:
    """Return ``read()``, what one parent has: a stand-in when it could not be listed, nothing when the parent is gone.

    The stand-in is for the whole region; :func:`first_stand_ins` leaves one of many.
    """
    try:
        return existing(read) or []
    except PROBLEMS as problem:
        return [unreadable(api, region, type, problem)]


def first_stand_ins(resources: Iterable[Resource]) -> Iterator[Resource]:
    """Yield all resources, but one stand-in per type: any number of parents' lists can be denied, one by one."""
    seen: set[str] = set()
    for resource in resources:
        if not resource.unlisted:
            yield resource
        elif resource.id not in seen:
            seen.add(resource.id)
            yield resource
