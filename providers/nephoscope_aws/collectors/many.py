"""For what is read in batches, and for what can be hidden many times: the lists of each of many parents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

from nephoscope.domain import Resource

T = TypeVar("T")


def batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Yield the items in lists of ``size``; what raises while going through them raises after the last full list."""
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch


def first_stand_ins(resources: Iterable[Resource]) -> Iterator[Resource]:
    """Yield all resources, but one stand-in per type: any number of parents' lists can be denied, one by one."""
    seen: set[str] = set()
    for resource in resources:
        if not resource.unlisted:
            yield resource
        elif resource.id not in seen:
            seen.add(resource.id)
            yield resource
