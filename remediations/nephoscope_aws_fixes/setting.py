"""What most fixes are: one thing of one resource, which one call reads and another one sets.

A fix of that kind says which operations these are, how the resource is named in them, and what should be so. From that
come the plan, its inverse, the look whether it still holds, and the permissions.

- :class:`Setting`: any state; "there is none" (None) is a state, too, which ``remover`` sets, as any other ``off``.
- :class:`Members`: some members of what describes the resource should have these values.
"""

from __future__ import annotations

import copy
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from nephoscope.domain import Call, FixRequest, LiveSession, Permission, PlanProblem, Remediation, Resource, Step, Wait
from nephoscope_aws.answers import Unavailable
from nephoscope_aws.api import Denied
from nephoscope_aws.call import AwsCall, aws_call

MOST_NAMED = 5
"""Names that a sentence has; of more, the number is."""


@dataclass(frozen=True, slots=True)
class Target:
    """What a fix is for, as its calls name it: by ``names``, parameters that each changing call takes.

    ``arn`` is what the permissions are asked for on.
    """

    names: Mapping[str, Any]
    arn: str
    region: str


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation of boto3, and the IAM actions that it needs.

    ``anywhere``: its actions cannot be limited to one resource, as the service authorization reference says.
    https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
    """

    service: str
    name: str
    actions: tuple[str, ...]
    anywhere: bool = False

    def on(self, target: Target, parameters: Mapping[str, Any]) -> Call:
        where = "*" if self.anywhere else target.arn
        permissions = (Permission(action, where) for action in self.actions)
        return aws_call(self.service, self.name, parameters, *permissions, region=target.region)


def operation(service: str, name: str, *actions: str, anywhere: bool = False) -> Operation:
    return Operation(service, name, actions, anywhere)


class Setting(Remediation):
    """A fix that sets one state of one resource."""

    provider = "aws"
    getter: ClassVar[Operation]
    setter: ClassVar[Operation]
    remover: ClassVar[Operation | None] = None
    """Sets ``off``, with nothing but the names."""
    off: ClassVar[Any] = None
    """The state that the remover sets: that there is none, unless said otherwise."""
    keys: ClassVar[tuple[str, ...]]
    """The parameters of the setter that name the resource; some may be left out."""
    also_reads: ClassVar[tuple[str, ...]] = ()
    """Actions that ``wanted`` and ``uses`` need beside the getter's."""
    also_writes: ClassVar[tuple[str, ...]] = ()
    """Actions on something else that setting needs as well, such as iam:PassRole; ``set_to`` adds the permission."""
    undoable: ClassVar[bool] = True
    """Whether the setter can also set what was before."""
    keep: ClassVar[tuple[str, ...]] = ()
    """What of the setter's answer ``wait`` needs, by :func:`nephoscope.domain.result`."""

    def __init_subclass__(cls, **more: Any) -> None:
        super().__init_subclass__(**more)
        if hasattr(cls, "getter"):
            cls.reads = _once((*cls.getter.actions, *cls.also_reads))
        if hasattr(cls, "setter"):
            removing = cls.remover.actions if cls.remover else ()
            cls.writes = _once((*cls.setter.actions, *removing, *cls.also_writes))

    # -- what a fix says --------------------------------------------------------------------------

    @abstractmethod
    def names(self, resource: Resource) -> dict[str, Any]:
        """Return the parameters that name the resource in the setter, of those in ``keys``."""

    def arn(self, resource: Resource) -> str:
        return resource.id

    def asked(self, target: Target) -> Mapping[str, Any]:
        """Return the parameters of the getter."""
        return target.names

    @abstractmethod
    def found(self, answer: Mapping[str, Any]) -> Any:
        """Return the state that an answer of the getter tells; None for "there is none"."""

    @abstractmethod
    def wanted(self, before: Any, request: FixRequest, session: LiveSession) -> Any:
        """Return the state that should be; the same one when there is nothing to do.

        :raises PlanProblem: it cannot be had; says why.
        """

    def parameters(self, state: Any) -> Mapping[str, Any]:
        """Return what the setter takes for a state, beside the names."""
        return dict(state)

    def lost(self, before: Any, after: Any) -> tuple[str, Any]:
        """Return what an undo does not bring back, in a sentence, and the state that it leads to instead."""
        return "", None

    @property
    def loses(self) -> str | None:
        """Nothing, unless the fix says what :meth:`lost` may return."""
        return "" if type(self).lost is Setting.lost else None

    def wait(self, target: Target) -> Wait | None:
        """Return what the call is to be waited for with."""
        return None

    def same(self, one: Any, other: Any) -> bool:
        """Whether two states are the same."""
        return bool(one == other)

    def show(self, properties: dict[str, Any], state: Any) -> None:
        """Write a state into the resource's properties, as the collector would."""
        raise NotImplementedError

    # -- what comes of it -------------------------------------------------------------------------

    def target(self, resource: Resource) -> Target:
        return Target(self.names(resource), self.arn(resource), resource.region)

    def read(self, target: Target, session: LiveSession) -> Any:
        """Return the state as it is; None where there is none or the resource is gone."""
        answer = session.read(self.getter.on(target, self.asked(target)))
        return None if answer is None else self.found(answer)

    def set_to(self, target: Target, state: Any) -> Call | None:
        """Return the call that sets a state; None where none does."""
        if state == self.off:
            return self.remover.on(target, target.names) if self.remover else None
        return self.setter.on(target, {**target.names, **self.parameters(state)})

    def plan(self, request: FixRequest, session: LiveSession) -> list[Step]:
        target = self.target(request.resource)
        with unless_hidden():
            before = self.read(target, session)
            after = self.wanted(before, request, session)
        if self.same(before, after):
            raise PlanProblem("it is so already.")
        call = self.set_to(target, after)
        assert call is not None, f"{self.id} has no call for what it wants"
        loses, restored = self.lost(before, after)
        inverse = self.set_to(target, restored if loses else before) if self.undoable else None
        wait = self.wait(target)
        return [Step(request.resource.id, self.title, call, inverse, before, after, wait, self.keep, loses, restored)]

    def state(self, step: Step, session: LiveSession) -> Any:
        asked = AwsCall.of(step.call)
        names = {name: asked.parameters[name] for name in self.keys if name in asked.parameters}
        now = self.read(Target(names, step.resource, asked.region), session)
        return next((known for known in (step.before, step.after, step.undone) if self.same(now, known)), now)

    def project(self, resource: Resource, steps: Sequence[Step]) -> Resource | None:
        properties = copy.deepcopy(dict(resource.properties))
        for step in steps:
            self.show(properties, step.after)
        return replace(resource, properties=properties)


