"""Whom AWS policy documents let in, and what public access a bucket's settings effectively leave open.

Documents are read through views, so that what was read is the evidence. Nothing in a document may raise: what AWS
would refuse grants nothing, and what could be read in two ways is taken as the more open one.

**Everyone** is the principal ``*`` in any of its forms, an ARN whose account is a wildcard, ``NotPrincipal`` in an
Allow (all but these), and a web identity provider that is open to anyone. Conditions that pin are in
:mod:`nephoscope_aws.access_conditions`.

**Deny** never grants. One that hits everyone but known parties closes the public grants whose actions and resources it
covers. Not followed, and so closing nothing: a Deny by ``NotAction`` or ``NotResource``, one that is narrowed by
further conditions, one that covers a grant only together with another Deny, and what service control policies or
VPC endpoint policies forbid.
"""

from __future__ import annotations

import fnmatch
import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from nephoscope.domain import NotKnown, Unknown, View
from nephoscope_aws.access_conditions import OPEN_IDENTITY_PROVIDERS, account_of, pins, spares_known_only, texts

MAX_GUARDS = 20
MAX_GUARD_PATTERNS = 50
"""Guarding Deny statements, and wildcard patterns in each, that are considered: a blanket Deny has one or two."""

MAX_PATTERNS = 1_000
"""Action patterns with wildcards in one statement; more count as all actions. S3 has fewer than 200 actions. All three
bound what a hostile document costs, and err to the open side."""


def matches(pattern: str, name: str) -> bool:
    """Match with the wildcards of policies: ``*`` any run of characters, ``?`` any one. Case counts."""
    if "?" in pattern:
        return fnmatch.fnmatchcase(name, pattern.replace("[", "[[]"))
    head, *rest = pattern.split("*")
    if not rest:
        return pattern == name
    *middle, tail = rest
    at = len(head)
    if not name.startswith(head):
        return False
    for part in middle:
        at = name.find(part, at)
        if at < 0:
            return False
        at += len(part)
    return name.endswith(tail) and len(name) - len(tail) >= at


@dataclass(frozen=True, slots=True)
class Names:
    """What an Action (or Resource) element names, or, ``excepted``, what its Not form leaves out."""

    patterns: tuple[str, ...]
    excepted: bool = False

    def which(self, actions: tuple[str, ...]) -> tuple[str, ...]:
        """Return those of these actions (``s3:GetObject``) that are among the named ones; case does not count."""
        return _which(self, actions)

    def __str__(self) -> str:
        shown = ", ".join(pattern[:60] for pattern in self.patterns[:3]) + (", …" if len(self.patterns) > 3 else "")
        return f"everything except {shown}" if self.excepted else shown


@functools.lru_cache(maxsize=64)  # the statements of a policy, and the policies of many buckets, name the same actions
def _which(named: Names, actions: tuple[str, ...]) -> tuple[str, ...]:
    folded = dict.fromkeys(pattern.lower() for pattern in named.patterns)
    wild = [pattern for pattern in folded if "*" in pattern or "?" in pattern]
    if len(wild) > MAX_PATTERNS:
        return actions

    def holds(name: str) -> bool:
        return (name in folded or any(matches(pattern, name) for pattern in wild)) != named.excepted

    return tuple(action for action in actions if holds(action.lower()))


def names(statement: View, element: str) -> Names:
    """Read ``element`` (Action, Resource) of a statement, or its Not form; nothing when there is neither."""
    for name, excepted in ((element, False), (f"Not{element}", True)):
        if name in statement:
            return Names(tuple(texts(statement.key(name))), excepted)
    return Names(())


@dataclass(frozen=True, slots=True)
class Grant:
    """An Allow that lets everyone in: who that is in words, and the path of the principal."""

    statement: View
    who: str
    at: str
    actions: Names
    resources: Names


def statements(policy: Any, gaps: list[NotKnown]) -> Iterator[View]:
    """Go through a policy's statements, of which there may be a list or one; unreadable ones go to ``gaps``.

    :raises NotKnown: the policy is text that nobody parsed.
    """
    if isinstance(policy, str):
        raise NotKnown("", Unknown("the policy is text, not a document"))
    held = policy.key("Statement") if isinstance(policy, View) else None
    if not isinstance(held, View):
        return
    for statement in members(held, gaps) if held.is_list else (held,):
        if isinstance(statement, View) and not statement.is_list:
            yield statement


def members(value: Any, gaps: list[NotKnown]) -> Iterator[Any]:
    """Go through what can be read of a list; what cannot goes to ``gaps``. Anything else has no members."""
    for index in range(len(value)) if isinstance(value, View) and value.is_list else ():
        try:
            member = value[index]
        except NotKnown as gap:
            gaps.append(gap)
        else:
            yield member


