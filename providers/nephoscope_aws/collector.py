"""What one collector is: the declaration and the functions that a module in ``collectors/`` ends with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from nephoscope.domain import Resource, Service
from nephoscope_aws.api import Api


@dataclass(frozen=True)
class Collector:
    """One service's way of being read.

    ``reads`` maps (boto3 service, operation) to the IAM action that it needs: nothing else can be called through the
    Api. ``collect(api, region)`` yields the service's resources of one region; where the service has shares,
    ``collect(api, region, share)`` yields a share's part of them. ``reread`` reads one again, None when it is gone.
    """

    service: Service
    reads: Mapping[tuple[str, str], str]
    collect: Callable[..., Iterator[Resource]]
    reread: Callable[[Api, Resource], Resource | None]
