"""Whom the policy of a resource lets in, less what its Deny statements take back.

**Everyone** is the principal ``*`` in any of its forms, an ARN whose account is a wildcard, ``NotPrincipal`` in an
Allow (all but these), and an identity provider that many customers share
(:mod:`nephoscope_aws.identity_providers`). Conditions that pin are in :mod:`nephoscope_aws.access_conditions`.

**Deny** never grants. Those that hit everyone but known parties close the public grants that they cover together
(:mod:`nephoscope_aws.access_denials`). Not followed, and so closing nothing: a Deny that is narrowed by further
conditions, and what service control policies or VPC endpoint policies forbid.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from nephoscope.domain import NotKnown, View
from nephoscope_aws.access_conditions import account_of, accounts_spared, pins, spares_known_only
from nephoscope_aws.access_denials import Denial, Denials, denial, exception, places
from nephoscope_aws.access_policies import Names, matches, names, principals, statements
from nephoscope_aws.identity_providers import SharedProvider, is_fixed, shared_provider

MAX_OPEN = 100
"""Actions of a grant that are told to be open."""

MAX_STRANGERS, MAX_DENYING = 20, 100
"""Different names of strangers, and Deny statements, for which it is found out who stops whom; both err to the open
side."""


@dataclass(frozen=True, slots=True)
class Stranger:
    """Someone whom a statement names and who can be anyone: by kind and name of the principal, and in words."""

    kind: str
    name: str
    who: str
    at: str
    provider: SharedProvider | None = None


@dataclass(frozen=True, slots=True)
class Grant:
    """An Allow that lets everyone in. ``open`` are those of its actions that matter and that no Deny closes.

    ``own`` is the ARN of the resource whose policy it is in, if it is known.
    """

    statement: View
    stranger: Stranger
    actions: Names
    resources: Names
    own: str = ""
    open: tuple[str, ...] = ()

    @property
    def who(self) -> str:
        return self.stranger.who

    @property
    def at(self) -> str:
        return self.stranger.at

    def places(self) -> list[str]:
        """What its resources stand for (:mod:`nephoscope_aws.access_denials`); a policy may have none."""
        limited = self.resources.patterns and not self.resources.excepted
        patterns = self.resources.patterns if limited else ("*",)
        own = (self.own if self.own and matches(each, self.own) else each for each in patterns)
        return list(dict.fromkeys(place for each in own for place in places(each)))


Requests = Callable[[Grant], Iterable[tuple[str, str]]]
"""What a grant allows that matters, as actions and places."""


def as_written(grant: Grant) -> Iterator[tuple[str, str]]:
    """All that a grant allows."""
    found = grant.places()
    for action in dict.fromkeys(("*",) if grant.actions.excepted else grant.actions.patterns):
        for place in found:
            yield action, place


def is_everyone(name: str) -> bool:
    """Tell whether a principal of any kind is everyone: ``*``, or an account that is a wildcard."""
    return name == "*" or (("*" in name or "?" in name) and not account_of(name))


def strangers(statement: View) -> list[Stranger]:
    """Return who of those whom a statement names is everyone; conditions aside."""
    if "NotPrincipal" in statement:
        spared = [name for _, name in principals(statement.key("NotPrincipal"))]
        who = f"Anyone except {', '.join(spared[:3]) or 'nobody'}"
        return [] if "*" in spared else [Stranger("AWS", "*", who, f"{statement.path}.NotPrincipal")]
    at = f"{statement.path}.Principal"
    found = (_stranger(kind, name, at) for kind, name in principals(statement.key("Principal")))
    # One of each sort is enough, whatever the number of names.
    return list({(each.kind, each.who): each for each in found if each}.values())


def _stranger(kind: str, name: str, at: str) -> Stranger | None:
    if is_everyone(name):
        return Stranger(kind, name, "Anyone", at)
    if kind != "Federated":
        return None
    if not is_fixed(name):
        return Stranger(kind, name, "Anyone with a login at some identity provider", at)
    provider = shared_provider(name)
    if provider is None:
        return None
    who = f"Anyone with a login at {provider.name}" if provider.login else f"Any customer of {provider.name}"
    return Stranger(kind, name, who, at, provider)


def open_grants(policy: Any, requests: Requests = as_written, own: str = "") -> list[Grant]:
    """Return the Allow statements of a resource's policy that let everyone in, and that no Deny closes.

    :param policy: the view of a policy document, or None.
    :param requests: what of a grant matters; one that has nothing of it does not count.
    :param own: the ARN of the resource, if it is known.
    :raises NotKnown: a part that could not be read might open or close access, and nothing else decides it.
    """
    found = _Found(own)
    for statement in statements(policy, found.gaps):
        found.take(statement)
    left = [grant for each in found.allowed if (grant := found.first_open(each, requests))]
    gaps = found.gaps + (found.deny_gaps if left else found.allow_gaps)
    if gaps:
        raise gaps[0]
    return left


@dataclass(slots=True)
class _Found:
    """The statements of one policy: grants by statement, and the Deny statements; what could not be read."""

    own: str
    allowed: list[list[Grant]] = field(default_factory=list)
    denying: list[View] = field(default_factory=list)
    gaps: list[NotKnown] = field(default_factory=list)
    allow_gaps: list[NotKnown] = field(default_factory=list)
    deny_gaps: list[NotKnown] = field(default_factory=list)
    _denials: dict[tuple[str, str], Denials] = field(default_factory=dict)

    def take(self, statement: View) -> None:
        gaps = self.gaps
        try:
            effect = statement.key("Effect")
            gaps = self.allow_gaps
            if effect == "Allow" and (grants := _grants(statement, self.own)):
                self.allowed.append(grants)
            elif effect == "Deny":
                self.denying.append(statement)
        except NotKnown as gap:
            gaps.append(gap)

    def first_open(self, grants: list[Grant], requests: Requests) -> Grant | None:
        """Of the strangers that one statement lets in, the first whom no Deny stops."""
        for grant in grants:
            denials = self._hitting(grant.stranger)
            if grant.resources.excepted:
                denials = denials.beside(exception(grant.resources))
            if held := _left_open(requests(grant), denials):
                return replace(grant, open=held)
        return None

    def _hitting(self, stranger: Stranger) -> Denials:
        key = (stranger.kind, stranger.name)
        if key not in self._denials:
            if len(self._denials) == MAX_STRANGERS:
                return Denials(())
            self._denials[key] = Denials(self._covered(stranger))
        return self._denials[key]

    def _covered(self, stranger: Stranger) -> Iterator[Denial]:
        for statement in self.denying[:MAX_DENYING]:
            try:
                covered = denial(statement, self.own) if _hits(statement, stranger) else None
            except NotKnown as gap:
                self.deny_gaps.append(gap)
                continue
            if covered:
                yield covered


def _left_open(requests: Iterable[tuple[str, str]], denials: Denials) -> tuple[str, ...]:
    held: dict[str, None] = {}
    for action, place in requests:
        if action not in held and denials.leave_open(action, place):
            held[action] = None
            if len(held) == MAX_OPEN:
                break
    return tuple(held)


def _grants(statement: View, own: str) -> list[Grant]:
    found = [each for each in strangers(statement) if not pins(statement.key("Condition"), each.provider)]
    if not found:
        return []
    actions, resources = names(statement, "Action"), names(statement, "Resource")
    if not actions.patterns and not actions.excepted:
        return []
    return [Grant(statement, each, actions, resources, own) for each in found]


def _hits(statement: View, stranger: Stranger) -> bool:
    """Tell whether a Deny hits all that a stranger may be, but known parties.

    NotPrincipal in a Deny hits all but the named, so it does if those are known parties.
    """
    if "Condition" in statement and statement.key("Condition") is None:
        return False
    if "NotPrincipal" in statement:
        spared = principals(statement.key("NotPrincipal"))
        hit = bool(spared) and not any(is_everyone(name) or _stranger(kind, name, "") for kind, name in spared)
    else:
        named = principals(statement.key("Principal"))
        hit = any(each in named for each in (("AWS", "*"), (stranger.kind, "*"), (stranger.kind, stranger.name)))
    return hit and spares_known_only(statement.key("Condition"), stranger.provider)


class AccountDenials:
    """What the Deny statements of a policy take from all of an account, or from everyone but known parties."""

    def __init__(self, found: Iterable[View]) -> None:
        self._denying = list(islice(filter(_denies, found), MAX_DENYING))
        self._known: dict[str, Denials] = {}

    def of(self, account: str) -> Denials:
        """Return them for an account, or for everyone if that is empty.

        :raises NotKnown: a part of one that decides it could not be read.
        """
        if account not in self._known:
            if len(self._known) == MAX_STRANGERS:
                return Denials(())
            hitting = (each for each in self._denying if _hits_account(each, account))
            self._known[account] = Denials(filter(None, map(denial, hitting)))
        return self._known[account]


def _denies(statement: View) -> bool:
    try:
        return bool(statement.key("Effect") == "Deny")
    except NotKnown:
        return False


def _hits_account(statement: View, account: str) -> bool:
    if not account:
        return _hits(statement, Stranger("AWS", "*", "Anyone", ""))
    spared = accounts_spared(statement.key("Condition"))
    if spared is None or account in spared:
        return False
    if "NotPrincipal" in statement:
        return not any(account_of(name) in ("", account) for _, name in principals(statement.key("NotPrincipal")))
    named = principals(statement.key("Principal"))
    return any(kind == "AWS" and (name == "*" or _whole_account(name) == account) for kind, name in named)


def _whole_account(name: str) -> str:
    return account_of(name) if name.endswith(":root") or ":" not in name else ""
