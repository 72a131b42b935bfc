"""The fix of a resource's policy that lets everyone in: whoever is everyone becomes the account that owns it."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from nephoscope.domain import FixRequest, LiveSession, PlanProblem, Recorder, Resource, View
from nephoscope_aws.access_grants import open_grants
from nephoscope_aws.names import partition
from nephoscope_aws_fixes.policy_text import listed, named, owner_for_everyone, same_policy, write_like
from nephoscope_aws_fixes.setting import Setting, at, put

_STATEMENT = re.compile(r"Statement(?:\[(\d+)\])?\.(?:Not)?Principal")

_DELETED = re.compile(r"A(?:IDA|ROA)[A-Z0-9]{12,}")

MOST_NAMED = 6
"""Principals of a policy that are named as its users; of more, the number is."""


class ClosePolicy(Setting):
    """Limits the public statements of a resource's policy to its own account. The state is the policy's text."""

    summary = "Limits the public statements of its policy to its own account. All else in the policy stays as it is."
    policy_at: ClassVar[tuple[str | int, ...]]
    """Where the getter's answer has the policy's text."""
    sent_as: ClassVar[str] = "Policy"
    """The setter's parameter that takes the text."""
    shown_at: ClassVar[str] = "Policy"
    """Where the resource's properties have the policy."""
    longest: ClassVar[int]
    """Bytes that such a policy may have."""

    def found(self, answer: Mapping[str, Any]) -> Any:
        return at(answer, self.policy_at) or None

    def same(self, one: Any, other: Any) -> bool:
        return same_policy(one, other)

    def parameters(self, state: Any) -> Mapping[str, Any]:
        return {self.sent_as: state}

    def wanted(self, before: Any, request: FixRequest, session: LiveSession) -> Any:
        if before is None:
            raise PlanProblem("it has no policy any more.")
        document = parsed(before)
        closed = closed_policy(document, request.resource)
        if closed == document:
            raise PlanProblem("it is not public any more.")
        after = write_like(closed, before)
        require_fits(after, self.longest)
        return after

    def show(self, properties: dict[str, Any], state: Any) -> None:
        put(properties, self.shown_at, json.loads(state))

    def uses(self, request: FixRequest, session: LiveSession) -> list[str]:
        text = self.read(self.target(request.resource), session)
        return named_in(parsed(text)) if text else []


def require_fits(policy: str, longest: int) -> None:
    """Raise PlanProblem if a policy has more bytes than AWS takes."""
    if (size := len(policy.encode())) > longest:
        raise PlanProblem(f"its policy would have {size:,} bytes and AWS allows {longest:,}; shorten it first.")


def parsed(policy: str) -> Any:
    try:
        return json.loads(policy)
    except ValueError as problem:
        raise PlanProblem(f"its policy is not JSON ({problem}); change it manually.") from problem


def as_view(document: Any) -> View:
    return View({"Policy": document}, "", Recorder(), "", {})


def closed_policy(document: Any, resource: Resource) -> Any:
    """Return the policy document with the owner's account where everyone stands in a statement that lets in.

    :raises PlanProblem: that would not close it; says what does not.
    """
    owner = owner_of(resource.id, resource.account)
    places = [grant.at for grant in open_grants(as_view(document).key("Policy"), own=resource.id)]
    closed = limited(document, places, owner)
    if left := open_grants(as_view(closed).key("Policy"), own=resource.id):
        raise PlanProblem(f"change its policy manually: {left[0].who} can use it.")
    return closed


def owner_of(arn: str, account: str) -> str:
    """Return the ARN that stands for the whole of an account, in the partition of something."""
    return f"arn:{partition(arn)}:iam::{account}:root"


def limited(document: Any, places: Iterable[str], owner: str) -> Any:
    """Return a policy document with the owner where everyone stands in the statements that these paths lead into.

    :raises PlanProblem: one allows all but a few, or AWS would not take the policy.
    """
    closed = copy.deepcopy(document)
    for place in places:
        statement = statement_of(closed, place)
        if "NotPrincipal" in statement:
            raise PlanProblem(
                f"{called(statement, place)} of its policy allows everyone but a few (NotPrincipal). Nephoscope "
                "cannot know whom it is meant for: rewrite it manually to name them under Principal."
            )
        statement["Principal"] = owner_for_everyone(statement["Principal"], owner)
    require_accepted(closed)
    return closed


def require_accepted(document: Any) -> None:
    """Raise PlanProblem if a policy names a user or role that was deleted: AWS keeps such a policy and takes none.

    Its unique ID stands there then. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
    """
    for statement in listed(document.get("Statement", [])):
        for kind, name in [pair for each in ("Principal", "NotPrincipal") for pair in named(statement.get(each))]:
            if kind == "AWS" and _DELETED.fullmatch(name):
                raise PlanProblem(
                    f"its policy names {name}, a user or role that was deleted, and AWS takes no such policy; remove "
                    "that principal first."
                )


def statement_of(document: Any, path: str) -> dict[str, Any]:
    """Return the statement that a path into a policy is in."""
    found = _STATEMENT.search(path)
    statements = document["Statement"]
    statement: dict[str, Any] = statements if not found or found[1] is None else statements[int(found[1])]
    return statement


def called(statement: Mapping[str, Any], path: str) -> str:
    """Return what a person calls a statement: its Sid or its number."""
    found = _STATEMENT.search(path)
    return f"statement {statement.get('Sid') or int((found and found[1]) or 0) + 1}"


def named_in(document: Any) -> list[str]:
    """Say whom a policy names, beside everyone: they keep their access."""
    names = dict.fromkeys(
        name
        for each in listed(document.get("Statement", []))
        if isinstance(each, dict) and each.get("Effect") == "Allow"
        for _, name in named(each.get("Principal"))
        if name != "*"
    )
    if not names:
        return ["Its policy names nobody beside everyone, so who uses it is not known from there."]
    shown = list(names)[:MOST_NAMED]
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return [f"Its policy also names {', '.join(shown)}{more}, who keep their access."]
