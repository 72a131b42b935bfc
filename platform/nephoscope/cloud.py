"""The nouns of reaching a cloud: what a provider is, and the sessions that it opens.

Plugins import these from :mod:`nephoscope.domain`, with all the others.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from zlib import crc32

if TYPE_CHECKING:
    from nephoscope.domain import Call, Default, Kind, Resource, Severity


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that a person enters to connect an account of a provider."""

    name: str
    label: str
    help: str = ""
    required: bool = False
    generated: bool = False
    for_writing: bool = False


@dataclass(frozen=True, slots=True)
class Connection:
    """How to reach one account: its number (may be empty until verified) and the provider's fields."""

    account: str
    settings: Mapping[str, str]


class ConnectionProblem(Exception):
    """The account cannot be reached as described; ``field`` names what the person should correct."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.message = message


@dataclass(frozen=True, slots=True)
class Permission:
    """One action that is needed, and on what (an AWS ARN, or ``*``)."""

    action: str
    resource: str = "*"


UNREADABLE = "unreadable:"
"""How the ids begin of what stands for all resources of a type that could not be listed."""

SHARE = "#share"
"""What follows in such an id when only a share could not be listed, before its index."""


@dataclass(frozen=True, slots=True)
class Share:
    """A part of a service's resources, told by their ids, so that several workers can read one service."""

    index: int
    count: int

    def has(self, id: str) -> bool:
        """Whether a resource of this id belongs to it; each share has its own stand-ins for what it could not list."""
        if id.startswith(UNREADABLE):
            number = id.partition(SHARE)[2]
            return (int(number) if number else 0) % self.count == self.index
        return crc32(id.encode("utf-8", "surrogatepass")) % self.count == self.index


WHOLE = Share(0, 1)


@dataclass(frozen=True, slots=True)
class Service:
    """One part of a provider that is collected as a whole: the unit of a scan's shards.

    One that takes many calls per resource is read in several ``shares``, each by a call of :meth:`Session.collect`.
    One that brings ``incidents`` is read by :meth:`Session.incidents`; its one type is what they are stored as, and
    ``writes`` are the actions that :meth:`Provider.archiving` needs.
    """

    id: str
    name: str
    types: tuple[str, ...]
    permissions: tuple[str, ...]
    regional: bool = True
    incidents: bool = False
    writes: tuple[str, ...] = ()
    shares: int = 1


@dataclass(frozen=True, slots=True)
class Incident:
    """Something that the cloud itself noticed and raised, as a GuardDuty finding; becomes an alert of its own.

    ``key`` is unique within the account and the kind, and stays the same when the incident is updated. ``resource_*``
    say what it happened to, ``facts`` what a person should see of it, ``details`` is all of it as the cloud wrote it.
    ``archived`` means that it no longer stands there; ``sample`` that somebody asked the cloud for an example.
    """

    kind: Kind
    key: str
    region: str
    severity: Severity
    title: str
    description: str
    resource_id: str
    resource_type: str
    resource_name: str
    first_seen: datetime
    last_seen: datetime
    updated: datetime
    count: int
    link: str
    guide: str
    facts: Mapping[str, str]
    details: Mapping[str, Any]
    archived: bool = False
    sample: bool = False


@dataclass(frozen=True, slots=True)
class Over:
    """An incident that stood before and no longer does: it was archived in the cloud, or is gone from it."""

    kind: Kind
    key: str


@dataclass(frozen=True, slots=True)
class Touched:
    """What a change in the cloud touched: one resource, several of a name, or all of a service in a region.

    With ``id`` (and its ``type``) it is that resource, known or not. With ``name`` alone it is those known by that
    name, of ``type`` if that is given; where none is known, and without a name, it is the whole service in the region.
    """

    service: str
    region: str
    type: str = ""
    id: str = ""
    name: str = ""

    @property
    def whole(self) -> bool:
        return not (self.id or self.name)


@dataclass(frozen=True, slots=True)
class Event:
    """What a cloud says was done in an account. Believed of it is only where to look.

    ``id`` is unique within the account; ``touched`` is empty for what changes nothing that is collected.
    """

    id: str
    account: str
    name: str
    region: str
    touched: tuple[Touched, ...] = ()


@dataclass(frozen=True, slots=True)
class Region:
    id: str
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class Check:
    """One line of a verification: allowed True, denied False, None when it could not be found out (detail says why)."""

    permission: str
    allowed: bool | None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Verification:
    """What a provider found when it tried a connection."""

    account: str
    principal: str
    checks: tuple[Check, ...]

    @property
    def missing(self) -> tuple[str, ...]:
        return tuple(check.permission for check in self.checks if check.allowed is False)


@dataclass(frozen=True, slots=True)
class Kit:
    """One ready thing to copy that creates a role: a script or a template."""

    id: str
    title: str
    filename: str
    language: str
    text: str
    howto: str


class MemberState(StrEnum):
    """Where an account of an organisation stands. Only one that is active can be reached."""

    ACTIVE = "active"
    PENDING_ACTIVATION = "pending_activation"
    SUSPENDED = "suspended"
    PENDING_CLOSURE = "pending_closure"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Member:
    """One account of an organisation, as the organisation lists it.

    ``path`` are the names of the units that it is in, from the top. ``management`` is the account that the organisation
    belongs to: roles are not rolled out to it.
    """

    number: str
    name: str
    state: MemberState
    path: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    management: bool = False


