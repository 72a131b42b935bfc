"""How something is changed: plans of calls, as data."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from nephoscope.domain.calls import Call, Permission
from nephoscope.domain.providers import Field
from nephoscope.domain.resource import Resource
from nephoscope.domain.rules import Finding, Value
from nephoscope.domain.sessions import LiveSession
from nephoscope.domain.view import Evidence


@dataclass(frozen=True, slots=True)
class Wait:
    """What a step waits for after its call, so that the next one finds it done.

    ``read`` is made every ``every`` seconds until what ``path`` leads to in its answer is one of ``until``. The step
    has failed when it is one of ``failed``, and after ``timeout`` seconds.
    """

    read: Call
    path: str
    until: tuple[str, ...]
    timeout: int = 300
    every: int = 5
    failed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """One call of a plan, its inverse, and the state before and after of what it changes (text or JSON).

    ``before`` is the state before the whole plan. ``wait`` is waited for after the call. ``keep`` names, by paths in
    the call's answer, what later steps and the inverses use of it through :func:`result`; nothing else of an answer is
    kept. ``loses`` says what the inverse does not bring back, in a sentence; the undo then leads to ``restored``
    instead of ``before``.
    """

    resource: str
    title: str
    call: Call
    inverse: Call | None
    before: Any
    after: Any
    wait: Wait | None = None
    keep: tuple[str, ...] = ()
    loses: str = ""
    restored: Any = None

    @property
    def undone(self) -> Any:
        """The state that the inverse leads to."""
        return self.restored if self.loses else self.before


class PlanProblem(Exception):
    """A remediation cannot plan for a resource; the message says why, to the person who asked."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a remediation would do, exactly. A person approves its digest. ``inputs`` is what that person entered.

    ``uses`` says who uses what is changed, as far as it can be read: what may stop working.
    """

    remediation: str
    rule: str
    account: str
    steps: tuple[Step, ...]
    warnings: tuple[str, ...] = ()
    inputs: Mapping[str, str] = field(default_factory=dict)
    uses: tuple[str, ...] = ()

    @property
    def permissions(self) -> tuple[Permission, ...]:
        calls = [call for step in self.steps for call in (step.call, step.inverse) if call]
        return tuple(dict.fromkeys(permission for call in calls for permission in call.permissions))

    @property
    def reversible(self) -> bool:
        return all(step.inverse for step in self.steps)

    @property
    def losses(self) -> tuple[str, ...]:
        """What an undo does not bring back, each once."""
        return tuple(dict.fromkeys(step.loses for step in self.steps if step.loses))

    @property
    def resources(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(step.resource for step in self.steps))

    @property
    def digest(self) -> str:
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True, default=list).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class FixRequest:
    """What a remediation is asked to plan for: one failing finding, or one detection.

    ``rule`` is the rule's id, empty for a detection; ``message`` and ``evidence`` are the finding's. ``parameters`` are
    the rule's as they are set for the account. ``inputs`` is what the person entered for :attr:`Remediation.inputs`,
    complete and without unknown names. ``judge`` judges the resource, as it is or would be, by that rule; None for a
    detection. It reads neither the cloud nor a database.
    """

    resource: Resource
    rule: str = ""
    message: str = ""
    evidence: tuple[Evidence, ...] = ()
    parameters: Mapping[str, Value] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)
    judge: Callable[[Resource], Finding] | None = field(default=None, compare=False, repr=False)


class Remediation(ABC):
    """A fix that plans and never writes: the platform applies what it planned."""

    id: str
    title: str
    summary: str
    provider: str
    group: str
    """Under what a fix role allows it, with all others of the group: "Public buckets"."""
    on: tuple[str, ...]
    """The types of resources that it is for."""
    reads: tuple[str, ...]
    """The actions that planning and verifying need, of the access for reading."""
    writes: tuple[str, ...]
    """The actions that applying and undoing need, of the access for fixes."""
    breaks: str = ""
    """What may stop working once it is applied, in a sentence or two for the person who approves it.

    Said before it is planned, and first among the warnings of every plan, which it is approved with.
    """
    inputs: tuple[Field, ...] = ()
    """What it needs to know of the person who asks for it. None is secret: a plan is stored and shown."""
    settles: int = 60
    """Seconds that the cloud may take to show what was done, the new value read where it is read anew."""

    @property
    def loses(self) -> str | None:
        """What an undo may not bring back, in a sentence; empty where all of it comes back, None where each plan says.

        Most fixes say it as a text of the class.
        """
        return None

    @abstractmethod
    def plan(self, request: FixRequest, session: LiveSession) -> list[Step]:
        """Read live state and return the ordered steps for one resource; PlanProblem when there is nothing to do."""

    @abstractmethod
    def state(self, step: Step, session: LiveSession) -> Any:
        """Read what ``step`` changes as it is now, in the form of ``before`` and ``after``.

        Before the plan is applied, a call that uses what an earlier step returns still holds :func:`result` for it.
        """

    def project(self, resource: Resource, steps: Sequence[Step]) -> Resource | None:
        """Return the resource as it will be once its steps are done, for rules to judge; None where that is not known.

        Pure: what is in the steps is all that is known.
        """
        return None

    def uses(self, request: FixRequest, session: LiveSession) -> list[str]:
        """Say who uses what would be changed, in sentences, as far as the cloud tells; nothing where it does not."""
        return []
