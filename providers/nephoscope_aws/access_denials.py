"""What the Deny statements of a resource's policy take back, each alone and all together.

A request is an action and a place, both of them patterns. In a bucket's policy the places are the bucket, ``""``, and
objects by their key, ``/KEY``: S3 takes no other ARN there than the bucket's own. Everywhere else a place is an ARN.

Where patterns overlap in part, more is taken to be left open than is: that errs to the open side, and so do the bounds
on what a hostile document costs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from nephoscope.domain import View
from nephoscope_aws.access_policies import Names, matches, names

MAX_DENIALS = 20
MAX_DENIED_PATTERNS = 50
"""Deny statements, and wildcard patterns in each, that are considered: a blanket Deny has one or two."""

MAX_STEPS = 1_000
"""Requests, and parts of requests, that are looked at in one policy."""

_BUCKET_ARN = re.compile(r"arn:[^:]*:s3:::")

_ON_OBJECTS = re.compile(
    r"s3:(?!.*bucket)(.*object.*|abortmultipartupload|listmultipartuploadparts|bypassgovernanceretention"
    r"|replicate(delete|tags))"
)
"""Actions of S3 on objects; the others that a bucket's policy can hold are on the bucket.
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html"""


def is_wild(pattern: str) -> bool:
    return "*" in pattern or "?" in pattern


def applies(action: str, place: str) -> bool:
    """Tell whether an action of S3 (in lower case) can be on this place; others can be anywhere."""
    if is_wild(action) or not action.startswith("s3:") or not (place == "" or place.startswith("/")):
        return True
    return bool(_ON_OBJECTS.fullmatch(action)) == place.startswith("/")


def places(pattern: str) -> list[str]:
    """Return the places that a Resource pattern stands for.

    A ``*`` before the first slash stands for the rest of the bucket's name, or reaches into the key. Alone it is all
    there is, of whatever kind.
    """
    if not _BUCKET_ARN.match(pattern):
        return [pattern]
    resource = pattern.split(":", 5)[5]
    name, slash, key = resource.partition("/")
    stars = [at for at, sign in enumerate(name[:MAX_DENIED_PATTERNS]) if sign == "*"]
    return [f"/{key}" if slash else "", *(f"/*{resource[at + 1 :]}" for at in stars)]


def _within(pattern: str, outer: str) -> bool:
    """Matching an inner pattern as if it were a name is right for ``*``; ``?`` would also match an inner ``*``."""
    return pattern == outer or (("?" not in outer or not is_wild(pattern)) and matches(outer, pattern))


def _overlap(one: str, other: str) -> bool:
    """Tell whether two patterns may have a name in common, by how they begin and end."""
    if not is_wild(one) or not is_wild(other):
        return matches(one, other) if not is_wild(other) else matches(other, one)
    (begin, end), (begins, ends) = (_ends(each) for each in (one, other))
    return (begin.startswith(begins) or begins.startswith(begin)) and (end.endswith(ends) or ends.endswith(end))


def _ends(pattern: str) -> tuple[str, str]:
    parts = re.split(r"[*?]", pattern)
    return parts[0], parts[-1]


@dataclass(frozen=True, slots=True)
class Reach:
    """What one element of a Deny covers: patterns, or, ``excepted``, all but those."""

    exact: frozenset[str]
    wild: tuple[str, ...]
    excepted: bool

    @classmethod
    def of(cls, patterns: Iterable[str], *, excepted: bool) -> Reach:
        held = dict.fromkeys(patterns)
        return cls(frozenset(held), tuple(filter(is_wild, held)), excepted)

    def outside(self, pattern: str) -> tuple[str, ...]:
        """Return patterns for what this leaves of a pattern; the pattern itself where nothing is gained."""
        inside = pattern in self.exact or any(_within(pattern, each) for each in self.wild[:MAX_DENIED_PATTERNS])
        if not self.excepted:
            return () if inside else (pattern,)
        if inside or len(self.exact) > MAX_DENIED_PATTERNS:
            return (pattern,)
        return tuple(each for each in self.exact if _overlap(each, pattern))


@dataclass(frozen=True, slots=True)
class Denial:
    """One Deny: what it covers of actions and of places."""

    actions: Reach
    places: Reach


def denial(statement: View, own: str = "") -> Denial | None:
    """Return what a Deny covers, whoever it hits; nothing for one that AWS would refuse.

    :param own: the ARN of the resource whose policy it is, if it is known: a Deny on it is on everything.
    """
    actions, resources = names(statement, "Action"), names(statement, "Resource")
    if not actions.patterns or (resources.excepted and not resources.patterns):
        return None
    folded = {pattern.lower() for pattern in actions.patterns}
    # A resource's policy holds actions of one service only, so all of that service's are all.
    if not actions.excepted and any(re.fullmatch(r"[\w-]+:\*+", pattern) for pattern in folded):
        folded.add("*")
    if resources.excepted and any(not each.strip("*") for each in resources.patterns):
        return None
    held = [place for each in resources.patterns for place in places(each)] or ["*"]
    if own and not resources.excepted and any(matches(each, own) for each in resources.patterns):
        held.append("*")
    return Denial(Reach.of(folded, excepted=actions.excepted), Reach.of(held, excepted=resources.excepted))


def exception(resources: Names) -> Denial:
    """Return what the NotResource of an Allow takes out of it."""
    held = (place for each in resources.patterns for place in places(each))
    return Denial(Reach.of(["*"], excepted=False), Reach.of(held, excepted=False))


class Denials:
    """Deny statements that hit the same parties, and what they leave open together."""

    def __init__(self, denials: Iterable[Denial]) -> None:
        self._all = tuple(islice(denials, MAX_DENIALS))
        self._steps = MAX_STEPS
        self._known: dict[tuple[str, str], bool] = {}

    def beside(self, other: Denial) -> Denials:
        """Return these and another one."""
        return Denials((other, *self._all))

    def leave_open(self, action: str, place: str) -> bool:
        """Tell whether some of what this action (in any case) and this place stand for is not denied."""
        request = (action.lower(), place)
        if request not in self._known:
            self._known[request] = self._open(*request, self._all)
        return self._known[request]

    def _open(self, action: str, place: str, denials: tuple[Denial, ...]) -> bool:
        self._steps -= 1
        if self._steps < 0 or not denials:
            return True
        for index, each in enumerate(denials):
            actions, left = each.actions.outside(action), each.places.outside(place)
            if action not in actions and place not in left:
                parts = [(other, place) for other in actions] + [(action, other) for other in left]
                return self._any_open(parts, denials[:index] + denials[index + 1 :])
        return True

    def _any_open(self, parts: Iterable[tuple[str, str]], denials: tuple[Denial, ...]) -> bool:
        return any(applies(*part) and self._open(*part, denials) for part in parts)
