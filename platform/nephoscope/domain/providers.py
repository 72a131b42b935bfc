"""What an account is connected to: a small core, and a facet for each thing that not every provider can do.

A provider has the core, :class:`Provider`: what it is called, what is entered to connect an account, what is read of
it, and a session that reads. A facet that it does not have is None: nothing has to be faked. A repository of templates
has the core alone.
"""

from __future__ import annotations

import secrets
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from nephoscope.domain.calls import Permission
from nephoscope.domain.connection import Connection, ConnectionProblem, Deadline
from nephoscope.domain.detections import Detection, DetectionCleared
from nephoscope.domain.fix_groups import FixGroup
from nephoscope.domain.reasons import in_short
from nephoscope.domain.resource import Default, Resource
from nephoscope.domain.sessions import LiveSession, Session, Writer


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that a person enters.

    ``required``: an account cannot be reached without it. ``generated``: Nephoscope makes it. ``for_writing``: it
    belongs to the access that fixes use. ``secret``: it is stored encrypted and never shown again.
    """

    name: str
    label: str
    help: str = ""
    required: bool = False
    generated: bool = False
    for_writing: bool = False
    secret: bool = False
    default: str = ""


@dataclass(frozen=True, slots=True)
class Service:
    """One part of a provider that is collected as a whole: the unit of a scan's shards.

    One that takes many calls per resource is read in several ``shares``, each by a call of :meth:`Session.collect`.
    One that brings ``detections`` is read by :meth:`DetectionSource.read`; its one type is what they are stored as.
    """

    id: str
    name: str
    types: tuple[str, ...]
    permissions: tuple[str, ...]
    regional: bool = True
    detections: bool = False
    shares: int = 1


@dataclass(frozen=True, slots=True)
class ChangedResource:
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
    def whole_service(self) -> bool:
        return not (self.id or self.name)


@dataclass(frozen=True, slots=True)
class Event:
    """What a cloud says was done in an account. Believed of it is only where to look.

    ``id`` is unique within the account; ``changed`` is empty for what changes nothing that is collected.
    """

    id: str
    account: str
    name: str
    region: str
    changed: tuple[ChangedResource, ...] = ()


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

    def __post_init__(self) -> None:
        object.__setattr__(self, "detail", in_short(self.detail))


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
class SetupTemplate:
    """A script or template for a person to run in the cloud, complete and with nothing left to fill in."""

    id: str
    title: str
    filename: str
    language: str
    text: str
    howto: str


@dataclass(frozen=True, slots=True)
class TagLimits:
    """What a provider takes as tags: how many, and how long names and values may be.

    ``characters`` is a regular expression that names and values match as a whole; ``shown`` says the same in words.
    """

    most: int
    longest_name: int
    longest_value: int
    characters: str
    shown: str


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
    belongs to: access is not rolled out to it.
    """

    number: str
    name: str
    state: MemberState
    path: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    management: bool = False


class Onboarding(ABC):
    """How access is set up and tried. Facet of a provider whose accounts have to grant it.

    Setup templates are shown, so the connection that they are made for holds no secret fields.
    """

    intro: str = ""
    """What the access is that an account grants, in a sentence or two; shown above the setup templates."""
    own_credentials: str = ""
    """What a person confirms to connect without granting access, by what Nephoscope runs as: then the settings for
    reading stay empty. Empty where that cannot be."""

    def hindrance(self, connection: Connection) -> str:
        """Say why Nephoscope could reach no account with such settings, whatever one grants, and what to do.

        Asked before access is granted, so it is quick; empty when nothing is known to hinder it.
        """
        return ""

    @abstractmethod
    def setup_templates(self, connection: Connection, permissions: Sequence[str]) -> list[SetupTemplate]:
        """Return what creates the access for reading, with just ``permissions``."""

    @abstractmethod
    def verify(self, connection: Connection, permissions: Sequence[str]) -> Verification:
        """Reach the account and check each permission. Raises ConnectionProblem."""

    @abstractmethod
    def regions(self, connection: Connection) -> list[Region]:
        """Return the regions that can be chosen; none where accounts have no regions. Raises ConnectionProblem."""


class Writing(ABC):
    """How fixes get access of their own. Facet of a provider that can change something; sessions are LiveSessions."""

    intro: str = ""
    """What that access is, in a sentence or two."""
    longest_call: int = 60
    """Seconds after which a call that the writer began, with all its tries, reaches the cloud no more."""

    @abstractmethod
    def setup_templates(self, connection: Connection, groups: Sequence[FixGroup]) -> list[SetupTemplate]:
        """Return what creates the access for fixes; whoever uses it chooses which of the ``groups`` it allows."""

    def allow_command(self, connection: Connection, groups: Sequence[FixGroup]) -> str:
        """Return the command that has the access allow just these groups; empty where there is none.

        It runs one of the setup templates, saved under its file name.
        """
        return ""

    @abstractmethod
    def verify(self, connection: Connection, permissions: Sequence[str]) -> Verification:
        """Reach the account and check each permission, changing nothing. Raises ConnectionProblem."""

    @abstractmethod
    def open(self, connection: Connection, permissions: Sequence[Permission]) -> Writer:
        """Open for writing, limited to ``permissions``. Raises ConnectionProblem; PlanProblem if they are too many."""

    @abstractmethod
    def managed_by(self, resource: Resource) -> str:
        """Say which template or tool manages the resource and would undo a change, or nothing."""

    def tags(self, resources: Sequence[Resource], session: LiveSession) -> Mapping[str, Mapping[str, str]]:
        """Read the tags of resources as they are now, by their ids; of those left out, the stored ones count.

        Asked before a plan, also of types whose tags no scan reads. Raises what the cloud raises.
        """
        return {}


