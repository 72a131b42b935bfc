"""Reading is evidence: the throwaway view of a resource that a rule reads from.

Every path read is recorded. Reading what could not be collected raises :class:`NotKnown`, which the engine turns into
the verdict *unknown*: a rule cannot forget it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, TypeVar

from nephoscope.domain.resource import Default, Resource
from nephoscope.domain.unknown import NotKnown, Unknown, as_unknown

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Evidence:
    """One property that a rule read. ``absent``: it was not there; ``resource``: the neighbour it was read on."""

    path: str
    value: Any
    absent: bool = False
    resource: str = ""


@dataclass(frozen=True, slots=True, init=False)
class Fail:
    """A failing judgement in words: what is wrong on this resource, and where (views or paths) it was seen."""

    message: str
    at: tuple[str, ...]

    def __init__(self, message: str, *at: View | str) -> None:
        object.__setattr__(self, "message", message)
        object.__setattr__(self, "at", tuple(place.path if isinstance(place, View) else place for place in at))


@dataclass(slots=True)
class Recorder:
    """What was read so far through one resource's view and through the neighbours reached from it."""

    reads: dict[tuple[str, str], Evidence] = field(default_factory=dict)

    def note(self, resource: str, path: str, value: Any, *, absent: bool = False) -> None:
        self.reads[(resource, path)] = Evidence(path, value, absent, resource)


NO_LIST = "it is not a list"
NO_TEXT = "it is not a text"
NO_OBJECT = "it is not an object"

_INDEX = re.compile(r"\[\d+\]")