@dataclass(frozen=True, slots=True)
class MemberRole:
    """A role that is rolled out to all members of an organisation, with one name, path and external id."""

    name: str
    external_id: str
    path: str = "/"


class Session(ABC):
    """An open reading connection to one account. It holds no global state: two sessions never share credentials."""

    @abstractmethod
    def collect(self, service: str, region: str, share: Share = WHOLE) -> Iterator[Resource]:
        """Yield the resources of a service page by page, and :meth:`Resource.unreadable` for what was hidden.

        Of a service that is read in shares only those that the share has; of any other, ``share`` is the whole.
        What one call hid becomes unknown; only a fault that hides everything may raise.
        """

    @abstractmethod
    def reread(self, resource: Resource) -> Resource | None:
        """Read one known resource again; None when it is gone. Raises what the cloud raises."""

    def incidents(
        self, service: str, region: str, since: datetime | None, known: Collection[str]
    ) -> Iterator[Incident | Over | Resource]:
        """Yield the incidents that stand and were updated at or after ``since`` (all without it), page by page.

        Also those that stand and are not among the keys ``known``, :class:`Over` for the known ones that no longer
        do, and :meth:`Resource.unreadable` for what was hidden.
        """
        return iter(())

    @abstractmethod
    def read(self, call: Call) -> Mapping[str, Any] | None:
        """Do one reading call for a remediation; None when the thing asked for does not exist."""

    @property
    @abstractmethod
    def calls(self) -> int:
        """How many API calls were made so far."""

    @abstractmethod
    def close(self) -> None: ...


class Writer(ABC):
    """An open writing connection that can do no more than the permissions it was opened with."""

    @abstractmethod
    def write(self, call: Call) -> None:
        """Do one changing call. Raises what the cloud raises."""


class Provider(ABC):
    """One kind of cloud. Stateless: everything about an account comes in with the Connection."""

    id: str
    name: str
    fields: tuple[Field, ...] = ()
    services: tuple[Service, ...] = ()
    defaults: Mapping[str, Mapping[str, Default]] = {}
    member_permissions: tuple[str, ...] = ()
    """The actions that :meth:`members` needs; none where accounts are not kept in organisations."""

    @abstractmethod
    def prepare(self, settings: Mapping[str, str]) -> dict[str, str]:
        """Check and complete entered settings (generated fields included); ConnectionProblem names a wrong one."""

    @abstractmethod
    def kits(self, connection: Connection, permissions: Sequence[str], *, writing: bool) -> list[Kit]:
        """Return the ready things that create the reading role, or the writing role with just ``permissions``."""

    @abstractmethod
    def verify(self, connection: Connection, permissions: Sequence[str], *, writing: bool) -> Verification:
        """Reach the account and check each permission. Raises ConnectionProblem."""

    @abstractmethod
    def regions(self, connection: Connection) -> list[Region]:
        """Return the regions that can be chosen. Raises ConnectionProblem."""

    def members(self, connection: Connection) -> Iterator[Member]:
        """Yield every account of the organisation that this account may list. Raises ConnectionProblem."""
        raise self._no_organisations()

    def member_settings(
        self, connection: Connection, number: str, reading: MemberRole, writing: MemberRole | None
    ) -> dict[str, str]:
        """Return the settings that reach a member of the organisation that ``connection`` lists.

        Raises ConnectionProblem; its field is ``role_name``, ``write_role_name`` or ``external_id``.
        """
        raise self._no_organisations()

    def member_kits(
        self, connection: Connection, role: MemberRole, permissions: Sequence[str], *, writing: bool
    ) -> list[Kit]:
        """Return the ready things that roll a role out to all members, those to come included."""
        return []

    def _no_organisations(self) -> ConnectionProblem:
        return ConnectionProblem("account", f"{self.name} keeps no accounts in organisations.")

    def managed_by(self, resource: Resource) -> str:
        """Say which template or tool manages the resource and would undo a change, or nothing."""
        return ""

    def archiving(self, incident: Resource, *, archive: bool) -> Call | None:
        """Return the call that archives a stored incident in the cloud, or takes that back; None if there is none."""
        return None

    def event(self, message: Mapping[str, Any]) -> Event:
        """Say what a message about a change in the cloud is about. Pure: it is asked while the cloud waits.

        :raises ValueError: it is no such message.
        """
        raise ValueError("this provider takes no events")

    def event_kits(self, endpoint: str) -> list[Kit]:
        """Return the ready things that send the account's changes to ``endpoint``; none if it takes no events."""
        return []

    @abstractmethod
    def open(self, connection: Connection) -> Session:
        """Open for reading. Raises ConnectionProblem."""

    @abstractmethod
    def open_for_writing(self, connection: Connection, permissions: Sequence[Permission]) -> Writer:
        """Open for writing, limited to ``permissions``. Raises ConnectionProblem; PlanProblem if they are too many."""
