"""Reading AWS policy documents: statements, principals, and what an element names.

Documents are read through views, so that what was read is the evidence. Nothing in a document may raise: what AWS
would refuse grants nothing, and what could be read in two ways is taken as the more open one.

Whom a resource's policy lets in is in :mod:`nephoscope_aws.access_grants`.
"""

from __future__ import annotations

import fnmatch
import functools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from nephoscope.domain import NO_LIST, Fail, NotKnown, Unknown, View
from nephoscope_aws.access_conditions import texts

T = TypeVar("T")
U = TypeVar("U")

MAX_PATTERNS = 1_000
"""Action patterns with wildcards in one statement; more count as all actions. S3 has fewer than 200 actions. It
bounds what a hostile document costs, and errs to the open side."""


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


def statements(policy: Any, gaps: list[NotKnown]) -> Iterator[View]:
    """Go through a policy's statements, of which there may be a list or one; unreadable ones go to ``gaps``.

    :raises NotKnown: the policy is text that nobody parsed.
    """
    if isinstance(policy, str):
        raise NotKnown("", Unknown("the policy is text, not a document"))
    if policy is not None and not isinstance(policy, View):
        raise NotKnown("", Unknown("the policy is not a document"))
    held = policy.key("Statement") if policy is not None else None
    if not isinstance(held, View):
        return
    for statement in members(held, gaps) if held.is_list else (held,):
        if isinstance(statement, View) and not statement.is_list:
            yield statement


def members(value: Any, gaps: list[NotKnown]) -> Iterator[Any]:
    """Go through what can be read of a list; what cannot, and anything else than a list, goes to ``gaps``."""
    try:
        listed = _list(value)
    except NotKnown as gap:
        gaps.append(gap)
        return
    for index in range(len(listed)):
        try:
            member = listed[index]
        except NotKnown as gap:
            gaps.append(gap)
        else:
            yield member


def object_members(value: Any, gaps: list[NotKnown]) -> list[View]:
    """Return the objects in a list; why another member is none goes to ``gaps``, as what could not be read does."""
    found = (known(gaps, functools.partial(_object, each, value), None) for each in members(value, gaps))
    return [each for each in found if each is not None]


def known(gaps: list[NotKnown], read: Callable[[], T], otherwise: U) -> T | U:
    """Return what is read; where that is not known, ``otherwise``, and why goes to ``gaps``."""
    try:
        return read()
    except NotKnown as gap:
        gaps.append(gap)
        return otherwise


def objects(value: Any) -> Iterator[View]:
    """Go through the objects in a list; what is absent has none. Raises NotKnown at anything else."""
    for member in _list(value):
        yield _object(member, value)


def _object(member: Any, of: Any) -> View:
    if isinstance(member, View) and not member.is_list:
        return member
    raise NotKnown(getattr(of, "path", ""), Unknown("a member of the list is not an object"))


def _list(value: Any) -> Any:
    if value is None or isinstance(value, tuple) or (isinstance(value, View) and value.is_list):
        return () if value is None else value
    raise NotKnown(getattr(value, "path", ""), Unknown(NO_LIST))


def all_right(value: Any, judge: Callable[[View], bool | Fail | None]) -> bool | Fail | None:
    """Judge each object in a list; None if there is nothing to judge.

    One that is certainly wrong outweighs another that could not be read.
    """
    gaps: list[NotKnown] = []
    judgements = (functools.partial(_judged, judge, each, value) for each in members(value, gaps))
    return together(judgements, gaps)


def _judged(judge: Callable[[View], bool | Fail | None], member: Any, of: Any) -> bool | Fail | None:
    return judge(_object(member, of))


def together(
    judgements: Iterable[Callable[[], bool | Fail | None]], gaps: Iterable[NotKnown] = ()
) -> bool | Fail | None:
    """Judge several things as one: the first that fails; None if none was judged.

    One that is certainly wrong outweighs another that could not be read.
    :param gaps: why there may be more than these.
    :raises NotKnown: nothing is wrong as far as is known.
    """
    unread = [*gaps]
    verdicts: list[bool | Fail | None] = []
    for judge in judgements:
        verdict = known(unread, judge, None)
        if isinstance(verdict, Fail):
            return verdict
        verdicts.append(verdict)
    if unread:
        raise unread[0]
    return True if any(verdicts) else None


def principals(element: Any) -> list[tuple[str, str]]:
    """Return the (kind, name) pairs of a Principal; a bare text is of kind AWS."""
    if not isinstance(element, View) or element.is_list:
        return [("AWS", name) for name in texts(element)]
    return [(kind, name) for kind in element.names() for name in texts(element.key(kind))]
