"""What the policies of an IAM identity allow, asked as IAM asks: one action on one resource, a Deny first.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics.html

A condition is decided by what is known of a request (:class:`Permissions`). What is not known of it an intruder may
choose or bring about: such a condition leaves an Allow in force, and a Deny not. Not followed are the policies of
organizations (service and resource control policies) and of sessions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, ParamSpec, TypeVar

from nephoscope.domain import Inventory, NotKnown, ResourceView, Unknown, View
from nephoscope_aws.access_policies import Names, known, matches, statements
from nephoscope_aws.names import partition

P = ParamSpec("P")
T = TypeVar("T")

USER = "AWS::IAM::User"
GROUP = "AWS::IAM::Group"
ROLE = "AWS::IAM::Role"
POLICY = "AWS::IAM::ManagedPolicy"
AWS_POLICY = "AWS::IAM::AWSManagedPolicy"

ANY_NAME = "=nephoscope@any="
"""A name that nothing has and that no pattern is made for: what holds for it holds for whatever there is."""

ABSENT_TAGS = ("aws:resourcetag/", "iam:resourcetag/", "ec2:resourcetag/", "ssm:resourcetag/")
"""Keys about a target that are taken as not there: any other target than the tagged ones does not have them."""

_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_NEVER = "\0"
"""Stands in a pattern for a policy variable whose value is not known: nothing matches it."""


def any_arn(service: str, kind: str, holder: ResourceView, region: str = "") -> str:
    """Return the ARN of a thing of the holder's account that nobody has heard of."""
    return f"arn:{partition(holder.id)}:{service}:{region}:{holder.account}:{kind}{ANY_NAME}"


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a policy. ``source`` says in words which policy; ``at`` is its path there."""

    denies: bool
    actions: Names
    resources: Names
    conditions: tuple[tuple[str, str, tuple[str, ...]], ...]
    source: str
    at: str

    def names(self, action: str) -> bool:
        """Whether it is about this action; case does not count."""
        exact, wild = _sorted(self.actions.patterns)
        name = action.lower()
        service = name.partition(":")[0]
        named = name in exact or any(matches(each, name) for key in (service, "") for each in wild.get(key, ()))
        return named != self.actions.excepted

    def reaches(self, resource: str) -> bool:
        """Whether it is about this resource."""
        return any(matches(each, resource) for each in self.resources.patterns) != self.resources.excepted


EVERYTHING = Statement(False, Names(("*",)), Names(("*",)), (), "", "")


@lru_cache(maxsize=1024)
def _sorted(patterns: tuple[str, ...]) -> tuple[frozenset[str], dict[str, list[str]]]:
    """Return names without wildcards, and those with them by service: AWS's own policies have a thousand of them."""
    wild: dict[str, list[str]] = {}
    for each in map(str.lower, patterns):
        if "*" in each or "?" in each:
            service, colon, _ = each.partition(":")
            wild.setdefault("" if not colon or "*" in service or "?" in service else service, []).append(each)
    return frozenset(map(str.lower, patterns)), wild


@dataclass(frozen=True)
class Permissions:
    """The statements that hold for an identity, within those of its permissions boundary if it has one.

    ``known`` has the values of condition keys by their names in small letters; one without values is not in requests.
    """

    statements: tuple[Statement, ...]
    boundary: Permissions | None = None
    known: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    _about: dict[str, list[Statement]] = field(default_factory=dict, repr=False, compare=False)

    def about(self, action: str) -> list[Statement]:
        """Return the statements on an action."""
        if action not in self._about:
            self._about[action] = [each for each in self.statements if each.names(action)]
        return self._about[action]

    def knowing(self, **more: tuple[str, ...]) -> Permissions:
        """Return the same with more known of the request; ``__`` stands for the colon of a key."""
        known = {**self.known, **{name.replace("__", ":"): values for name, values in more.items()}}
        return Permissions(self.statements, self.boundary and self.boundary.knowing(**more), known, self._about)

    def allowing(self, action: str, resource: str) -> Statement | None:
        """Return a statement that allows an action on a resource; None when nothing does, or something denies it."""
        concerned = [each for each in self.about(action) if each.reaches(resource)]
        if any(each.denies and self._holds(each) is True for each in concerned):
            return None
        if self.boundary and not self.boundary.allowing(action, resource):
            return None
        return next((each for each in concerned if not each.denies and self._holds(each) is not False), None)

    def patterns(self, action: str) -> list[str]:
        """Return what statements on an action name of what it may be allowed on, those of the boundary included."""
        about = [*self.about(action), *(self.boundary.about(action) if self.boundary else ())]
        named = (each.resources.patterns for each in about if each.denies == each.resources.excepted)
        return [*dict.fromkeys(pattern for patterns in named for pattern in patterns)]

    def alike(self, action: str, resource: str) -> tuple[bool, ...]:
        """Return what decides an action on a resource: all for which it is the same are allowed, or none."""
        about = [*self.about(action), *(self.boundary.about(action) if self.boundary else ())]
        return tuple(each.reaches(resource) for each in about)

    def allowing_somewhere(self, action: str) -> Statement | None:
        """Return a statement that allows an action on any resource at all."""
        if not any(not each.denies for each in self.about(action)):
            return None
        for resource in (ANY_NAME, *self.patterns(action)):
            if found := self.allowing(action, resource.replace("*", ANY_NAME).replace("?", "q")):
                return found
        return None

    def _holds(self, statement: Statement) -> bool | None:
        """Whether a statement's conditions are met: all of them, one of them not, or that is not known."""
        met = [_met(operator, self._values(key), values) for operator, key, values in statement.conditions]
        if False in met:
            return False
        return None if None in met else True

    def _values(self, key: str) -> tuple[str, ...] | None:
        return () if key.startswith(ABSENT_TAGS) else self.known.get(key)