class Members(Setting):
    """A fix that sets members of what describes a resource: "these properties should be so"."""

    path: ClassVar[tuple[str | int, ...]]
    """Where the answer describes the resource."""
    wants: ClassVar[Mapping[str, Any]]
    """The members that should be so, and how."""
    shown: ClassVar[Mapping[str, str]] = {}
    """What a member is called among the resource's properties (dots lead deeper), where that is something else."""
    sent_as: ClassVar[Mapping[str, str]] = {}
    """The setter's name of a member, where that is another one."""
    sends: ClassVar[Mapping[str, Any]] = {}
    """Parameters that each call takes as well."""

    def found(self, answer: Mapping[str, Any]) -> Any:
        described = at(answer, self.path)
        return None if described is None else {name: described.get(name) for name in self.wants}

    def wanted(self, before: Any, request: FixRequest, session: LiveSession) -> Any:
        if before is None:
            raise PlanProblem("it does not exist any more.")
        return {**before, **self.wants}

    def parameters(self, state: Any) -> Mapping[str, Any]:
        set = {self.sent_as.get(name, name): value for name, value in state.items() if value is not None}
        return {**set, **self.sends}

    def described(self, resource: Resource, session: LiveSession) -> Mapping[str, Any]:
        """Return all that the getter says of a resource; nothing of one that is gone."""
        target = self.target(resource)
        return at(session.read(self.getter.on(target, self.asked(target))), self.path) or {}

    def show(self, properties: dict[str, Any], state: Any) -> None:
        for name, value in state.items():
            put(properties, self.shown.get(name, name), value)


@contextmanager
def unless_hidden() -> Iterator[None]:
    """Say of what could not be read that it cannot be planned for."""
    try:
        yield
    except (Denied, Unavailable) as hidden:
        raise PlanProblem(f"it could not be read: {hidden.message}.") from hidden


def number(request: FixRequest, parameter: str) -> int:
    """Return a parameter of the finding's rule that is a number."""
    value = request.parameters[parameter]
    assert isinstance(value, int), f"{parameter} is no number"
    return value


def at(answer: Any, path: Sequence[str | int]) -> Any:
    """Return what a path leads to in an answer; None where it leads nowhere."""
    for name in path:
        try:
            answer = answer[name]
        except (LookupError, TypeError):
            return None
    return answer


def in_short_list(names: Sequence[str]) -> str:
    """Return names as a sentence has them; of many, the first ones and how many more."""
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more


def put(properties: dict[str, Any], path: str, value: Any) -> None:
    """Write a value into properties; dots lead deeper."""
    *folders, last = path.split(".")
    for folder in folders:
        if not isinstance(properties.get(folder), dict):
            properties[folder] = {}
        properties = properties[folder]
    properties[last] = value


def _once(actions: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(actions))
