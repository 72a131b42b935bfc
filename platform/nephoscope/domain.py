"""The nouns: frozen, typed, free of Django. All that a plugin author needs.

A plugin imports from here and from :mod:`nephoscope.hookspecs`, and from nowhere else in the platform.
What a rule is handed to read from is :class:`nephoscope.view.View`.
"""

from __future__ import annotations

import hashlib
import inspect
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from types import ModuleType
from typing import Any

from nephoscope.cloud import (
    SHARE,
    UNREADABLE,
    WHOLE,
    Check,
    Connection,
    ConnectionProblem,
    Event,
    Field,
    Incident,
    Kit,
    Member,
    MemberRole,
    MemberState,
    Over,
    Permission,
    Provider,
    Region,
    Service,
    Session,
    Share,
    Touched,
    Verification,
    Writer,
)
from nephoscope.parameters import Parameter, Value
from nephoscope.view import Evidence, Fail, Inventory, NotKnown, ResourceView, Unknown, View, unknown

__all__ = [
    "ALL_REGIONS",
    "WHOLE",
    "Call",
    "Check",
    "Connection",
    "ConnectionProblem",
    "Control",
    "Default",
    "Event",
    "Evidence",
    "Fail",
    "Field",
    "Finding",
    "Framework",
    "Incident",
    "Inventory",
    "Kind",
    "Kit",
    "Member",
    "MemberRole",
    "MemberState",
    "NotKnown",
    "Over",
    "Parameter",
    "Permission",
    "Plan",
    "PlanProblem",
    "Provider",
    "Region",
    "Remediation",
    "Resource",
    "ResourceView",
    "Rule",
    "Service",
    "Session",
    "Severity",
    "Share",
    "Step",
    "Touched",
    "Unknown",
    "Value",
    "Verdict",
    "Verification",
    "View",
    "Writer",
    "rule",
    "rules_in",
    "unknown",
]

ALL_REGIONS = "global"
"""The region of a service, shard or resource that belongs to the whole account."""


class Severity(StrEnum):
    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Kind(StrEnum):
    """What raised an alert."""

    SECURITY = "security"
    ANOMALY = "anomaly"
    GUARDDUTY = "guardduty"
    IAC = "iac"


class Verdict(StrEnum):
    PASS = "pass"
    FAIL = "fail"
    NOT_APPLICABLE = "not_applicable"
    UNKNOWN = "unknown"
    ERROR = "error"


# -- What is judged --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Resource:
    """One thing in an account, in its canonical shape.

    ``properties`` is JSON in the cloud's own published schema (AWS: CloudFormation). A value that exists but could
    not be read stands there as :func:`unknown`. ``id`` is unique within an account (AWS: the ARN).
    """

    type: str
    id: str
    name: str
    region: str
    account: str
    properties: Mapping[str, Any]
    tags: Mapping[str, str] = field(default_factory=dict)
    origin: str = "live"

    @classmethod
    def unreadable(
        cls, type: str, region: str, account: str, *, permission: str, reason: str, share: Share = WHOLE
    ) -> Resource:
        """Stand for all resources of a type in a region that could not be listed: every rule on it is unknown."""
        id = f"{UNREADABLE}{type}:{region}" + (f"{SHARE}{share.index}" if share.index else "")
        return cls(type, id, f"All {type} in {region}", region, account, unknown(reason, permission))

    @property
    def readable(self) -> bool:
        return not self.id.startswith(UNREADABLE)


@dataclass(frozen=True, slots=True)
class Default:
    """What the absence of a property means, as the vendor documents it, since when (ISO date)."""

    value: Any
    since: str
    source: str


Judgement = bool | None | Fail


@dataclass(frozen=True, slots=True)
class Rule:
    """One check. Made with :func:`rule`; ``check`` gets a View, and an Inventory if it ``needs`` neighbours."""

    id: str
    on: tuple[str, ...]
    severity: Severity
    title: str
    why: str
    fix: str
    link: str
    check: Callable[..., Judgement]
    good: tuple[Mapping[str, Any], ...]
    bad: tuple[Mapping[str, Any], ...]
    needs: tuple[str, ...] = ()
    remediations: tuple[str, ...] = ()
    live_only: bool = False
    parameters: tuple[Parameter, ...] = ()

    @property
    def defaults(self) -> dict[str, Value]:
        """Its parameters as they are unless somebody sets them."""
        return {each.name: each.default for each in self.parameters}


