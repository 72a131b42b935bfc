"""Who is an administrator: who may do everything, or everything but a part that can be had by changing IAM."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

from nephoscope.domain import Inventory, NotKnown, ResourceView, View
from nephoscope_aws.access_policies import known, matches, members, statements
from nephoscope_aws.escalation_paths import GRANTED, GRANTING, OF_OTHERS, OF_POLICIES
from nephoscope_aws.identity_policies import (
    GROUP,
    POLICY,
    ROLE,
    USER,
    Permissions,
    Statement,
    any_arn,
    at_most,
    permissions,
)
from nephoscope_aws.names import partition

_KINDS = {USER: "user/", GROUP: "group/", ROLE: "role/", POLICY: "policy/"}

ANY_REGION = "any-region-1"


@dataclass(frozen=True, slots=True)
class Escalation:
    """An open path: its actions, and the statements that allow them."""

    actions: tuple[str, ...]
    by: tuple[Statement, ...]

    def __str__(self) -> str:
        return " + ".join(self.actions)


def administers(held: Permissions, holder: ResourceView) -> Statement | None:
    """Return the statement by which permissions are those of an administrator, None if they are not.

    They are when they hold for services that nobody has heard of, and the rest can be had by changing IAM: a policy
    that leaves out one service or denies one action still makes an administrator, one that leaves out IAM does not.
    """
    everything = held.allowing("nephoscope:AnyAction", any_arn("nephoscope", "thing/", holder, ANY_REGION))
    if everything is None:
        return None
    return everything if any(through_iam(held, holder)) else None


def through_iam(held: Permissions, holder: ResourceView) -> Iterator[Escalation]:
    """What IAM alone opens, on things of any name."""
    yield from granting(held, holder, lambda type: [any_of(type, holder)])
    for action, type in OF_OTHERS.items():
        yield from on_one(held.knowing(iam__permissionsboundary=()), action, [any_of(type, holder)])


def granting(
    held: Permissions,
    holder: ResourceView,
    targets: Callable[[str], list[str]],
    *,
    boundary: tuple[str, ...] | None = (),
) -> Iterator[Escalation]:
    """What gives permissions to one of the targets, which are asked for by type.

    :param boundary: the one of those targets that are of the holder's own type; None where it was not read.
    """
    for action, type in GRANTING.items():
        bounds = boundary if type == holder.type else ()
        asked = held if bounds is None or action in OF_POLICIES else held.knowing(iam__permissionsboundary=bounds)
        policies = [{"iam__policyarn": (of_aws(each, holder),)} for each in GRANTED] if "Attach" in action else [{}]
        ways = (way for each in policies for way in on_one(asked.knowing(**each), action, targets(type)))
        yield from islice(ways, 1)


def on_one(held: Permissions, action: str, targets: Iterable[str]) -> Iterator[Escalation]:
    """An action that one of the targets is enough for."""
    for target in targets:
        if by := held.allowing(action, target):
            yield Escalation((action,), (by,))
            return


def of_aws(policy: str, holder: ResourceView) -> str:
    """Return the ARN of a policy of AWS's."""
    return f"arn:{partition(holder.id)}:iam::aws:policy/{policy}"


def any_of(type: str, holder: ResourceView) -> str:
    """Return the ARN of a user, group, role or policy that nobody has heard of."""
    return any_arn("iam", _KINDS[type], holder)


# -- Those of an account -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Administrator:
    """One of an account's administrators, or with ``gap`` one of whom it is not known.

    ``trusted`` has the services that may take on a role, None if any may; ``untold`` why there may be more.
    """

    id: str
    trusted: tuple[str, ...] | None = None
    untold: NotKnown | None = None
    gap: NotKnown | None = None

    def is_usable(self, service: str) -> bool | None:
        """Whether a service can use the role, for which its trust policy has to name it, also by region.

        None where that is not known.
        """
        own = service.removesuffix("amazonaws.com")
        if self.trusted is None or any(
            name == "*" or (name.startswith(own) and ".amazonaws.com" in name) for name in self.trusted
        ):
            return True
        return None if self.untold else False


class Administrators:
    """Those of one type. ``hidden`` says why there may be more that were not listed."""

    def __init__(self, type: str, inventory: Inventory) -> None:
        self.hidden: NotKnown | None = None
        self._all = sorted(self._found(type, inventory), key=lambda each: each.id)
        self._ids = [each.id for each in self._all]
        self._usable: dict[str, set[str]] = {}

    def _found(self, type: str, inventory: Inventory) -> Iterator[Administrator]:
        try:
            for each in inventory.of(type):
                yield from _as_administrator(each, inventory)
        except NotKnown as gap:
            self.hidden = gap

    def matching(self, patterns: Iterable[str]) -> list[Administrator]:
        """Return those whose ARNs match one of the patterns, those that are known first."""
        found = {each.id: each for pattern in patterns for each in self._matching(pattern)}.values()
        return [*(each for each in found if not each.gap), *(each for each in found if each.gap)]

    def usable(self, service: str) -> set[str]:
        """Return the ARNs of roles that a service can use, or may be able to."""
        if service not in self._usable:
            self._usable[service] = {each.id for each in self._all if each.is_usable(service) is not False}
        return self._usable[service]

    def _matching(self, pattern: str) -> Iterator[Administrator]:
        head = pattern.partition("*")[0].partition("?")[0]
        for each in islice(self._all, bisect_left(self._ids, head), None):
            if not each.id.startswith(head):
                return
            if matches(pattern, each.id):
                yield each


def administrators(inventory: Inventory) -> dict[str, Administrators]:
    """Return the administrators among an account's users, groups and roles: work for ``Inventory.once``."""
    return {type: Administrators(type, inventory) for type in (USER, GROUP, ROLE)}


def _as_administrator(holder: ResourceView, inventory: Inventory) -> Iterator[Administrator]:
    gap: NotKnown | None = None
    try:
        held = permissions(holder, inventory)
    except NotKnown as why:
        held, gap = at_most(holder, inventory), why
    if administers(held, holder):
        gaps: list[NotKnown] = []
        trusted = _trusted(holder, gaps) if holder.type == ROLE else None
        yield Administrator(holder.id, trusted, next(iter(gaps), None), gap)


def _trusted(role: ResourceView, gaps: list[NotKnown]) -> tuple[str, ...] | None:
    """Return what a role's trust policy names, None if it has none; what is not known goes to ``gaps``."""
    document = known(gaps, partial(role.key, "AssumeRolePolicyDocument"), "")
    if document is None:
        return None
    found = known(gaps, lambda: tuple(statements(document, gaps)), ())
    allowed = [each for each in found if known(gaps, partial(each.key, "Effect"), "Allow") == "Allow"]
    elements = [known(gaps, partial(each.key, "Principal"), None) for each in allowed]
    return tuple(name for each in elements for name in _named(each, gaps))


def _named(principal: Any, gaps: list[NotKnown]) -> Iterator[str]:
    by_kind = isinstance(principal, View) and not principal.is_list
    parts = [known(gaps, partial(principal.key, kind), None) for kind in principal.names()] if by_kind else [principal]
    for part in parts:
        names = [part] if isinstance(part, str) else members(part, gaps)
        yield from (name for name in names if isinstance(name, str))