def _met(operator: str, actual: tuple[str, ...] | None, wanted: tuple[str, ...]) -> bool | None:
    """Decide one condition of a policy; None where the request's value is not known, or the operator not followed.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
    """
    if actual is None:
        return None
    quantifier, _, plain = operator.rpartition(":")
    if plain == "null":
        return (not actual) == (wanted == ("true",)) if wanted in (("true",), ("false",)) else None
    negated, optional = "not" in plain, plain.endswith("ifexists")
    plain = plain.removesuffix("ifexists").replace("not", "", 1)
    if plain not in ("stringequals", "stringequalsignorecase", "stringlike", "arnequals", "arnlike"):
        return None
    if not actual:
        return negated or optional or quantifier == "forallvalues"
    whole = plain.startswith("stringequals")
    fold = str.lower if plain.endswith("ignorecase") else str
    hit = [any(fold(want) == fold(each) if whole else matches(want, each) for want in wanted) for each in actual]
    return any(each != negated for each in hit) if quantifier == "foranyvalue" else all(each != negated for each in hit)


# -- Reading -----------------------------------------------------------------------------------------------------


def read_document(document: Any, source: str, holder_name: str = "") -> Iterator[Statement]:
    """Go through a policy document; what AWS would refuse grants and denies nothing.

    :param holder_name: what ``${aws:username}`` stands for; empty where that is not known.
    :raises NotKnown: a part of it is not known.
    """
    gaps: list[NotKnown] = []
    for view in statements(document, gaps):
        plain = view.value
        if plain.get("Effect") in ("Allow", "Deny"):
            yield Statement(
                plain["Effect"] == "Deny",
                _names(plain, "Action"),
                _filled(_names(plain, "Resource"), holder_name),
                tuple(_conditions(plain.get("Condition"), holder_name)),
                source,
                view.path,
            )
    if gaps:
        raise gaps[0]


def _names(statement: Mapping[str, Any], element: str) -> Names:
    for name, excepted in ((element, False), (f"Not{element}", True)):
        if name in statement:
            return Names(tuple(_texts(statement[name])), excepted)
    return Names(())


def _texts(value: Any) -> list[str]:
    return [each for each in (value if isinstance(value, list) else [value]) if isinstance(each, str)]


def _filled(names: Names, holder_name: str) -> Names:
    return Names(tuple(_fill(each, holder_name) for each in names.patterns), names.excepted)


def _fill(pattern: str, holder_name: str) -> str:
    """Put in what policy variables stand for.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
    """

    def value(found: re.Match[str]) -> str:
        name = found.group(1).partition(",")[0].strip().lower()
        return holder_name if name == "aws:username" and holder_name else _NEVER

    return _VARIABLE.sub(value, pattern)


def _conditions(condition: Any, holder_name: str) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Go through the keys of a condition. One that is no condition is a key that nothing is known of."""
    if condition is None or condition == {}:
        return
    for operator, keys in condition.items() if isinstance(condition, dict) else [("", None)]:
        for key, value in keys.items() if isinstance(keys, dict) else [("", None)]:
            values = [str(each).lower() if isinstance(each, bool) else str(each) for each in _values_of(value)]
            yield operator.lower(), key.lower(), tuple(_fill(each, holder_name) for each in values)


def _values_of(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def inline_policies(holder: ResourceView) -> Iterator[tuple[Statement, ...]]:
    """Go through the statements of each of an identity's inline policies."""
    name = holder.name if holder.type == USER else ""
    for each in holder.objects("Policies"):
        yield tuple(read_document(each["PolicyDocument"], f"inline policy '{each['PolicyName']}'", name))


