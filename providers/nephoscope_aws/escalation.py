"""How an identity can give itself more than it was given: the published paths to administrator permissions.

A path is open when each of its actions is allowed where it has to be: on things of any name, on the identity itself or
its own policies, or, for a role that is passed, on one that has administrator permissions. The paths are in
:mod:`nephoscope_aws.escalation_paths`, who is an administrator is in :mod:`nephoscope_aws.administrators`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial

from nephoscope.domain import Inventory, NotKnown, ResourceView
from nephoscope_aws.access_policies import known, matches
from nephoscope_aws.administrators import (
    ANY_REGION,
    Administrator,
    Escalation,
    administrators,
    any_of,
    granting,
    of_aws,
    on_one,
    through_iam,
)
from nephoscope_aws.escalation_paths import (
    EXISTING,
    GRANTED,
    OF_OTHERS,
    OF_POLICIES,
    PASS,
    PASSING,
    SCRIPTED,
    SCRIPTS,
    TRUST,
    UNBINDING,
    UNDENYING,
    Passing,
    Use,
)
from nephoscope_aws.identity_policies import (
    ANY_NAME,
    EVERYTHING,
    GROUP,
    POLICY,
    ROLE,
    USER,
    Permissions,
    Statement,
    any_arn,
    attached_arns,
    groups_of,
    inline_policies,
    managed,
)
from nephoscope_aws.names import partition


def escalations(holder: ResourceView, held: Permissions, inventory: Inventory) -> Iterator[Escalation]:
    """Go through the open paths of a user or role.

    :raises NotKnown: after those that are open whatever could not be read, what decides others was not read.
    """
    yield from _all_of(
        through_iam(held, holder),
        _through_own(held, holder, inventory),
        _paths(holder, held, inventory),
        _unbinding(held, holder, inventory),
        _undenying(held, holder, inventory),
    )


def _all_of(*ways: Iterator[Escalation]) -> Iterator[Escalation]:
    gaps: list[NotKnown] = []
    for each in ways:
        try:
            yield from each
        except NotKnown as gap:
            gaps.append(gap)
    if gaps:
        raise gaps[0]


def _paths(holder: ResourceView, held: Permissions, inventory: Inventory) -> Iterator[Escalation]:
    """Those that changing one's own policies has no part in, nor changing those of any name."""
    yield from _all_of(_existing(held, holder), _others(held, holder, inventory), _passed(held, holder, inventory))


def _opens(held: Permissions, holder: ResourceView, inventory: Inventory) -> bool:
    """Whether there is more behind these permissions than an identity has, if it can get them."""
    return (
        any(through_iam(held, holder))
        or (held.boundary is None and any(_on_own(held, holder, inventory)))
        or any(_all_of(_paths(holder, held, inventory), _unbinding(held, holder, inventory)))
    )


def _through_own(held: Permissions, holder: ResourceView, inventory: Inventory) -> Iterator[Escalation]:
    """What IAM opens on what the holder is and has.

    What it grants itself holds within its boundary, so that is a way only where there is one behind it.
    """
    open_on_any = {way.actions for way in through_iam(held, holder)}
    gaps: list[NotKnown] = []
    ways = [
        way
        for way in known(gaps, lambda: tuple(_on_own(held, holder, inventory)), ())
        if way.actions not in open_on_any
    ]
    granted = Permissions((*held.statements, EVERYTHING), held.boundary, held.known)
    if (ways or gaps) and (held.boundary is None or _opens(granted, holder, inventory)):
        yield from ways
        if gaps:
            raise gaps[0]


def _on_own(held: Permissions, holder: ResourceView, inventory: Inventory) -> Iterator[Escalation]:
    def targets(type: str) -> list[str]:
        if type == POLICY:
            return [arn for arn in attached_arns(holder) if ":iam::aws:" not in arn]
        if type == GROUP:
            return [group.id for group in groups_of(holder, inventory)]
        return [holder.id] if type == holder.type else []

    yield from granting(held, holder, targets, boundary=_boundary_of(holder))


def _boundary_of(holder: ResourceView) -> tuple[str, ...] | None:
    try:
        arn = holder["PermissionsBoundary"]
    except NotKnown:
        return None
    return (arn,) if isinstance(arn, str) and arn else ()


