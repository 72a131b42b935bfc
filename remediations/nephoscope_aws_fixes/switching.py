"""What fixes have in common that switch a service on in a region.

An undo switches it off again, as long as nobody has set anything up in it since: what people add to a service is part
of the state that has to be as the fix left it.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from nephoscope.domain import Call, FixRequest, LiveSession, Permission, PlanProblem, Remediation, Resource, Step
from nephoscope_aws.call import AwsCall
from nephoscope_aws.names import partition_of
from nephoscope_aws_fixes.setting import Operation, Target, at, unless_hidden

CREATE_ROLE = "iam:CreateServiceLinkedRole"

LOSES = "Undo deletes what the service has found until then."

Added = tuple[Operation, str]
"""An operation that lists what people add to a service, and the name of the list in its answer."""


@dataclass(frozen=True, slots=True)
class Place:
    """A region of an account."""

    region: str
    account: str

    def arn(self, service: str, rest: str, region: str | None = None) -> str:
        where = self.region if region is None else region
        return f"arn:{partition_of(self.region)}:{service}:{where}:{self.account}:{rest}"

    def target(self, arn: str = "*") -> Target:
        return Target({}, arn, self.region)


class SwitchOn(Remediation):
    """Switches a service on, or lets one go on that was suspended.

    The state is None while the service is off, else its settings and how much people have added to it.
    """

    provider = "aws"
    group = "Security services"
    loses = LOSES
    settles = 600
    role: ClassVar[str]
    """The path of the service-linked role that AWS makes for the service, if there is none."""
    fresh: ClassVar[Mapping[str, Any]]
    """The settings of the service as it was just switched on."""
    adds: ClassVar[Mapping[str, Added]]
    """What people may have added to the service, in words."""
    suspended: ClassVar[Mapping[str, Any]] = {}
    """Settings in which it is on and does nothing; those of ``fresh`` go on."""
    keep: ClassVar[tuple[str, ...]] = ()
    """What the answer of switching on has that is needed later."""

    @abstractmethod
    def names(self, region: str, session: LiveSession) -> Mapping[str, Any] | None:
        """Return the parameters by which its calls name what is on; None if it is off."""

    @abstractmethod
    def settings(self, region: str, names: Mapping[str, Any], session: LiveSession) -> dict[str, Any]:
        """Read those settings of the service that ``fresh`` has."""

    @abstractmethod
    def switch_on(self, place: Place) -> Call: ...

    @abstractmethod
    def switch_off(self, place: Place) -> Call: ...

    def change(self, place: Place, names: Mapping[str, Any], settings: Mapping[str, Any]) -> Call:
        """Return the call that suspends the service or lets it go on."""
        raise NotImplementedError

    @abstractmethod
    def shown(self) -> dict[str, Any]:
        """Return the properties of the region's settings once it is on, as the collector would."""

    # -- what comes of it -------------------------------------------------------------------------

    def read(self, region: str, session: LiveSession) -> tuple[Mapping[str, Any], dict[str, Any] | None]:
        """Return what names the service in calls, and its state."""
        names = self.names(region, session)
        if names is None:
            return {}, None
        where = Target(names, "*", region)
        lists = {word: at(session.read(op.on(where, names)), (name,)) for word, (op, name) in self.adds.items()}
        return names, self.settings(region, names, session) | {word: len(each or ()) for word, each in lists.items()}

    def plan(self, request: FixRequest, session: LiveSession) -> list[Step]:
        resource = request.resource
        place = Place(resource.region, resource.account)
        with unless_hidden():
            names, before = self.read(resource.region, session)
        if before is None:
            return [self._switching_on(resource.id, place)]
        paused = {name: before[name] for name in self.suspended}
        if not paused or paused != self.suspended:
            raise PlanProblem("it is on already.")
        resumed = {name: self.fresh[name] for name in paused}
        call, inverse = (self.change(place, names, each) for each in (resumed, paused))
        return [Step(resource.id, self.title, call, inverse, before, before | resumed)]

    def _switching_on(self, resource: str, place: Place) -> Step:
        call = self.switch_on(place)
        role = Permission(CREATE_ROLE, place.arn("iam", f"role/aws-service-role/{self.role}", region=""))
        call = replace(call, permissions=(*call.permissions, role))
        after = {**self.fresh, **dict.fromkeys(self.adds, 0)}
        return Step(resource, self.title, call, self.switch_off(place), None, after, None, self.keep, LOSES, None)

    def state(self, step: Step, session: LiveSession) -> Any:
        return self.read(AwsCall.of(step.call).region, session)[1]

    def project(self, resource: Resource, steps: Sequence[Step]) -> Resource | None:
        return replace(resource, properties={**resource.properties, **self.shown()})