def principals(element: Any) -> list[tuple[str, str]]:
    """Return the (kind, name) pairs of a Principal; a bare text is of kind AWS."""
    if not isinstance(element, View) or element.is_list:
        return [("AWS", name) for name in texts(element)]
    return [(kind, name) for kind in element.names() for name in texts(element.key(kind))]


def _is_everyone(name: str) -> bool:
    return name == "*" or (("*" in name or "?" in name) and not account_of(name))


def everyone(statement: View) -> tuple[str, str] | None:
    """Return who (in words) and the path of the principal, if the statement names everyone; conditions aside."""
    if "NotPrincipal" in statement:
        spared = [name for _, name in principals(statement.key("NotPrincipal"))]
        named = ", ".join(spared[:3]) or "nobody"
        return None if "*" in spared else (f"Anyone except {named}", f"{statement.path}.NotPrincipal")
    at = f"{statement.path}.Principal"
    for kind, name in principals(statement.key("Principal")):
        if _is_everyone(name):
            return "Anyone", at
        if kind == "Federated" and name in OPEN_IDENTITY_PROVIDERS:
            return f"Anyone with a login at {name}", at
    return None


def open_grants(policy: Any, wanted: Callable[[Names], bool] = lambda actions: True) -> list[Grant]:
    """Return the Allow statements of a resource's policy that let everyone in, and that no Deny closes.

    :param policy: the view of a policy document, or None.
    :param wanted: only grants whose actions this accepts count.
    :raises NotKnown: a part that could not be read might open or close access, and nothing else decides it.
    """
    unread: list[NotKnown] = []
    gaps: list[NotKnown] = []
    grants: list[Grant] = []
    guards: list[_Guard] = []
    may_close = False
    for statement in statements(policy, unread):
        effect = None
        try:
            effect = statement.key("Effect")
            if effect == "Allow" and (grant := _open_grant(statement)) and wanted(grant.actions):
                grants.append(grant)
            elif effect == "Deny" and (guard := _guard(statement)):
                guards.append(guard)
        except NotKnown as gap:
            gaps.append(gap)
            may_close = may_close or effect != "Allow"
    left = [grant for grant in grants if not any(guard.covers(grant) for guard in guards[:MAX_GUARDS])]
    gaps += unread
    if gaps and (may_close or unread or not left):
        raise gaps[0]
    return left


def _open_grant(statement: View) -> Grant | None:
    found = everyone(statement)
    if found is None or pins(statement.key("Condition")):
        return None
    actions, resources = names(statement, "Action"), names(statement, "Resource")
    return Grant(statement, *found, actions, resources) if actions.patterns or actions.excepted else None


@dataclass(frozen=True, slots=True)
class _Guard:
    """A Deny that hits everyone but known parties."""

    actions: tuple[str, ...]
    resources: tuple[str, ...]

    def covers(self, grant: Grant) -> bool:
        actions = ("*",) if grant.actions.excepted else grant.actions.patterns
        unlimited = grant.resources.excepted or not grant.resources.patterns
        resources = ("*",) if unlimited else grant.resources.patterns
        return _contain(self.actions, {each.lower() for each in actions}) and _contain(self.resources, set(resources))


def _guard(statement: View) -> _Guard | None:
    if not _hits_the_world(statement):
        return None
    actions, resources = names(statement, "Action"), names(statement, "Resource")
    if actions.excepted or resources.excepted or not actions.patterns:
        return None
    folded = {pattern.lower() for pattern in actions.patterns}
    # A resource's policy holds actions of one service only, so all of that service's are all.
    if any(pattern.count(":") == 1 and pattern.endswith(":*") and "*" not in pattern[:-1] for pattern in folded):
        folded.add("*")
    wide = set(resources.patterns) or {"*"}
    if any(f"{pattern}/*" in wide for pattern in resources.patterns):
        wide.add("*")  # a bucket and its objects: all that a bucket policy can be about
    return _Guard(tuple(folded), tuple(wide))


def _hits_the_world(statement: View) -> bool:
    """NotPrincipal in a Deny hits all but the named, so it guards if those are known parties."""
    if "Condition" in statement and statement.key("Condition") is None:
        return False
    if "NotPrincipal" in statement:
        spared = [name for _, name in principals(statement.key("NotPrincipal"))]
        hit = bool(spared) and not any(_is_everyone(n) or n in OPEN_IDENTITY_PROVIDERS for n in spared)
    else:
        hit = ("AWS", "*") in principals(statement.key("Principal"))
    return hit and spares_known_only(statement.key("Condition"))


def _contain(outer: tuple[str, ...], inner: set[str]) -> bool:
    """Tell whether each inner pattern lies within one outer pattern.

    Matching the inner pattern as if it were a name is right for ``*``; ``?`` would also match an inner ``*``, so outer
    patterns that have it count only where they are equal.
    """
    wild = [pattern for pattern in outer if "*" in pattern and "?" not in pattern][:MAX_GUARD_PATTERNS]
    return all(pattern in outer or any(matches(each, pattern) for each in wild) for pattern in inner)
