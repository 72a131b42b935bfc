"""What the policies of an IAM identity allow, asked as IAM asks: one action on one resource, a Deny first.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics.html

A condition is decided by what is known of a request (:class:`Permissions`). What is not known of it an intruder may
choose or bring about: such a condition leaves an Allow in force, and a Deny not. Not followed are the policies of
organizations (service and resource control policies) and of sessions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from nephoscope.domain import Inventory, NotKnown, ResourceView, Unknown, View
from nephoscope_aws.access_policies import Names, matches, statements
from nephoscope_aws.names import partition

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

    def knowing(self, **more: tuple[str, ...]) -> Permissions:
        """Return the same with more known of the request; ``__`` stands for the colon of a key."""
        known = {**self.known, **{name.replace("__", ":"): values for name, values in more.items()}}
        return Permissions(self.statements, self.boundary and self.boundary.knowing(**more), known)

    def allowing(self, action: str, resource: str) -> Statement | None:
        """Return a statement that allows an action on a resource; None when nothing does, or something denies it."""
        concerned = [each for each in self.statements if each.names(action) and each.reaches(resource)]
        if any(each.denies and self._holds(each) is True for each in concerned):
            return None
        if self.boundary and not self.boundary.allowing(action, resource):
            return None
        return next((each for each in concerned if not each.denies and self._holds(each) is not False), None)

    def allowing_somewhere(self, action: str) -> Statement | None:
        """Return a statement that allows an action on any resource at all."""
        for each in self.statements:
            if each.denies or not each.names(action):
                continue
            for resource in (ANY_NAME,) if each.resources.excepted else each.resources.patterns:
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


def own_statements(holder: ResourceView) -> tuple[Statement, ...]:
    """Return the statements of an identity's inline policies."""
    name = holder.name if holder.type == USER else ""
    return tuple(
        statement
        for each in holder.objects("Policies")
        for statement in read_document(each["PolicyDocument"], f"inline policy '{each['PolicyName']}'", name)
    )


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


def permissions(holder: ResourceView, inventory: Inventory) -> Permissions:
    """Return what a user, role or group is allowed by all of its policies, those of its groups and its boundary.

    :raises NotKnown: one of them could not be read.
    """
    name = holder.name if holder.type == USER else ""
    identities = [holder, *_groups(holder, inventory)]
    allowed = [each for identity in identities for each in own_statements(identity)]
    for arn in dict.fromkeys(arn for identity in identities for arn in attached_arns(identity)):
        allowed += managed(arn, inventory, name)
    return bounded(holder, inventory, allowed)


def bounded(holder: ResourceView, inventory: Inventory, allowed: Iterable[Statement]) -> Permissions:
    """Return these statements as they hold for an identity: within its boundary, and with what is known of it."""
    known = {"aws:principalarn": (holder.id,), "aws:principalaccount": (holder.account,)}
    arn = holder["PermissionsBoundary"] if holder.type != GROUP else None
    name = holder.name if holder.type == USER else ""
    boundary = Permissions(managed(arn, inventory, name), None, known) if isinstance(arn, str) and arn else None
    return Permissions(tuple(allowed), boundary, known)


def _groups(holder: ResourceView, inventory: Inventory) -> Iterator[ResourceView]:
    names = holder.texts("Groups") if holder.type == USER else ()
    for name in names:
        group = inventory.get(GROUP, name)
        if group is None:
            raise NotKnown("Groups", Unknown(f"the group {name} was not read"))
        yield group
