"""How it is said which events are about which resources: the nouns of :mod:`nephoscope_aws.event_table`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from nephoscope_aws.names import partition_of

_ANY = r"[^/:]+"


@dataclass(frozen=True)
class Kind:
    """How events name the resources of one type.

    :param arn: how its ARN is made, with ``{partition}``, ``{region}``, ``{account}`` and ``{name}``; an ARN like that
        anywhere in the event names one. Beside these it is a regular expression, as is ``name``.
    :param members: members that hold its name, or an ARN that ends with it; in lower case, because services differ.
    :param events: the events that are about it, as a regular expression; any by default.
    :param made: whether the name alone makes the ARN; the id of what is not known is told by an ARN only otherwise.
    :param before: what stands before the name in such a member.
    :param suffix: what an ARN adds to the name.
    """

    service: str
    type: str
    arn: str
    members: tuple[str, ...] = ()
    events: str = ""
    made: bool = True
    name: str = _ANY
    before: str = r"[/:]"
    suffix: str = ""

    def id(self, region: str, account: str, name: str) -> str:
        """Return the id of the one with this name; empty where that does not make it."""
        if not self.made:
            return ""
        return id_of(self.arn, region, account, self.called(name))

    def pattern(self, region: str, account: str) -> re.Pattern[str] | None:
        return _pattern(self.arn, self.name, region, account) if self.arn else None

    def called(self, text: str) -> str:
        """Return the name in what a member or an ARN says."""
        name = re.split(self.before, text)[-1]
        return re.sub(f"{self.suffix}$", "", name) if self.suffix else name


def id_of(arn: str, region: str, account: str, name: str = "") -> str:
    """Return an ARN in the partition of the region that an event comes from."""
    return arn.format(partition=partition_of(region), region=region, account=account, name=name)


@lru_cache(maxsize=1_000)
def _pattern(arn: str, name: str, region: str, account: str) -> re.Pattern[str]:
    return re.compile(arn.format(partition="aws[a-z-]*", region=region, account=account, name=f"(?P<name>{name})"))


@dataclass(frozen=True)
class Always:
    """What events of these names touch whatever they say: one of its kind by its id, or without one the service."""

    events: str
    service: str
    type: str = ""
    id: str = ""


@dataclass(frozen=True)
class Source:
    """One source of events. An event that is about a kind and names none of it is about the kind's whole service.

    :param ids: whether resources are told by what their ids begin with (:data:`nephoscope_aws.event_table.EC2_IDS`).
    :param whole: a service that events of names like ``relevant`` are about as a whole, unless they name something.
    """

    kinds: tuple[Kind, ...] = ()
    always: tuple[Always, ...] = ()
    ids: bool = False
    whole: str = ""
    relevant: str = "$^"


@dataclass(frozen=True)
class Ec2Id:
    service: str
    type: str
    place: str
    events: str
    owner: bool = True


ACCOUNT_ID = "arn:{partition}:iam::{account}:root"
"""The id of the account itself."""


def whole(service: str, events: str) -> Source:
    """Return a source whose events, of names like these, are about a service as a whole."""
    return Source(whole=service, relevant=events)