def _existing(held: Permissions, holder: ResourceView) -> Iterator[Escalation]:
    """What has code run with the role of any thing, if only in one region."""
    asked = held.knowing(cloudformation__rolearn=())
    found: set[tuple[str, ...]] = set()
    for way in EXISTING:
        actions = tuple(dict.fromkeys(use.action for use in way))
        if actions not in found and (by := _using(asked, holder, way)):
            found.add(actions)
            yield Escalation(actions, by)


def _using(held: Permissions, holder: ResourceView, way: tuple[Use, ...]) -> tuple[Statement, ...] | None:
    """Return the statements that allow all uses of a way in one region, None if there is none."""
    if not all(held.about(use.action) for use in way):
        return None
    for region in _regions(held, *(use.action for use in way)):
        by = [found for use in way if (found := _used(held, holder, use, region))]
        if len(by) == len(way):
            return tuple(by)
    return None


def _used(held: Permissions, holder: ResourceView, use: Use, region: str) -> Statement | None:
    service = use.service or use.action.partition(":")[0]
    target = any_arn(service, use.kind, holder, region)
    names = [ANY_NAME] if use.any else [ANY_NAME, *_named(held, use)]
    found = (held.allowing(use.action, target.replace(ANY_NAME, name)) for name in names)
    by = next(filter(None, found), None)
    return by if use.action not in SCRIPTED or _scripts(held, holder, use.action) else None


def _named(held: Permissions, use: Use) -> Iterator[str]:
    """Go through the names that statements on the action give to things of this kind."""
    for pattern in held.patterns(use.action):
        thing = pattern.split(":", 5)[-1]
        if thing.startswith(use.kind):
            yield thing.removeprefix(use.kind).replace("*", ANY_NAME).replace("?", "q")


def _regions(held: Permissions, *actions: str) -> list[str]:
    """Return a region that nobody has heard of, and those that statements on the actions name in ARNs."""
    arns = (pattern.split(":") for action in actions for pattern in held.patterns(action))
    named = {arn[3].replace("*", "any").replace("?", "a") for arn in arns if len(arn) > 5}
    return [ANY_REGION, *sorted(named - {""})]


def _scripts(held: Permissions, holder: ResourceView, action: str) -> bool:
    return any(
        held.allowing(action, f"arn:{partition(holder.id)}:ssm:{region}:{owner}:document/{name}")
        for region in _regions(held, action)
        for owner in ("", holder.account)
        for name in SCRIPTS
    )


def _others(held: Permissions, holder: ResourceView, inventory: Inventory) -> Iterator[Escalation]:
    """Becoming somebody else who is an administrator, and letting oneself into a role.

    In its own account, a principal that a role's trust policy names needs no permission to assume it:
    https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
    """
    yield from on_one(held, TRUST, [any_of(ROLE, holder)])
    yield from _all_of(
        *(
            _on_administrator(held, holder, inventory, action, type)
            for action, type in {**OF_OTHERS, TRUST: ROLE}.items()
            if not held.allowing(action, any_of(type, holder))
        )
    )


def _on_administrator(
    held: Permissions, holder: ResourceView, inventory: Inventory, action: str, type: str
) -> Iterator[Escalation]:
    others, hidden = _administrators(held, holder, inventory, action, type)
    for other, by in _allowed(held, action, others):
        if other.gap:
            raise other.gap
        yield Escalation((action,), (by,))
        return
    if hidden:
        raise hidden


def _allowed(
    held: Permissions, action: str, others: Iterable[Administrator]
) -> Iterator[tuple[Administrator, Statement]]:
    """Go through those on whom an action is allowed. What no statement tells apart is asked once: they may be many."""
    asked: dict[tuple[bool, ...], Statement | None] = {}
    for other in others:
        alike = held.alike(action, other.id)
        if alike not in asked:
            asked[alike] = held.allowing(action, other.id)
        if by := asked[alike]:
            yield other, by


def _unbinding(held: Permissions, holder: ResourceView, inventory: Inventory) -> Iterator[Escalation]:
    """Getting rid of one's own boundary, or changing it, is a way where there is more behind it."""
    ways = [*_off_boundary(held, holder)] if held.boundary else []
    if ways and _opens(Permissions(held.statements, None, held.known), holder, inventory):
        yield from ways


