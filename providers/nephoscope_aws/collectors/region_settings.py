"""What the collectors share that read whether something is on in a region: one resource for each region.

CloudFormation has no type for "there is none", so a service's settings in a region are a type of our own, that is
there in any case: ``AWS::SERVICE::RegionSettings``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from nephoscope.domain import Resource, Service
from nephoscope_aws.api import Api
from nephoscope_aws.collector import Collector
from nephoscope_aws.collectors.shape import PROBLEMS, actions, unreadable

Read = Callable[[Api, str], dict[str, Any]]


def collector(
    id: str, name: str, type: str, reads: Mapping[tuple[str, str], str], read: Read, again: Read | None = None
) -> Collector:
    """Return a collector of one resource a region, whose properties ``read(api, region)`` returns.

    :param again: reads them again, where ``read`` remembers something for the session.
    """

    def collect(api: Api, region: str) -> Iterator[Resource]:
        """Yield the region's settings, or what stands for them."""
        try:
            yield settings(api, region, read)
        except PROBLEMS as problem:
            yield unreadable(api, region, type, problem)

    def reread(api: Api, resource: Resource) -> Resource | None:
        """Read the settings again, with as many calls."""
        return settings(api, resource.region, again or read)

    def settings(api: Api, region: str, read: Read) -> Resource:
        return Resource(type, f"{type}:{region}", f"{name} in {region}", region, api.account, read(api, region))

    collect.__module__ = read.__module__  # A collector is of the module that names its SYNTHETIC properties.
    return Collector(Service(id, name, (type,), actions(reads)), reads, collect, reread)