class View:
    """A look at a JSON object or list inside a resource.

    ``view["A.B"]`` goes down two names; a name that is not there gives the provider's default for it, else None, and
    below an explicit null everything is None. What should be an object and is none is not known.
    Objects and lists come back as views, anything else as it is. ``view.key("a.b")`` takes a name that holds dots.
    """

    __slots__ = ("_defaults", "_recorder", "_resource", "_value", "path")

    def __init__(
        self, value: Any, path: str, recorder: Recorder, resource: str, defaults: Mapping[str, Default]
    ) -> None:
        self._value = value
        self.path = path
        self._recorder = recorder
        self._resource = resource
        self._defaults = defaults
        if why := as_unknown(value):
            raise NotKnown(path, why)

    def _child(self, value: Any, path: str) -> Any:
        if isinstance(value, dict | list):
            return View(value, path, self._recorder, self._resource, self._defaults)
        self._recorder.note(self._resource, path, value)
        return value

    def _absent(self, path: str) -> Any:
        default = self._defaults.get(_INDEX.sub("[]", path))
        value = default.value if default else None
        self._recorder.note(self._resource, path, value, absent=True)
        if isinstance(value, dict | list):
            return View(value, path, self._recorder, self._resource, self._defaults)
        return value

    def _join(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name

    def key(self, name: str) -> Any:
        """Return what stands under exactly this name."""
        if self.is_list:
            raise NotKnown(self.path, Unknown(NO_OBJECT))
        if isinstance(self._value, dict) and name in self._value:
            return self._child(self._value[name], self._join(name))
        return self._absent(self._join(name))

    def __getitem__(self, at: str | int) -> Any:
        if isinstance(at, int):
            return self._child(self._value[at], f"{self.path}[{at}]")
        here = self
        *way, last = at.split(".")
        for name in way:
            inside = here._value.get(name) if isinstance(here._value, dict) else here._value
            if inside is None and isinstance(here._value, dict) and name in here._value:
                return here.key(name)  # "There is none" is known: what absence means does not come in.
            if inside is None:
                return self._absent(self._join(at))
            if not isinstance(inside, dict):
                raise NotKnown(here._join(name), Unknown(NO_OBJECT))
            here = View(inside, here._join(name), self._recorder, self._resource, self._defaults)
        return here.key(last)

    def get(self, at: str, otherwise: Any = None) -> Any:
        """Return ``self[at]``, or ``otherwise`` where that is absent."""
        value = self[at]
        return otherwise if value is None else value

    def object_at(self, at: str) -> View | None:
        """Return the object ``self[at]``, or None where that is absent. Raises NotKnown if it is something else."""
        held = self[at]
        if held is not None and not (isinstance(held, View) and not held.is_list):
            raise NotKnown(self._join(at), Unknown(NO_OBJECT))
        return held

    def objects(self, at: str) -> Iterator[View]:
        """Go through the objects in the list ``self[at]``; where that is absent, there are none.

        Raises NotKnown if it is no list, and at what is no object in it.
        """
        for index, member in enumerate(self._listed(at)):
            if not isinstance(member, View) or member.is_list:
                raise NotKnown(f"{self._join(at)}[{index}]", Unknown(NO_OBJECT))
            yield member

    def texts(self, at: str) -> Iterator[str]:
        """Go through the texts in the list ``self[at]``, as :meth:`objects`."""
        for index, member in enumerate(self._listed(at)):
            if not isinstance(member, str):
                raise NotKnown(f"{self._join(at)}[{index}]", Unknown(NO_TEXT))
            yield member

    def _listed(self, at: str) -> Iterable[Any]:
        held = self[at]
        if held is not None and not (isinstance(held, View) and held.is_list):
            raise NotKnown(self._join(at), Unknown(NO_LIST))
        return () if held is None else held

    @property
    def value(self) -> Any:
        """The plain JSON below here, recorded as read as a whole. Raises NotKnown if a part of it is not known."""
        _raise_if_unknown(self._value, self.path)
        self._recorder.note(self._resource, self.path, self._value)
        return self._value

    @property
    def is_list(self) -> bool:
        return isinstance(self._value, list)

    def names(self) -> list[str]:
        """The names of this object's members; empty for a list."""
        return list(self._value) if isinstance(self._value, dict) else []

    def __contains__(self, name: object) -> bool:
        there = name in self._value
        if not there and isinstance(self._value, dict):
            self._recorder.note(self._resource, self._join(str(name)), None, absent=True)
        return there

    def __iter__(self) -> Iterator[Any]:
        """Go through a list's members; an empty list is recorded as read."""
        if not isinstance(self._value, list):
            raise TypeError(f"{self.path} is an object; go through .names()")
        if not self._value:
            self._recorder.note(self._resource, self.path, [])
        for index in range(len(self._value)):
            yield self[index]

    def __len__(self) -> int:
        self._recorder.note(self._resource, self.path, self._value)
        return len(self._value)

    def __bool__(self) -> bool:
        return len(self) > 0

    def __repr__(self) -> str:
        return f"<View {self.path}>"


class ResourceView(View):
    """The view of a whole resource: its properties, and what identifies it. ``now`` is the time of the judgement."""

    __slots__ = ("account", "id", "name", "now", "region", "tags", "type")

    def __init__(
        self, resource: Resource, recorder: Recorder, defaults: Mapping[str, Default], now: datetime, label: str = ""
    ) -> None:
        super().__init__(resource.properties, "", recorder, label, defaults)
        self.type, self.id, self.name = resource.type, resource.id, resource.name
        self.region, self.account, self.tags = resource.region, resource.account, resource.tags
        self.now = now


class Inventory(Protocol):
    """The neighbours of a resource in its account, of the types that the rule ``needs``."""

    def of(self, type: str, region: str = "") -> Iterator[ResourceView]:
        """All of a type (in a region): first those that are known, then NotKnown is raised if some are hidden.

        Those in a region that is not scanned are hidden. Without a region, that hides some of each regional type.
        """
        ...

    def get(self, type: str, id: str, region: str = "") -> ResourceView | None:
        """The one with this id or name (in a region), or None. Raises NotKnown when it may be among what is hidden."""
        ...

    def once(self, work: Callable[[Inventory], T]) -> T:
        """What is worked out of the neighbours alone, once for all resources that this rule judges.

        What ``work`` reads is no evidence. It must keep no views, and neither raise nor depend on the time.
        """
        ...


def _raise_if_unknown(value: Any, path: str) -> None:
    if why := as_unknown(value):
        raise NotKnown(path, why)
    if isinstance(value, dict):
        for name, member in value.items():
            _raise_if_unknown(member, f"{path}.{name}")
    elif isinstance(value, list):
        for index, member in enumerate(value):
            _raise_if_unknown(member, f"{path}[{index}]")