class OrganisationSource(ABC):
    """Facet of a provider that keeps accounts in organisations."""

    fields: tuple[Field, ...]
    """What is entered of an organisation: how its members are reached."""
    permissions: tuple[str, ...]
    """The actions that :meth:`members` needs, of the account that the organisation is read through."""
    intro: str = ""
    """Which account can list an organisation, and how its members are reached; shown before one is connected."""
    rollout: str = ""
    """What the setup templates do in the members, in a sentence or two."""

    @abstractmethod
    def prepare(self, connection: Connection, settings: Mapping[str, str]) -> dict[str, str]:
        """Check and complete entered settings (generated fields included); ConnectionProblem names a wrong one."""

    @abstractmethod
    def members(self, connection: Connection) -> Iterator[Member]:
        """Yield every account of the organisation that this account may list. Raises ConnectionProblem."""

    @abstractmethod
    def member_settings(self, connection: Connection, settings: Mapping[str, str], number: str) -> dict[str, str]:
        """Return the settings that reach a member of the organisation that ``connection`` lists."""

    @abstractmethod
    def setup_templates(
        self, connection: Connection, settings: Mapping[str, str], reading: Sequence[str], writing: Sequence[FixGroup]
    ) -> list[SetupTemplate]:
        """Return what gives access to all members, those to come included, with just the permissions for ``reading``.

        What gives access for fixes only where the settings ask for it, with the choice of what it allows; the titles
        say so.
        """


class EventSource(ABC):
    """Facet of a provider whose accounts can tell of changes as they happen."""

    largest: int
    """Bytes of the largest message that the cloud sends."""
    steps: tuple[str, ...] = ()
    """What a person does in the account, up to the use of the setup templates: a sentence or two each."""

    @abstractmethod
    def parse(self, message: Mapping[str, Any]) -> Event:
        """Say what a message about a change in the cloud is about. Pure: it is asked while the cloud waits.

        :raises ValueError: it is no such message.
        """

    @abstractmethod
    def setup_templates(self, endpoint: str) -> list[SetupTemplate]:
        """Return what sends the account's changes to ``endpoint``."""


class DetectionSource(ABC):
    """Facet of a provider whose cloud notices things by itself."""

    name: str
    """The detector as people know it; the ``source`` of its detections."""
    archive: str = ""
    """The remediation that archives a detection in the cloud when it is suppressed here; its undo takes that back."""

    def responses(self, detection: Resource) -> tuple[str, ...]:
        """Return the ids of the remediations that do something about what a stored detection tells of, if any does."""
        return ()

    @abstractmethod
    def read(
        self, session: Session, service: str, region: str, since: datetime | None, known: Collection[str]
    ) -> Iterator[Detection | DetectionCleared | Resource]:
        """Yield the detections that stand and were updated at or after ``since`` (all without it), page by page.

        Also those that stand and are not among the keys ``known``, :class:`DetectionCleared` for the known ones that
        no longer do, and :meth:`Resource.unreadable` for what was hidden.
        """


class Provider(ABC):
    """One kind of environment that accounts are connected to. Stateless: an account comes in with the Connection."""

    id: str
    name: str
    fields: tuple[Field, ...] = ()
    services: tuple[Service, ...] = ()
    defaults: Mapping[str, Mapping[str, Default]] = {}
    tag_limits: TagLimits | None = None
    account_type: tuple[int, str] = (99, "Other")
    """What its accounts are in OCSF, id and caption: https://schema.ocsf.io/1.5.0/objects/account (``type_id``)."""

    onboarding: Onboarding | None = None
    writing: Writing | None = None
    organisations: OrganisationSource | None = None
    events: EventSource | None = None
    detections: DetectionSource | None = None

    def prepare(self, settings: Mapping[str, str]) -> dict[str, str]:
        """Check and complete entered settings (generated fields included); ConnectionProblem names a wrong one."""
        return completed(self.fields, settings)

    def type_name(self, type: str) -> str:
        """Return a type of resource in words; one that is not the provider's own as it is."""
        return type

    def partition(self, resource: str) -> str:
        """Return the part of the cloud, separate from all others, that a resource is in by its id; mostly nothing."""
        return ""

    def too_slow(self, deadline: Deadline) -> ConnectionProblem:
        """Return what is said to a person whose deadline passed."""
        return ConnectionProblem("account", f"{self.name} did not answer within {deadline}. Try again.")

    @abstractmethod
    def open(self, connection: Connection) -> Session:
        """Open for reading. Raises ConnectionProblem."""


def completed(fields: Sequence[Field], settings: Mapping[str, str]) -> dict[str, str]:
    """Return settings with a value for each field: as entered, generated, or the field's default."""
    found = {}
    for each in fields:
        value = settings.get(each.name, "").strip() or each.default
        if not value and each.generated:
            value = secrets.token_hex(16)
        found[each.name] = value
    return found