def _off_boundary(held: Permissions, holder: ResourceView) -> Iterator[Escalation]:
    own = str(holder["PermissionsBoundary"])
    for action, type in UNBINDING.items():
        after = own if "Delete" in action else of_aws(GRANTED[0], holder)
        if type == holder.type:
            yield from on_one(held.knowing(iam__permissionsboundary=(after,)), action, [holder.id])
    for action in OF_POLICIES if ":iam::aws:" not in own else ():
        yield from on_one(held, action, [own])


def _undenying(held: Permissions, holder: ResourceView, inventory: Inventory) -> Iterator[Escalation]:
    """Getting rid of one's own policies that deny something is a way where there is more without them."""
    gone: set[Statement] = set()
    ways: list[Escalation] = []
    for action, facts, policy in _denying(holder, inventory) if any(each.denies for each in held.statements) else ():
        for way in on_one(held.knowing(**facts), action, [holder.id]):
            gone.update(policy)
            ways += [way] if way not in ways else []
    left = tuple(each for each in held.statements if each not in gone)
    if ways and _opens(Permissions(left, held.boundary, held.known), holder, inventory):
        yield from ways


def _denying(
    holder: ResourceView, inventory: Inventory
) -> Iterator[tuple[str, Mapping[str, tuple[str, ...]], tuple[Statement, ...]]]:
    """Go through a holder's own policies that deny something: what takes it off, what is known then, its statements."""
    delete, detach = UNDENYING[holder.type]
    name = holder.name if holder.type == USER else ""
    for inline in inline_policies(holder):
        if any(each.denies for each in inline):
            yield delete, {}, inline
    for arn in attached_arns(holder):
        attached = managed(arn, inventory, name)
        if any(each.denies for each in attached):
            yield detach, {"iam__policyarn": (arn,)}, attached


def _passed(held: Permissions, holder: ResourceView, inventory: Inventory) -> Iterator[Escalation]:
    ways = [*_doable(held, holder)] if held.about(PASS) else []
    named, hidden = _administrators(held, holder, inventory, PASS, ROLE) if ways else ([], None)
    gaps: list[NotKnown] = []
    for way, asked, by in ways:
        usable = inventory.once(administrators)[ROLE].usable(way.to) if named else ()
        roles = [each for each in named if each.id in usable]
        if passes := known(gaps, partial(_passes, asked, holder, way, roles, hidden), None):
            yield Escalation((PASS, *way.actions), (passes, *by))
    if gaps:
        raise gaps[0]


def _doable(held: Permissions, holder: ResourceView) -> Iterator[tuple[Passing, Permissions, list[Statement]]]:
    """Go through the services that can be told what to do, with what is allowed of them and by which statements."""
    for way, asked in _asked(held, holder):
        by = [found for action in way.actions if (found := asked.allowing_somewhere(action))]
        if len(by) == len(way.actions):
            yield way, asked, by


def _passes(
    held: Permissions, holder: ResourceView, way: Passing, roles: list[Administrator], gap: NotKnown | None
) -> Statement | None:
    """Return the statement by which any role, or one of these, can be passed to a service.

    :raises NotKnown: none can, but for a ``gap``, or for what is not known of one.
    """
    if by := held.allowing(PASS, any_of(ROLE, holder)):
        return by
    for role, by in _allowed(held, PASS, roles):
        if role.gap is None and role.is_usable(way.to):
            return by
        gap = gap or role.gap or role.untold
    if gap:
        raise gap
    return None


def _asked(held: Permissions, holder: ResourceView) -> Iterator[tuple[Passing, Permissions]]:
    """Go through the services with what is allowed of them. In China some are spelled ``.com.cn``, and others are not.

    https://docs.amazonaws.cn/en_us/aws/latest/userguide/iam.html
    """
    for way in PASSING:
        yield way, held.knowing(iam__passedtoservice=(way.to,))
        if partition(holder.id) == "aws-cn":
            yield way, held.knowing(iam__passedtoservice=(f"{way.to}.cn",))


def _administrators(
    held: Permissions, holder: ResourceView, inventory: Inventory, action: str, type: str
) -> tuple[list[Administrator], NotKnown | None]:
    """Return others that statements on an action name and that are or may be administrators; why there may be more."""
    any_name = any_of(type, holder)
    # what holds for any name was asked before
    patterns = [each for each in held.patterns(action) if not matches(each, any_name)]
    if not patterns:
        return [], None
    every = inventory.once(administrators)[type]
    return [each for each in every.matching(patterns) if each.id != holder.id], every.hidden