def own_statements(holder: ResourceView) -> tuple[Statement, ...]:
    """Return the statements of an identity's inline policies."""
    return tuple(statement for policy in inline_policies(holder) for statement in policy)


def attached_arns(holder: ResourceView) -> list[str]:
    """Return the ARNs of an identity's managed policies."""
    arns = holder["ManagedPolicyArns"]
    return [str(arn) for arn in (arns if isinstance(arns, View) and arns.is_list else ())]


def managed(arn: str, inventory: Inventory, holder_name: str = "") -> tuple[Statement, ...]:
    """Return the statements of a managed policy.

    :raises NotKnown: it was not read.
    """
    of_aws = ":iam::aws:" in arn
    policy = inventory.get(AWS_POLICY if of_aws else POLICY, arn)
    if policy is None and arn.endswith(":iam::aws:policy/AdministratorAccess"):
        everything = Names(("*",))  # its name says so, wherever its document was not told
        return (Statement(False, everything, everything, (), "policy 'AdministratorAccess'", "ManagedPolicyArns"),)
    if policy is None:
        raise NotKnown("ManagedPolicyArns", Unknown(f"the policy {arn} was not read"))
    return tuple(read_document(policy.key("PolicyDocument"), f"policy '{policy.name}'", holder_name))


EVERYTHING = Statement(False, Names(("*",)), Names(("*",)), (), "", "")


def permissions(holder: ResourceView, inventory: Inventory) -> Permissions:
    """Return what a user, role or group is allowed by all of its policies, those of its groups and its boundary.

    :raises NotKnown: one of them could not be read.
    """
    gaps: list[NotKnown] = []
    allowed = _allowed(holder, inventory, gaps)
    if gaps:
        raise gaps[0]
    return bounded(holder, inventory, allowed)


def at_most(holder: ResourceView, inventory: Inventory) -> Permissions:
    """Return the most that an identity can be allowed, where not all could be read.

    A policy that was not read may allow everything; a boundary that was not read is left out, as it can only take away.
    """
    gaps: list[NotKnown] = []
    allowed = _allowed(holder, inventory, gaps)
    allowed += [EVERYTHING] if gaps else []
    try:
        return bounded(holder, inventory, allowed)
    except NotKnown:
        return Permissions(tuple(allowed), None, _facts(holder))


def _allowed(holder: ResourceView, inventory: Inventory, gaps: list[NotKnown]) -> list[Statement]:
    name = holder.name if holder.type == USER else ""
    identities = [holder, *_read(gaps, groups_of, holder, inventory)]
    allowed = [each for identity in identities for each in _read(gaps, own_statements, identity)]
    for arn in dict.fromkeys(arn for identity in identities for arn in _read(gaps, attached_arns, identity)):
        allowed += _read(gaps, managed, arn, inventory, name)
    return allowed


def _read(gaps: list[NotKnown], reading: Callable[P, Iterable[T]], *args: P.args, **more: P.kwargs) -> tuple[T, ...]:
    """Return what is read, nothing where a part of it is not known."""
    return known(gaps, lambda: tuple(reading(*args, **more)), ())


def bounded(holder: ResourceView, inventory: Inventory, allowed: Iterable[Statement]) -> Permissions:
    """Return these statements as they hold for an identity: within its boundary, and with what is known of it."""
    facts = _facts(holder)
    arn = holder["PermissionsBoundary"] if holder.type != GROUP else None
    name = holder.name if holder.type == USER else ""
    boundary = Permissions(managed(arn, inventory, name), None, facts) if isinstance(arn, str) and arn else None
    return Permissions(tuple(allowed), boundary, facts)


def _facts(holder: ResourceView) -> dict[str, tuple[str, ...]]:
    return {"aws:principalarn": (holder.id,), "aws:principalaccount": (holder.account,)}


def groups_of(holder: ResourceView, inventory: Inventory) -> Iterator[ResourceView]:
    """Go through the groups that a user is in.

    :raises NotKnown: one of them was not read.
    """
    for name in holder.texts("Groups") if holder.type == USER else ():
        group = inventory.get(GROUP, name)
        if group is None:
            raise NotKnown("Groups", Unknown(f"the group {name} was not read"))
        yield group