def rule(
    id: str,
    *,
    on: str | tuple[str, ...],
    severity: Severity,
    fix: str,
    link: str,
    good: Iterable[Mapping[str, Any]],
    bad: Iterable[Mapping[str, Any]],
    needs: Iterable[str] = (),
    remediations: Iterable[str] = (),
    live_only: bool = False,
    parameters: Iterable[Parameter] = (),
) -> Callable[[Callable[..., Judgement]], Rule]:
    """Make a :class:`Rule` of a function; its docstring's first line is the title, the rest says why it matters.

    The function returns True (pass), False or :class:`Fail` (fail), or None (not applicable).

    :param on: the type or types of resources that it judges; examples are of the first.
    :param fix: how a person fixes it by hand, numbered steps on lines of their own.
    :param link: the vendor's documentation of that fix, https.
    :param good: examples (properties) that pass or do not apply; with neighbours or other attributes, see
        :func:`nephoscope.testing.example`.
    :param bad: examples that fail.
    :param needs: types of the neighbours that it reads from ``inventory``.
    :param live_only: it reads facts that no template has.
    :param parameters: the thresholds that a person may set; the function gets each as a keyword-only argument.
        Examples are judged by their defaults.
    """
    declared = tuple(parameters)

    def make(check: Callable[..., Judgement]) -> Rule:
        asked = [each.name for each in inspect.signature(check).parameters.values() if each.kind is each.KEYWORD_ONLY]
        if sorted(asked) != sorted(each.name for each in declared):
            raise ValueError(f"rule {id}: its keyword-only arguments are not the parameters that it declares")
        title, _, why = inspect.cleandoc(check.__doc__ or "").partition("\n")
        if not title or not why.strip():
            raise ValueError(f"rule {id}: its docstring must hold a title, and after a blank line why it matters")
        return Rule(
            id=id,
            on=(on,) if isinstance(on, str) else on,
            severity=severity,
            title=title.rstrip("."),
            why=" ".join(why.split()),
            fix=inspect.cleandoc(fix),
            link=link,
            check=check,
            good=tuple(good),
            bad=tuple(bad),
            needs=tuple(needs),
            remediations=tuple(remediations),
            live_only=live_only,
            parameters=declared,
        )

    return make


def rules_in(*modules: ModuleType) -> list[Rule]:
    """Return the rules that are attributes of these modules, in order of definition."""
    return [value for module in modules for value in vars(module).values() if isinstance(value, Rule)]


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule's verdict on one resource, with what was read to reach it."""

    rule: Rule
    resource: Resource
    verdict: Verdict
    message: str = ""
    evidence: tuple[Evidence, ...] = ()
    permission: str = ""


@dataclass(frozen=True, slots=True)
class Control:
    """One numbered demand of a framework; ``rules`` answer it, a manual one has none."""

    id: str
    title: str
    rules: tuple[str, ...] = ()
    manual: bool = False


@dataclass(frozen=True, slots=True)
class Framework:
    """A published set of controls; becomes a policy that can be chosen for an account."""

    id: str
    name: str
    provider: str
    link: str
    controls: tuple[Control, ...]
    default: bool = False
    """Whether a newly connected account is checked by it, unless its owner chooses otherwise."""
    family: str = ""
    """Under which heading it is offered, beside others of its publisher."""

    @property
    def rules(self) -> frozenset[str]:
        return frozenset(rule for control in self.controls for rule in control.rules)


# -- How it is changed -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Call:
    """One API call as data: ``Call("s3", "put_bucket_policy", {...}, Permission("s3:PutBucketPolicy"))``."""

    service: str
    operation: str
    parameters: Mapping[str, Any]
    permission: Permission
    region: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One call of a plan, its inverse, and the state before and after of what it changes (text or JSON)."""

    resource: str
    title: str
    call: Call
    inverse: Call | None
    before: Any
    after: Any


class PlanProblem(Exception):
    """A remediation cannot plan for a resource; the message says why, to the person who asked."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a remediation would do, exactly. A person approves its digest."""

    remediation: str
    rule: str
    account: str
    steps: tuple[Step, ...]
    warnings: tuple[str, ...] = ()

    @property
    def permissions(self) -> tuple[Permission, ...]:
        calls = [call for step in self.steps for call in (step.call, step.inverse) if call]
        return tuple(dict.fromkeys(call.permission for call in calls))

    @property
    def reversible(self) -> bool:
        return all(step.inverse for step in self.steps)

    @property
    def resources(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(step.resource for step in self.steps))

    @property
    def digest(self) -> str:
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True, default=list).encode()).hexdigest()


class Remediation(ABC):
    """A fix that plans and never writes: the platform applies what it planned."""

    id: str
    title: str
    summary: str
    provider: str
    on: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]

    @abstractmethod
    def plan(self, resource: Resource, session: Session) -> list[Step]:
        """Read live state and return the ordered steps for one resource; PlanProblem when there is nothing to do."""

    @abstractmethod
    def state(self, step: Step, session: Session) -> Any:
        """Read what ``step`` changes as it is now, in the form of ``before`` and ``after``."""
