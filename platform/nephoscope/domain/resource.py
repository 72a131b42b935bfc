"""What is judged: one thing in an account, in its canonical shape."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

from nephoscope.domain.unknown import unknown

ALL_REGIONS = "global"
"""The region of a service, shard or resource that belongs to the whole account."""


@dataclass(frozen=True, slots=True)
class Share:
    """A part of a service's resources, told by their ids, so that several workers can read one service."""

    index: int
    count: int

    def has(self, id: str) -> bool:
        """Whether a resource of this id belongs to it."""
        return crc32(id.encode("utf-8", "surrogatepass")) % self.count == self.index


WHOLE = Share(0, 1)

UNIDENTIFIED = "unidentified:"
"""How the id of what stands for one resource begins, of which it is not known which one it is."""


@dataclass(frozen=True, slots=True)
class Resource:
    """One thing in an account, in its canonical shape.

    ``properties`` is JSON in the cloud's own published schema. A value that exists but could not be read is in it as
    :func:`unknown`. ``id`` is unique within an account.
    ``unlisted`` marks what stands for all resources of its type in its region: they could not be listed, or, with
    ``share``, that share of them could not; or for one of them, of which it is not known which one it is.
    """

    type: str
    id: str
    name: str
    region: str
    account: str
    properties: Mapping[str, Any]
    tags: Mapping[str, str] = field(default_factory=dict)
    origin: str = "live"
    unlisted: bool = False
    share: int = 0

    @classmethod
    def unreadable(
        cls,
        type: str,
        region: str,
        account: str,
        *,
        permission: str,
        reason: str,
        share: Share = WHOLE,
        one: bool = False,
    ) -> Resource:
        """Stand for all resources of a type in a region that could not be listed: every rule on it is unknown.

        :param one: it stands for one that could not be told by its id; the others were read.
        """
        id = f"{UNIDENTIFIED if one else 'unlisted:'}{type}:{region}:{share.index}"
        name = f"One {type} in {region}" if one else f"All {type} in {region}"
        properties = unknown(reason, permission)
        return cls(type, id, name, region, account, properties, unlisted=True, share=share.index)


@dataclass(frozen=True, slots=True)
class Default:
    """What the absence of a property means, as the vendor documents it, since when (ISO date)."""

    value: Any
    since: str
    source: str
